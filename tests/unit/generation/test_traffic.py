# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire for one model, and what that takes of this process's memory."""

from __future__ import annotations

import http.client
import json
import os
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Manager, State, limits
from pixal3d_addon.scenario import Connection, ScenarioClient, body
from tests.unit.scenario.conftest import QUICK, make_document, pack_glb
from tests.unit.scenario.scripted_server import reply, serving

from .images import a_generation, an_image

MOST_MEMORY = 2_000_000
"""Bytes. A piece is 64 KB; requests and the standard library add their own buffers."""
LARGEST_PIECE = 64 * 1024


def noise_png(side: int) -> bytes:
    """Of `side` pixels squared, which nothing makes smaller: 4 bytes each."""
    rows = b"".join(b"\0" + os.urandom(side * 4) for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    image = chunk(b"IDAT", zlib.compress(rows, 0))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + image + chunk(b"IEND", b"")


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The length of each piece that was handed to the system, and of each JSON text."""
    sizes: list[int] = []

    def noted(function: Callable[..., Any], length: Callable[..., int]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            result = function(*arguments, **named)
            sizes.append(length(result, *arguments))
            return result

        return call

    send, dumps = http.client.HTTPConnection.send, json.dumps
    monkeypatch.setattr(http.client.HTTPConnection, "send", noted(send, lambda _, connection, data: _length(data)))
    monkeypatch.setattr(body.json, "dumps", noted(dumps, lambda text, *_: len(text)))
    return sizes


def _length(data: Any) -> int:
    return 0 if hasattr(data, "read") else len(data)  # what can be read is sent by pieces, each through here again


@pytest.mark.parametrize("side", [900, 2180], ids=["3 MB in one request", "19 MB in parts"])
@pytest.mark.parametrize("as_file", [True, False], ids=["a file", "bytes"])
def test_an_image_goes_up_in_small_pieces_and_takes_no_memory_of_its_size(
    service: Any, connection: Connection, sent: list[int], tmp_path: Path, side: int, as_file: bool
) -> None:
    data = noise_png(side)
    path = tmp_path / "noise.png"
    path.write_bytes(data)
    with ScenarioClient(connection, pace=QUICK) as client:
        client.check_key()  # so that requests is imported
        with little_memory():
            client.upload_image("noise.png", path if as_file else data, "image/png")
    assert sum(sent) > len(data)
    assert max(sent) <= LARGEST_PIECE


def test_a_model_of_60_mb_comes_down_without_taking_memory_of_its_size(connection: Connection, tmp_path: Path) -> None:
    binary = bytes(60_000_000)
    glb = pack_glb(json.dumps(make_document(len(binary))).encode(), binary)
    with serving() as cdn:
        cdn.on("GET /a.glb", reply(200, glb))
        asset = {"id": "a", "url": f"{cdn.url}/a.glb", "kind": "3d", "mimeType": "model/gltf-binary"}
        cdn.on("POST /v1/assets/get-bulk", reply(200, {"assets": [asset]}))
        with ScenarioClient(Connection(connection.credentials, f"{cdn.url}/v1"), pace=QUICK) as client, little_memory():
            download = client.download_model(["a"], tmp_path / "model.glb")
    assert download.size == len(glb) > 60_000_000


def test_one_model_takes_two_connections_and_no_request_that_could_be_left_out(
    service: Any, connection: Connection, manager: Manager
) -> None:
    service.clear_requests()
    assert manager.run(a_generation(), an_image(), connection).state is State.READY
    requests = service.requests()
    asked = [f"{request['method']} {'/'.join(request['path'].split('/')[1:4])}" for request in requests]
    job = requests[2]["path"].split("/")[3]
    upload, paid_for, *looks, files, model = asked
    assert (upload, paid_for) == ("POST v1/assets", "POST v1/generate/custom")
    assert set(looks) == {f"GET v1/jobs/{job}"}
    assert files == "POST v1/assets/get-bulk", "all files of the job in one request"
    assert model.startswith("GET cdn/assets/")
    looked_at = [request["at"] for request in requests if request["method"] == "GET" and "/jobs/" in request["path"]]
    assert all(later - earlier > limits.POLL_FIRST_SECONDS / 2 for earlier, later in pairwise(looked_at))
    (paid,) = (request for request in requests if request["path"].endswith("/generate/custom/model_pixal3d"))
    others = {request["connection"] for request in requests if request is not paid}
    assert len(others) == 1, "one, kept for all of them"
    assert paid["connection"] not in others, "of its own: a kept one may have been closed by the service meanwhile"
