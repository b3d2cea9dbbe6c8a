# SPDX-License-Identifier: GPL-3.0-or-later
"""An image gets to the service whole, by the way that its size asks for."""

from __future__ import annotations

import base64
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from pixal3d_addon.scenario import (
    CanceledError,
    Connection,
    InvalidRequestError,
    KeyRejectedError,
    ModeratedError,
    ProtocolError,
    ScenarioClient,
    TooLargeError,
    UploadFailedError,
    limits,
)
from pixal3d_addon.scenario.upload import part_ranges
from tests.unit.scenario.conftest import QUICK
from tests.unit.scenario.scripted_server import Service, reply, reset

BIG = bytes(range(256)) * (20 * 1024 * 1024 // 256) + b"odd end"


def image_of(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def prepare(service: Service, parts: int) -> None:
    """A service that takes an image in `parts` and is done with it at the third look."""
    urls = [{"number": n, "url": f"{service.url}/storage/{n}?X-Amz-Signature=a%7Eb"} for n in range(1, parts + 1)]
    service.on("POST /v1/uploads", reply(200, {"upload": {"id": "upload_1", "status": "pending", "parts": urls[::-1]}}))
    for n in range(1, parts + 1):
        service.on(f"PUT /storage/{n}", reply(200, b"", etag='"e"'))
    service.on("POST /v1/uploads/upload_1/action", reply(200, {"upload": {"status": "validating"}}))
    service.on(
        "GET /v1/uploads/upload_1",
        reply(200, {"upload": {"status": "validating"}}),
        reply(200, {"upload": {"status": "validated"}}),
        reply(200, {"upload": {"status": "imported", "entityId": "asset_in2"}}),
    )


@pytest.mark.parametrize("size", [1, 2, 3, limits.ENCODE_CHUNK_BYTES - 1, limits.ENCODE_CHUNK_BYTES + 1, 1_000_000])
@pytest.mark.parametrize("as_file", [False, True])
def test_a_small_image_goes_as_base64_in_one_request(
    service: Service, client: ScenarioClient, tmp_path: Path, size: int, as_file: bool
) -> None:
    image = image_of(size)
    (tmp_path / "i").write_bytes(image)
    service.on("POST /v1/assets", reply(200, {"asset": {"id": "asset_in"}}))
    assert client.upload_image('ch"air ü.png', tmp_path / "i" if as_file else image, "image/png") == "asset_in"
    (request,) = service.requests
    assert request.json == {"name": 'ch"air ü.png', "image": base64.b64encode(image).decode()}
    assert request.headers["content-type"] == "application/json"
    assert "transfer-encoding" not in request.headers


def test_the_limit_of_the_one_shot_form_is_3_5_mb(service: Service, client: ScenarioClient) -> None:
    service.on("POST /v1/assets", reply(200, {"asset": {"id": "asset_in"}}))
    prepare(service, 1)
    assert client.upload_image("a.png", image_of(3_500_000), "image/png") == "asset_in"
    assert client.upload_image("a.png", image_of(3_500_001), "image/png") == "asset_in2"


@pytest.mark.parametrize("as_file", [False, True])
def test_a_large_image_goes_in_parts_to_the_storage_without_our_key(
    service: Service, client: ScenarioClient, tmp_path: Path, as_file: bool
) -> None:
    (tmp_path / "big").write_bytes(BIG)
    prepare(service, 2)
    assert client.upload_image("big.png", tmp_path / "big" if as_file else BIG, "image/png") == "asset_in2"
    created = service.sent("POST /v1/uploads")[0]
    expected = f'{{"contentType":"image/png","fileName":"big.png","fileSize":{len(BIG)},"kind":"image","parts":2}}'
    assert created.body == expected.encode()
    puts = [request for request in service.requests if request.method == "PUT"]
    assert [request.target for request in puts] == [f"/storage/{n}?X-Amz-Signature=a%7Eb" for n in (1, 2)]
    assert b"".join(request.body for request in puts) == BIG
    assert all(len(request.body) >= 5_000_000 for request in puts[:-1])
    assert not any("authorization" in request.headers or "cookie" in request.headers for request in puts)
    assert service.sent("POST /v1/uploads/upload_1/action")[0].body == b'{"action":"complete"}'
    assert all("authorization" in request.headers for request in service.requests if request.method != "PUT")


@pytest.mark.parametrize(("size", "parts"), [(1, 1), (10, 3), (16_777_216, 2), (20_971_527, 2), (100_000_001, 11)])
def test_parts_cover_the_file_in_order(size: int, parts: int) -> None:
    ranges = part_ranges(size, parts)
    assert len(ranges) == parts
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size
    assert all(a[1] == b[0] and a[1] - a[0] >= b[1] - b[0] for a, b in pairwise(ranges))


@pytest.mark.parametrize("image", [image_of(1_000_000), BIG], ids=["one shot", "parts"])
def test_progress_rises_to_the_images_size(service: Service, client: ScenarioClient, image: bytes) -> None:
    service.on("POST /v1/assets", reply(200, {"asset": {"id": "asset_in"}}))
    prepare(service, 2)
    seen: list[tuple[int, int]] = []
    client.upload_image("a.png", image, "image/png", on_progress=lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {len(image)}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == len(image)


def test_uploads_are_repeated_whole_after_a_passing_trouble(service: Service, client: ScenarioClient) -> None:
    prepare(service, 2)
    service.on("PUT /storage/2", reset, reply(503, b"<Error/>"), reply(200, b""))
    assert client.upload_image("big.png", BIG, "image/png") == "asset_in2"
    assert service.sent("PUT /storage/2")[-1].body == BIG[part_ranges(len(BIG), 2)[1][0] :]
    service.on("POST /v1/assets", reset, reply(200, {"asset": {"id": "asset_in"}}))
    assert client.upload_image("a.png", b"ABCDEF", "image/png") == "asset_in"
    assert {request.body for request in service.sent("POST /v1/assets")} == {b'{"name":"a.png","image":"QUJDREVG"}'}


def test_a_repeated_complete_that_is_refused_is_settled_by_asking_the_upload(
    service: Service, client: ScenarioClient
) -> None:
    prepare(service, 2)
    service.on("POST /v1/uploads/upload_1/action", reset, reply(400, {"reason": "already completed"}))
    assert client.upload_image("big.png", BIG, "image/png") == "asset_in2"


def test_a_complete_that_is_refused_for_good_fails(service: Service, client: ScenarioClient) -> None:
    prepare(service, 2)
    service.on("POST /v1/uploads/upload_1/action", reply(400, {"reason": "parts are missing"}))
    service.on("GET /v1/uploads/upload_1", reply(200, {"upload": {"status": "pending"}}))
    with pytest.raises(InvalidRequestError, match="parts are missing"):
        client.upload_image("big.png", BIG, "image/png")


def test_a_storage_that_refuses_is_not_taken_for_a_bad_key(service: Service, client: ScenarioClient) -> None:
    prepare(service, 2)
    service.on(
        "PUT /storage/1", reply(403, b"<Error><Code>AccessDenied</Code></Error>", content_type="application/xml")
    )
    with pytest.raises(UploadFailedError) as caught:
        client.upload_image("big.png", BIG, "image/png")
    assert not isinstance(caught.value, KeyRejectedError)
    assert caught.value.status == 403


def test_a_storage_that_redirects_is_not_followed(service: Service, client: ScenarioClient) -> None:
    prepare(service, 2)
    service.on("PUT /storage/1", reply(307, b"", location="/storage/3"))
    with pytest.raises(UploadFailedError):
        client.upload_image("big.png", BIG, "image/png")
    assert service.sent("PUT /storage/3") == []


@pytest.mark.parametrize("url", ["http://storage.invalid/1", "https://storage.invalid/1", "file:///etc/passwd", ""])
def test_a_part_goes_to_no_forbidden_address(service: Service, client: ScenarioClient, url: str) -> None:
    prepare(service, 1)
    service.on("POST /v1/uploads", reply(200, {"upload": {"id": "upload_1", "parts": [{"number": 1, "url": url}]}}))
    with pytest.raises((UploadFailedError, ProtocolError)):
        client.upload_image("b.png", image_of(4_000_000), "image/png")


@pytest.mark.parametrize(
    ("message", "expected"), [("Unhandled image format", UploadFailedError), ("Content was flagged", ModeratedError)]
)
def test_an_image_that_the_service_can_not_use_says_why(
    service: Service, client: ScenarioClient, message: str, expected: type[Exception]
) -> None:
    prepare(service, 2)
    service.on("GET /v1/uploads/upload_1", reply(200, {"upload": {"status": "failed", "errorMessage": message}}))
    with pytest.raises(expected) as caught:
        client.upload_image("big.png", BIG, "image/png")
    assert caught.value.reason == message


def test_a_too_large_body_is_its_own_error(service: Service, client: ScenarioClient) -> None:
    service.on("POST /v1/assets", reply(413, b"<html>too large</html>", content_type="text/html"))
    with pytest.raises(TooLargeError):
        client.upload_image("a.png", b"ABC", "image/png")


def test_a_cancel_stops_an_upload_in_the_middle(service: Service, connection: Connection) -> None:
    prepare(service, 2)
    cancel = threading.Event()

    def stop(done: int, total: int) -> None:
        if done > 1_000_000:
            cancel.set()

    with ScenarioClient(connection, cancel=cancel, pace=QUICK) as client, pytest.raises(CanceledError):
        client.upload_image("big.png", BIG, "image/png", on_progress=stop)
    assert service.sent("PUT /storage/2") == []
    assert all(len(request.body) < len(BIG) // 2 for request in service.sent("PUT /storage/1"))


def test_a_file_that_is_gone_empty_or_shrinks_is_said(service: Service, client: ScenarioClient, tmp_path: Path) -> None:
    prepare(service, 2)
    with pytest.raises(UploadFailedError, match="gone"):
        client.upload_image("a.png", tmp_path / "gone.png", "image/png")
    with pytest.raises(UploadFailedError, match="empty"):
        client.upload_image("a.png", b"", "image/png")
    path = tmp_path / "big"
    path.write_bytes(BIG)
    with pytest.raises(UploadFailedError, match="changed"):
        client.upload_image("a.png", path, "image/png", on_progress=lambda *_: path.write_bytes(b"short"))
