# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted faults, the control endpoints, and the program's start and end."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.standin import Fault, StandIn
from tests.unit.standin.support import SMALL, basic, make_client, upload

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def wire(standin: StandIn) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=standin.origin, auth=basic(standin), timeout=20) as client:
        yield client


def test_a_status_fault_answers_as_told_and_only_so_often(wire: httpx.Client, standin: StandIn) -> None:
    fault = {"method": "GET", "path": "/teams$", "times": 2, "action": "status", "status": 429,
             "body": {"reason": "cooldown", "remainingSeconds": 3}, "headers": {"Retry-After": "3"}}
    assert httpx.post(f"{standin.origin}/__standin__/faults", json=[fault]).status_code == 200
    first, second, third = (wire.get("/v1/teams") for _ in range(3))
    assert (first.status_code, first.headers["Retry-After"], first.json()["remainingSeconds"]) == (429, "3", 3)
    assert (second.status_code, third.status_code) == (429, 200)


def test_a_page_of_html_can_come_in_place_of_json(wire: httpx.Client, standin: StandIn) -> None:
    standin.faults.add(Fault("html", status=502))
    answer = wire.get("/v1/teams")
    assert answer.status_code == 502 and answer.text.startswith("<html>")


@pytest.mark.parametrize(("action", "charged"), [("close", 0), ("status", 0), ("accept_then_close", 1)])
def test_a_lost_reply_may_or_may_not_have_been_charged(
        wire: httpx.Client, standin: StandIn, ring: bytes, action: str, charged: int) -> None:
    with make_client(standin) as client:
        image = upload(client, ring)
    standin.faults.add(Fault(action, method="POST", path="/generate/"))
    body = {"image": image, **SMALL}
    if action == "status":
        assert wire.post("/v1/generate/custom/model_pixal3d", json=body).status_code == 503
    else:
        with pytest.raises(httpx.RemoteProtocolError):
            wire.post("/v1/generate/custom/model_pixal3d", json=body)
    assert len(standin.ledger.charges) == charged
    listed = wire.get("/v1/jobs", params={"types": "custom"}).json()["jobs"]
    assert [job["metadata"]["input"]["image"] for job in listed] == [image] * charged


def test_a_cut_download_announces_more_than_it_sends(wire: httpx.Client, standin: StandIn, ring: bytes) -> None:
    with make_client(standin) as client:
        url = client.assets.retrieve(upload(client, ring)).asset.url
    standin.faults.add(Fault("cut", path="^/cdn/", bytes=100))
    with httpx.stream("GET", url) as answer:
        got = b""
        with pytest.raises(httpx.RemoteProtocolError):
            for piece in answer.iter_raw():
                got += piece
    assert int(answer.headers["Content-Length"]) == len(ring) and got == ring[:100]
    assert httpx.get(url).content == ring


def test_a_hanging_answer_ends_when_the_standin_stops(standin: StandIn) -> None:
    standin.faults.add(Fault("hang", seconds=600))
    failed: list[Exception] = []

    def ask() -> None:
        try:
            httpx.get(f"{standin.base_url}/teams", timeout=60)
        except httpx.HTTPError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not any(entry.fault for entry in standin.requests):
        time.sleep(0.01)
    standin.stop()
    thread.join(30)
    assert not thread.is_alive() and isinstance(failed[0], httpx.RemoteProtocolError | httpx.ReadError)


def test_faults_can_be_taken_back_and_a_wrong_one_is_refused(wire: httpx.Client, standin: StandIn) -> None:
    control = f"{standin.origin}/__standin__/faults"
    for wrong in ({"action": "explode"}, {"action": "status", "path": "("}, {"action": "status", "when": 1}, 5):
        assert httpx.post(control, json=wrong).status_code == 400
    httpx.post(control, json={"action": "close", "times": 9}).raise_for_status()
    assert httpx.delete(control).json() == {"faults": []}
    assert wire.get("/v1/teams").status_code == 200


