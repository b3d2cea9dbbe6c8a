# SPDX-License-Identifier: GPL-3.0-or-later
"""A generated model in the place of an object's mesh. Main thread; pushes no undo step."""

from __future__ import annotations

import dataclasses
from typing import Any

import bpy
from mathutils import Matrix, Vector

from ..generation import Generation
from ..generation.scale import AppliedBy
from . import importer, placeholder, provenance
from .open_file import placement_here


def refusal(context: bpy.types.Context) -> str:
    """What speaks against replacing the active object's mesh; empty if nothing does. Memory only."""
    obj = context.object
    if obj is None or obj.type != "MESH":
        return "Select the object whose mesh is to be replaced"
    if context.mode != "OBJECT":
        return "Go to Object Mode first"
    if not obj.is_editable:
        return "The object is linked from another file"
    return ""


def replace_mesh(context: bpy.types.Context, generation: Generation, applied_by: AppliedBy) -> None:
    """Give the active object the generation's mesh with its materials, standing where the old one stood.

    Its name, transform, parent, collections and modifiers stay; so its own scale makes the size. Other objects that
    share the old mesh keep it.

    :raises ModelImportError: Blender's importer refused it; the scene is as it was.
    """
    target: Any = context.object
    selected = list(context.selected_objects)
    # Nameless for the importer: the placeholder is not its place.
    options = dataclasses.replace(
        generation.options, place_at="ORIGIN", offset=(0.0, 0.0, 0.0), turn=0, height=0.0, is_asset=False
    )
    nameless = dataclasses.replace(generation, id="", placement=placement_here(context), options=options)
    objects = importer.import_model(context, nameless, applied_by)
    applied_by = AppliedBy(objects[0][provenance.KEY]["mesh_scale_applied_by"])
    scale = objects[0].scale.x  # meshScale, if the service has not applied it
    mesh, others = _one_mesh(objects)
    mesh.transform(Matrix.Scale(scale, 4))
    mesh.transform(Matrix.Translation(_foot(target.data) - _foot(mesh)))
    target.data = mesh
    for slot in target.material_slots:
        slot.link = "DATA"
    bpy.data.batch_remove(others)
    # It is none of several variations: it is the artist's own object, which Keep This must not remove.
    provenance.write([target], dataclasses.replace(generation, group=""), applied_by)
    for obj in selected:
        obj.select_set(True)
    target.select_set(True)
    context.view_layer.objects.active = target
    placeholder.sweep({generation.id})


def _one_mesh(objects: list[bpy.types.Object]) -> tuple[Any, set[Any]]:
    """The mesh of all parts of a model, in the space of its root, and what is left over."""
    root, parts = objects[0], [obj for obj in objects if obj.type == "MESH"]
    first: Any = parts[0]
    matrix = root.matrix_world.inverted() @ first.matrix_world
    # Without those that joining deletes: a set must not be asked about them then.
    others = {*(set(objects) - set(parts[1:])), *({part.data for part in parts[1:]} - {first.data})}
    if len(parts) > 1:
        with bpy.context.temp_override(active_object=first, object=first, selected_editable_objects=parts):
            bpy.ops.object.join()
    first.data.transform(matrix)
    return first.data, others


def _foot(mesh: Any) -> Vector:
    """The middle of the bottom, in the mesh's own space."""
    import numpy

    if not mesh.vertices:
        return Vector()
    points = numpy.empty(len(mesh.vertices) * 3, dtype=numpy.float32)
    mesh.vertices.foreach_get("co", points)
    low, high = points.reshape(-1, 3).min(axis=0), points.reshape(-1, 3).max(axis=0)
    return Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]))
