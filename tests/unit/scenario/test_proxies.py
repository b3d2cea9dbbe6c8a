# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy on the way to the service is used as the environment says, learns nothing, and its faults are told."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from pixal3d_addon.scenario import (
    Connection,
    Credentials,
    Pace,
    ProxyError,
    ScenarioClient,
    ScenarioError,
    TlsError,
    TransportError,
)
from pixal3d_addon.scenario.adapter import proxy_of
from tests.unit.scenario.conftest import GENERATE, KEY, QUICK, SECRET, make_glb
from tests.unit.scenario.raw_server import Talk, proxying, silent
from tests.unit.scenario.scripted_server import Service, closed_port, ranged, reply, serving
from tests.unit.scenario.tls import server_context, trust

JOB = {"job": {"jobId": "j"}}
GET_JOB = "GET /v1/jobs/j"
HOST = "api.invalid"
PASSWORD = "pr0xyPassw0rd"
TOKEN = Credentials(KEY, SECRET).token()


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Service]:
    """A service that only a proxy leads to, under a name that nobody can look up."""
    ca = trustme.CA()
    trust(ca, monkeypatch, tmp_path)
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    with serving(server_context(ca, HOST, "cdn.invalid")) as service:
        service.on(GET_JOB, reply(200, JOB))
        service.on(GENERATE, reply(200, JOB))
        yield service


def far_client(pace: Pace = QUICK) -> ScenarioClient:
    return ScenarioClient(Connection(Credentials(KEY, SECRET), f"https://{HOST}/v1"), pace=pace)


