# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and ids that the service gives lead nowhere that they should not, and smuggle nothing into our requests."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.scenario import (
    ConfigurationError,
    Connection,
    Credentials,
    DownloadError,
    ProtocolError,
    ScenarioClient,
    ScenarioError,
    UploadFailedError,
)
from pixal3d_addon.scenario.connection import check_given_url, is_loopback
from tests.unit.scenario.conftest import GENERATE, KEY, QUICK, SECRET, make_glb
from tests.unit.scenario.raw_server import answering, head_of, listening
from tests.unit.scenario.scripted_server import Service, ranged, reply, serving

CREDENTIALS = Credentials(KEY, SECRET)
GLB = make_glb()


@pytest.fixture
def abroad(monkeypatch: pytest.MonkeyPatch) -> Connection:
    """To a service on the internet. Nothing is sent in these tests."""
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    return Connection(CREDENTIALS)


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.cloud.scenario.com/assets/a?Policy=x",
        "https://scenario.s3.amazonaws.com/a",
        "https://8.8.8.8/a",
        "https://[2606:4700::1111]/a",
    ],
)
def test_a_service_on_the_internet_may_lead_elsewhere_on_the_internet(abroad: Connection, url: str) -> None:
    check_given_url(url, abroad)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/a",
        "https://127.0.0.1/a",
        "http://localhost:6379/a",
        "https://printer.localhost/a",
        "https://localhost./a",
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "https://192.168.0.1/a",
        "https://10.0.0.1/a",
        "https://172.16.0.1/a",
        "https://100.64.0.1/a",
        "https://0.0.0.0/a",
        "https://[::1]/a",
        "https://[fe80::1%25eth0]/a",
        "https://[fc00::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://2130706433/a",
        "https://0x7f000001/a",
        "https://127.1/a",
        "https://[::]/a",
        "https://artist:password@cdn.cloud.scenario.com/a",
        "http://cdn.cloud.scenario.com/a",
        "https://cdn.cloud.scenario.com\\@127.0.0.1/a",
        "https://cdn.cloud.scenario.com/a\r\nX-Injected: 1",
        "https://cdn.cloud.scenario.com/a b",
        "file:///etc/passwd",
        "ftp://cdn.cloud.scenario.com/a",
        "data:model/gltf-binary;base64,AAAA",
        "//cdn.cloud.scenario.com/a",
        "",
        "\ud800",
        "https://cdn.cloud.scenario.com:0/a",
        "https://cdn.cloud.scenario.com:99999/a",
        "https://[::1/a",
    ],
)
def test_it_may_not_lead_into_the_artists_network_nor_past_encryption(abroad: Connection, url: str) -> None:
    with pytest.raises(ConfigurationError):
        check_given_url(url, abroad)
    with ScenarioClient(abroad, pace=QUICK) as client:
        with pytest.raises(ConfigurationError):
            client._transport.put(url, lambda cancel: pytest.fail("asked for what to send"))
        with pytest.raises(ConfigurationError):
            client._transport.open(url, {})


def test_a_service_in_the_own_network_may_lead_to_another_computer_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    check_given_url("https://10.0.0.6/a", Connection(CREDENTIALS, "https://10.0.0.5/v1"))


@pytest.mark.parametrize("host", ["127.0.0.1.example.com", "localhost.example.com", "128.0.0.1", "::2", "loopback"])
def test_what_only_looks_like_this_computer_gets_no_unencrypted_request(host: str) -> None:
    assert not is_loopback(host)


def offer(service: Service, url: str) -> None:
    asset = {"id": "a", "kind": "3d", "mimeType": "model/glb", "url": url}
    service.on("POST /v1/assets/get-bulk", reply(200, {"assets": [asset]}))
    service.on("GET /v1/assets/a", reply(200, {"asset": asset}))


