# SPDX-License-Identifier: GPL-3.0-or-later
"""A model file that Blender could not import is told apart before the importer sees it."""

from __future__ import annotations

import base64
import copy
import io
import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

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
        (
            changed(scene=None, scenes=[], nodes=[{"children": [1], "scale": [2, 2, 2]}, {"mesh": 0}]),
            (-2, 0, 0),
            (2, 4, 1),
        ),
        (nodes({"mesh": 0, "rotation": [0, 0, 2 * HALF, 2 * HALF]}), (-2, -1, 0), (0, 1, 0.5)),
    ],
)
def test_bounds_are_of_the_scene_through_all_transforms(tmp_path: Path, data: bytes, low: tuple, high: tuple) -> None:
    info = inspect(tmp_path, data)
    assert info.bounds_min == pytest.approx(low)
    assert info.bounds_max == pytest.approx(high)
    assert (info.vertices, info.triangles) == (3, 1)


def test_normalized_positions_of_a_quantized_mesh_are_scaled(tmp_path: Path) -> None:
    accessor = {"bufferView": 0, "componentType": 5122, "normalized": True, "count": 3, "type": "VEC3"}
    required = {"extensionsUsed": ["KHR_mesh_quantization"], "extensionsRequired": ["KHR_mesh_quantization"]}
    data = with_data(struct.pack("<9h", -32767, 0, 0, 32767, 0, 0, 0, 32767, 0), accessors=[accessor], **required)
    info = inspect(tmp_path, data)
    assert (info.bounds_min, info.bounds_max) == ((-1, 0, 0), (1, 1, 0))


def picture(kind: str, size: tuple[int, int] = (4, 2)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind)
    return file.getvalue()


def data_uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def with_data(binary: bytes, **changes: object) -> bytes:
    """Of all of `binary` in one view, unless `changes` say otherwise."""
    size = len(binary)
    views = {"buffers": [{"byteLength": size}], "bufferViews": [{"buffer": 0, "byteLength": size}]}
    return pack_glb(json.dumps({**make_document(size), **views, **changes}).encode(), binary)


