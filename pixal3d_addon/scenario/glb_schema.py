# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether each value of a glTF document that Blender's importer reads is of the kind that it expects there, and each
index leads to something.

The importer (io_scene_gltf2 of Blender 4.2, 4.5 and 5.2) insists on types in ``gltf2_io.py``, and believes the rest: an
index beyond its list ends it in the middle of its work, a negative one counts from the end, and joints in a circle keep
it walking until the memory is full. What it does not read may be anything.

A name with half a character (a lone surrogate) is refused with all else that it can't take: Blender's names are UTF-8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from . import limits
from .answers import listing, mapping
from .errors import UnreadableModelError

Document = Mapping[str, object]
Fields = Mapping[str, Any]
"""An object of a document that :func:`check_schema` has seen."""
_Test = Callable[[object], bool]


@dataclass(frozen=True, slots=True)
class _Index:
    """A place in the document's list of that name."""

    kind: str


@dataclass(frozen=True, slots=True)
class _Each:
    """An object with any names, whose values are all like this."""

    inner: Any


_Schema: TypeAlias = _Test | _Index | _Each | list[Any] | dict[str, Any]
"""A list stands for an array of such values; an object's names with ``!`` must be there."""


def contradiction(where: str = "") -> UnreadableModelError:
    """:param where: for whoever looks into it, as ``nodes/3/mesh``."""
    return UnreadableModelError("The model file contradicts itself.", reason=where)


def is_natural(value: object) -> bool:
    """A number without sign or fraction, such as an index or a length."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_number(value: object) -> bool:
    """A finite one that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def items(document: Document, kind: str) -> list[Fields]:
    """A list of the document, as ``nodes``; empty if it has none."""
    return [mapping(item) for item in listing(document.get(kind))]


def check_plain(document: Document) -> None:
    """No deeper than anybody needs, and no number that is none: Blender puts ``extras`` into its own data, as they
    are.

    :raises UnreadableModelError: it is not so.
    """
    level: list[object] = [document]
    for _ in range(limits.GLB_JSON_DEPTH):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict) and len(value) > limits.GLB_JSON_MEMBERS:
                raise UnreadableModelError("The model file's description is far larger than it should be.")
            inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            for item in inside:
                if isinstance(item, dict | list):
                    below.append(item)
                elif isinstance(item, float) and not math.isfinite(item):  # 1e999
                    raise contradiction("infinite")
        if not below:
            return
        level = below
    raise contradiction("nesting")


def check_schema(document: Document) -> None:
    """
    :raises UnreadableModelError: a value is of another kind, or an index leads nowhere.
    """
    _check(document, document, _DOCUMENT, "")
    for number, animation in enumerate(items(document, "animations")):
        if any(channel["sampler"] >= len(animation["samplers"]) for channel in animation["channels"]):
            raise contradiction(f"animations/{number}/channels")
    for number, material in enumerate(items(document, "materials")):
        _check_textures(document, material, f"materials/{number}")


def _check(document: Document, value: object, schema: _Schema, where: str) -> None:
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            raise contradiction(where)
        for name, inner in schema.items():
            item = value.get(name.removesuffix("!"))
            if item is not None:  # what is null counts as not there, as for the importer
                _check(document, item, inner, f"{where}/{name.removesuffix('!')}")
            elif name.endswith("!"):
                raise contradiction(f"{where}/{name}")
    elif isinstance(schema, list):
        if not isinstance(value, list):
            raise contradiction(where)
        for number, item in enumerate(value):
            _check(document, item, schema[0], f"{where}/{number}")
    elif isinstance(schema, _Each):
        if not isinstance(value, dict):
            raise contradiction(where)
        for name, item in value.items():
            _check(document, item, schema.inner, f"{where}/{name[:30]}")
    elif isinstance(schema, _Index):
        if not is_natural(value) or value >= len(listing(document.get(schema.kind))):  # type: ignore[operator]
            raise contradiction(where)
    elif not schema(value):
        raise contradiction(where)


def _check_textures(document: Document, material: object, where: str) -> None:
    """Wherever they are: each extension brings some."""
    level = [material]
    while level:
        value = level.pop()
        if isinstance(value, list):
            level += value
        elif isinstance(value, dict):
            for name, item in value.items():
                if name.endswith("Texture"):
                    _check(document, item, _TEXTURE_INFO, f"{where}/{name[:30]}")
                if name != "extras":
                    level.append(item)


def _text(value: object) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _truth(value: object) -> bool:
    return isinstance(value, bool)


def _numbers(*counts: int) -> _Test:
    def test(value: object) -> bool:
        return isinstance(value, list) and (not counts or len(value) in counts) and all(map(is_number, value))

    return test


