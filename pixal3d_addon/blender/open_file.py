# SPDX-License-Identifier: GPL-3.0-or-later
"""Which .blend file is open: the one of the click or another one, and whether what came is safe in it."""

from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

from . import provenance, session

if TYPE_CHECKING:
    from ..generation import Manager, Placement

_opening = uuid.uuid4().hex
"""Tells this opening of a file from any other, here and elsewhere: a file that was never saved has no path."""

_looked_for: set[str] = set()
"""Generations that were looked for in this file."""


def placement_here(context: bpy.types.Context, place_at: str = "CURSOR", source_object: str = "") -> Placement:
    """The current file and scene, the active collection and the place, by name and value.

    :param place_at: see :attr:`ImportOptions.place_at`.
    """
    from ..generation import ImportOptions, Placement
    from .placement import at_cursor, place_for

    location = place_for(
        ImportOptions(place_at=place_at), Placement(source_object=source_object, location=at_cursor(context)), context
    )
    collection = context.collection or context.scene.collection
    return Placement(
        scene=context.scene.name,
        collection=collection.name,
        location=location,
        blend_file=bpy.data.filepath,
        opened=_opening,
        source_object=source_object,
    )


def is_open(placement: Placement) -> bool:
    """Whether the file of the click is the one that is open. Memory only."""
    return placement.opened == _opening or (placement.blend_file != "" and placement.blend_file == bpy.data.filepath)


def recognize(manager: Manager) -> None:
    """What another Blender left behind may stand in the open file already: it died after saving and before it could
    note that, or the file was recovered from an auto-save. Such a model is neither placed again nor offered. Which of
    the two it was is not asked (``is_dirty`` is true right after loading in 4.2 and 4.5): it counts as safe once it is
    saved."""
    unknown = {g.id for g in manager.arrived() if manager.is_inherited(g.id)} - _looked_for
    if not unknown:
        return
    _looked_for.update(unknown)
    for generation_id in unknown & provenance.generation_ids_in_file():
        manager.mark_imported(generation_id)


@persistent
def _after_load(*_: Any) -> None:
    global _opening
    _opening = uuid.uuid4().hex
    _looked_for.clear()


@persistent
def _after_save(*_: Any) -> None:
    """What stands in the file is safe now; what is to come will find it under the name that it has now."""
    manager = session.manager_or_none()
    if manager is None:
        return
    if any(s.generation.state == "imported" and s.generation.is_open for s in manager.snapshots()):
        manager.mark_kept(provenance.generation_ids_in_file())
    for snapshot in manager.snapshots():
        placement = snapshot.generation.placement
        is_ours = placement.opened == _opening and snapshot.generation.is_open
        if is_ours and placement.blend_file != bpy.data.filepath:
            manager.move(snapshot.generation.id, dataclasses.replace(placement, blend_file=bpy.data.filepath))


def register() -> None:
    bpy.app.handlers.load_post.append(_after_load)
    bpy.app.handlers.save_post.append(_after_save)


def unregister() -> None:
    for handlers, handler in ((bpy.app.handlers.load_post, _after_load), (bpy.app.handlers.save_post, _after_save)):
        if handler in handlers:  # a script may have cleared the list
            handlers.remove(handler)