@pytest.mark.parametrize(("mode", "triangles"), [(4, 3), (5, 7), (6, 7)])
def test_triangles_are_counted_by_indices_and_mode(tmp_path: Path, mode: int, triangles: int) -> None:
    def change(document: dict) -> None:
        document["accessors"].append(
            {"bufferView": 0, "byteOffset": 4, "componentType": 5121, "count": 9, "type": "SCALAR"}
        )
        document["meshes"] = [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": mode}]}]

    info = inspect(tmp_path, make_glb(change=change))
    assert (info.vertices, info.triangles) == (3, triangles)


def test_webp_textures_are_fine_and_named(tmp_path: Path) -> None:
    """What Pixal3D's own exporter writes: WebP without a fallback."""
    webp = picture("WEBP")
    data = with_data(
        TRIANGLE + webp,
        bufferViews=[{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": len(webp)}],
        extensionsUsed=["EXT_texture_webp"],
        extensionsRequired=["EXT_texture_webp"],
        images=[{"bufferView": 1, "mimeType": "image/webp"}, {"uri": data_uri(picture("PNG"))}, {"bufferView": 1}],
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
    "images": [{"uri": data_uri(picture("PNG"))}],
    "extensionsUsed": ["EXT_texture_webp"],
    "extensionsRequired": ["EXT_texture_webp"],
    "nodes": [
        {"mesh": 0, "children": [1], "scale": [1, 1, 1]},
        {"rotation": [0, 0, 0, 1], "translation": [0, 0, 0]},
    ],
}


INFINITE, NOT_A_NUMBER = math.inf, math.nan


def test_the_vertices_say_how_large_the_model_is_whatever_the_file_says(tmp_path: Path) -> None:
    lying = changed(accessors=[{**make_document()["accessors"][0], "min": [-9, -9, -9], "max": [9, 9, 9]}])
    silent = changed(accessors=[{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}])
    for data in (lying, silent):
        info = inspect(tmp_path, data)
        assert (info.bounds_min, info.bounds_max) == ((-1, 0, 0), (1, 2, 0.5))


def test_vertices_without_a_place_are_left_out_of_the_bounds(tmp_path: Path) -> None:
    """Blender puts them to the origin; the mesh must not be lost for them."""
    broken = struct.pack("<9f", NOT_A_NUMBER, 5, 5, INFINITE, 0, 0, 0, -INFINITE, 0)
    accessor = {"bufferView": 0, "componentType": 5126, "count": 6, "type": "VEC3"}
    info = inspect(tmp_path, with_data(TRIANGLE + broken, accessors=[accessor]))
    assert (info.bounds_min, info.bounds_max, info.vertices) == ((-1, 0, 0), (1, 2, 0.5), 6)


def test_bounds_of_what_lies_between_other_data_and_of_what_is_replaced(tmp_path: Path) -> None:
    spread = b"".join(TRIANGLE[n : n + 12] + struct.pack("<f", 99) for n in (0, 12, 24))
    sparse = {
        "count": 1,
        "indices": {"bufferView": 1, "componentType": 5123},
        "values": {"bufferView": 1, "byteOffset": 4},
    }
    data = with_data(
        spread + struct.pack("<Hxx3f", 2, 0, 7, 0),
        bufferViews=[
            {"buffer": 0, "byteLength": 48, "byteStride": 16},
            {"buffer": 0, "byteOffset": 48, "byteLength": 16},
        ],
        accessors=[{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "sparse": sparse}],
    )
    assert inspect(tmp_path, data).bounds_max == (1, 7, 0.5)


def test_bounds_are_the_same_however_small_the_pieces_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = inspect(tmp_path, make_glb())
    monkeypatch.setattr(limits, "GLB_PIECE_BYTES", 13)
    assert inspect(tmp_path, make_glb()) == whole


POSITION = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}
INDICES = {"bufferView": 1, "componentType": 5121, "count": 3, "type": "SCALAR"}
TWO_VIEWS = [{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 64}]


def primitive(values: bytes, *more: dict, mode: int = 4, **attributes: int) -> bytes:
    """A triangle with indices that hold `values`, and `more` accessors."""
    made = {"attributes": {"POSITION": 0, **attributes}, "indices": 1, "mode": mode}
    return with_data(
        TRIANGLE + values + bytes(64 - len(values)),
        bufferViews=TWO_VIEWS,
        accessors=[POSITION, {**INDICES, "count": len(values)}, *more],
        meshes=[{"primitives": [made]}],
    )


TEXCOORD = {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC2"}
BONES = {"skins": [{"joints": [1]}], "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}]}
A_KEY = {"input": 1, "output": 1}


def animated(sampler: int, count: int = 1) -> bytes:
    channel = {"sampler": sampler, "target": {"node": 0, "path": "translation"}}
    keys = {"componentType": 5126, "count": count, "type": "SCALAR"}
    return changed(accessors=[POSITION, keys], animations=[{"samplers": [A_KEY], "channels": [channel]}])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(primitive(b"\0\1\2"), id="indices"),
        pytest.param(primitive(b"\0\1\2\0", mode=5), id="a strip"),
        pytest.param(primitive(b"\0\1\2", {**TEXCOORD, "count": 4}, TEXCOORD_0=2), id="an attribute that is longer"),
        pytest.param(primitive(b"\0\1\2", {**TEXCOORD, "count": 2}, SOMETHING=2), id="an unknown attribute"),
        pytest.param(nodes({"mesh": 0, "camera": None, "name": None, "children": None}), id="null"),
        pytest.param(nodes({"mesh": 0, "name": "\0\n\x1b" * 99_999}), id="a long name with control characters"),
        pytest.param(nodes({"mesh": 0, "extras": {"a": [1, {"b": None}]}}), id="extras"),
        pytest.param(nodes({"mesh": 0}, {"children": []}, roots=(0, 1)), id="an empty"),
        pytest.param(changed(extensionsUsed=["XYZ_unknown"]), id="an unknown extension that it can be read without"),
        pytest.param(changed(asset={"version": "2.0", "minVersion": "2.0"}), id="the oldest version"),
        pytest.param(animated(0), id="animated"),
        pytest.param(changed(nodes=[{"mesh": 0, "skin": 0}, {}], **BONES), id="bones"),
    ],
)
def test_what_does_no_harm_is_taken(tmp_path: Path, data: bytes) -> None:
    assert inspect(tmp_path, data).triangles


def deep(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes, which is large when it is open."""
    png = bytearray(picture("PNG"))
    png[16:24] = struct.pack(">II", width, height)
    return bytes(png)


def with_picture(data: bytes) -> bytes:
    return changed(images=[{"uri": data_uri(data)}])


ZEROS = {"componentType": 5126, "count": 25_000_000, "type": "VEC3"}
TEXT = struct.pack(">I4s", 1 << 20, b"zTXt")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(primitive(b"\0\1\3"), "contradicts", id="a corner without a vertex"),
        pytest.param(primitive(b"\0\1\2\0"), "contradicts", id="a corner that is left over crashes 4.2 and 4.5"),
        pytest.param(primitive(b"\0"), "contradicts", id="a lone corner crashes 4.2 and 4.5"),
        pytest.param(primitive(b"\0\1", mode=5), "contradicts", id="a strip too short"),
        pytest.param(primitive(b"\0\1\2", mode=7), "contradicts", id="an unknown mode"),
        pytest.param(primitive(b"\0\1\2", {**TEXCOORD, "count": 2}, TEXCOORD_0=2), "contradicts", id="too few UVs"),
        pytest.param(primitive(b"\0\1\2", {**TEXCOORD, "type": "VEC3"}, TEXCOORD_0=2), "contradicts", id="UVW"),
        pytest.param(primitive(b"\0\1\2", TEXCOORD_0=-1), "contradicts", id="a negative index counts from the end"),
        pytest.param(primitive(b"\0\1\2", {**TEXCOORD, "type": "MAT2"}, _MINE=2), "contradicts", id="matrices"),
        pytest.param(with_data(struct.pack("<9f", *[NOT_A_NUMBER] * 9)), "no mesh", id="no vertex with a place"),
        pytest.param(with_data(struct.pack("<9f", *[3e38] * 9)), "larger", id="beyond all measure"),
        pytest.param(changed(bufferViews=[{"buffer": 0, "byteLength": 36, "byteStride": 256}]), "contr", id="stride"),
        pytest.param(changed(nodes=[{"mesh": 0}, {"children": [2]}, {"children": [1]}]), "contr", id="a far circle"),
        pytest.param(changed(scenes=[{"nodes": [0]}, {"nodes": [0, 0]}]), "contradicts", id="twice in another scene"),
        pytest.param(nodes({"mesh": 0, "extras": deep(200)}), "contradicts", id="extras without end"),
        pytest.param(nodes({"mesh": 0, "extras": {str(n): n for n in range(1001)}}), "far larger",
            id="custom properties that keep Blender 4.2 busy"),
        pytest.param(nodes({"mesh": 0, "name": "half \ud800"}), "contradicts", id="a name that is no text"),
        pytest.param(nodes({"mesh": 0, "translation": [0, 0, "0"]}), "contradicts", id="a word for a number"),
        pytest.param(pack_glb(b'{"asset":{"version":"2.0"},"x":1e999}', b""), "contr", id="a number without end"),
        pytest.param(pack_glb(b"[" + b"[]," * 300_000 + b"1]", b""), "far larger", id="more values than anybody needs"),
        pytest.param(changed(asset={"version": "2.0", "minVersion": "2.1"}), "version 2.0", id="a newer version"),
        pytest.param(changed(extensionsUsed=["KHR_draco_mesh_compression"], meshes=[{"primitives": [
            {"attributes": {"POSITION": 0}, "extensions": {"KHR_draco_mesh_compression": {}}}]}]),
            "Draco", id="Draco that is not required is unpacked all the same"),
        pytest.param(changed(bufferViews=[{"buffer": 0, "byteLength": 36, "extensions": {
            "EXT_meshopt_compression": {}}}]), "meshopt", id="meshopt that is not required"),
        pytest.param(changed(images=[{"bufferView": 0}]), "neither", id="a picture that is none"),
        pytest.param(changed(images=[{"bufferView": 0, "uri": data_uri(b"")}]), "contr", id="two pictures in one"),
        pytest.param(with_picture(picture("TIFF")), "neither", id="TIFF"),
        pytest.param(with_picture(picture("TGA")), "neither", id="TARGA"),
        pytest.param(with_picture(bomb(30_000, 30_000)), "far larger", id="a picture of 3.6 GB"),
        pytest.param(with_picture(bomb(0, 5)), "neither", id="a picture without a width"),
        pytest.param(changed(images=[{"uri": data_uri(bomb(16_000, 16_000))}] * 3), "far larger", id="three of 1 GB"),
        pytest.param(with_picture(picture("PNG") + (TEXT + bytes((1 << 20) + 4)) * 3), "far larger", id="PNG's text"),
        pytest.param(with_picture(picture("JPEG") + b"\xff\xda" * 101), "far larger", id="a JPEG of 100 scans"),
        pytest.param(changed(images=[{"uri": "data:;base64,A"}]), "contradicts", id="half a byte"),
        pytest.param(changed(accessors=[ZEROS], meshes=[{"primitives": [{"attributes": {"POSITION": 0}}] * 9}]),
            "larger", id="zeros that cost nothing"),
        pytest.param(changed(nodes=[{"mesh": 0}] * 6_000), "larger", id="nodes"),
        pytest.param(changed(accessors=[POSITION, ZEROS], nodes=[{"mesh": 0, "extensions": {
            "EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 1}}}}]), "larger", id="instances"),
        pytest.param(changed(scenes=[{"nodes": [0]}, *[{}] * 50]), "larger", id="scenes"),
        pytest.param(changed(meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "targets": [{}] * 500}]}]),
            "larger", id="shape keys"),
        pytest.param(animated(0, 3_000_000), "larger", id="keys"),
        pytest.param(animated(1), "contradicts", id="a channel without a sampler"),
        pytest.param(changed(nodes=[{"mesh": 0, "skin": 0}], **BONES), "contradicts", id="a joint that is not there"),
    ],
)  # fmt: skip
def test_what_would_harm_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(UnreadableModelError, match=words) as caught:
        inspect(tmp_path, data)
    assert caught.value.reason or words in ("far larger", "version 2.0", "no mesh", "Draco", "meshopt")


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
