# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mutations begin with: small models that together have all that Blender's importer reads, and answers of the
service. Needs nothing but the standard library, as it runs beside bpy as well.

The files in ``corpus/`` are ours, under the project's licence: pictures of a few pixels, and each model with which a
fault was found.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("corpus")

SHAPES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
LETTERS = {5120: "b", 5121: "B", 5122: "h", 5123: "H", 5125: "I", 5126: "f"}

# A tetrahedron, whose corners are not shared.
_TIPS = ((0.5, 0.5, 0.5), (-0.5, -0.5, 0.5), (-0.5, 0.5, -0.5), (0.5, -0.5, -0.5))
_SIDES = (0, 1, 2, 0, 3, 1, 0, 2, 3, 1, 3, 2)
POSITIONS = [_TIPS[tip] for tip in _SIDES]
NORMALS = [tuple(v / math.sqrt(0.75) for v in position) for position in POSITIONS]
COORDINATES = [(tip % 2, tip // 2) for tip in _SIDES]


class Model:
    """A document that grows, and its binary data."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {"asset": {"version": "2.0", "generator": "Pixal3D tests"}, "scene": 0}
        self.binary = bytearray()

    def add(self, kind: str, item: dict[str, Any]) -> int:
        self.document.setdefault(kind, []).append(item)
        return len(self.document[kind]) - 1

    def view(self, data: bytes, **more: Any) -> int:
        self.binary += bytes(-len(self.binary) % 4)
        at = len(self.binary)
        self.binary += data
        return self.add("bufferViews", {"buffer": 0, "byteOffset": at, "byteLength": len(data), **more})

    def accessor(self, values: list[Any], shape: str, component: int = 5126, **more: Any) -> int:
        rows = [value if isinstance(value, tuple) else (value,) for value in values]
        data = b"".join(struct.pack(f"<{SHAPES[shape]}{LETTERS[component]}", *row) for row in rows)
        fields = {"bufferView": self.view(data), "componentType": component, "count": len(rows), "type": shape}
        return self.add("accessors", {**fields, **more})

    def mesh(self, *primitives: dict[str, Any], **more: Any) -> int:
        return self.add("meshes", {"primitives": list(primitives), **more})

    def node(self, **fields: Any) -> int:
        return self.add("nodes", fields)

    def extension(self, *names: str, required: bool = False) -> None:
        for name in names:
            self.document.setdefault("extensionsUsed", []).append(name)
            if required:
                self.document.setdefault("extensionsRequired", []).append(name)

    def picture(self, name: str) -> int:
        data = (FOLDER / name).read_bytes()
        return self.add("images", {"bufferView": self.view(data), "mimeType": f"image/{name.partition('.')[2]}"})

    def positions(self) -> int:
        low, high = ([end(axis) for axis in zip(*POSITIONS, strict=True)] for end in (min, max))
        return self.accessor(POSITIONS, "VEC3", min=low, max=high)

    def scene(self, *roots: int, **more: Any) -> int:
        return self.add("scenes", {"nodes": list(roots), **more})

    def packed(self) -> bytes:
        self.document["buffers"] = [{"byteLength": len(self.binary)}]
        return pack(json.dumps(self.document).encode(), bytes(self.binary))


def pack(text: bytes, binary: bytes | None) -> bytes:
    """A GLB of a chunk of JSON and one of data, if any."""
    chunks = _chunk(b"JSON", text, b" ") + (b"" if binary is None else _chunk(b"BIN\0", binary, b"\0"))
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _chunk(kind: bytes, data: bytes, filling: bytes) -> bytes:
    data += filling * (-len(data) % 4)
    return struct.pack("<I4s", len(data), kind) + data


def unpack(data: bytes) -> tuple[Any, bytearray]:
    """The document of a GLB that is one, and its data."""
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), bytearray(data[28 + length :])


def service() -> Model:
    """In the shape of Pixal3D's own files."""
    model = Model()
    model.extension("EXT_texture_webp", required=True)
    for name in ("color.webp", "rough.webp"):
        model.add("textures", {"extensions": {"EXT_texture_webp": {"source": model.picture(name)}}})
    pbr = {"baseColorTexture": {"index": 0}, "metallicRoughnessTexture": {"index": 1}, "roughnessFactor": 1.0}
    model.add(
        "materials", {"name": "Material_0", "pbrMetallicRoughness": pbr, "doubleSided": True, "alphaMode": "OPAQUE"}
    )
    indices = model.accessor(list(range(12)), "SCALAR", 5125)
    attributes = {
        "POSITION": model.positions(),
        "NORMAL": model.accessor(NORMALS, "VEC3"),
        "TEXCOORD_0": model.accessor(COORDINATES, "VEC2"),
    }
    mesh = model.mesh({"attributes": attributes, "indices": indices, "mode": 4, "material": 0}, name="geometry_0")
    world = model.node(name="world", children=[1])
    model.node(name="geometry_0", mesh=mesh, matrix=[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
    model.scene(world)
    return model


def textured() -> Model:
    """PNG, JPEG, a data URI, samplers, texture transforms, and every extension of a material."""
    model = Model()
    model.extension("KHR_texture_transform", "KHR_materials_unlit", "KHR_materials_pbrSpecularGlossiness", *MATERIALS)
    for name in ("color.png", "rough.jpeg"):
        model.picture(name)
    model.add(
        "images", {"uri": f"data:image/png;base64,{base64.b64encode((FOLDER / 'color.png').read_bytes()).decode()}"}
    )
    model.add("samplers", {"magFilter": 9728, "minFilter": 9987, "wrapS": 33071, "wrapT": 33648})
    for source in range(3):
        model.add("textures", {"source": source, "sampler": 0})
    turned = {"KHR_texture_transform": {"offset": [0.5, 0.1], "rotation": 0.3, "scale": [2, 3], "texCoord": 1}}
    texture = {"index": 0, "texCoord": 1, "extensions": turned}
    pbr = {
        "baseColorTexture": texture,
        "metallicRoughnessTexture": {"index": 1},
        "baseColorFactor": [1, 0.5, 0.25, 0.9],
    }
    common = {
        "normalTexture": {"index": 2, "scale": 0.5},
        "occlusionTexture": {"index": 1, "strength": 0.5},
        "emissiveTexture": texture,
        "emissiveFactor": [1, 0.5, 0],
        "extras": {"maker": "tests", "numbers": [1, 2.5], "inner": {"a": None}},
    }
    extensions = {name: fields for name, fields in MATERIALS.items()}
    model.add("materials", {**common, "pbrMetallicRoughness": pbr, "alphaMode": "BLEND", "extensions": extensions})
    model.add(
        "materials", {"pbrMetallicRoughness": pbr, "alphaMode": "MASK", "extensions": {"KHR_materials_unlit": {}}}
    )
    glossy = {"diffuseTexture": {"index": 0}, "specularGlossinessTexture": {"index": 1}, "glossinessFactor": 0.5}
    model.add("materials", {"extensions": {"KHR_materials_pbrSpecularGlossiness": glossy}})
    uvs = {f"TEXCOORD_{n}": model.accessor(COORDINATES, "VEC2") for n in range(2)}
    primitives = [{"attributes": {"POSITION": model.positions(), **uvs}, "material": n} for n in range(3)]
    model.scene(model.node(mesh=model.mesh(*primitives)))
    return model


MATERIALS: dict[str, Any] = {
    "KHR_materials_anisotropy": {"anisotropyStrength": 0.5, "anisotropyRotation": 1, "anisotropyTexture": {"index": 1}},
    "KHR_materials_clearcoat": {
        "clearcoatFactor": 0.5,
        "clearcoatTexture": {"index": 1},
        "clearcoatNormalTexture": {"index": 2, "scale": 2},
    },
    "KHR_materials_dispersion": {"dispersion": 0.1},
    "KHR_materials_emissive_strength": {"emissiveStrength": 3},
    "KHR_materials_ior": {"ior": 1.4},
    "KHR_materials_iridescence": {"iridescenceFactor": 1, "iridescenceTexture": {"index": 1}},
    "KHR_materials_sheen": {"sheenColorFactor": [1, 0, 0], "sheenRoughnessTexture": {"index": 1}},
    "KHR_materials_specular": {"specularFactor": 0.5, "specularColorTexture": {"index": 0}},
    "KHR_materials_transmission": {"transmissionFactor": 0.5, "transmissionTexture": {"index": 1}},
    "KHR_materials_volume": {"thicknessFactor": 1, "attenuationColor": [1, 0.5, 0.5], "thicknessTexture": {"index": 1}},
}


def shapes() -> Model:
    """Every mode, width of index and kind of color; data between other data, quantized, sparse."""
    model = Model()
    model.extension("KHR_mesh_quantization", required=True)
    position = model.positions()
    colors = (
        model.accessor([(255, 0, 9)] * 12, "VEC3", 5121, normalized=True),
        model.accessor([(1.0, 0.5, 0.0, 1.0)] * 12, "VEC4"),
    )
    primitives = []
    for mode in range(7):
        component = (5121, 5123, 5125)[mode % 3]
        attributes = {"POSITION": position, "COLOR_0": colors[mode % 2], "_OWN": model.accessor([0.5] * 12, "SCALAR")}
        indices = model.accessor(list(range(12)), "SCALAR", component)
        primitives.append({"attributes": attributes, "indices": indices, "mode": mode})
    first = model.node(mesh=model.mesh(*primitives), scale=[1, 2, 3], rotation=[0, 0, 0.6, 0.8])
    short = b"".join(struct.pack("<4h", *(int(v * 32767) for v in p), 7) for p in POSITIONS)
    view = model.view(short, byteStride=8, target=34962)
    between = model.add(
        "accessors", {"bufferView": view, "componentType": 5122, "normalized": True, "count": 12, "type": "VEC3"}
    )
    second = model.node(mesh=model.mesh({"attributes": {"POSITION": between}}), translation=[2, 0, 0])
    places = model.view(struct.pack("<3H", 1, 4, 7))
    values = model.view(struct.pack("<9f", *(0.1 * n for n in range(9))))
    sparse = {
        "count": 3,
        "indices": {"bufferView": places, "componentType": 5123},
        "values": {"bufferView": values},
    }
    moved = model.add("accessors", {"componentType": 5126, "count": 12, "type": "VEC3", "sparse": sparse})
    replaced = model.add("accessors", {**model.document["accessors"][position], "sparse": sparse})
    keyed = {
        "attributes": {"POSITION": replaced},
        "targets": [{"POSITION": moved}, {"NORMAL": moved}, {"POSITION": position}],
    }
    names = {"targetNames": ["Fat", "", "Fat"]}
    third = model.node(mesh=model.mesh(keyed, weights=[0.5, 0, 2], extras=names), weights=[1, 0, -1])
    model.scene(first, second, third)
    return model


def moving() -> Model:
    """Bones, animations, a camera, lights, instances, variants, two scenes."""
    model = Model()
    model.extension("KHR_lights_punctual", "EXT_mesh_gpu_instancing", "KHR_materials_variants", "KHR_animation_pointer")
    lights = [{"type": "point", "intensity": 3, "color": [1, 0, 0]}, {"type": "spot", "spot": {"outerConeAngle": 0.5}}]
    lights.append({"type": "directional", "name": "Sun"})
    variants = {"variants": [{"name": "red"}, {"name": "blue"}]}
    model.document["extensions"] = {"KHR_lights_punctual": {"lights": lights}, "KHR_materials_variants": variants}
    model.add("materials", {"name": "first"})
    model.add("materials", {"name": "second"})
    skinned = {
        "POSITION": model.positions(),
        "JOINTS_0": model.accessor([(0, 1, 2, 0)] * 12, "VEC4", 5121),
        "WEIGHTS_0": model.accessor([(0.5, 0.25, 0.25, 0.0)] * 12, "VEC4"),
    }
    mappings = [{"material": 0, "variants": [0]}, {"material": 1, "variants": [1]}]
    primitive = {"attributes": skinned, "material": 0, "extensions": {"KHR_materials_variants": {"mappings": mappings}}}
    mesh = model.mesh(primitive)
    root = model.node(name="root", children=[1, 4])
    model.node(name="hip", children=[2], translation=[0, 1, 0], extras={"bone": True})
    model.node(name="knee", children=[3], translation=[0, 0.5, 0])
    model.node(name="foot", translation=[0, 0.5, 0])
    model.node(name="body", mesh=mesh, skin=0)
    identity = tuple(float(n % 5 == 0) for n in range(16))
    bind = model.accessor([identity] * 3, "MAT4")
    model.add("skins", {"joints": [1, 2, 3], "skeleton": 1, "inverseBindMatrices": bind, "name": "Skin"})
    times = model.accessor([0.0, 0.5, 1.0], "SCALAR", min=[0], max=[1])
    move = model.accessor([(0.0, 1.0, 0.0)] * 3, "VEC3")
    turn = model.accessor([(0.0, 0.0, 0.0, 1.0)] * 3, "VEC4")
    curve = model.accessor([(0.0, 1.0, 0.0)] * 9, "VEC3")
    samplers = [{"input": times, "output": each} for each in (move, turn)]
    samplers.append({"input": times, "output": curve, "interpolation": "CUBICSPLINE"})
    pointer = {"path": "pointer", "extensions": {"KHR_animation_pointer": {"pointer": "/nodes/0/scale"}}}
    channels = [
        {"sampler": 0, "target": {"node": 1, "path": "translation"}},
        {"sampler": 1, "target": {"node": 2, "path": "rotation"}},
        {"sampler": 2, "target": {"node": 0, "path": "translation"}},
        {"sampler": 0, "target": pointer},
    ]
    model.add("animations", {"name": "Walk", "samplers": samplers, "channels": channels})
    plain = model.mesh({"attributes": {"POSITION": skinned["POSITION"]}, "material": 1})
    places = {"TRANSLATION": move, "ROTATION": turn}
    instances = model.node(mesh=plain, extensions={"EXT_mesh_gpu_instancing": {"attributes": places}})
    model.add(
        "cameras", {"type": "perspective", "perspective": {"yfov": 1, "znear": 0.1, "zfar": 100, "aspectRatio": 1}}
    )
    model.add("cameras", {"type": "orthographic", "orthographic": {"xmag": 1, "ymag": 1, "znear": 0.1, "zfar": 100}})
    others = [model.node(camera=n) for n in range(2)]
    others += [model.node(extensions={"KHR_lights_punctual": {"light": n}}) for n in range(3)]
    model.scene(root, instances, *others, name="first", extras={"note": "x"})
    model.scene(model.node(mesh=plain, name="in another scene"))
    model.node(name="in no scene", mesh=plain)
    return model


MADE: tuple[Callable[[], Model], ...] = (service, textured, shapes, moving)


def models() -> dict[str, bytes]:
    """By name."""
    made = {make.__name__: make().packed() for make in MADE}
    return made | {path.name: path.read_bytes() for path in sorted(FOLDER.glob("*.glb"))}


_JOB = {
    "jobId": "job_1",
    "status": "success",
    "progress": 1,
    "createdAt": "2026-11-01T00:00:00.000Z",
    "updatedAt": "2026-11-01T00:02:00.000Z",
    "billing": {"cuCost": 12, "cuDiscount": 0},
    "metadata": {
        "assetIds": ["asset_1", "asset_2"],
        "input": {"image": "asset_0", "seed": 7},
        "error": None,
        "hint": "",
    },
    "statusHistory": [{"status": "queued", "date": "2026-11-01T00:00:00.000Z"}],
}
_ASSET = {
    "id": "asset_1",
    "url": "http://127.0.0.1:9/cdn/asset_1.glb?Signature=x",
    "mimeType": "model/gltf-binary; charset=utf-8",
    "kind": "3d",
    "status": "success",
    "properties": {"size": 1234},
    "metadata": {"kind": "3d", "name": "model.glb"},
}
ANSWERS: dict[str, Any] = {
    "teams": {"teams": [{"name": "T", "plan": "pro", "projects": [{"id": "p1", "name": "P"}]}]},
    "quote": {"creativeUnitsCost": 12.0, "creativeUnitsDiscount": 0, "costDetails": {"base": 10, "extra": 2}},
    "job": {"job": _JOB, "creativeUnitsCost": 12},
    "jobs": {"jobs": [_JOB, {**_JOB, "jobId": "job_2", "status": "failure"}], "nextPaginationToken": ""},
    "asset": {"asset": _ASSET},
    "assets": {"assets": [_ASSET, {**_ASSET, "id": "asset_2", "mimeType": "image/png", "kind": "image"}]},
    "upload": {
        "upload": {"id": "u1", "status": "imported", "entityId": "asset_9", "parts": [{"url": "http://x", "number": 1}]}
    },
    "error": {
        "reason": "Insufficient credits",
        "error": "bad",
        "message": "m",
        "detail": [{"message": "d"}],
        "trace_id": "t",
    },
    "nothing": {},
}
