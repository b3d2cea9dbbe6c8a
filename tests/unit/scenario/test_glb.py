# SPDX-License-Identifier: GPL-3.0-or-later
"""A model file that Blender could not import is told apart before the importer sees it."""

from __future__ import annotations

import copy
import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixal3d_addon.scenario import GlbInfo, UnreadableModelError, inspect_glb, limits
from tests.unit.scenario.conftest import TRIANGLE, make_document, make_glb, pack_glb

HALF = math.sqrt(0.5)


def inspect(path: Path, data: bytes) -> GlbInfo:
    file = path / "model.glb"
    file.write_bytes(data)
    return inspect_glb(file)


def changed(**changes: object) -> bytes:
    return make_glb(change=lambda document: document.update(changes))


def nodes(*some: dict, roots: tuple[int, ...] = (0,)) -> bytes:
    return changed(nodes=list(some), scenes=[{"nodes": list(roots)}])


def test_a_whole_model_is_described(tmp_path: Path) -> None:
    assert inspect(tmp_path, make_glb(1000)) == GlbInfo(
        version=2,
        json_bytes=struct.unpack_from("<I", make_glb(1000), 12)[0],
        vertices=3,
        triangles=1,
        bounds_min=(-1, 0, 0),
        bounds_max=(1, 2, 0.5),
        textures=(),
        extensions_required=(),
        generator="tests",
    )


@pytest.mark.parametrize(
    ("data", "low", "high"),
    [
        (nodes({"mesh": 0, "translation": [10, 0, 0]}), (9, 0, 0), (11, 2, 0.5)),
        (nodes({"mesh": 0, "scale": [2, -1, 1]}), (-2, -2, 0), (2, 0, 0.5)),
        (nodes({"mesh": 0, "rotation": [0, 0, HALF, HALF]}), (-2, -1, 0), (0, 1, 0.5)),
        (nodes({"mesh": 0, "matrix": [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 5, 0, 0, 1]}), (3, -1, 0), (5, 1, 0.5)),
        (
            nodes(
                {"children": [1], "translation": [0, 0, 7], "rotation": [0, 0, HALF, HALF], "scale": [3, 3, 3]},
                {"mesh": 0, "translation": [1, 0, 0]},
            ),
            (-6, 0, 7),
            (0, 6, 8.5),
        ),
        (nodes({"mesh": 0}, {"mesh": 0, "translation": [5, 5, 5]}, roots=(0, 1)), (-1, 0, 0), (6, 7, 5.5)),
        (nodes({"mesh": 0}, {"mesh": 0, "translation": [5, 5, 5]}), (-1, 0, 0), (1, 2, 0.5)),
        (changed(scenes=[], nodes=[{"children": [1], "scale": [2, 2, 2]}, {"mesh": 0}]), (-2, 0, 0), (2, 4, 1)),
    ],
)
def test_bounds_are_of_the_scene_through_all_transforms(tmp_path: Path, data: bytes, low: tuple, high: tuple) -> None:
    info = inspect(tmp_path, data)
    assert info.bounds_min == pytest.approx(low)
    assert info.bounds_max == pytest.approx(high)
    assert (info.vertices, info.triangles) == (3, 1)


def test_normalized_positions_of_a_quantized_mesh_are_scaled(tmp_path: Path) -> None:
    accessor = {"bufferView": 0, "componentType": 5122, "normalized": True, "count": 3, "type": "VEC3"}
    accessor |= {"min": [-32767, 0, 0], "max": [32767, 32767, 0]}
    required = {"extensionsUsed": ["KHR_mesh_quantization"], "extensionsRequired": ["KHR_mesh_quantization"]}
    info = inspect(tmp_path, changed(accessors=[accessor], **required))
    assert (info.bounds_min, info.bounds_max) == ((-1, 0, 0), (1, 1, 0))


