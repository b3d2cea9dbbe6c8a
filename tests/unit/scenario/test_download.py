# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished model gets onto the disk whole, or the artist is told what is in the way."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import threading
from pathlib import Path

import pytest

from pixal3d_addon.scenario import (
    CanceledError,
    Connection,
    Download,
    DownloadError,
    IncompleteDownloadError,
    NoModelError,
    ScenarioClient,
    ScenarioError,
    limits,
)
from tests.unit.scenario.conftest import QUICK, make_glb
from tests.unit.scenario.scripted_server import Service, cut, hang, ranged, reply, reset

GLB = make_glb(700_000)
CUT = 200_000
URL = "/cdn/a.glb?Policy=eyJ_~-&Signature=a%7Eb%2Fc&Key-Pair-Id=K"
EXPIRED = reply(403, b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", content_type="application/xml")


def asset(service: Service, asset_id: str = "asset_glb", url: str = URL, **fields: object) -> dict:
    return {"id": asset_id, "url": f"{service.url}{url}", "kind": "3d", "mimeType": "model/gltf-binary", **fields}


def offer(service: Service, *assets: dict) -> None:
    service.on("POST /v1/assets/get-bulk", reply(200, {"assets": list(assets)}))
    for one in assets:
        service.on(f"GET /v1/assets/{one['id']}", reply(200, {"asset": one}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "model.glb"


def fetch(client: ScenarioClient, path: Path, *ids: str) -> Download:
    return client.download_model(ids or ["asset_glb"], path)


def assert_whole(download: Download, path: Path) -> None:
    assert path.read_bytes() == GLB
    assert download == Download(path, len(GLB), hashlib.sha256(GLB).hexdigest(), "asset_glb")
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def assert_nothing_left(path: Path) -> None:
    assert not path.parent.exists() or list(path.parent.iterdir()) == []


def test_the_model_arrives_whole_by_a_signed_url_to_the_letter_and_without_our_key(
    service: Service, client: ScenarioClient, path: Path
) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", ranged(GLB))
    seen: list[tuple[int, int]] = []
    download = client.download_model(["asset_glb"], path, on_progress=lambda *args: seen.append(args))
    assert_whole(download, path)
    (request,) = service.sent("GET /cdn/a.glb")
    assert request.target == URL
    assert "authorization" not in request.headers
    assert seen[-1] == (len(GLB), len(GLB))


def test_until_it_is_complete_it_is_beside_its_place(service: Service, client: ScenarioClient, path: Path) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", ranged(GLB))
    names: set[str] = set()
    client.download_model(["asset_glb"], path, on_progress=lambda *_: names.update(os.listdir(path.parent)))
    assert names == {"model.glb.part"}


def test_the_model_is_chosen_by_its_kind_type_and_first_bytes_and_not_by_its_place(
    service: Service, client: ScenarioClient, path: Path
) -> None:
    offer(
        service,
        asset(service, "thumb", "/cdn/thumb.webp", kind="image", mimeType="image/webp"),
        asset(service, "fbx", "/cdn/a.fbx", mimeType="application/octet-stream"),
        asset(service, "lie", "/cdn/lie.glb", mimeType="model/gltf-binary"),
        asset(service, mimeType="application/octet-stream", kind=""),
    )
    service.on("GET /cdn/a.fbx", reply(200, b"Kaydara FBX Binary" * 1000))
    service.on("GET /cdn/lie.glb", reply(200, b"gl"))
    service.on("GET /cdn/a.glb", ranged(GLB))
    assert_whole(fetch(client, path, "thumb", "fbx", "lie", "asset_glb"), path)
    assert service.sent("GET /cdn/thumb.webp") == []


def test_a_job_without_a_glb_says_what_it_has(service: Service, client: ScenarioClient, path: Path) -> None:
    offer(
        service,
        asset(service, "thumb", kind="image", mimeType="image/webp"),
        asset(service, "obj", "/cdn/a.obj", mimeType="model/obj"),
    )
    service.on("GET /cdn/a.obj", reply(200, b"v 0 0 0\n" * 100))
    with pytest.raises(NoModelError, match="image/webp, model/obj"):
        fetch(client, path, "thumb", "obj")
    assert_nothing_left(path)
    offer(service)
    with pytest.raises(NoModelError):
        fetch(client, path, "gone")


def test_a_cut_download_goes_on_where_it_was_cut(service: Service, client: ScenarioClient, path: Path) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", ranged(GLB, cut_after=CUT))
    assert_whole(fetch(client, path), path)
    sent = service.sent("GET /cdn/a.glb")
    assert [request.headers.get("range") for request in sent] == [
        None, *(f"bytes={n}-" for n in range(CUT, len(GLB), CUT))
    ]  # fmt: skip
    assert sent[1].headers["if-range"] == '"e1"'


def test_a_cut_download_of_a_server_without_ranges_starts_anew(
    service: Service, client: ScenarioClient, path: Path
) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", cut(200, GLB, CUT), cut(200, GLB, 3 * CUT), reply(200, GLB))
    assert_whole(fetch(client, path), path)


@pytest.mark.parametrize(
    "headers",
    [
        {"content_range": f"bytes 0-{len(GLB) - 1}/{len(GLB)}"},
        {"content_range": f"bytes {CUT}-{len(GLB)}/{len(GLB) + 1}"},
        {"content_range": "nonsense"},
        {},
    ],
)
def test_a_206_that_is_not_the_rest_is_not_believed(
    service: Service, client: ScenarioClient, path: Path, headers: dict
) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", cut(200, GLB, CUT), reply(206, GLB, **headers), reply(200, GLB))
    assert_whole(fetch(client, path), path)


def test_a_206_of_the_right_length_from_the_wrong_place_is_not_glued_on(
    service: Service, client: ScenarioClient, path: Path
) -> None:
    wrong = GLB[: len(GLB) - CUT]
    rest = reply(206, wrong, content_range=f"bytes 0-{len(wrong) - 1}/{len(GLB)}")
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", cut(200, GLB, CUT), rest, reply(200, GLB))
    assert_whole(fetch(client, path), path)


def test_a_file_that_changed_meanwhile_is_not_glued_together(
    service: Service, client: ScenarioClient, path: Path
) -> None:
    old = make_glb(700_000, lambda document: document["asset"].update(generator="older"))
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", ranged(old, cut_after=CUT, etag='"old"'), ranged(GLB, etag='"new"'))
    assert_whole(fetch(client, path), path)


def test_an_expired_url_is_replaced_by_a_fresh_one(service: Service, client: ScenarioClient, path: Path) -> None:
    offer(service, asset(service, url="/cdn/old.glb"))
    service.on("GET /v1/assets/asset_glb", reply(200, {"asset": asset(service)}))
    service.on("GET /cdn/old.glb", EXPIRED)
    service.on("GET /cdn/a.glb", ranged(GLB))
    assert_whole(fetch(client, path), path)


def test_a_url_that_expires_in_the_middle_does_not_lose_the_beginning(
    service: Service, client: ScenarioClient, path: Path
) -> None:
    offer(service, asset(service, url="/cdn/old.glb"))
    service.on("GET /v1/assets/asset_glb", reply(200, {"asset": asset(service)}))
    service.on("GET /cdn/old.glb", ranged(GLB, cut_after=CUT), EXPIRED)
    service.on("GET /cdn/a.glb", ranged(GLB))
    assert_whole(fetch(client, path), path)
    assert service.sent("GET /cdn/a.glb")[0].headers["range"] == f"bytes={CUT}-"


@pytest.mark.parametrize("trouble", [reset, reply(503, b""), reply(429, b""), cut(200, GLB, 10), hang])
def test_attempts_without_progress_end(
    service: Service, client: ScenarioClient, impatient: ScenarioClient, path: Path, trouble
) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", trouble)
    with pytest.raises(ScenarioError):
        fetch(impatient if trouble is hang else client, path)
    assert len(service.sent("GET /cdn/a.glb")) == limits.DOWNLOAD_ATTEMPTS_WITHOUT_PROGRESS
    assert service.sent("GET /v1/assets/asset_glb")
    assert_nothing_left(path)


@pytest.mark.parametrize("trouble", [reset, reply(503, b""), reply(429, b"")])
def test_a_passing_trouble_passes(service: Service, client: ScenarioClient, path: Path, trouble) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", trouble, trouble, ranged(GLB))
    assert_whole(fetch(client, path), path)


@pytest.mark.parametrize("wrong", [GLB[:-64], GLB + b"more"], ids=["shorter", "longer"])
def test_a_model_of_another_length_than_its_header_says_is_not_kept(
    service: Service, client: ScenarioClient, path: Path, wrong: bytes
) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", reply(200, wrong))
    with pytest.raises(IncompleteDownloadError, match=str(len(GLB))):
        fetch(client, path)
    assert_nothing_left(path)
    service.on("GET /cdn/a.glb", reply(200, wrong), reply(200, GLB))
    assert_whole(fetch(client, path), path)


def test_a_model_that_is_stored_packed_is_unpacked(service: Service, client: ScenarioClient, path: Path) -> None:
    packed = gzip.compress(GLB, 1)
    offer(service, asset(service))
    service.on(
        "GET /cdn/a.glb",
        cut(200, packed, len(packed) // 2, content_encoding="gzip"),
        reply(200, b"not gzip at all", content_encoding="gzip"),
        reply(200, packed, content_encoding="gzip"),
    )
    assert_whole(fetch(client, path), path)


def test_a_redirect_is_followed_without_our_key(service: Service, client: ScenarioClient, path: Path) -> None:
    offer(service, asset(service, url="/cdn/from.glb?x=1"))
    service.on("GET /cdn/from.glb", reply(302, b"", location="/v1/to.glb?Signature=y"))
    service.on("GET /v1/to.glb", ranged(GLB))
    assert_whole(fetch(client, path), path)
    (request,) = service.sent("GET /v1/to.glb")
    assert request.target == "/v1/to.glb?Signature=y"
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    "location", ["https://elsewhere.invalid/a.glb", "http://elsewhere.invalid/a.glb", "file:///etc/passwd", "/cdn/from"]
)
def test_a_redirect_to_a_forbidden_address_or_in_circles_ends(
    service: Service, client: ScenarioClient, path: Path, location: str
) -> None:
    offer(service, asset(service, url="/cdn/from"))
    service.on("GET /cdn/from", reply(302, b"", location=location))
    with pytest.raises(DownloadError):
        fetch(client, path)
    assert_nothing_left(path)


def test_a_login_page_is_not_taken_for_a_missing_model(service: Service, client: ScenarioClient, path: Path) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", reply(200, b"<html>please log in</html>", content_type="text/html; charset=utf-8"))
    with pytest.raises(DownloadError, match="web page") as caught:
        fetch(client, path)
    assert not isinstance(caught.value, NoModelError)


def test_a_model_that_is_too_large_is_refused_by_its_header_or_on_the_way(
    service: Service, client: ScenarioClient, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GLB_BYTES", 500_000)
    offer(service, asset(service))
    for body in (GLB, GLB[:8] + b"\x00\x00\x00\x40" + GLB[12:1000]):
        service.on("GET /cdn/a.glb", ranged(body))
        with pytest.raises(DownloadError, match="larger"):
            fetch(client, path)
        assert_nothing_left(path)


def test_a_cancel_stops_a_download_in_the_middle(service: Service, connection: Connection, path: Path) -> None:
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", ranged(GLB))
    cancel = threading.Event()
    with ScenarioClient(connection, cancel=cancel, pace=QUICK) as client, pytest.raises(CanceledError):
        client.download_model(["asset_glb"], path, on_progress=lambda *_: cancel.set())
    assert_nothing_left(path)


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "disk is full"), (errno.EIO, "can't be written")], ids=["full", "broken"]
)
def test_a_disk_that_takes_no_more_is_said(
    service: Service, client: ScenarioClient, path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    """The operating system's part is played: fsync says what it says when delayed writes find no room."""

    def fsync(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    offer(service, asset(service))
    service.on("GET /cdn/a.glb", ranged(GLB))
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DownloadError, match=words):
        fetch(client, path)
    assert_nothing_left(path)


def test_an_older_model_stays_when_the_new_one_does_not_arrive(
    service: Service, client: ScenarioClient, path: Path
) -> None:
    path.parent.mkdir()
    path.write_bytes(b"older")
    offer(service, asset(service))
    service.on("GET /cdn/a.glb", cut(200, GLB, 10))
    with pytest.raises(IncompleteDownloadError):
        fetch(client, path)
    assert path.read_bytes() == b"older"
    service.on("GET /cdn/a.glb", ranged(GLB))
    assert_whole(fetch(client, path), path)