def _one_of(*values: object) -> _Test:
    def test(value: object) -> bool:
        return not isinstance(value, bool | float) and value in values

    return test


_EXTENSIONS: Final = _Each(_Each(lambda value: True))
_COMPONENT_TYPE: Final = _one_of(5120, 5121, 5122, 5123, 5125, 5126)
_TEXTURE_INFO: Final[_Schema] = {
    "index!": _Index("textures"),
    "texCoord": is_natural,
    "scale": is_number,
    "strength": is_number,
    "extensions": {"KHR_texture_transform": {"offset": _numbers(2), "rotation": is_number, "scale": _numbers(2)}},
}
_IN_VIEW: Final[dict[str, _Schema]] = {"bufferView!": _Index("bufferViews"), "byteOffset": is_natural}
_NAMED: Final[dict[str, _Schema]] = {"name": _text, "extensions": _EXTENSIONS}

_DOCUMENT: Final[_Schema] = {
    "scene": _Index("scenes"),
    "extensions": _EXTENSIONS,
    "extensionsUsed": [_text],
    "extensionsRequired": [_text],
    "scenes": [{**_NAMED, "nodes": [_Index("nodes")]}],
    "nodes": [
        {
            **_NAMED,
            "children": [_Index("nodes")],
            "mesh": _Index("meshes"),
            "camera": _Index("cameras"),
            "skin": _Index("skins"),
            "matrix": _numbers(16),
            "translation": _numbers(3),
            "rotation": _numbers(4),
            "scale": _numbers(3),
            "weights": _numbers(),
            "extensions": {"EXT_mesh_gpu_instancing": {"attributes": _Each(_Index("accessors"))}},
        }
    ],
    "meshes": [
        {
            **_NAMED,
            "weights": _numbers(),
            "primitives!": [
                {
                    "attributes!": _Each(_Index("accessors")),
                    "indices": _Index("accessors"),
                    "material": _Index("materials"),
                    "mode": _one_of(*range(7)),
                    "targets": [_Each(_Index("accessors"))],
                    "extensions": _EXTENSIONS,
                }
            ],
        }
    ],
    "accessors": [
        {
            **_NAMED,
            "bufferView": _Index("bufferViews"),
            "byteOffset": is_natural,
            "componentType!": _COMPONENT_TYPE,
            "normalized": _truth,
            "count!": is_natural,
            "type!": _one_of("SCALAR", "VEC2", "VEC3", "VEC4", "MAT2", "MAT3", "MAT4"),
            "min": _numbers(),
            "max": _numbers(),
            "sparse": {
                "count!": is_natural,
                "indices!": {**_IN_VIEW, "componentType!": _one_of(5121, 5123, 5125)},
                "values!": _IN_VIEW,
            },
        }
    ],
    "bufferViews": [
        {
            **_NAMED,
            "buffer!": _Index("buffers"),
            "byteOffset": is_natural,
            "byteLength!": is_natural,
            "byteStride": is_natural,
            "target": is_natural,
        }
    ],
    "buffers": [{**_NAMED, "byteLength!": is_natural, "uri": _text}],
    "images": [{**_NAMED, "bufferView": _Index("bufferViews"), "mimeType": _text, "uri": _text}],
    "samplers": [
        {**_NAMED, "magFilter": is_natural, "minFilter": is_natural, "wrapS": is_natural, "wrapT": is_natural}
    ],
    "textures": [
        {
            **_NAMED,
            "sampler": _Index("samplers"),
            "source": _Index("images"),
            "extensions": {"EXT_texture_webp": {"source": _Index("images")}},
        }
    ],
    "materials": [
        {
            **_NAMED,
            "alphaCutoff": is_number,
            "alphaMode": _text,
            "doubleSided": _truth,
            "emissiveFactor": _numbers(3),
            "pbrMetallicRoughness": {
                "baseColorFactor": _numbers(4),
                "metallicFactor": is_number,
                "roughnessFactor": is_number,
                "extensions": _EXTENSIONS,
            },
        }
    ],
    "cameras": [{**_NAMED, "type!": _text}],
    "skins": [
        {
            **_NAMED,
            "inverseBindMatrices": _Index("accessors"),
            "joints!": [_Index("nodes")],
            "skeleton": _Index("nodes"),
        }
    ],
    "animations": [
        {
            **_NAMED,
            "samplers!": [{"input!": _Index("accessors"), "output!": _Index("accessors"), "interpolation": _text}],
            "channels!": [{"sampler!": is_natural, "target!": {"node": _Index("nodes"), "path!": _text}}],
        }
    ],
}
"""As far as the importer reads it; what it leaves to each extension is left to it here too, and ends in an error of
Python there, not in a crash."""
