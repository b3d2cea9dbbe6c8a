# SPDX-License-Identifier: GPL-3.0-or-later
"""How much Blender would have to make of a GLB, in memory and in time, before it makes it.

A few lines of JSON are enough to ask for gigabytes: an accessor without a buffer view is an array of zeros, a thousand
primitives may share one accessor, a node may be there a million times. The importer takes all of it, in Blender's main
thread. Counted is what it does in 4.2, 4.5 and 5.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import limits
from .answers import listing, mapping
from .errors import UnreadableModelError
from .glb_data import COMPONENTS, Data
from .glb_schema import Document, Fields, items

_MOST: Final = {
    "scenes": limits.GLB_SCENES,
    "nodes": limits.GLB_NODES,
    "meshes": limits.GLB_NODES,
    "materials": limits.GLB_MATERIALS,
    "textures": limits.GLB_MATERIALS,
    "images": limits.GLB_MATERIALS,
    "skins": limits.GLB_MATERIALS,
    "animations": limits.GLB_MATERIALS,
}


def check_weight(document: Document, data: Data) -> None:
    """
    :raises UnreadableModelError: it is too much.
    """
    for kind, most in _MOST.items():
        _check(len(listing(document.get(kind))), most, kind)
    _check(_instances(document, data), limits.GLB_NODES, "instances")
    _check_lists(document, data)
    made = moved = 0
    for mesh, is_skinned in _made_meshes(document):
        so_far = 0
        _check(len(mesh["primitives"]), limits.GLB_NODES, "primitives")
        for primitive in mesh["primitives"]:
            so_far += _bytes_of(primitive, data, is_skinned)
            moved += so_far  # all arrays are put together anew for each
            _check(made + so_far, limits.GLB_GEOMETRY_BYTES, "geometry")
            _check(moved, limits.GLB_MOVED_BYTES, "primitives")
        made += so_far


def _check(amount: int, most: int, what: str) -> None:
    if amount > most:
        raise UnreadableModelError("The model is far larger than Pixal3D makes them.", reason=f"{what}: {amount}")


def _instances(document: Document, data: Data) -> int:
    """How many objects ``EXT_mesh_gpu_instancing`` makes, of nodes with an extension of that name."""
    total = 0
    for node in items(document, "nodes"):
        extension = mapping(mapping(node.get("extensions")).get("EXT_mesh_gpu_instancing"))
        indices: Fields = mapping(extension.get("attributes"))
        total += max((data.accessor(index)["count"] for index in indices.values()), default=0)
    return total


def _check_lists(document: Document, data: Data) -> None:
    """What becomes lists of Python's numbers: matrices of bones, keys of animations."""
    skins = items(document, "skins")
    parts = sum(len(skin["joints"]) for skin in skins)
    indices = [skin["inverseBindMatrices"] for skin in skins if skin.get("inverseBindMatrices") is not None]
    for animation in items(document, "animations"):
        parts += len(animation["channels"])
        for channel in animation["channels"]:
            sampler = animation["samplers"][channel["sampler"]]
            indices += [sampler["input"], sampler["output"]]
    accessors = map(data.accessor, indices)
    numbers = sum(accessor["count"] * COMPONENTS[accessor["type"]] for accessor in accessors)
    _check(parts, 5 * limits.GLB_NODES, "joints")
    _check(numbers, limits.GLB_LISTED_NUMBERS, "keys")


def _made_meshes(document: Document) -> Iterator[tuple[Fields, bool]]:
    """Each mesh as often as Blender gets one of it, and whether it has bones: one for each skin; with shape keys, one
    for each node."""
    meshes = items(document, "meshes")
    seen: set[tuple[object, ...]] = set()
    for index, node in enumerate(items(document, "nodes")):
        number, skin = node.get("mesh"), node.get("skin")
        if number is None:
            continue
        has_targets = any(primitive.get("targets") for primitive in meshes[number]["primitives"])
        key = (number, skin, index if has_targets else None)
        if key not in seen:
            seen.add(key)
            yield meshes[number], skin is not None


def _bytes_of(primitive: Fields, data: Data, is_skinned: bool) -> int:
    """In the importer's arrays, and what a corner has in Blender at least; its other arrays are as much again."""
    accessors = {name: data.accessor(index) for name, index in primitive["attributes"].items()}
    if "POSITION" not in accessors:
        return 0
    vertices: int = accessors["POSITION"]["count"]
    corners: int = data.accessor(primitive["indices"])["count"] if primitive.get("indices") is not None else vertices
    used = min(vertices, corners)
    mode = primitive.get("mode")
    corners = 3 * corners if mode in (5, 6) else 2 * corners if mode in (2, 3) else corners
    for_each_vertex = for_each_corner = 0
    sets = 0
    for name, accessor in accessors.items():
        if name.startswith(("TEXCOORD_", "COLOR_")):
            for_each_corner += 8 if name.startswith("TEXCOORD_") else 16
        elif name.startswith("JOINTS_"):
            sets += 1
        else:
            for_each_vertex += 4 * COMPONENTS[accessor["type"]]
    targets = primitive.get("targets") or ()
    _check(len(targets), limits.GLB_SHAPE_KEYS, "targets")
    if is_skinned:
        _check(used * sets, limits.GLB_LISTED_NUMBERS, "weights")  # one by one, in Python
    unpacked: int = sum(4 * COMPONENTS[accessor["type"]] * accessor["count"] for accessor in accessors.values())
    unpacked += 12 * vertices * len(targets)
    return unpacked + used * (for_each_vertex + 32 * sets + 12 * len(targets)) + corners * (32 + for_each_corner)
