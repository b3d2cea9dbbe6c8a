# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of all generations that are kept. Drawing reads memory only, and of the rows those that are seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import generation_list, session, thumbnails
from ..generation import State
from ..generation.time_left import seconds_worked
from . import generation_texts
from .generation_rows import draw_condition
from .layout_parts import Sidebar
from .texts import said

if TYPE_CHECKING:
    from ..generation import Generation, Manager, Snapshot

_ROWS = 5
_THUMBNAIL_SCALE = 4.0


class PIXAL3D_UL_generations(bpy.types.UIList):
    """Searching and sorting are Blender's own, by name."""

    def draw_item(
        self,
        context: bpy.types.Context | None,
        layout: Any,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        manager = session.manager_or_none()
        snapshot = manager.get(item.generation) if manager else None
        if manager is None or snapshot is None:
            layout.label(text=item.name, translate=False)
            return
        generation = snapshot.generation
        row = layout.row()
        if thumbnail := thumbnails.icon(generation):
            row.label(text=generation.name, icon_value=thumbnail, translate=False)
        else:
            row.label(text=generation.name, icon="IMAGE_DATA", translate=False)
        row = row.row(align=True)
        row.alignment = "RIGHT"
        if cost := generation_texts.cost(generation):
            row.label(text=cost, translate=False)
        row.label(text=generation_texts.age(time.time() - generation.created_at), translate=False)
        is_running = manager.is_running(generation.id)
        row.label(text="", icon=generation_texts.icon(generation.state, is_running=is_running))


class PIXAL3D_PT_generations(Sidebar, bpy.types.Panel):
    """What was made here, in this session and in earlier ones."""

    bl_label = "Generations"
    bl_parent_id = "PIXAL3D_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session.manager_or_none() is not None and len(generation_list.of(context).rows) > 0

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        shown = generation_list.of(context)
        manager = session.manager()
        layout.template_list(
            "PIXAL3D_UL_generations", "", shown, "rows", shown, "active_index", rows=_ROWS, maxrows=_ROWS
        )
        if snapshot := manager.get(generation_list.active_id(context)):
            _draw_active(layout.box(), context, snapshot, manager)


def _draw_active(box: Any, context: bpy.types.Context, snapshot: Snapshot, manager: Manager) -> None:
    generation = snapshot.generation
    row = box.row()
    row.label(text=generation.name, translate=False)
    _draw_tools(row.row(align=True), generation, manager)
    facts: Any = box
    if thumbnail := thumbnails.icon(generation):
        facts = box.split(factor=0.35)
        facts.template_icon(icon_value=thumbnail, scale=_THUMBNAIL_SCALE)
    facts = facts.column(align=True)
    for text in _facts(generation):
        facts.label(text=text, translate=False)
    draw_condition(box, context, snapshot, manager)
    column = box.column(align=True)
    if generation.glb_file and generation.state in {State.READY, State.IMPORTED}:
        column.operator("pixal3d.replace_mesh", icon="FILE_REFRESH").generation = generation.id
    column.operator("pixal3d.reuse_settings", icon="SETTINGS").generation = generation.id
    if generation.source_file:
        column.operator("pixal3d.variations", icon="MOD_ARRAY").generation = generation.id


def _draw_tools(row: Any, generation: Generation, manager: Manager) -> None:
    """What concerns the entry rather than the model."""
    if generation.folder:
        row.operator("pixal3d.show_folder", text="", icon="FILE_FOLDER").generation = generation.id
    if generation.job_id:
        row.operator("pixal3d.copy_job_id", text="", icon="COPYDOWN").generation = generation.id
    operator = "pixal3d.stop_waiting" if manager.is_running(generation.id) else "pixal3d.remove"
    row.operator(operator, text="", icon="X").generation = generation.id


def _facts(generation: Generation) -> list[str]:
    facts = [generation_texts.state_text(generation.state)]
    if cost := generation_texts.cost(generation):
        facts.append(cost)
    if seconds := seconds_worked(generation):
        facts.append(said("Took {time}", time=generation_texts.duration(seconds)))
    if generation.seed is not None:
        facts.append(said("Seed {seed}", seed=generation.seed))
    return facts


def register() -> None:
    generation_list.register()


def unregister() -> None:
    generation_list.unregister()
    thumbnails.close()


classes = (*generation_list.classes, PIXAL3D_UL_generations)
