# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the fault lab, each seen by a real client on a real connection."""

from __future__ import annotations

import errno
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from scripts.standin import Fault, StandIn
from tests.unit.standin.support import SMALL, basic, make_client, until, upload

RUN = "/v1/generate/custom/model_pixal3d"


@pytest.fixture
def wire(standin: StandIn) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=standin.origin, auth=basic(standin), timeout=20) as client:
        yield client


@pytest.fixture
def image(standin: StandIn, ring: bytes) -> str:
    with make_client(standin) as client:
        return upload(client, ring)


def _port(standin: StandIn) -> int:
    return int(standin.origin.rpartition(":")[2])


def _connects(standin: StandIn) -> int:
    """0, or the error's number."""
    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", _port(standin)))


def _plain(standin: StandIn, path: str) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
    """GET with the standard library's client, which is exact about lengths."""
    connection = http.client.HTTPConnection("127.0.0.1", _port(standin), timeout=20)
    key = {"Authorization": basic(standin)._auth_header} if path.startswith("/v1/") else {}
    connection.request("GET", path, headers=key)
    return connection.getresponse(), connection


# refuse

def test_a_refusing_service_drops_everybody_listens_no_more_and_comes_back_on_its_port(
        wire: httpx.Client, standin: StandIn, image: str) -> None:
    answer, kept_alive = _plain(standin, "/v1/teams")
    answer.read()
    standin.faults.add(Fault("refuse", method="POST", path="/generate/", seconds=0.8))
    with pytest.raises(httpx.RemoteProtocolError):
        wire.post(RUN, json={"image": image, **SMALL})
    begun = time.monotonic()
    assert [_connects(standin) for _ in range(3)] == [errno.ECONNREFUSED] * 3
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{standin.origin}/__standin__/ledger")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        kept_alive.request("GET", "/v1/teams")
        kept_alive.getresponse()
    kept_alive.close()
    until(lambda: _connects(standin), lambda error: error == 0)
    assert 0.5 < time.monotonic() - begun < 10
    assert wire.get("/v1/teams").status_code == 200
    assert standin.ledger.charges == () and [entry.fault for entry in standin.requests].count("refuse") == 1


def test_it_can_refuse_again_and_again(wire: httpx.Client, standin: StandIn) -> None:
    standin.faults.add(Fault("refuse", path="/teams$", times=3, seconds=0.5))
    for _ in range(3):
        with pytest.raises(httpx.RemoteProtocolError):
            wire.get("/v1/teams")
        assert _connects(standin) == errno.ECONNREFUSED
        until(lambda: _connects(standin), lambda error: error == 0)
    assert wire.get("/v1/teams").status_code == 200


def _ask(standin: StandIn) -> None:
    try:
        httpx.get(f"{standin.base_url}/teams", timeout=30)
    except httpx.TransportError:
        pass


def test_a_refusing_service_stops_at_once_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    standin = StandIn().start()
    standin.faults.add(Fault("refuse", seconds=600))
    _ask(standin)
    assert _connects(standin) == errno.ECONNREFUSED
    begun = time.monotonic()
    standin.stop()
    assert time.monotonic() - begun < 2
    until(lambda: set(threading.enumerate()) - before, lambda left: not left)


@pytest.mark.parametrize("delay", [0, 0.005, 0.02, 0.05, 0.08])
def test_it_stops_at_any_moment_of_a_refusal(delay: float) -> None:
    before = set(threading.enumerate())
    standin = StandIn().start()
    standin.faults.add(Fault("refuse", times=9, seconds=600))
    clients = [threading.Thread(target=_ask, args=(standin,)) for _ in range(3)]
    for client in clients:
        client.start()
    time.sleep(delay)
    standin.stop()
    for client in clients:
        client.join(10)
    until(lambda: set(threading.enumerate()) - before, lambda left: not left)


# late, slow and silent

def test_a_slow_answer_comes_late_and_its_work_is_done_late(wire: httpx.Client, standin: StandIn, image: str) -> None:
    standin.faults.add(Fault("slow", method="POST", path="/generate/", seconds=1))
    charged: list[int] = []
    timer = threading.Timer(0.2, lambda: charged.append(len(standin.ledger.charges)))
    timer.start()
    begun = time.monotonic()
    answer = wire.post(RUN, json={"image": image, **SMALL})
    assert answer.status_code == 200 and time.monotonic() - begun >= 1
    assert charged == [0] and len(standin.ledger.charges) == 1


