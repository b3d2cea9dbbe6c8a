# SPDX-License-Identifier: GPL-3.0-or-later
"""A service to talk to, a client that is in a hurry, and GLB files."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator

import pytest

from pixal3d_addon.scenario import Connection, Credentials, Pace, ScenarioClient
from tests.unit.scenario.scripted_server import Service, serving

KEY, SECRET = "api_k3yOfTheTests", "s3cretOfTheTests"
QUICK = Pace(wait_scale=0.002)
"""Real timeouts, as a machine under load may be slow to answer; pauses next to none."""
IMPATIENT = Pace(read_seconds=0.3, submit_read_seconds=0.3, wait_scale=0.002)
"""For a server that never answers."""
GENERATE = "POST /v1/generate/custom/model_pixal3d"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the developer's own proxies, certificates and passwords; and nothing but this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path_factory.mktemp("home") / "no-netrc"))
    monkeypatch.setenv("PIXAL3D_LOOPBACK_ONLY", "1")


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


@pytest.fixture
def connection(service: Service) -> Connection:
    return Connection(Credentials(KEY, SECRET), f"{service.url}/v1")


@pytest.fixture
def client(connection: Connection) -> Iterator[ScenarioClient]:
    with ScenarioClient(connection, pace=QUICK) as running:
        yield running


@pytest.fixture
def impatient(connection: Connection) -> Iterator[ScenarioClient]:
    with ScenarioClient(connection, pace=IMPATIENT) as running:
        yield running


TRIANGLE = struct.pack("<9f", -1, 0, 0, 1, 0, 0, 0, 2, 0.5)


def make_document(binary_bytes: int = len(TRIANGLE)) -> dict:
    """The JSON of a GLB with one triangle."""
    position = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}
    return {
        "asset": {"version": "2.0", "generator": "tests"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{**position, "min": [-1, 0, 0], "max": [1, 2, 0.5]}],
        "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": len(TRIANGLE)}],
        "buffers": [{"byteLength": binary_bytes}],
    }


def make_glb(more_bytes: int = 0, change: Callable[[dict], None] = lambda document: None) -> bytes:
    """A valid GLB; `more_bytes` of no use make it long. `change` gets the JSON before it is packed."""
    binary = TRIANGLE + bytes(i * 37 % 251 for i in range(more_bytes))
    document = make_document(len(binary))
    change(document)
    return pack_glb(json.dumps(document).encode(), binary)


def pack_glb(document: bytes, binary: bytes) -> bytes:
    document += b" " * (-len(document) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<I4s", len(document), b"JSON") + document
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
