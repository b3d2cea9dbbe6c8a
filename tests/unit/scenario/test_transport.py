# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that hold for every request: where the key goes, what is followed, and how much is believed."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from pathlib import Path

import pytest

from pixal3d_addon.scenario import (
    CanceledError,
    ConfigurationError,
    Connection,
    Credentials,
    OfflineError,
    Pace,
    ProtocolError,
    ScenarioClient,
    ServiceTimeoutError,
    UnreachableError,
)
from pixal3d_addon.scenario.transport import Transport
from tests.unit.scenario.conftest import KEY, QUICK, SECRET, make_glb
from tests.unit.scenario.scripted_server import Service, closed_port, ranged, reply, serving

JOB = {"job": {"jobId": "j"}}
GET_JOB = "GET /v1/jobs/j"


def client_of(base_url: str) -> ScenarioClient:
    return ScenarioClient(Connection(Credentials(KEY, SECRET), base_url), pace=QUICK)


def test_netrc_does_not_replace_our_key_nor_get_to_the_cdn(
    service: Service, client: ScenarioClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\ndefault login d password d\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    asset = {"id": "a", "kind": "3d", "mimeType": "model/glb", "url": f"{service.url}/cdn/a.glb"}
    service.on("POST /v1/assets/get-bulk", reply(200, {"assets": [asset]}))
    service.on("GET /cdn/a.glb", ranged(make_glb()))
    client.download_model(["a"], tmp_path / "model.glb")
    asked, fetched = service.requests
    assert asked.headers["authorization"] == f"Basic {Credentials(KEY, SECRET).token()}"
    assert "authorization" not in fetched.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_api_is_an_error_and_not_followed(
    service: Service, client: ScenarioClient, status: int
) -> None:
    with serving() as other:
        other.on(GET_JOB, reply(200, JOB))
        service.on(GET_JOB, reply(status, b"", location=f"{other.url}/v1/jobs/j?Signature=abcdef"))
        with pytest.raises(ProtocolError, match="redirect"):
            client.job("j")
        assert other.requests == []
    assert len(service.requests) == 1


def test_a_cookie_of_the_service_is_not_sent_back(service: Service, client: ScenarioClient) -> None:
    service.on(GET_JOB, reply(200, JOB, set_cookie="session=1; Path=/"))
    client.job("j")
    client.job("j")
    assert "cookie" not in service.requests[1].headers


def test_connections_are_kept_for_the_next_question(service: Service, client: ScenarioClient) -> None:
    service.on(GET_JOB, reply(200, JOB))
    for _ in range(3):
        client.job("j")
    assert service.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply(200, b"<html>log in</html>", content_type="text/html"), id="captive portal"),
        pytest.param(reply(200, b"{", content_type="application/json"), id="not json"),
        pytest.param(reply(200, b"\xff\xfe", content_type="application/json"), id="not text"),
        pytest.param(reply(200, b""), id="empty"),
        pytest.param(reply(204, b""), id="no content"),
        pytest.param(reply(200, [JOB]), id="a list"),
        pytest.param(reply(200, {}), id="no job"),
        pytest.param(reply(200, {"job": "j"}), id="a job that is a word"),
        pytest.param(reply(200, b"[" * 100_000), id="deeply nested"),
        pytest.param(reply(200, b'{"job":' + b" " * 9_000_000 + b"{}}"), id="too large"),
        pytest.param(reply(200, b"plain", content_encoding="gzip"), id="not gzip"),
        pytest.param(reply(200, b"?", content_encoding="br"), id="unknown packing"),
        pytest.param(reply(511, b"<html>log in</html>", content_type="text/html"), id="511"),
    ],
)
def test_what_is_not_an_answer_of_the_service_is_said_and_asked_once(
    service: Service, client: ScenarioClient, answer
) -> None:
    service.on(GET_JOB, answer)
    with pytest.raises(ProtocolError):
        client.job("j")


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_answer_is_unpacked(service: Service, client: ScenarioClient, name: str, pack) -> None:
    service.on(GET_JOB, reply(200, pack(json.dumps(JOB).encode()), content_encoding=name))
    assert client.job("j").id == "j"


def test_an_answer_that_trickles_in_ends_at_a_deadline(service: Service, connection: Connection) -> None:
    def trickle(handler, request) -> None:
        reply(200, b"", content_length="1000000")(handler, request)
        while not handler.server.stopping.wait(0.02):
            handler.wfile.write(b" " * 70_000)

    service.on(GET_JOB, trickle)
    pace = Pace(read_seconds=5, answer_seconds=0.05, wait_scale=0.001)
    with ScenarioClient(connection, pace=pace) as client, pytest.raises(ServiceTimeoutError):
        client.job("j")


@pytest.mark.parametrize("packing", ["", "chunked"])
def test_an_answer_that_comes_byte_by_byte_ends_at_the_deadline_too(
    service: Service, connection: Connection, packing: str
) -> None:
    """Each byte restarts the socket's timeout, and a read that wants a whole chunk would wait for all of them."""

    def trickle(handler, request) -> None:
        if packing:
            handler.send_response(200)
            handler.send_header("Transfer-Encoding", packing)
            handler.end_headers()
        else:
            reply(200, b"", content_length="400")(handler, request)
        for _ in range(400):
            if handler.server.stopping.wait(0.02):
                return
            handler.wfile.write(b"1\r\n \r\n" if packing else b" ")
        handler.close_connection = True

    service.on(GET_JOB, trickle)
    pace = Pace(read_seconds=5, answer_seconds=0.05, wait_scale=0.001)
    started = time.monotonic()
    with ScenarioClient(connection, pace=pace) as client, pytest.raises(ServiceTimeoutError):
        client.job("j")
    assert time.monotonic() - started < 4 * 400 * 0.02 / 2, "four attempts, none of them to the end"


def test_stopping_is_noticed_while_a_model_comes_byte_by_byte(service: Service, connection: Connection) -> None:
    began = threading.Event()

    def trickle(handler, request) -> None:
        reply(200, b"glTF", content_length="1000000", content_type="model/gltf-binary")(handler, request)
        began.set()
        while not handler.server.stopping.wait(0.02):
            handler.wfile.write(b"\0")

    service.on("GET /file", trickle)
    cancel = threading.Event()
    transport = Transport(connection, cancel, Pace())
    threading.Thread(target=lambda: began.wait(10) and cancel.set(), daemon=True).start()
    with pytest.raises(CanceledError):
        stream = transport.open(f"{service.url}/file", {})
        for _ in stream.chunks():
            transport.check_cancel()


def test_a_refused_connection_and_an_unknown_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with client_of(f"http://127.0.0.1:{closed_port()}/v1") as client, pytest.raises(UnreachableError):
        client.job("j")
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    with client_of("https://api.invalid/v1") as client, pytest.raises(OfflineError):
        client.job("j")


def test_the_loopback_rule_holds_for_a_connection_made_before_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    with client_of("https://api.invalid/v1") as client:
        monkeypatch.setenv("PIXAL3D_LOOPBACK_ONLY", "1")
        with pytest.raises(ConfigurationError, match="only this computer"):
            client.generate({"image": "i"})
