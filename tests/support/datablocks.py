# SPDX-License-Identifier: GPL-3.0-or-later
"""All that an artist could tell two states of Blender's data apart by, as plain values. For tests inside Blender.

Nothing is listed by name, so that nothing is forgotten: whatever Blender's own description of its data (RNA) knows of a
datablock is read, except what is of the session and not of the data. Datablocks that others refer to are named there,
and described once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np

_OF_THE_SESSION = frozenset(
    {
        "rna_type",
        "session_uid",
        "original",
        "id_data",
        "preview",
        "is_evaluated",
        "tag",
        "override_library",
        "is_override_data",
        "is_runtime_data",
    }
)
_LOOKED_AT_OTHERWISE = frozenset(
    {
        ("Image", "pixels"),  # the packed bytes are compared, and the size
        ("Image", "bindcode"),
        ("PackedFile", "data"),
        ("MeshVertex", "groups"),
        ("MeshPolygon", "edge_keys"),
        ("Node", "dimensions"),  # of the last drawing
        # To read them makes them (4.2, 4.5); they are attributes too.
        ("MeshUVLoopLayer", "vertex_selection"),
        ("MeshUVLoopLayer", "edge_selection"),
        ("MeshUVLoopLayer", "pin"),
        # The same once more, from the other side.
        ("Object", "children"),
        ("Object", "users_collection"),
        ("ActionGroup", "channels"),
        ("NodeSocket", "links"),
        ("Bone", "children"),
        ("Mesh", "vertex_normals"),
        ("Mesh", "loop_triangles"),
        ("Mesh", "loop_triangle_polygons"),
    }
)
_BULK = 16
"""Collections of more than so many plain structs are read with ``foreach_get``, and kept as digests."""
_NUMBERS = {"BOOLEAN": np.bool_, "INT": np.int32, "FLOAT": np.float32}

Values = dict[str, Any]


def described_data() -> Values:
    """Every datablock of the open file, and of the scenes what an import may touch."""
    found: Values = {}
    for collection in _collections():
        for block in collection:
            name = f"{block.bl_rna.identifier} {block.name}"
            found[name] = _described_scene(block) if isinstance(block, bpy.types.Scene) else described(block)
    return found


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two descriptions differ, by the way that leads there. Empty if they are the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for name in one.keys() | other.keys():
            here = f"{path} > {name}" if path else str(name)
            if name not in one or name not in other:
                found.append(f"{here}: only in the {'first' if name in one else 'second'}")
            else:
                found += differences(one[name], other[name], here)
        return sorted(found)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            line for at, pair in enumerate(zip(one, other, strict=True)) for line in differences(*pair, f"{path}[{at}]")
        ]
    return [] if one == other else [f"{path}: {str(one)[:100]} / {str(other)[:100]}"]


def described(block: Any) -> Values:
    """A datablock."""
    found = _struct(block)
    if isinstance(block, bpy.types.Object):
        found["matrix_world"] = [list(row) for row in block.matrix_world]
        found["in collections"] = sorted(collection.name for collection in block.users_collection)
        if block.name in bpy.context.view_layer.objects:
            found["in the view layer"] = (block.select_get(), block.hide_get(), block.visible_get())
    if isinstance(block, bpy.types.Mesh):
        found["weights"] = _digest(
            np.array([(v.index, g.group, g.weight) for v in block.vertices for g in v.groups], np.float64)
        )
    if isinstance(block, bpy.types.Image):
        found["packed"] = [
            _digest(np.frombuffer(bytes(packed.packed_file.data), np.uint8)) for packed in block.packed_files
        ]
    return found


def _collections() -> Iterable[Any]:
    for prop in bpy.data.bl_rna.properties:
        if prop.type == "COLLECTION":
            blocks = getattr(bpy.data, prop.identifier)
            # Of the program's own.
            if prop.identifier not in {
                "screens",
                "window_managers",
                "workspaces",
                "fonts",
                "brushes",
                "palettes",
                "all_ids",
            }:
                yield blocks


def _described_scene(scene: Any) -> Values:
    return {
        "properties": _properties(scene),
        "frames": (scene.frame_start, scene.frame_end, scene.frame_current, scene.render.fps),
        "camera": _named(scene.camera),
        "animation": _struct(scene.animation_data) if scene.animation_data else None,
        "objects": sorted(obj.name for obj in scene.collection.objects),
        "collections": sorted(collection.name for collection in scene.collection.children),
        "active": _named(bpy.context.view_layer.objects.active),
    }


def _struct(item: Any, above: tuple[Any, ...] = ()) -> Values:
    """:param above: what it is part of; what points back to one of those is named."""
    found: Values = {"type": item.bl_rna.identifier}
    way = (*above, (item.bl_rna.identifier, item.as_pointer()))
    if hasattr(item, "keys"):
        found["properties"] = _properties(item)
    names = {item.bl_rna.identifier} | set(_bases(item.bl_rna))
    is_owned = isinstance(item, bpy.types.ID) and item.is_embedded_data  # whose users nobody counts, nor sees
    for prop in item.bl_rna.properties:
        name = prop.identifier
        if name in _OF_THE_SESSION or any((each, name) in _LOOKED_AT_OTHERWISE for each in names):
            continue
        if is_owned and name == "users":
            continue
        try:
            value = getattr(item, name)
        except (AttributeError, RuntimeError, TypeError):  # e.g. of an enum that has no items here
            continue
        found[name] = _value(prop, value, way)
    return found


def _bases(rna: Any) -> Iterable[str]:
    while rna := rna.base:
        yield rna.identifier


def _value(prop: Any, value: Any, way: tuple[Any, ...]) -> Any:
    if prop.type == "POINTER":
        if value is None or (isinstance(value, bpy.types.ID) and not _is_owned(value)):
            return _named(value)
        if prop.identifier.startswith(
            ("active", "parent", "group", "from_", "to_", "internal_", "paired", "root_bone")
        ):
            return getattr(value, "name", getattr(value, "identifier", value.bl_rna.identifier))
        if (value.bl_rna.identifier, value.as_pointer()) in way:
            return _named(value)
        return _struct(value, way)
    if prop.type == "COLLECTION":
        return _items(value, way)
    if prop.type in _NUMBERS and prop.is_array:
        return _flat(value)
    return sorted(value) if isinstance(value, set) else value


def _is_owned(block: Any) -> bool:
    """By another one: a material's nodes, a mesh's shape keys."""
    return bool(block.is_embedded_data)


def _items(items: Any, way: tuple[Any, ...]) -> Any:
    if len(items) <= _BULK or not _is_plain(items[0]):
        return [_named(item) if isinstance(item, bpy.types.ID) else _struct(item, way) for item in items]
    found: Values = {"number": len(items)}
    for prop in items[0].bl_rna.properties:
        if prop.identifier in _OF_THE_SESSION or (items[0].bl_rna.identifier, prop.identifier) in _LOOKED_AT_OTHERWISE:
            continue
        if prop.type in _NUMBERS:
            width = prop.array_length or 1
            values = np.empty(len(items) * width, _NUMBERS[prop.type])
            items.foreach_get(prop.identifier, values)
            found[prop.identifier] = _digest(values)
        else:
            found[prop.identifier] = hash(tuple(str(getattr(item, prop.identifier)) for item in items))
    return found


def _is_plain(item: Any) -> bool:
    """Numbers and choices only, and as many of them in each."""
    properties = [
        prop
        for prop in item.bl_rna.properties
        if prop.identifier not in _OF_THE_SESSION
        and (item.bl_rna.identifier, prop.identifier) not in _LOOKED_AT_OTHERWISE
    ]
    is_fixed = all(
        not getattr(prop, "is_array", False) or len(getattr(item, prop.identifier)) == prop.array_length
        for prop in properties
    )
    return is_fixed and all(prop.type in {*_NUMBERS, "ENUM"} for prop in properties)


def _digest(values: Any) -> str:
    return f"{values.size} {hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]}"


def _flat(value: Any) -> list[Any]:
    return [number for item in value for number in (_flat(item) if hasattr(item, "__len__") else [item])]


def _properties(item: Any) -> Values:
    try:
        return {name: _plain(item[name]) for name in item.keys() if name != "cycles"}  # what that add-on registers
    except TypeError:  # this kind has none
        return {}


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "to_list"):
        return value.to_list()
    return _named(value) if isinstance(value, bpy.types.ID) else value


def _named(block: Any) -> str | None:
    return None if block is None else f"{block.bl_rna.identifier} {getattr(block, 'name', '')}"