def port_of(service: Service) -> int:
    return int(service.url.rpartition(":")[2])


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_service_is_reached_through_the_proxy_of_the_environment(
    far: Service, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with proxying(port_of(far), user=f"artist:{PASSWORD}@") as proxy, far_client() as client:
        monkeypatch.setenv(variable, proxy.url)
        assert client.job("j").id == "j"
        assert client.generate({"image": "i"}).job.id == "j"
    heads = [head.decode() for head in proxy.heads]
    assert all(head.startswith(f"CONNECT {HOST}:443 ") for head in heads)
    login = base64.b64encode(f"artist:{PASSWORD}".encode()).decode()
    assert all(f"proxy-authorization: basic {login.lower()}" in head.lower() for head in heads)
    seen = "".join(heads).encode() + bytes(proxy.passed)
    assert not [secret for secret in (KEY, SECRET, TOKEN) if secret.encode() in seen]
    assert far.requests
    assert not [request for request in far.requests if "proxy-authorization" in request.headers]


def test_the_cdn_is_reached_through_it_too_without_our_key_or_the_proxys(
    far: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asset = {"id": "a", "kind": "3d", "mimeType": "model/glb", "url": "https://cdn.invalid/a.glb"}
    far.on("POST /v1/assets/get-bulk", reply(200, {"assets": [asset]}))
    far.on("GET /a.glb", ranged(make_glb()))
    with proxying(port_of(far), user=f"artist:{PASSWORD}@") as proxy, far_client() as client:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client.download_model(["a"], tmp_path / "model.glb")
    assert proxy.heads[-1].startswith(b"CONNECT cdn.invalid:443 ")
    (fetched,) = far.sent("GET /a.glb")
    assert not {"authorization", "proxy-authorization"} & fetched.headers.keys()


def test_who_needs_no_proxy_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert proxy_of("https://api.example.com/v1") == "http://127.0.0.1:1"
    monkeypatch.setenv("NO_PROXY", "intranet.example, example.com")
    assert proxy_of("https://api.example.com/v1") is None
    assert proxy_of("https://elsewhere.example/v1") == "http://127.0.0.1:1"


def test_the_proxy_of_the_system_counts_where_the_environment_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows' registry and macOS' settings are read by urllib.request, whose part is played here."""
    monkeypatch.setattr("requests.utils.getproxies", lambda: {"https": "http://system.example:8080"})
    assert proxy_of("https://api.example.com/v1") == "http://system.example:8080"


def test_this_machine_is_asked_directly(
    service: Service, client: ScenarioClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    service.on(GET_JOB, reply(200, JOB))
    assert client.job("j").id == "j"


def closes(connection: socket.socket, over: object) -> None:
    """In the middle of its answer."""
    connection.sendall(b"HTTP/1.1 200 Connec")


def closes_after(connection: socket.socket, over: object) -> None:
    """Lets us through, to nobody."""
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


def lets_through_to_a_page(connection: socket.socket, over: object) -> None:
    """The network's login page answers, without encryption."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def refusing(status: str) -> Talk:
    def talk(connection: socket.socket, over: object) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    return talk


@pytest.mark.parametrize(
    ("talk", "expected", "words", "tries"),
    [
        pytest.param(refusing("407 Proxy Authentication Required"), ProxyError, "name and password", 1, id="407"),
        pytest.param(refusing("403 Forbidden"), ProxyError, "does not let Blender through", 1, id="403"),
        pytest.param(refusing("502 Bad Gateway"), ProxyError, "could not be used", 4, id="502"),
        pytest.param(closes, TransportError, None, 4, id="closes in its answer"),
        pytest.param(closes_after, TransportError, None, 4, id="closes after it"),
        pytest.param(lets_through_to_a_page, TlsError, "without encryption", 1, id="no TLS"),
        pytest.param(silent, TransportError, None, 4, id="hangs"),
        pytest.param(lambda c, over: over.wait(10), TransportError, None, 4, id="hangs after reading"),
    ],
)
def test_a_proxy_that_fails_is_told_apart_and_keeps_its_password_and_nothing_was_sent(
    far: Service,
    monkeypatch: pytest.MonkeyPatch,
    talk: Talk,
    expected: type[ScenarioError],
    words: str | None,
    tries: int,
) -> None:
    pace = Pace(connect_seconds=0.3 if tries == 4 and not words else 5, wait_scale=0.002)
    with proxying(0, talk, user=f"artist:{PASSWORD}@") as proxy, far_client(pace) as client:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(expected, match=words) as caught:
            client.job("j")
        assert len(proxy.heads) == tries
        with pytest.raises(expected, match=words) as paid:
            client.generate({"image": "i"})
    for error in (caught.value, paid.value):
        assert PASSWORD not in str(error)
        assert error.__cause__ is error.__context__ is None
    assert far.requests == []


def test_an_answer_of_the_proxy_that_trickles_in_ends(far: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(connection: socket.socket, over: object) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.02):  # type: ignore[attr-defined]
            connection.sendall(b"x")

    pace = Pace(answer_seconds=0.1, wait_scale=0.002)
    with proxying(0, talk) as proxy, far_client(pace) as client:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(TransportError):
            client.job("j")


def test_a_proxy_that_is_down_is_named_without_its_password(far: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://artist:{PASSWORD}@127.0.0.1:{port}")
    with far_client() as client, pytest.raises(ProxyError, match=f"127.0.0.1:{port} could not") as caught:
        client.generate({"image": "i"})
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "socks4://127.0.0.1:1", "nonsense://127.0.0.1:1"])
def test_a_kind_of_proxy_that_requests_can_not_use_says_what_to_do(
    far: Service, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with far_client() as client, pytest.raises(ProxyError, match=r"SOCKS.*HTTPS_PROXY"):
        client.job("j")


@pytest.mark.parametrize(
    "proxy",
    ["http://", "http://[::1", "http://127.0.0.1:port", f"http://a:{PASSWORD}@:1", "http://:3128", "%%", "http://ä..ö"],
)
def test_a_proxy_setting_that_makes_no_sense_is_an_error_of_the_proxy(
    far: Service, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with far_client(Pace(connect_seconds=0.2, wait_scale=0.002)) as client, pytest.raises(ProxyError) as caught:
        client.job("j")
    assert PASSWORD not in str(caught.value)