def test_the_request_log_keeps_no_secret_and_no_picture(wire: httpx.Client, standin: StandIn, ring: bytes) -> None:
    encoded = base64.b64encode(ring).decode()
    wire.post("/v1/assets?projectId=proj_standin", json={"name": "ring.png", "image": encoded}).raise_for_status()
    httpx.get(f"{standin.base_url}/teams", auth=("some", "one"))
    httpx.get(f"{standin.base_url}/teams")
    text = httpx.get(f"{standin.origin}/__standin__/requests").text
    entries: list[dict[str, Any]] = json.loads(text)["requests"]
    assert [entry["authorization"] for entry in entries] == ["valid", "invalid", "absent"]
    assert entries[0]["query"] == {"projectId": "proj_standin"} and entries[0]["json"]["name"] == "ring.png"
    assert entries[0]["body_bytes"] > len(encoded) and encoded[:60] not in text
    for secret in (standin.options.secret, basic(standin)._auth_header, base64.b64encode(b"some:one").decode()):
        assert secret not in text


def test_options_change_while_it_runs_but_not_the_credentials(standin: StandIn) -> None:
    control = f"{standin.origin}/__standin__/options"
    shown = httpx.post(control, json={"meshScale": "ignored", "textureFormat": "png", "jobSeconds": 9}).json()
    assert (shown["mesh_scale"], shown["texture_format"], shown["job_seconds"]) == ("ignored", "png", 9)
    assert "secret" not in shown
    for wrong in ({"secret": "x"}, {"meshScale": "maybe"}, {"jobSeconds": -1}, {"colour": "red"}):
        assert httpx.post(control, json=wrong).status_code == 400
    assert standin.options.job_seconds == 9


def test_many_clients_at_once_are_all_answered(standin: StandIn) -> None:
    answers: list[int] = []

    def ask() -> None:
        with httpx.Client(auth=basic(standin), timeout=60) as client:
            answers.extend(client.get(f"{standin.base_url}/models/model_pixal3d").status_code for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 160


def _start(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "scripts.standin", *arguments], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **more)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_says_where_it_is_and_stops_on_a_signal(number: signal.Signals) -> None:
    with _start("--job-seconds", "600", "--key", "api_k", "--secret", "s") as program:
        assert program.stdout is not None
        told = json.loads(program.stdout.readline())
        assert told["pid"] == program.pid
        with httpx.Client(base_url=told["base_url"], auth=(told["key"], told["secret"])) as wire:
            assert wire.get("/teams").status_code == 200
            program.send_signal(number)
            assert program.wait(30) == 0
        assert program.stdout.read() == ""  # one line, no more


def test_the_program_ends_with_its_standard_input() -> None:
    with _start("--stop-on-stdin-eof", stdin=subprocess.PIPE) as program:
        assert program.stdout is not None and program.stdin is not None
        json.loads(program.stdout.readline())
        program.stdin.close()
        assert program.wait(30) == 0


@pytest.mark.skipif(os.name == "nt", reason="--parent-pid is not for Windows, as its help says")
def test_the_program_ends_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        with _start("--parent-pid", str(parent.pid)) as program:
            assert program.stdout is not None
            json.loads(program.stdout.readline())
            assert program.poll() is None
            parent.communicate(b"\n")
            assert program.wait(30) == 0


def test_the_model_maker_ends_when_its_server_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-m", "scripts.standin.maker_process"], cwd=ROOT,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as maker:
        assert maker.stdin is not None
        maker.stdin.close()
        assert maker.wait(60) == 0


def test_a_taken_port_is_said(standin: StandIn) -> None:
    port = standin.origin.rpartition(":")[2]
    ended = subprocess.run([sys.executable, "-m", "scripts.standin", "--port", port], cwd=ROOT, text=True,
                           capture_output=True, timeout=60, check=False)
    assert ended.returncode == 1 and "Choose another --port" in ended.stderr and ended.stdout == ""
