# SPDX-License-Identifier: GPL-3.0-or-later
"""A checked GLB on disk to objects in the scene, through Blender's own glTF importer."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from typing import Any

import bpy
from mathutils import Matrix

from ..generation import Generation, ImportOptions
from ..generation.scale import AppliedBy, import_scale
from ..parameters import readable
from . import placeholder, prepared, provenance
from .errors import ModelImportError
from .finish import finish
from .placement import bounds_of, collection_for, place_for, standing

_log = logging.getLogger(__name__)


def ensure_can_import(context: bpy.types.Context) -> None:
    """To be asked before money is spent.

    :raises ModelImportError: Blender's importer is not there, or the scene can't be changed.
    """
    if not hasattr(bpy.types, "IMPORT_SCENE_OT_gltf"):
        raise ModelImportError(
            "Blender's glTF importer is switched off.", "Enable the add-on glTF 2.0 in the preferences."
        )
    if not context.scene.is_editable:
        raise ModelImportError(
            f"The scene {context.scene.name} is linked and can't be changed.",
            "Work in another scene.",
        )


def import_model(
    context: bpy.types.Context,
    generation: Generation,
    applied_by: AppliedBy,
    options: ImportOptions | None = None,
) -> list[bpy.types.Object]:
    """Put the model of a ``ready`` generation into the scene, scaled and standing at its place, selected and active.

    It takes the place of its placeholder: transform, parent and collection. If that was duplicated, each gets a copy
    that shares the mesh. Pushes no undo step: the operator that calls it does.

    :param options: ``None`` for the generation's own.
    :returns: the new objects, the root first.
    :raises ModelImportError: Blender's importer refused it; the scene is as it was.
    """
    ensure_can_import(context)
    known, active, mode = _datablocks(), context.view_layer.objects.active, context.mode
    try:
        copies, places = _imported(context, generation, applied_by, options or generation.options, known)
    except BaseException:
        if context.mode != mode:
            bpy.ops.object.mode_set(mode="OBJECT")  # the importer failed while it was making bones
        _remove_all_but(known)
        context.view_layer.objects.active = active
        raise
    for copy, place in zip(copies, places, strict=False):
        placeholder.give_place(place, copy[0])
    objects = [obj for copy in copies for obj in copy]
    _update_matrices(objects[0])
    _select(objects, objects[0])
    return objects


def _imported(
    context: bpy.types.Context,
    generation: Generation,
    applied_by: AppliedBy,
    options: ImportOptions,
    known: set[bpy.types.ID],
) -> tuple[list[list[bpy.types.Object]], list[bpy.types.Object]]:
    """The model as it is to stand, once for each placeholder and at least once, and the placeholders.

    Nothing that was there before is changed.
    """
    objects = _imported_objects(generation, known, context)
    context.view_layer.update()  # a prepared file has no world matrices: all are the identity until then (5.2.3)
    root = _single_root(objects, generation.name, context)
    objects = [root, *root.children_recursive]
    places = placeholder.find(generation)
    collections = [place.users_collection for place in places] or [(collection_for(generation.placement, context),)]
    _link(objects, collections[0])
    bpy.data.batch_remove({*bpy.data.scenes, *bpy.data.collections} - known)  # of a file with several scenes
    _name(objects, generation.name)

    mesh_scale = float(readable(generation.parameters)["mesh_scale"] or 1.0)
    factor, applied_by = import_scale(mesh_scale, generation.bounds, applied_by)
    root.rotation_mode = "XYZ"
    _stand_up(root, factor, options)
    provenance.write(objects, generation, applied_by)

    copies = [objects, *(_copied(objects, each) for each in collections[1:])]
    standing_there = root.matrix_basis.copy()
    for copy, place in zip(copies, places, strict=False):
        placeholder.put(place, copy[0])
    if not places or options.place_at != "PLANNED":
        target = Matrix.Translation(place_for(options, generation.placement, context))
        root.matrix_world = target @ standing_there
    _update_matrices(root)
    if any(options.offset):
        root.matrix_world = Matrix.Translation(options.offset) @ root.matrix_world
        _update_matrices(root)
    finish(objects, options)
    return copies, places


def _imported_objects(
    generation: Generation, known: set[bpy.types.ID], context: bpy.types.Context
) -> list[bpy.types.Object]:
    """Appended if the model was prepared, else through Blender's importer."""
    scene: Any = context.scene
    if objects := prepared.append(generation, scene):
        for obj in objects:
            scene.collection.objects.link(obj)
        return objects
    _remove_all_but(known)
    if prepared.has_crashed(generation, scene):
        raise ModelImportError(
            f"Blender's glTF importer crashed with the model of {generation.name}.",
            f"So it was not imported here. The file is kept: {generation.glb_file}",
        )
    try:
        bpy.ops.import_scene.gltf(filepath=generation.glb_file, **prepared.import_arguments())
    except RuntimeError as error:
        _log.warning("Blender's glTF importer refused %s: %s", generation.glb_file, error)
        raise ModelImportError(
            f"Blender's glTF importer could not read the model of {generation.name}.",
            f"Fetch it again, or look at the file: {generation.glb_file}",
        ) from None
    objects = [obj for obj in bpy.data.objects if obj not in known]
    if not any(obj.type == "MESH" for obj in objects):
        raise ModelImportError(f"The model of {generation.name} holds no mesh.", f"The file: {generation.glb_file}")
    return objects


