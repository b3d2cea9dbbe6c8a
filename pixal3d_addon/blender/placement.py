# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a model lands: what was remembered at the click, found again when it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
from mathutils import Vector

from ..generation import Placement


def collection_for(placement: Placement, context: Any) -> bpy.types.Collection:
    """The collection that the artist chose at the click if it is still there, can be changed, and is not excluded.

    Otherwise the active one, or the scene's own: that of the scene of the click if that is still there.
    """
    scene: Any = bpy.data.scenes.get(placement.scene)
    if scene is None or not scene.is_editable:
        scene = context.scene
    candidates = [c for c in (scene.collection, *scene.collection.children_recursive) if c.name == placement.collection]
    if scene == context.scene:
        if context.collection is not None:
            candidates.append(context.collection)
        excluded = set(_excluded(context.view_layer.layer_collection))
        candidates = [c for c in candidates if c not in excluded]
    return next((c for c in candidates if c.is_editable), scene.collection)


def _excluded(layer_collection: Any) -> Iterator[bpy.types.Collection]:
    """The collections below that are switched off in the view layer: what lands in them is not seen."""
    for child in layer_collection.children:
        if child.exclude:
            yield child.collection
        yield from _excluded(child)


def stand_on(root: bpy.types.Object, location: tuple[float, float, float]) -> None:
    """Move `root` so that the bottom center of it and its children is at `location` (world space, scene units).

    The matrices must be up to date (``view_layer.update()``).
    """
    corners = [
        obj.matrix_world @ Vector(corner)
        for obj in (root, *root.children_recursive)
        if obj.type == "MESH"
        for corner in obj.bound_box
    ]
    if not corners:
        root.location = location
        return
    low = Vector([min(values) for values in zip(*corners, strict=True)])
    high = Vector([max(values) for values in zip(*corners, strict=True)])
    root.location += Vector(location) - Vector(((low.x + high.x) / 2, (low.y + high.y) / 2, low.z))