@pytest.mark.parametrize(("mode", "triangles"), [(4, 3), (5, 7), (6, 7)])
def test_triangles_are_counted_by_indices_and_mode(tmp_path: Path, mode: int, triangles: int) -> None:
    def change(document: dict) -> None:
        document["accessors"].append({"bufferView": 0, "componentType": 5121, "count": 9, "type": "SCALAR"})
        document["meshes"] = [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": mode}]}]

    info = inspect(tmp_path, make_glb(change=change))
    assert (info.vertices, info.triangles) == (3, triangles)


def test_webp_textures_are_fine_and_named(tmp_path: Path) -> None:
    """What Pixal3D's own exporter writes: WebP without a fallback."""
    data = changed(
        extensionsUsed=["EXT_texture_webp"],
        extensionsRequired=["EXT_texture_webp"],
        images=[{"bufferView": 0, "mimeType": "image/webp"}, {"uri": "data:image/png;base64,AAAA"}, {"bufferView": 0}],
    )
    info = inspect(tmp_path, data)
    assert info.textures == ("image/webp", "image/png", "")
    assert info.extensions_required == ("EXT_texture_webp",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a GLB"),
        (b"glTF", "cut short"),
        (b"<html>log in</html>", "not a GLB"),
        (make_glb(1000)[:-1], "cut short"),
        (make_glb(1000) + b"\0", "longer"),
        (make_glb()[:4] + struct.pack("<I", 1) + make_glb()[8:], "version 1"),
        (make_glb()[:12] + struct.pack("<I", 0xFFFFFFF0) + make_glb()[16:], "cut short"),
        (make_glb()[:16] + b"BIN\0" + make_glb()[20:], "description"),
        (pack_glb(b"{", b""), "damaged"),
        (pack_glb(b"\xff\xff", b""), "damaged"),
        (pack_glb(b"[" * 100_000, b""), "damaged"),
        (pack_glb(b'{"asset":{"version":"2.0"},"x":NaN}', b""), "damaged"),
        (pack_glb(b"[]", b""), "damaged"),
        (pack_glb(b'{"asset":{"version":"1.0"}}', b""), "version 2.0"),
        (changed(meshes=[{"primitives": []}]), "no mesh"),
        (changed(nodes=[{}]), "no mesh"),
        (changed(nodes=[], scenes=[{}]), "no mesh"),
        (changed(meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "mode": 0}]}]), "no mesh"),
        (changed(buffers=[{"byteLength": 36, "uri": "model.bin"}]), "other files"),
        (changed(buffers=[{"byteLength": 36, "uri": "data:../../secret"}]), "other files"),
        (changed(images=[{"uri": "https://elsewhere.invalid/texture.png"}]), "other files"),
        (changed(images=[{"uri": "/etc/passwd"}]), "other files"),
        (changed(images=[{"uri": ["data:;base64,"]}]), "other files"),
        (changed(extensionsRequired=["KHR_draco_mesh_compression"]), "Draco"),
        (changed(extensionsRequired=["EXT_meshopt_compression"]), "meshopt"),
        (changed(extensionsRequired=["KHR_meshopt_compression"]), "meshopt"),
        (
            changed(extensionsUsed=["KHR_texture_basisu"], extensionsRequired=["KHR_texture_basisu"]),
            "KHR_texture_basisu",
        ),
        (changed(extensionsRequired=["EXT_texture_webp"]), "contradicts"),
        (changed(buffers=[{"byteLength": 10_000}]), "less data"),
        (changed(bufferViews=[{"buffer": 0, "byteOffset": 30, "byteLength": 36}]), "contradicts"),
        (changed(bufferViews=[{"buffer": 0, "byteLength": 24}]), "contradicts"),
        (changed(accessors=[{"componentType": 5126, "count": 2_000_000_000, "type": "VEC3"}]), "larger"),
        (changed(accessors=[{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}]), "contradicts"),
        (nodes({"mesh": 0, "children": [0]}), "contradicts"),
        (nodes({"mesh": 0, "children": [1]}, {"children": [0]}), "contradicts"),
        (nodes({"mesh": 0, "children": [2]}, {"children": [2]}, {}, roots=(0, 1)), "contradicts"),
        (nodes(*({"children": [n + 1]} for n in range(999)), {"mesh": 0}), "contradicts"),
        (nodes({"mesh": 7}), "contradicts"),
        (nodes({"mesh": 0, "matrix": [1, 2]}), "contradicts"),
        (nodes({"mesh": 0, "scale": [1e308, 1e308, 1e308], "translation": [1e308] * 3}), "contradicts"),
    ],
)
def test_an_unreadable_model_says_why(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(UnreadableModelError, match=words):
        inspect(tmp_path, data)


def test_a_description_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GLB_JSON_BYTES", 100)
    with pytest.raises(UnreadableModelError, match="far larger"):
        inspect(tmp_path, make_glb())


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableModelError):
        inspect_glb(tmp_path / "missing.glb")
    with pytest.raises(UnreadableModelError):
        inspect_glb(tmp_path)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 10**30), st.floats(), st.text(max_size=3), st.just([]), st.just({}),
    st.lists(st.one_of(st.integers(-1, 3), st.text(max_size=2), st.just({})), max_size=4),
)  # fmt: skip


def places(value: object, path: tuple = ()) -> list[tuple]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in ((*path, key), *places(item, (*path, key)))]


RICH = make_document() | {
    "images": [{"bufferView": 0, "mimeType": "image/png"}, {"uri": "data:image/png;base64,AA"}],
    "extensionsUsed": ["EXT_texture_webp"],
    "extensionsRequired": ["EXT_texture_webp"],
    "nodes": [
        {"mesh": 0, "children": [1], "scale": [1, 1, 1]},
        {"rotation": [0, 0, 0, 1], "translation": [0, 0, 0]},
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("glb")


@given(place=st.sampled_from(places(RICH)), value=VALUES)
def test_whatever_stands_in_the_description_is_read_or_refused_in_words(
    folder: Path, place: tuple, value: object
) -> None:
    document = copy.deepcopy(RICH)
    holder: Any = document
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    try:
        info = inspect(folder, pack_glb(json.dumps(document).encode(), TRIANGLE))
    except UnreadableModelError:
        return
    assert all(math.isfinite(n) for n in (*info.bounds_min, *info.bounds_max))