def _datablocks() -> set[bpy.types.ID]:
    """All that an import may make."""
    return {block for kind in _KINDS for block in getattr(bpy.data, kind, ())}


_KINDS = (
    *("scenes", "collections", "objects", "meshes", "armatures", "cameras", "lights", "pointclouds"),
    *("materials", "node_groups", "images", "actions", "shape_keys"),
)


def _remove_all_but(known: set[bpy.types.ID]) -> None:
    """Take back a failed import."""
    bpy.data.batch_remove(_datablocks() - known)


def _single_root(objects: list[bpy.types.Object], name: str, context: bpy.types.Context) -> bpy.types.Object:
    """One object to hold on to. A lone mesh needs no helper above it; several parts get one."""
    meshes = [obj for obj in objects if obj.type == "MESH"]
    helpers = [obj for obj in objects if obj.type == "EMPTY"]
    if len(meshes) == 1 and len(meshes) + len(helpers) == len(objects):
        (mesh,) = meshes
        world = mesh.matrix_world.copy()
        mesh.parent = None
        mesh.matrix_world = world
        bpy.data.batch_remove(helpers)
        return mesh
    everything = set(objects)
    roots = [obj for obj in objects if obj.parent not in everything]
    if len(roots) == 1:
        return roots[0]
    root = bpy.data.objects.new(name, None)
    context.scene.collection.objects.link(root)  # the active collection may be another file's
    for obj in roots:
        obj.parent = root
    return root


def _name(objects: list[bpy.types.Object], name: str) -> None:
    """Everything that came is called after the image; Blender adds a number where the name is taken."""
    objects[0].name = name
    for obj in objects:
        if obj.type != "MESH":
            continue
        obj.data.name = name
        for material in filter(None, obj.data.materials):
            material.name = name
            for node in getattr(material.node_tree, "nodes", ()):
                if node.type == "TEX_IMAGE" and node.image is not None:
                    is_color = node.image.colorspace_settings.name == "sRGB"
                    node.image.name = f"{name} {'Base Color' if is_color else 'Metallic Roughness'}"


def _link(objects: list[bpy.types.Object], collections: Iterable[bpy.types.Collection]) -> None:
    """Into these collections and no others."""
    for obj in objects:
        for other in obj.users_collection:
            other.objects.unlink(obj)
        for collection in collections:
            collection.objects.link(obj)


def _stand_up(root: bpy.types.Object, factor: float, options: ImportOptions) -> None:
    """Scaled and turned, with the middle of its bottom at the origin."""
    turned = Matrix.Rotation(math.radians(options.turn), 4, "Z")
    root.matrix_world = turned @ Matrix.Scale(factor, 4) @ root.matrix_world
    _update_matrices(root)
    bounds = bounds_of(root)
    if options.height and bounds and (height := bounds[1].z - bounds[0].z) > 0.0:
        root.matrix_world = Matrix.Scale(options.height / height, 4) @ root.matrix_world
        _update_matrices(root)
        bounds = bounds_of(root)
    root.matrix_world = standing(bounds) @ root.matrix_world
    _update_matrices(root)


def _copied(objects: list[bpy.types.Object], collections: Iterable[bpy.types.Collection]) -> list[bpy.types.Object]:
    """The same once more, with the same meshes."""
    copies = {obj: obj.copy() for obj in objects}
    for obj, copy in copies.items():
        if obj.parent in copies:
            copy.parent = copies[obj.parent]
    _link(list(copies.values()), collections)
    return list(copies.values())


def _update_matrices(root: bpy.types.Object) -> None:
    """The view layer's update leaves out objects of another scene, so the scene's own layer is asked."""
    for scene in root.users_scene:
        for view_layer in scene.view_layers:
            view_layer.update()


def _select(objects: list[bpy.types.Object], root: bpy.types.Object) -> None:
    """Selected and active in the window's view layer, if the model landed there."""
    view_layer = bpy.context.view_layer
    view_layer.update()  # else it may still list what was moved to another scene (seen in 4.5.15)
    if view_layer.objects.get(root.name) == root:
        for obj in tuple(view_layer.objects.selected):
            obj.select_set(False)
        for obj in objects:
            if view_layer.objects.get(obj.name) == obj:  # a copy may be in another scene
                obj.select_set(True)
        view_layer.objects.active = root