@pytest.mark.parametrize(
    "location",
    [
        "http://elsewhere.invalid/a.glb",
        "https://artist:password@127.0.0.1/a.glb",
        "https://[::1",
        "//:0/",
        "http://127.0.0.1\\@elsewhere.invalid/",
        "javascript:alert(1)",
        "data:model/gltf-binary;base64,AAAA",
        "\xff\xfe\xfd",
        "http://\xe4\xf6.invalid/",
        "?" * 10_000,
        "a\r\n b",
    ],
)
def test_a_download_that_leads_to_where_nothing_may_be_fetched_is_an_error_of_the_download(
    service: Service, client: ScenarioClient, tmp_path: Path, location: str
) -> None:
    offer(service, f"{service.url}/a.glb")
    service.on("GET /a.glb", reply(302, b"", location=location))
    with pytest.raises(DownloadError):
        client.download_model(["a"], tmp_path / "model.glb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "location", ["b.glb", "/b.glb", "./x/../b.glb", "//{host}/b.glb", "http://{host}/b.glb#part", "?x=1&next=/b.glb"]
)
def test_a_relative_redirect_leads_where_it_says(
    service: Service, client: ScenarioClient, tmp_path: Path, location: str
) -> None:
    offer(service, f"{service.url}/a.glb")
    location = location.format(host=service.url.partition("//")[2])
    service.on("GET /a.glb", reply(302, b"", location=location), ranged(GLB))
    service.on("GET /b.glb", ranged(GLB))
    client.download_model(["a"], tmp_path / "model.glb")
    assert (tmp_path / "model.glb").read_bytes() == GLB


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308, 399])
def test_no_redirect_takes_the_key_the_image_or_the_order_elsewhere(
    service: Service, client: ScenarioClient, status: int
) -> None:
    with serving() as other:
        away = reply(status, b"", location=f"{other.url}/v1/jobs/j")
        part = {"number": 1, "url": f"{service.url}/storage"}
        service.on("GET /v1/jobs/j", away)
        service.on(GENERATE, away)
        service.on("POST /v1/uploads", reply(200, {"upload": {"id": "u", "parts": [part]}}))
        service.on("PUT /storage", away)
        with pytest.raises(ProtocolError):
            client.job("j")
        with pytest.raises(ScenarioError, match="not known whether"):
            client.generate({"image": "i"})
        with pytest.raises(UploadFailedError):
            client.upload_image("i.png", bytes(4_000_000), "image/png")
        assert other.requests == []
    assert len(service.sent(GENERATE)) == 1


@pytest.mark.parametrize(
    "location", [b"\xff\xfe", b"http://[", b"//", b"http://\xe4\xf6/", b"http://a:b@c:99999999/", b"\0", b"a" * 60_000]
)
def test_a_location_that_is_no_address_is_just_a_redirect(location: bytes) -> None:
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    with listening(answering(head)) as port:
        connection = Connection(CREDENTIALS, f"http://127.0.0.1:{port}/v1")
        with ScenarioClient(connection, pace=QUICK) as client, pytest.raises(ProtocolError, match="redirect"):
            client.job("j")


BAD_IDS = [
    "../teams",
    "a/b",
    "a?b=c",
    "a#b",
    "a%2fb",
    "..",
    "",
    " ",
    "a\r\nX: 1",
    "a\0b",
    "ä",
    "😀",
    "a" * 5000,
    "\ud800",
]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_an_id_of_the_service_leads_to_no_other_endpoint(
    service: Service, client: ScenarioClient, tmp_path: Path, bad: str
) -> None:
    """Wherever it gives one that comes back in a path: an upload's, a job's, an asset's."""
    escaped = json.dumps(bad).encode()
    service.on("POST /v1/uploads", reply(200, b'{"upload":{"id":%s,"parts":[{"number":1,"url":"x"}]}}' % escaped))
    with pytest.raises(ScenarioError):
        client.upload_image("i.png", bytes(4_000_000), "image/png")
    asset = b'{"id":%s,"kind":"3d","mimeType":"model/glb","url":""}' % escaped
    service.on("POST /v1/assets/get-bulk", reply(200, b'{"assets":[%s]}' % asset))
    with pytest.raises(ScenarioError):
        client.download_model([bad], tmp_path / "model.glb")
    service.on(GENERATE, reply(200, b'{"job":{"jobId":%s}}' % escaped))
    with pytest.raises(ScenarioError):
        client.job(client.generate({"image": "i"}).job.id)
    routes = {f"{request.method} {request.target}" for request in service.requests}
    assert routes <= {"POST /v1/uploads", "POST /v1/assets/get-bulk", GENERATE}