def test_a_slow_answer_is_charged_though_the_client_has_gone(standin: StandIn, image: str) -> None:
    standin.faults.add(Fault("slow", method="POST", path="/generate/", seconds=1))
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(standin.origin + RUN, json={"image": image, **SMALL}, auth=basic(standin), timeout=0.3)
    assert standin.ledger.charges == ()
    until(lambda: len(standin.ledger.charges), lambda charges: charges == 1)


def test_a_slow_answer_is_not_given_by_a_stopped_service() -> None:
    standin = StandIn().start()
    standin.faults.add(Fault("slow", seconds=600))
    client = threading.Thread(target=_ask, args=(standin,))
    client.start()
    until(lambda: standin.requests, bool)
    standin.stop()
    client.join(10)
    assert not client.is_alive()


def test_a_dripping_download_comes_in_pieces_and_whole(standin: StandIn, image: str, ring: bytes) -> None:
    with make_client(standin) as client:
        url = client.assets.retrieve(image).asset.url
    standin.faults.add(Fault("drip", path="^/cdn/", bytes=len(ring) // 4 + 1, seconds=0.2))
    arrived: list[float] = []
    got = b""
    with httpx.stream("GET", url) as answer:
        for piece in answer.iter_raw():
            got += piece
            arrived.append(time.monotonic())
    assert got == ring and int(answer.headers["Content-Length"]) == len(ring)
    assert len(arrived) >= 4 and arrived[-1] - arrived[0] > 0.4


def test_a_dripping_download_ends_when_the_standin_stops(standin: StandIn, image: str) -> None:
    with make_client(standin) as client:
        url = client.assets.retrieve(image).asset.url
    standin.faults.add(Fault("drip", path="^/cdn/", bytes=1, seconds=600))
    with httpx.stream("GET", url) as answer:
        pieces = answer.iter_raw()
        assert len(next(pieces)) == 1
        standin.stop()
        with pytest.raises(httpx.TransportError):
            next(pieces)


def test_an_accepted_run_may_never_be_answered(wire: httpx.Client, standin: StandIn, image: str) -> None:
    standin.faults.add(Fault("accept_then_hang", method="POST", path="/generate/", times=2, seconds=1))
    with pytest.raises(httpx.ReadTimeout):
        wire.post(RUN, json={"image": image, **SMALL}, timeout=0.3)
    assert len(standin.ledger.charges) == 1  # while it keeps silent
    begun = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        wire.post(RUN, json={"image": image, **SMALL})
    assert time.monotonic() - begun >= 1 and len(standin.ledger.charges) == 2


# wrong answers

@pytest.mark.parametrize("path", ["/v1/teams", "/cdn/"])
def test_more_can_be_announced_than_comes(standin: StandIn, image: str, path: str) -> None:
    with make_client(standin) as client:
        whole = client.assets.retrieve(image).asset.url.removeprefix(standin.origin) if path == "/cdn/" else path
    standin.faults.add(Fault("wrong_length", path=path, bytes=10))
    answer, connection = _plain(standin, whole)
    with pytest.raises(http.client.IncompleteRead) as short:
        answer.read()
    assert short.value.expected == 10 and len(short.value.partial) == int(answer.headers["Content-Length"]) - 10
    connection.close()


def test_less_can_be_announced_than_comes(wire: httpx.Client, standin: StandIn) -> None:
    whole = wire.get("/v1/teams").content
    for less, seen in ((-10, whole[:-10]), (-1_000_000, b"")):
        standin.faults.add(Fault("wrong_length", path="/teams$", bytes=less))
        answer, connection = _plain(standin, "/v1/teams")
        assert answer.read() == seen and int(answer.headers["Content-Length"]) == len(seen)
        connection.close()
    assert wire.get("/v1/teams").content == whole


def test_an_answer_can_be_of_another_type_and_its_work_is_done(
        wire: httpx.Client, standin: StandIn, image: str) -> None:
    page = "<html>maintenance</html>"
    standin.faults.add(
        Fault("wrong_type", path="/generate/", headers={"content-type": "text/html"}, body=page),
        Fault("wrong_type", path="/teams$", headers={"Content-Type": "text/html", "X-More": "1"}),
        Fault("wrong_type", path="/models$", headers={"Content-Type": "application/json"}, body=[1]))
    answer = wire.post(RUN, json={"image": image, **SMALL})
    assert (answer.status_code, answer.text, answer.headers.get_list("content-type")) == (200, page, ["text/html"])
    assert len(standin.ledger.charges) == 1
    teams = wire.get("/v1/teams")
    assert (teams.headers.get_list("content-type"), teams.headers["x-more"]) == (["text/html"], "1")
    assert teams.json()["teams"]  # the real body
    assert wire.get("/v1/models").json() == [1]


def test_an_address_can_expire_before_its_time(wire: httpx.Client, standin: StandIn, image: str, ring: bytes) -> None:
    good = wire.get(f"/v1/assets/{image}").json()["asset"]["url"]
    standin.set_options(urlLifetimeSeconds=0)
    late = wire.get(f"/v1/assets/{image}").json()["asset"]["url"]
    time.sleep(0.01)
    real = httpx.get(late)
    part = wire.post("/v1/uploads", json={"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1,
                                          "fileSize": len(ring)}).json()["upload"]
    standin.faults.add(Fault("expired", times=2))  # on any path, and yet only where addresses are signed
    assert wire.get("/v1/teams").status_code == 200
    expired = httpx.get(good)
    assert (expired.status_code, expired.text) == (real.status_code, real.text) and "AccessDenied" in expired.text
    refused = httpx.put(part["parts"][0]["url"], content=ring)
    assert refused.status_code == 403 and "Request has expired" in refused.text
    assert wire.post(f"/v1/uploads/{part['id']}/action", json={"action": "complete"}).status_code == 200
    failed = until(lambda: wire.get(f"/v1/uploads/{part['id']}").json()["upload"],
                   lambda one: one["status"] in ("imported", "failed"))
    assert failed["status"] == "failed"  # the part was not kept
    assert httpx.get(good).content == ring


# which request

def test_a_fault_can_let_requests_pass_first(wire: httpx.Client, standin: StandIn) -> None:
    standin.faults.add(Fault("status", path="/teams$", skip=2, times=2))
    assert [fault["skip"] for fault in _left(standin)] == [2]
    assert wire.get("/v1/models").status_code == 200  # does not match, does not count
    assert [wire.get("/v1/teams").status_code for _ in range(3)] == [200, 200, 503]
    assert [(fault["skip"], fault["times"]) for fault in _left(standin)] == [(0, 1)]
    assert [wire.get("/v1/teams").status_code for _ in range(2)] == [503, 200]
    assert _left(standin) == []


def test_a_passed_request_can_still_meet_a_later_fault(wire: httpx.Client, standin: StandIn) -> None:
    standin.faults.add(Fault("status", skip=1, status=500), Fault("status", status=502))
    assert [wire.get("/v1/teams").status_code for _ in range(3)] == [502, 500, 200]


def _left(standin: StandIn) -> list[dict[str, Any]]:
    left: list[dict[str, Any]] = httpx.get(f"{standin.origin}/__standin__/faults").json()["faults"]
    return left


@pytest.mark.parametrize(("wrong", "words"), [
    ({"action": "refuse", "seconds": -1}, "seconds must be"), ({"action": "slow", "seconds": "1"}, "seconds must be"),
    ({"action": "slow", "seconds": True}, "seconds must be"), ({"action": "status", "skip": -1}, "skip must be"),
    ({"action": "status", "skip": 1.5}, "skip must be"), ({"action": "drip"}, "bytes must not be 0"),
    ({"action": "drip", "bytes": -5}, "bytes must be"), ({"action": "cut", "bytes": -5}, "bytes must be"),
    ({"action": "wrong_length"}, "bytes must not be 0"), ({"action": "wrong_length", "bytes": 1.5}, "bytes must be"),
    ({"action": "wrong_type", "headers": {"Content-Type": 5}}, "headers must be"),
    ({"action": "wrong_type", "headers": ["a"]}, "headers must be"), ({"action": "slow", "path": 5}, "texts"),
    ({"action": "slow", "method": None}, "texts"), ({"action": "fast"}, "accept_then_hang")])
def test_a_wrong_fault_is_refused_with_a_readable_reason(standin: StandIn, wrong: dict[str, Any], words: str) -> None:
    answer = httpx.post(f"{standin.origin}/__standin__/faults", json=wrong)
    assert answer.status_code == 400 and words in answer.json()["reason"]
    assert standin.faults.left() == ()
