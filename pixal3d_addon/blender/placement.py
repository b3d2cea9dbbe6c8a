# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a model lands: what was remembered at the click, found again when it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from mathutils import Matrix, Vector

from ..generation import ImportOptions, Placement

Location = tuple[float, float, float]


def scene_of(placement: Placement) -> bpy.types.Scene | None:
    """The scene of the click, if it is still there and can be changed."""
    scene = bpy.data.scenes.get(placement.scene)
    return scene if scene is not None and scene.is_editable else None


def collection_for(placement: Placement, context: Any) -> bpy.types.Collection:
    """The collection that the artist chose at the click if it is still there, can be changed, and is not excluded.

    Otherwise the active one, or the scene's own: that of the scene of the click if that is still there.
    """
    scene: Any = scene_of(placement) or context.scene
    candidates = [c for c in (scene.collection, *scene.collection.children_recursive) if c.name == placement.collection]
    if scene == context.scene:
        if context.collection is not None:
            candidates.append(context.collection)
        excluded = set(_excluded(context.view_layer.layer_collection))
        candidates = [c for c in candidates if c not in excluded]
    return next((c for c in candidates if is_of_this_file(c)), scene.collection)


def is_of_this_file(block: bpy.types.ID) -> bool:
    """Whether it is the artist's to change: not another file's, and no override of what is."""
    return bool(block.is_editable) and block.override_library is None


def _excluded(layer_collection: Any) -> Iterator[bpy.types.Collection]:
    """The collections below that are switched off in the view layer: what lands in them is not seen."""
    for child in layer_collection.children:
        if child.exclude:
            yield child.collection
        yield from _excluded(child)


def place_for(options: ImportOptions, placement: Placement, context: Any) -> Location:
    """Where the model stands if no placeholder says so, world space, scene units."""
    if options.place_at == "CURSOR":
        return at_cursor(context)
    if options.place_at == "ORIGIN":
        return (0.0, 0.0, 0.0)
    source = bpy.data.objects.get(placement.source_object) if options.place_at == "OBJECT" else None
    return foot_of(source) if source else placement.location


def at_cursor(context: Any) -> Location:
    """Where the 3D cursor is."""
    location = context.scene.cursor.location
    return (location.x, location.y, location.z)


def foot_of(obj: bpy.types.Object) -> Location:
    """The middle of the bottom of what `obj` and its children show; its origin if they show nothing. World space."""
    bounds = bounds_of(obj)
    if bounds is None:
        place = obj.matrix_world.translation
        return (place.x, place.y, place.z)
    low, high = bounds
    return ((low.x + high.x) / 2, (low.y + high.y) / 2, low.z)


def bounds_of(obj: bpy.types.Object) -> tuple[Vector, Vector] | None:
    """The lowest and the highest corner of the meshes of `obj` and its children, world space.

    The matrices must be up to date (``view_layer.update()``).
    """
    corners = [
        part.matrix_world @ Vector(corner)
        for part in (obj, *obj.children_recursive)
        if part.type == "MESH"
        for corner in part.bound_box
    ]
    if not corners:
        return None
    low, high = (Vector([pick(values) for values in zip(*corners, strict=True)]) for pick in (min, max))
    return low, high


def standing(bounds: tuple[Vector, Vector] | None) -> Matrix:
    """Moves what has these bounds onto the origin: the middle of its bottom comes there."""
    if bounds is None:
        return Matrix()
    low, high = bounds
    return Matrix.Translation((-(low.x + high.x) / 2, -(low.y + high.y) / 2, -low.z))
