# SPDX-License-Identifier: GPL-3.0-or-later
"""Damage, from a seed: to bytes, to a GLB's container, to any JSON, to a model's document where it matters, to its
numbers and to its pictures."""

from __future__ import annotations

import base64
import copy
import json
import random
import struct
from collections.abc import Callable
from typing import Any

from tests.fuzz import corpus

NUMBERS: tuple[Any, ...] = (
    *(0, -0.0, -1, 1, 2, 3, 4, 5, 7, 12, 127, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 2**53, 2**63, 2**64),
    *(10**30, 10**308, 10**400, -(2**63), 0.5, 1e-320, 1e38, 3.5e38, 1e300, 1.7e308, -1e308),
)
WORDS = (
    *("", "x", "2.0", "\0", "\n\x1b[31m", "\ud800", "é" * 40, "a" * 5000, "../../etc/passwd", "/dev/zero", "C:\\con"),
    *("file:///etc/passwd", "http://127.0.0.1/x.png", "data:", "data:;base64,", "data:image/png;base64,AAAA", "NaN"),
    *("SCALAR", "VEC2", "VEC3", "VEC4", "MAT3", "MAT4", "POSITION", "pixal3d", "__class__", "%s%n{0}", "nan", "1e999"),
)
NAMES = ("", "x", "name", "extras", "extensions", "count", "min", "\0", "\ud800", "__proto__", "pixal3d", "location")
TYPES = ("SCALAR", "VEC2", "VEC3", "VEC4", "MAT2", "MAT3", "MAT4")
FLOATS = (float("nan"), float("inf"), float("-inf"), 3.4e38, -3.4e38, 1e-45, 0.0, -0.0, 1e20, 1.0)
SEMANTICS = (
    *("NORMAL", "TANGENT", "TEXCOORD_0", "TEXCOORD_1", "TEXCOORD_9", "COLOR_0", "COLOR_1", "JOINTS_0", "WEIGHTS_0"),
    *("_OWN", "_", "KHR_X", "COLOR", "TEXCOORD_", "_position", "_.corner_vert", "_material_index"),
)
TEXTS = (
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"9" * 5000, b"{}", b"[]", b"null", b"true", b"\xff\xfe"),
    *(
        b"[" * 5000,
        b'{"a":' * 300,
        b",",
        b'"',
        b"\\",
        b"\0",
        b"/*x*/",
        b"\xef\xbb\xbf",
        b'"\\ud800"',
        b"1" + b"0" * 400,
    ),
)

Place = tuple[Any, Any]
"""A container, and the key or index in it."""


def written(document: Any) -> bytes:
    """As JSON."""
    try:
        return json.dumps(document).encode()
    except RecursionError:  # copies of something deep in something deep
        return b'{"a":' * 5000 + b"0" + b"}" * 5000


