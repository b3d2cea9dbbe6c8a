# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the scene until the mesh comes: an empty that shows the image, at the final size. Main thread.

It is found again by a custom property, so that it may be renamed, duplicated, moved to another collection, saved in
its file and loaded with it. If it was deleted, the mesh comes all the same.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Matrix

from ..generation import Generation
from ..parameters import readable
from .image_parts import image_of_pixels
from .placement import collection_for, is_of_this_file, scene_of

if TYPE_CHECKING:
    from ..generation import Pixels

KEY = "pixal3d_placeholder"
"""Holds the generation's id."""

_UPRIGHT = Matrix.Rotation(math.pi / 2, 4, "X")
"""An image lies in its empty's XY plane, the model stands on it."""


def add(context: Any, generation: Generation, picture: Pixels | None) -> bpy.types.Object | None:
    """A placeholder for `generation`, or ``None`` where it could not be undone properly: in another mode than Object
    Mode Blender's undo knows of the edited data only. Pushes no undo step.

    :param picture: what it shows, RGBA; ``None`` for an empty frame. A small one: to show the image itself, Blender
        would decode it at the next redraw, and a texture of 4096 px takes it 390 ms to send to a software GPU.
    """
    if context.mode != "OBJECT" or not context.scene.is_editable:
        return None
    size = size_of(generation, context.scene)
    empty: Any = bpy.data.objects.new(generation.name, None)
    empty[KEY] = generation.id
    empty.empty_display_type = "IMAGE"
    empty.empty_display_size = size
    empty.data = _image_of(picture, generation.name) if picture else None
    empty.empty_image_offset = (-0.5, 0.0)
    empty.use_empty_image_alpha = True
    empty.color[3] = 0.6
    empty.matrix_world = Matrix.Translation(generation.placement.location) @ _UPRIGHT
    collection_for(generation.placement, context).objects.link(empty)
    return empty


def _image_of(picture: Pixels, name: str) -> bpy.types.Image:
    """A datablock of its own, which goes with the placeholder."""
    image = image_of_pixels(name, picture.width, picture.height, picture.values)
    image[KEY] = True
    return image


def size_of(generation: Generation, scene: bpy.types.Scene) -> float:
    """The longest side that the model is expected to have, in scene units: the service's model fills a cube of one
    meter, times ``meshScale``."""
    meters = float(readable(generation.parameters)["mesh_scale"] or 1.0)
    return generation.options.height or meters / scene.unit_settings.scale_length


def find(generation: Generation) -> list[bpy.types.Object]:
    """Those of `generation`, its scene's first. Looks at every object: not for ``draw``."""
    scene: Any = scene_of(generation.placement)
    scenes = [scene] if scene else []
    scenes += [other for other in bpy.data.scenes if other != scene and other.is_editable]
    found = (obj for each in scenes for obj in each.objects if _is_placeholder(obj, {generation.id}))
    return list(dict.fromkeys(found))


def _is_placeholder(obj: bpy.types.Object, generation_ids: Collection[str]) -> bool:
    """Custom properties are copied to other objects, and objects linked from other files."""
    return obj.type == "EMPTY" and str(obj.get(KEY)) in generation_ids and is_of_this_file(obj)


def put(empty: bpy.types.Object, root: Any) -> None:
    """`root`, which stands at the origin, hangs and stands where the placeholder does."""
    standing = root.matrix_basis.copy()
    root.parent, root.parent_type, root.parent_bone = empty.parent, empty.parent_type, empty.parent_bone
    root.parent_vertices = empty.parent_vertices
    root.matrix_parent_inverse = empty.matrix_parent_inverse
    if empty.constraints:
        root.matrix_world = empty.matrix_world @ _UPRIGHT.inverted() @ standing
    else:  # not by way of the world: of a hidden object it may be out of date, and a vertex parent's is not known yet
        root.matrix_basis = empty.matrix_basis @ _UPRIGHT.inverted() @ standing


def give_place(empty: bpy.types.Object, root: Any) -> None:
    """Everything that points at the placeholder points at `root`, its children included, and it is gone. `root` gets
    its name."""
    name, children, world = empty.name, list(empty.children), empty.matrix_world.copy()
    for collection in empty.users_collection:
        collection.objects.unlink(empty)  # the model is in them already
    empty.user_remap(root)
    for child in children:
        # Not the child's own transform, which may be animated.
        child.matrix_parent_inverse = root.matrix_world.inverted() @ world @ child.matrix_parent_inverse
    _remove([empty])
    root.name = name


def _remove(empties: list[bpy.types.Object]) -> None:
    """Take them out of the file, with the small picture that only they have shown."""
    images = {empty.data for empty in empties if empty.data}
    bpy.data.batch_remove(empties)
    bpy.data.batch_remove([image for image in images if image.get(KEY) and not image.users])


def sweep(generation_ids: Collection[str]) -> bool:
    """Remove the placeholders of generations for which nothing will come, and say whether there were any. One that the
    artist has given children stays: they would jump. Not while an operator runs that may hold one."""
    stale = [
        obj
        for scene in bpy.data.scenes
        for obj in scene.objects
        if scene.is_editable and _is_placeholder(obj, generation_ids) and not obj.children
    ]
    _remove(list(dict.fromkeys(stale)))
    return bool(stale)