@pytest.mark.parametrize("token", ["a&projectId=other", "a\r\nX: 1", "?#/../", "😀", "\ud800", "x" * 5000])
def test_a_pages_token_is_quoted(service: Service, client: ScenarioClient, token: str) -> None:
    page = json.dumps({"jobs": [], "nextPaginationToken": token}).encode()
    service.on("GET /v1/jobs", reply(200, page), reply(200, {"jobs": []}))
    assert list(client.jobs()) == []
    target = service.requests[1].target
    assert target.startswith("/v1/jobs?pageSize=50&types=custom&paginationToken=")
    assert not [c for c in target.rpartition("=")[2] if c in "&#/\r\n "]
    assert "x" not in service.requests[1].headers


def test_a_services_address_with_ipv6_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(answering(b'HTTP/1.1 200 OK\r\n\r\n{"job":{"jobId":"j"}}'), host="::1") as port:
        connection = Connection(CREDENTIALS, f"http://[::1]:{port}/v1")
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        with ScenarioClient(connection, pace=QUICK) as client:
            assert client.job("j").id == "j"


def test_a_zone_of_ipv6_reaches_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """``fe80::1`` alone names no machine; the lookup must get the interface with it."""
    asked: list[Any] = []

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no such interface")

    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with ScenarioClient(Connection(CREDENTIALS, "https://[fe80::1%25eth0]/v1"), pace=QUICK) as client:
        with pytest.raises(ScenarioError):
            client.job("j")
    assert set(asked) == {"fe80::1%eth0"}


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".com", "xn--\xff", "ä" * 70, "-", "*"])
def test_a_name_that_is_none_is_an_error_and_no_crash(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    monkeypatch.setattr(socket, "getaddrinfo", refuse_names(socket.getaddrinfo))
    with pytest.raises(ScenarioError):
        with ScenarioClient(Connection(CREDENTIALS, f"https://{host}/v1"), pace=QUICK) as client:
            client.generate({"image": "i"})


def refuse_names(real: Any) -> Any:
    """Encodes the name as the system's function does, and knows none."""

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        host.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    return getaddrinfo


def test_the_key_goes_with_calls_of_the_api_and_with_nothing_else(
    service: Service, client: ScenarioClient, tmp_path: Path
) -> None:
    with serving() as storage, listening(lambda c, over: head_of(c)):
        parts = [{"number": 1, "url": f"{storage.url}/v1/part?Signature=x"}]
        service.on("POST /v1/uploads", reply(200, {"upload": {"id": "u", "parts": parts}}))
        service.on("POST /v1/uploads/u/action", reply(200, {}))
        service.on("GET /v1/uploads/u", reply(200, {"upload": {"status": "imported", "entityId": "i"}}))
        storage.on("PUT /v1/part", reply(200, b""))
        client.upload_image("i.png", bytes(4_000_000), "image/png")
        offer(service, f"{storage.url}/v1/a.glb")
        storage.on("GET /v1/a.glb", reply(307, b"", location=f"{service.url}/v1/a.glb"))
        service.on("GET /v1/a.glb", ranged(GLB))
        client.download_model(["a"], tmp_path / "model.glb")
    assert len(storage.requests) == 2
    assert not [request for request in storage.requests if "authorization" in request.headers]
    (fetched,) = service.sent("GET /v1/a.glb")
    assert "authorization" not in fetched.headers
    asked = [request for request in service.requests if request is not fetched]
    assert {request.headers.get("authorization") for request in asked} == {f"Basic {CREDENTIALS.token()}"}
