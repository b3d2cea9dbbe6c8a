# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a model lands: remembered at the click, found again when it arrives."""

from __future__ import annotations

from typing import Any

import bpy
from mathutils import Vector

from ..generation import Placement


def placement_here(context: bpy.types.Context) -> Placement:
    """The current scene, the active collection and the 3D cursor, by name and value."""
    location = context.scene.cursor.location
    return Placement(
        scene=context.scene.name, collection=context.collection.name, location=(location.x, location.y, location.z)
    )


def collection_for(placement: Placement, context: Any) -> bpy.types.Collection:
    """The collection that the artist chose at the click if it still is in that scene, else the active one."""
    scene = bpy.data.scenes.get(placement.scene)
    if scene is None:
        return context.collection
    chosen = [scene.collection, *scene.collection.children_recursive]
    for collection in chosen:
        if collection.name == placement.collection and collection.is_editable:
            return collection
    return scene.collection if scene != context.scene else context.collection


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
