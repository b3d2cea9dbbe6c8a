# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an imported model comes from: a custom property on its root object."""

from __future__ import annotations

from typing import Any

import bpy

from ..generation import Generation
from ..generation.scale import AppliedBy
from ..parameters import Value, readable

KEY = "pixal3d"

_IDENTIFIERS = frozenset({"generation", "group"})

_PART = "pixal3d_part"
"""Holds the generation's id, on every object that came with a model: what the artist parents to it has none."""


def write(objects: list[bpy.types.Object], generation: Generation, applied_by: AppliedBy) -> None:
    """:param objects: the model, the root first. Custom properties take no ``None``; what is not known is left out."""
    from ..scenario import USER_AGENT

    facts = {
        "generation": generation.id,
        "group": generation.group or None,
        "job_id": generation.job_id,
        "source": generation.name,
        "source_sha256": generation.source_sha256,
        "seed": generation.seed,
        "cost": generation.cost,
        "mesh_scale_applied_by": applied_by.value,
        "made_with": USER_AGENT,
        "parameters": {name: value for name, value in generation.parameters.items() if value is not None},
    }
    objects[0][KEY] = {name: value for name, value in facts.items() if value is not None}
    for obj in objects[1:]:
        obj.pop(KEY, None)  # a model's file may bring custom properties, which must not pass for ours
    for obj in objects:
        obj[_PART] = generation.id


def generation_ids_in_file() -> set[str]:
    """The generations whose models stand in any scene of the open file. Main thread; looks at every object."""
    return {_read(obj).get("generation", "") for scene in bpy.data.scenes for obj in scene.objects} - {""}


def remove_others(scene: bpy.types.Scene, group: str, kept: str) -> int:
    """Remove the models of a group of variations from `scene`, but for the generation `kept`. Returns how many.

    What the artist has parented to them stays where it is.
    """
    roots = [obj for obj in scene.objects if _read(obj).get("group") == group and obj.is_editable]
    others = [root for root in roots if _read(root).get("generation") != kept]
    gone = {
        part
        for root in others
        for part in (root, *root.children_recursive)
        if part.get(_PART) == _read(root).get("generation")
    }
    for obj in gone:
        for child in obj.children:
            if child not in gone:
                world = child.matrix_world.copy()
                child.parent = None
                child.matrix_world = world
    meshes = {obj.data for obj in gone if obj.type == "MESH"}
    bpy.data.batch_remove(gone)
    bpy.data.batch_remove({mesh for mesh in meshes if not mesh.users})
    return len(others)


def objects_of(generation_id: str) -> list[bpy.types.Object]:
    """All that came with a generation's model and is in the file still, roots first. Looks at every object."""
    objects = [obj for obj in bpy.data.objects if obj.get(_PART) == generation_id]
    return sorted(objects, key=lambda obj: obj.get(KEY) is None)


def vertices_of(generation_id: str) -> int:
    """How many the meshes of a generation's model have. Looks at every object."""
    meshes: set[Any] = {obj.data for obj in bpy.data.objects if obj.get(_PART) == generation_id and obj.type == "MESH"}
    return sum(len(mesh.vertices) for mesh in meshes)


def of(obj: bpy.types.Object | None) -> dict[str, Any]:
    """What is known of the model that `obj` is a part of; empty if it is none of ours. Memory only."""
    while obj is not None:
        if facts := _read(obj):
            return facts
        obj = obj.parent
    return {}


def settings_of(facts: dict[str, Any]) -> dict[str, Value]:
    """The settings that a model was made with, by identifier, and the seed that the service took."""
    parameters = facts.get("parameters")
    settings = dict(parameters) if isinstance(parameters, dict) else {}
    if "seed" in facts:
        settings["seed"] = facts["seed"]
    return readable(settings)


def _read(obj: bpy.types.Object) -> dict[str, Any]:
    """Anybody can write custom properties: whatever stands there, the identifiers are texts, or are missing."""
    value: Any = obj.get(KEY)
    facts: dict[str, Any] = value.to_dict() if hasattr(value, "to_dict") else {}
    return {name: fact for name, fact in facts.items() if name not in _IDENTIFIERS or isinstance(fact, str)}
