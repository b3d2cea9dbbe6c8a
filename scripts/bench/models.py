# SPDX-License-Identifier: GPL-3.0-or-later
"""The GLB files of the benchmarks, made once into ``build/bench``.

A bumpy sphere with normals and one set of texture coordinates, and two square textures of gradient and noise, laid out
as Pixal3D's files are (``scripts/standin/glb.py``). The noise keeps the textures from shrinking to nothing.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "build" / "bench"

_FLOAT, _UINT32 = 5126, 5125
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_RELIEF = 0.04
_MIME = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
_SAVED_AS: dict[str, dict[str, Any]] = {
    "png": {"format": "PNG", "compress_level": 1},
    "jpeg": {"format": "JPEG", "quality": 92},
    "webp": {"format": "WEBP", "quality": 90, "method": 0},
}


@dataclass(frozen=True, slots=True)
class Model:
    """What a file is like. Its triangles are about twice its vertices."""

    vertices: int
    texture_format: str = "png"
    side_px: int = 4096
    noise: tuple[int, int] = (4, 1)
    """How far the levels of the two textures vary, up and down."""

    @property
    def name(self) -> str:
        values = (str(value).strip("()").replace(", ", "-") for value in dataclasses.astuple(self))
        return "-".join(values)


LARGE = Model(200_000, noise=(8, 1))
"""60 MB."""


def made(model: Model) -> Path:
    """The file, which is made if it isn't there."""
    path = FOLDER / f"{model.name}.glb"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(_glb(model))
        os.replace(part, path)
    return path


def _sphere(vertices: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Positions, normals, texture coordinates and triangles."""
    rows = round((vertices / 2) ** 0.5)
    columns = vertices // rows - 1
    v, u = np.meshgrid(np.linspace(0.02, 0.98, rows), np.linspace(0.0, 1.0, columns + 1), indexing="ij")
    polar, around = v * np.pi, u * 2.0 * np.pi
    radius = 0.45 * (1.0 + _RELIEF * np.sin(11.0 * polar) * np.sin(14.0 * around) + 0.01 * np.sin(90.0 * polar))
    ring = radius * np.sin(polar)
    grid = np.stack([ring * np.cos(around), radius * np.cos(polar), ring * np.sin(around)], axis=-1)
    down = np.gradient(grid, axis=0)
    along = np.gradient(grid, axis=1)
    normals = np.cross(along, down)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    index = np.arange(rows * (columns + 1), dtype=np.uint32).reshape(rows, columns + 1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    flat = (values.reshape(-1, values.shape[-1]).astype("<f4") for values in (grid, normals, np.stack([u, v], -1)))
    return (*flat, faces.astype("<u4"))


def _texture(side: int, noise: int, channels: tuple[bool, bool, bool], seed: int) -> Image.Image:
    random = np.random.default_rng(seed)
    ramp = np.linspace(40, 215, side, dtype=np.float32)
    base = (ramp[:, None] + ramp[None, ::-1]) / 2
    picture = np.zeros((side, side, 3), np.uint8)
    for channel, is_used in enumerate(channels):
        if is_used:
            varied = base + random.integers(-noise, noise + 1, (side, side))
            picture[:, :, channel] = np.clip(varied, 0, 255).astype(np.uint8)
    return Image.fromarray(picture)


def _glb(model: Model) -> bytes:
    positions, normals, uv, faces = _sphere(model.vertices)
    pictures = [
        _texture(model.side_px, model.noise[0], (True, True, True), 1),
        _texture(model.side_px, model.noise[1], (False, True, True), 2),
    ]
    chunks: list[tuple[bytes, int | None]] = [
        (positions.tobytes(), _ARRAY_BUFFER),
        (normals.tobytes(), _ARRAY_BUFFER),
        (uv.tobytes(), _ARRAY_BUFFER),
        (faces.tobytes(), _ELEMENT_ARRAY_BUFFER),
    ]
    for picture in pictures:
        encoded = io.BytesIO()
        picture.save(encoded, **_SAVED_AS[model.texture_format])
        chunks.append((encoded.getvalue(), None))
    views: list[dict[str, Any]] = []
    data = bytearray()
    for chunk, target in chunks:
        view = {"buffer": 0, "byteOffset": len(data), "byteLength": len(chunk)}
        views.append(view | ({"target": target} if target else {}))
        data += chunk + bytes(-len(chunk) % 4)
    bounds = {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}
    accessors = [
        {"bufferView": 0, "componentType": _FLOAT, "count": len(positions), "type": "VEC3", **bounds},
        {"bufferView": 1, "componentType": _FLOAT, "count": len(normals), "type": "VEC3"},
        {"bufferView": 2, "componentType": _FLOAT, "count": len(uv), "type": "VEC2"},
        {"bufferView": 3, "componentType": _UINT32, "count": faces.size, "type": "SCALAR"},
    ]
    is_webp = model.texture_format == "webp"
    textures: list[dict[str, Any]] = [
        {"extensions": {"EXT_texture_webp": {"source": number}}} if is_webp else {"source": number}
        for number in range(2)
    ]
    tree: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Pixal3D for Blender, benchmarks (not made by Pixal3D)"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "world", "children": [1]}, {"name": "geometry_0", "mesh": 0}],
        "meshes": [
            {
                "name": "geometry_0",
                "primitives": [
                    {"attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}, "indices": 3, "material": 0}
                ],
            }
        ],
        "materials": [
            {
                "pbrMetallicRoughness": {
                    "baseColorTexture": {"index": 0},
                    "metallicRoughnessTexture": {"index": 1},
                }
            }
        ],
        "textures": textures,
        "images": [{"bufferView": 4 + number, "mimeType": _MIME[model.texture_format]} for number in range(2)],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(data)}],
    }
    if is_webp:
        tree["extensionsUsed"] = tree["extensionsRequired"] = ["EXT_texture_webp"]
    text = json.dumps(tree, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(data))
    return b"".join(
        [head, struct.pack("<I4s", len(text), b"JSON"), text, struct.pack("<I4s", len(data), b"BIN\0"), bytes(data)]
    )