class Mutator:
    """
    :ivar done: the names of what was done, for whoever looks at a fault.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.done: list[str] = []

    def model(self, data: bytes) -> bytes:
        """A GLB that has been damaged in one to four ways."""
        document, binary = corpus.unpack(data)
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3, 4))):
            self._one(self._document_ways, document, binary)
        # A name may have half a character, and stays so: json writes it as an escape.
        text = written(document)
        if self.random.random() < 0.1:
            text = self._text(text)
        result = corpus.pack(text, bytes(binary) if self.random.random() > 0.01 else None)
        return self._container(result) if self.random.random() < 0.12 else result

    def json(self, document: Any) -> Any:
        """A copy of `document`, damaged in one to four ways."""
        document = copy.deepcopy(document)
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3, 4))):
            self._one((self._any_json,), document, bytearray())
        return document

    def text(self, text: bytes) -> bytes:
        """JSON as text, damaged."""
        return self._text(text) if self.random.random() < 0.5 else self._bytes(text)

    def _one(self, ways: tuple[Callable[[Any, bytearray], None], ...], document: Any, binary: bytearray) -> None:
        way = self.random.choice(ways)
        self.done.append(way.__name__.strip("_"))
        try:
            way(document, binary)
        except (
            LookupError,
            TypeError,
            AttributeError,
            ValueError,
            OverflowError,
            RecursionError,
            struct.error,
        ):  # earlier damage is in the way
            document["extras"] = self.random.choice(NUMBERS)

    @property
    def _document_ways(self) -> tuple[Callable[[Any, bytearray], None], ...]:
        return (
            *(self._any_json, self._any_json, self._accessor, self._accessor, self._view, self._primitive),
            *(self._primitive, self._nodes, self._nodes, self._attribute, self._sparse, self._values, self._values),
            *(self._indices, self._indices, self._data, self._image, self._image, self._link, self._many),
            *(self._extension, self._transform, self._moving, self._extras),
        )

    # Any JSON.

    def _places(self, document: Any) -> list[Place]:
        found: list[Place] = []
        level = [document]
        while level:
            value = level.pop()
            keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
            for key in keys:
                found.append((value, key))
                if isinstance(value[key], dict | list):
                    level.append(value[key])
        return found

    def _place(self, document: Any) -> Place:
        places = self._places(document)
        return self.random.choice(places) if places else ({"x": 0}, "x")

    def _value(self) -> Any:
        pick = self.random.randrange(12)
        if pick < 5:
            return self.random.choice(NUMBERS)
        if pick < 7:
            return self.random.choice(WORDS)
        return copy.deepcopy(
            self.random.choice(
                (None, True, False, [], {}, [0], [[]], {"": 0}, [1, "x"], self._deep(), self.random.random())
            )
        )

    def _deep(self) -> Any:
        value: Any = {}
        for _ in range(self.random.choice((3, 50, 95, 120, 200))):
            value = [value] if self.random.random() < 0.5 else {"a": value}
        return value

    def _any_json(self, document: Any, binary: bytearray) -> None:
        holder, key = self._place(document)
        match self.random.randrange(8):
            case 0 | 1 | 2:
                holder[key] = self._value()
            case 3:
                del holder[key]
            case 4:
                other, other_key = self._place(document)
                other[other_key] = copy.deepcopy(holder[key])
            case 5 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 5 | 6 if isinstance(holder[key], int | float):
                holder[key] += self.random.choice((-1, 1, 0.5, 100))
            case _:
                if isinstance(holder, dict):
                    holder[self.random.choice(NAMES)] = holder.pop(key) if self.random.random() < 0.5 else self._value()
                else:
                    holder.append(self._value())

    def _text(self, text: bytes) -> bytes:
        self.done.append("text")
        at = self.random.randrange(len(text) + 1)
        cut = self.random.choice((0, 0, 1, 2, 10))
        return text[:at] + self.random.choice(TEXTS) + text[at + cut :]

    # The document of a model.

    def _pick(self, document: Any, kind: str) -> Any:
        return self.random.choice(document[kind])

    def _accessor(self, document: Any, binary: bytearray) -> None:
        accessor = self._pick(document, "accessors")
        match self.random.randrange(7):
            case 0:
                accessor["count"] = self.random.choice((0, 1, 2, accessor["count"] + 1, 30_000_000, 2**31, 10**9))
            case 1:
                accessor["componentType"] = self.random.choice((*corpus.LETTERS, 5124, 5130, 0))
            case 2:
                accessor["type"] = self.random.choice(TYPES)
            case 3:
                accessor["byteOffset"] = self.random.choice((1, 2, 4, 12, 2**31))
            case 4:
                accessor.pop("bufferView", None)
                accessor["count"] = self.random.choice((accessor["count"], 12, 1000, 100_000, 29_999_999))
            case 5:
                accessor["normalized"] = not accessor.get("normalized", False)
            case _:
                accessor["min"], accessor["max"] = [self._value()] * 3, [1e30] * 3

    def _view(self, document: Any, binary: bytearray) -> None:
        view = self._pick(document, "bufferViews")
        key = self.random.choice(("byteOffset", "byteLength", "byteStride", "buffer", "target"))
        view[key] = self.random.choice((0, 1, 2, 4, 8, 12, 16, 252, 256, len(binary), len(binary) - 4, 2**32, -4))

    def _primitive(self, document: Any, binary: bytearray) -> None:
        primitive = self.random.choice(self._pick(document, "meshes")["primitives"])
        match self.random.randrange(6):
            case 0:
                primitive["mode"] = self.random.choice((0, 1, 2, 3, 4, 5, 6, 7, -1, None))
            case 1:
                primitive["indices"] = self.random.randrange(len(document["accessors"]) + 1)
            case 2:
                primitive.pop("indices", None)
            case 3:
                picks = [
                    self.random.randrange(len(document["accessors"])) for _ in range(self.random.choice((1, 2, 300)))
                ]
                primitive["targets"] = [{self.random.choice(("POSITION", "NORMAL")): pick} for pick in picks]
            case 4:
                primitive["material"] = self.random.randrange(len(document.get("materials", ())) + 2)
            case _:
                self._pick(document, "meshes")["primitives"].append(copy.deepcopy(primitive))

    def _attribute(self, document: Any, binary: bytearray) -> None:
        attributes = self.random.choice(self._pick(document, "meshes")["primitives"])["attributes"]
        name = self.random.choice((*SEMANTICS, *attributes))
        attributes[name] = self.random.randrange(len(document["accessors"]) + 1)
        if self.random.random() < 0.2:
            attributes.pop(self.random.choice(list(attributes)))

    def _sparse(self, document: Any, binary: bytearray) -> None:
        accessor = self._pick(document, "accessors")
        views = len(document["bufferViews"])
        accessor["sparse"] = {
            "count": self.random.choice((0, 1, 2, 3, accessor["count"], 10**9)),
            "indices": {
                "bufferView": self.random.randrange(views),
                "componentType": self.random.choice((5121, 5123, 5125, 5126)),
            },
            "values": {"bufferView": self.random.randrange(views), "byteOffset": self.random.choice((0, 4))},
        }

    def _nodes(self, document: Any, binary: bytearray) -> None:
        nodes = document["nodes"]
        node, number = self._pick(document, "nodes"), self.random.randrange(len(nodes) + 1)
        match self.random.randrange(9):
            case 0:
                node.setdefault("children", []).append(number)
            case 1:
                node["children"] = [nodes.index(node)]
            case 2:
                self._pick(document, "scenes").setdefault("nodes", []).append(number)
            case 3:
                document["scene"] = self.random.randrange(len(document["scenes"]) + 1)
            case 4:
                node["mesh"] = self.random.randrange(len(document["meshes"]) + 1)
            case 5:
                node["skin"] = self.random.randrange(2)
            case 6:
                document["scenes"].append({"nodes": [number]})
            case 7:
                document.pop("scenes")
                document.pop("scene", None)
            case _:  # a chain
                first = len(nodes)
                length = self.random.choice((5, 190, 210, 1200))
                nodes += [{"children": [first + n + 1]} for n in range(length)] + [{"mesh": 0}]
                if self.random.random() < 0.7:
                    self._pick(document, "scenes").setdefault("nodes", []).append(first)

    def _transform(self, document: Any, binary: bytearray) -> None:
        node = self._pick(document, "nodes")
        key, length = self.random.choice((("matrix", 16), ("translation", 3), ("rotation", 4), ("scale", 3)))
        node[key] = [self.random.choice((0, 1, -1, 0.5, self.random.choice(NUMBERS))) for _ in range(length)]

    def _moving(self, document: Any, binary: bytearray) -> None:
        accessors = len(document["accessors"])
        animation = self._pick(document, "animations")
        match self.random.randrange(6):
            case 0:
                sampler = self.random.choice(animation["samplers"])
                sampler[self.random.choice(("input", "output"))] = self.random.randrange(accessors + 1)
            case 1:
                channel = self.random.choice(animation["channels"])
                paths = ("translation", "rotation", "scale", "weights", "pointer", "x")
                channel["target"] = {
                    "node": self.random.randrange(len(document["nodes"])),
                    "path": self.random.choice(paths),
                }
            case 2:
                pointers = (
                    "/nodes/0/scale",
                    "/nodes/99/scale",
                    "/materials/0/alphaCutoff",
                    "/meshes/0/weights",
                    "",
                    "/",
                )
                extension = {"KHR_animation_pointer": {"pointer": self.random.choice(pointers)}}
                self.random.choice(animation["channels"])["target"] = {"path": "pointer", "extensions": extension}
            case 3:
                joints = document["skins"][0]["joints"]
                joints[self.random.randrange(len(joints))] = self.random.randrange(len(document["nodes"]))
            case 4:
                document["skins"][0][self.random.choice(("skeleton", "inverseBindMatrices"))] = self.random.randrange(8)
            case _:
                document["animations"] += [copy.deepcopy(animation)] * self.random.choice((1, 10, 600))

    def _link(self, document: Any, binary: bytearray) -> None:
        """An index to somewhere else."""
        names = ("index", "source", "sampler", "bufferView", "buffer", "mesh", "material", "indices", "camera", "light")
        places = [(holder, key) for holder, key in self._places(document) if key in names and isinstance(holder, dict)]
        holder, key = self.random.choice(places)
        holder[key] = self.random.choice((-1, 0, 1, 2, 3, 9, 2**31))

    def _many(self, document: Any, binary: bytearray) -> None:
        kind = self.random.choice([key for key, value in document.items() if isinstance(value, list)])
        document[kind] += [copy.deepcopy(self._pick(document, kind))] * self.random.choice((1, 10, 100, 600, 6000))

    def _extension(self, document: Any, binary: bytearray) -> None:
        known = (
            "KHR_draco_mesh_compression",
            "EXT_meshopt_compression",
            "KHR_materials_unlit",
            "EXT_mesh_gpu_instancing",
        )
        name = self.random.choice((*known, "KHR_materials_variants", "KHR_lights_punctual", "KHR_texture_basisu", "X"))
        if self.random.random() < 0.3:
            document.setdefault(self.random.choice(("extensionsUsed", "extensionsRequired")), []).append(name)
        else:
            kind = self.random.choice(("nodes", "materials", "bufferViews", "textures", "images"))
            inner = self.random.choice(({}, {"bufferView": 0}, {"attributes": {"TRANSLATION": 0}}, {"light": 0}, None))
            self._pick(document, kind).setdefault("extensions", {})[name] = inner

    def _extras(self, document: Any, binary: bytearray) -> None:
        kind = self.random.choice(("nodes", "meshes", "materials", "cameras", "scenes", "skins"))
        name = self.random.choice((*NAMES, "targetNames", "cycles", "_RNA_UI", "pixal3d_part", "x" * 300))
        self._pick(document, kind)["extras"] = {name: self._value(), "list": [self._value(), self._value()]}

    # Numbers and bytes.

    def _values(self, document: Any, binary: bytearray) -> None:
        for _ in range(self.random.choice((1, 1, 3, 50))):
            at = 4 * self.random.randrange(len(binary) // 4)
            binary[at : at + 4] = struct.pack("<f", self.random.choice(FLOATS))

    def _indices(self, document: Any, binary: bytearray) -> None:
        """Of a primitive, or of what is sparse."""
        primitives = [each for mesh in document["meshes"] for each in mesh["primitives"] if "indices" in each]
        accessor = document["accessors"][self.random.choice(primitives)["indices"]]
        view = document["bufferViews"][accessor["bufferView"]]
        width = struct.calcsize(corpus.LETTERS[accessor["componentType"]])
        at = view["byteOffset"] + width * self.random.randrange(accessor["count"])
        value = self.random.choice((0, 1, 11, 12, 13, 255, 256**width - 1))
        binary[at : at + width] = value.to_bytes(width, "little")

    def _data(self, document: Any, binary: bytearray) -> None:
        match self.random.randrange(3):
            case 0:
                del binary[self.random.randrange(len(binary)) :]
            case 1:
                binary += self.random.randbytes(self.random.choice((1, 4, 100)))
            case _:
                at = self.random.randrange(len(binary))
                binary[at : at + 16] = self.random.randbytes(min(16, len(binary) - at))

    def _image(self, document: Any, binary: bytearray) -> None:
        image = self._pick(document, "images")
        if self.random.random() < 0.2:
            image.pop("bufferView", None)
            image["uri"] = self.random.choice(WORDS)
            return
        uri = image.get("uri", "")
        if "bufferView" in image:
            view = document["bufferViews"][image["bufferView"]]
            picture = bytearray(binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]])
        else:
            picture = bytearray(base64.b64decode(uri.partition(",")[2]))
        picture = self._picture(picture)
        if uri:
            image["uri"] = "data:image/png;base64," + base64.b64encode(picture).decode()
        else:
            image["bufferView"] = len(document["bufferViews"])
            document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(picture)})
            binary += picture

    def _picture(self, picture: bytearray) -> bytearray:
        match self.random.randrange(8):
            case 0:  # another size: PNG, WebP (lossless, lossy), JPEG
                size = struct.pack(
                    ">II", *(self.random.choice((0, 1, 4000, 16_384, 16_385, 65_535, 2**31)) for _ in range(2))
                )
                at = 16 if picture.startswith(b"\x89PNG") else 21 if picture.startswith(b"RIFF") else 163
                picture[at : at + 8] = size if at == 16 else self.random.randbytes(4)
            case 1:
                picture[:4] = self.random.choice(
                    (b"\x76\x2f\x31\x01", b"II*\0", b"8BPS", b"DDS ", b"#?RA", b"BM\0\0", b"GIF8")
                )
            case 2:
                del picture[self.random.randrange(len(picture) + 1) :]
            case 3:
                picture[2:2] = self.random.choice((b"\xff", b"\xff\xe0\0\x02", b"\xff\xe1\0\0")) * self.random.choice(
                    (1, 9000)
                )
            case 4:
                picture += self.random.choice((b"\xff\xda" * 200, b"\0\0\0\0iTXt\0\0\0\0" * 50, bytes(5000)))
            case 5:
                picture[:] = b""
            case _:
                for _ in range(self.random.choice((1, 4, 20))):
                    picture[self.random.randrange(len(picture))] = self.random.randrange(256)
        return picture

    def _bytes(self, data: bytes) -> bytes:
        self.done.append("bytes")
        changed = bytearray(data)
        for _ in range(self.random.choice((1, 1, 2, 8, 40))):
            if not changed:
                break
            at = self.random.randrange(len(changed))
            match self.random.randrange(4):
                case 0:
                    changed[at] ^= 1 << self.random.randrange(8)
                case 1:
                    changed[at] = self.random.choice((0, 1, 0x7F, 0x80, 0xFF))
                case 2:
                    del changed[at : at + self.random.choice((1, 2, 4, 50))]
                case _:
                    changed[at:at] = self.random.randbytes(self.random.choice((1, 4, 50)))
        return bytes(changed)

    def _container(self, data: bytes) -> bytes:
        self.done.append("container")
        changed = bytearray(data)
        match self.random.randrange(7):
            case 0:  # magic, version, length, chunk length, chunk type
                at = 4 * self.random.randrange(5)
                changed[at : at + 4] = struct.pack(
                    "<I", self.random.choice((0, 1, 2, 3, len(data), len(data) + 4, 2**32 - 1))
                )
            case 1:
                del changed[self.random.randrange(len(changed)) :]
            case 2:
                changed += self.random.randbytes(self.random.choice((1, 4, 8, 100)))
            case 3:  # another chunk, of a kind that nobody knows
                changed += struct.pack("<I4s", 4, b"XXXX") + bytes(4)
                struct.pack_into("<I", changed, 8, len(changed))
            case 4 if b"BIN\0" in changed:  # else there is no second chunk
                (length,) = struct.unpack_from("<I", changed, 12)
                struct.pack_into("<I", changed, 20 + length, self.random.choice((0, 1, 2**31, len(data))))
            case 5:
                del changed[:12]
            case _:
                return self._bytes(data)
        return bytes(changed)
