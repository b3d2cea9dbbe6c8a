# SPDX-License-Identifier: GPL-3.0-or-later
"""The heaviest models that our check lets through: each is at one of its limits, most in a file of a few kilobytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from pixal3d_addon.scenario import limits
from tests.fuzz.corpus import Model, service


def _plain(**mesh: object) -> Model:
    """A tetrahedron in a node."""
    model = Model()
    primitive = {"attributes": {"POSITION": model.positions()}}
    model.mesh(primitive, **mesh)
    model.scene(model.node(mesh=0))
    return model


def _zeros(model: Model, count: int, shape: str, component: int = 5126) -> int:
    return model.add("accessors", {"componentType": component, "count": count, "type": shape})


def vertices(more: int) -> Model:
    """Zeros that cost nothing in the file: 56 bytes for each corner."""
    model = _plain()
    count = (limits.GLB_GEOMETRY_BYTES // 56 - 1000) // 3 * 3 + 3000 * more
    primitive = {"attributes": {"POSITION": _zeros(model, count, "VEC3")}}
    model.document["meshes"][0]["primitives"].append(primitive)
    return model


def nodes(more: int) -> Model:
    model = _plain()
    for _ in range(limits.GLB_NODES - 1 + more):
        model.document["scenes"][0]["nodes"].append(model.node(mesh=0))
    return model


def primitives(more: int) -> Model:
    model = _plain()
    model.document["meshes"][0]["primitives"] *= limits.GLB_NODES + more
    return model


def materials(more: int) -> Model:
    model = _plain()
    (primitive,) = model.document["meshes"][0]["primitives"]
    count = limits.GLB_MATERIALS + more
    model.document["meshes"][0]["primitives"] = [{**primitive, "material": number} for number in range(count)]
    model.document["materials"] = [{"extras": {"numbers": [1] * 100}}] * count
    return model


def shape_keys(more: int) -> Model:
    model = _plain()
    (primitive,) = model.document["meshes"][0]["primitives"]
    primitive["targets"] = [{"POSITION": 0}] * (limits.GLB_SHAPE_KEYS + more)
    model.document["scenes"][0]["nodes"] += [model.node(mesh=0) for _ in range(200)]
    return model


def keys(more: int) -> Model:
    model = _plain()
    count = limits.GLB_LISTED_NUMBERS // 4 + more
    sampler = {"input": _zeros(model, count, "SCALAR"), "output": _zeros(model, count, "VEC3")}
    channel = {"sampler": 0, "target": {"node": 0, "path": "translation"}}
    model.add("animations", {"samplers": [sampler], "channels": [channel]})
    return model


def weights(more: int) -> Model:
    model = _plain()
    count = (limits.GLB_LISTED_NUMBERS // 3 + more) * 3
    skinned = {
        "POSITION": _zeros(model, count, "VEC3"),
        "JOINTS_0": _zeros(model, count, "VEC4", 5121),
        "WEIGHTS_0": _zeros(model, count, "VEC4"),
    }
    model.mesh({"attributes": skinned})
    model.add("skins", {"joints": [1]})
    model.document["nodes"][0].update(mesh=1, skin=0)
    model.document["scenes"][0]["nodes"].append(model.node(mesh=0))
    return model


def properties(more: int) -> Model:
    model = _plain()
    members = {str(number): number for number in range(limits.GLB_JSON_MEMBERS + more)}
    count = limits.GLB_JSON_VALUES // limits.GLB_JSON_MEMBERS - 2
    model.document["nodes"][0]["extras"] = {str(number): members for number in range(count)}
    return model


def picture(more: int) -> Model:
    """Of a few hundred kilobytes, and a gibibyte when it is open."""
    model = service()
    width, height = limits.GLB_IMAGE_SIDE + more, 8_000
    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * width)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b"".join(map(_png_chunk, (b"IHDR", b"IDAT", b"IEND"), (head, pixels, b"")))
    model.document["images"][0]["bufferView"] = model.view(b"\x89PNG\r\n\x1a\n" + chunks)
    return model


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HEAVY: tuple[Callable[[int], Model], ...] = (
    *(vertices, nodes, primitives, materials, shape_keys, keys, weights, properties, picture),
)
"""Each with how much more it has than is taken."""
