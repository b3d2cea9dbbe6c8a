# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pixal3D tab in the 3D View's sidebar. Drawing reads memory only."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import bpy

from .. import __package__ as base_package
from ..blender import arrival, mesh_check, online, session, watcher
from ..generation import UNPAID, Generation, Manager, Snapshot, State
from ..parameters import Group, in_group
from .presets import PIXAL3D_PT_presets

_STATE_TEXT = {
    State.PREPARED: "Preparing the image",
    State.UPLOADING: "Uploading the image",
    State.SUBMITTING: "Asking for the model",
    State.RUNNING: "Generating",
    State.DOWNLOADING: "Downloading the model",
    State.READY: "Ready",
    State.IMPORTED: "In the scene",
    State.FAILED: "Failed",
    State.ABANDONED: "No longer waited for",
    State.UNCERTAIN: "Looking for the job",
}

_STATUSES_WITH_PERCENTAGE = frozenset({"in-progress", "finalizing"})
"""In others the service says 0, which tells nothing (scenario-sdk 2.4.0, types/job_retrieve_response.py)."""

_CHARACTER_WIDTH_PX = 6.3
"""Mean width of a letter of Blender's default font at a scale of 1, to break long sentences in the sidebar."""


class Sidebar:
    """Our tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pixal3D"


class PIXAL3D_PT_main(Sidebar, bpy.types.Panel):
    bl_label = "Pixal3D"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        PIXAL3D_PT_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if not draw_first_steps(layout, context):
            column = layout.column()
            column.template_ID(context.scene.pixal3d, "image", open="image.open")
            column.operator("pixal3d.use_active_texture", icon="MATERIAL")
            row = column.row(align=True)
            row.prop(context.scene.pixal3d, "crop_to_subject", toggle=True)
            row.prop(context.scene.pixal3d, "pad_to_square", toggle=True)
            row = layout.row()
            row.scale_y = 1.5
            row.operator("pixal3d.generate", icon="MESH_MONKEY")
        draw_generations(layout, context)


def draw_generations(layout: Any, context: bpy.types.Context) -> None:
    """Those of this session, the newest first. Also without a key or a network: what was made is the artist's."""
    manager = session.manager_or_none()
    if manager is None:
        return
    if manager.notice:
        _draw_notice(layout, context, manager.notice)
    for snapshot in reversed(manager.snapshots()):
        _draw_generation(layout, context, snapshot, manager)


def _draw_notice(layout: Any, context: bpy.types.Context, notice: str) -> None:
    box = layout.box()
    row = box.row()
    row.label(text="Generations", icon="ERROR")
    row.operator("pixal3d.dismiss_notice", text="", icon="X")
    _draw_text(box, context, notice)


def draw_first_steps(layout: Any, context: bpy.types.Context) -> bool:
    """What is missing before anything can work, and nothing else. Returns whether something was."""
    if reason := online.offline_reason():
        _draw_text(layout, context, reason, icon="INTERNET")
        if not bpy.app.online_access_override:
            layout.operator("extensions.userpref_allow_online", text="Allow Online Access")
        return True
    if not session.key_source():
        _draw_text(
            layout,
            context,
            "A Scenario API key is needed. Make one at app.scenario.com, in your project's settings.",
            icon="INFO",
        )
        layout.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES").module = base_package
        return True
    return False


def _draw_generation(layout: Any, context: bpy.types.Context, snapshot: Snapshot, manager: Manager) -> None:
    generation = snapshot.generation
    box = layout.box()
    row = box.row()
    is_running = manager.is_running(generation.id)
    row.label(text=generation.name, icon=_icon(generation.state, is_running), translate=False)
    if is_running:
        row.operator("pixal3d.stop_waiting", text="", icon="X").generation = generation.id
        _draw_progress(box, context, snapshot)
        return
    if generation.state is State.IMPORTED and not generation.error:  # nothing to decide: one line is enough
        row.operator("pixal3d.import_model", text="", icon="IMPORT").generation = generation.id
        row.operator("pixal3d.remove", text="", icon="X").generation = generation.id
        return
    row.operator("pixal3d.remove", text="", icon="X").generation = generation.id
    if generation.error:
        _draw_text(box, context, generation.trouble)
        if manager.is_retried(generation.id):
            box.label(text="It is tried again by itself", icon="TIME")
    elif generation.state is State.READY and arrival.comes_by_itself(generation):
        box.label(text=watcher.waiting or "Ready", icon="TIME")
        return
    elif generation.state is State.READY:
        _draw_text(box, context, arrival.question(generation), icon="TIME")
    else:
        box.label(text=_STATE_TEXT[generation.state])
    for operator, text, icon in _ways_on(generation):
        box.operator(operator, text=text, icon=icon).generation = generation.id


def _draw_progress(box: Any, context: bpy.types.Context, snapshot: Snapshot) -> None:
    generation = snapshot.generation
    status = generation.service_status if generation.state is State.RUNNING else ""
    text = "Waiting for its turn" if snapshot.is_queued else _STATE_TEXT[generation.state]
    if status:
        text = f"{text}: {status}"
    if snapshot.progress is None or (status and status not in _STATUSES_WITH_PERCENTAGE):
        box.label(text=text)
    else:
        box.progress(factor=snapshot.progress, text=f"{text} {snapshot.progress:.0%}")
    if snapshot.notice:
        _draw_text(box, context, snapshot.notice, icon="ERROR")


def _ways_on(generation: Generation) -> Iterator[tuple[str, str, Any]]:
    """What the artist can do with a generation that no worker is at: operator, label, icon."""
    state = generation.state
    if state is State.READY:
        yield "pixal3d.import_model", "Import Here", "IMPORT"
    elif state is State.IMPORTED:
        yield "pixal3d.import_model", "Import Again", "IMPORT"
    elif state in UNPAID:
        yield "pixal3d.go_on", "Generate Now", "PLAY"
    elif state is State.UNCERTAIN:
        yield "pixal3d.fetch_again", "Look Again", "FILE_REFRESH"
    is_fetchable = bool(generation.job_id) and not generation.has_failed_job
    if is_fetchable and (generation.error or state not in {State.READY, State.IMPORTED, State.UNCERTAIN}):
        yield "pixal3d.fetch_again", "Fetch Again", "FILE_REFRESH"
    if state in {State.UNCERTAIN, State.FAILED} and generation.source_file:
        yield "pixal3d.try_again", "Try Again", "LOOP_BACK"


def _icon(state: State, is_running: bool) -> Any:
    if is_running:
        return "TIME"
    if state in {State.READY, State.IMPORTED}:
        return "CHECKMARK"
    return "ERROR"


def _draw_text(layout: Any, context: bpy.types.Context, text: str, icon: Any = "NONE") -> None:
    """A sentence in as many lines as the sidebar's width asks for; Blender's labels know one line only."""
    width = context.region.width / context.preferences.system.ui_scale - 60
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text, max(20, int(width / _CHARACTER_WIDTH_PX)))):
        column.label(text=line, icon=icon if number == 0 else ("NONE" if icon == "NONE" else "BLANK1"))


class _SettingsPanel(Sidebar):
    """A sub-panel with one group of the table."""

    bl_parent_id = "PIXAL3D_PT_main"
    bl_options = {"DEFAULT_CLOSED"}
    group: Group
    layout: Any

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return not online.offline_reason() and bool(session.key_source())

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for parameter in in_group(self.group):
            layout.prop(context.scene.pixal3d, parameter.identifier)


def _settings_panel(group: Group, parent: str = "PIXAL3D_PT_main") -> type[bpy.types.Panel]:
    name = f"PIXAL3D_PT_{group.name.lower()}"
    return type(
        name,
        (_SettingsPanel, bpy.types.Panel),
        {"bl_idname": name, "bl_label": group.value, "bl_parent_id": parent, "group": group},
    )


class PIXAL3D_PT_mesh_check(Sidebar, bpy.types.Panel):
    """What is known of the active object's mesh, and cleaning it up."""

    bl_label = "Mesh Check"
    bl_parent_id = "PIXAL3D_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.object is not None and context.object.type == "MESH"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        mesh: Any = context.object.data
        if found := mesh_check.of(mesh):
            column = layout.column(align=True)
            for label, value, is_worth_a_look in mesh_check.rows(found):
                row = column.split(factor=0.5)
                row.label(text=label)
                row.label(text=value, icon="ERROR" if is_worth_a_look else "NONE", translate=False)
        elif mesh_check.is_running(mesh):
            layout.label(text="Counting", icon="TIME")
        layout.operator("pixal3d.check_mesh", icon="VIEWZOOM")
        layout.operator("pixal3d.clean_up_mesh", icon="BRUSH_DATA")


class PIXAL3D_PT_more(_SettingsPanel, bpy.types.Panel):
    """What is seldom wanted."""

    bl_label = "More"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        column.operator("pixal3d.reset", icon="LOOP_BACK")
        column.operator("pixal3d.generate_again", icon="LOOP_BACK")
        column.operator("pixal3d.fetch_job", icon="IMPORT")


class PIXAL3D_PT_advanced(_SettingsPanel, bpy.types.Panel):
    bl_label = "Advanced"

    def draw(self, context: bpy.types.Context) -> None:
        """Holds the sampling panels."""


classes = (
    PIXAL3D_PT_main,
    *(_settings_panel(group) for group in (Group.QUALITY, Group.MESH, Group.TEXTURE)),
    PIXAL3D_PT_advanced,
    *(
        _settings_panel(group, "PIXAL3D_PT_advanced")
        for group in (Group.STRUCTURE_SAMPLING, Group.SHAPE_SAMPLING, Group.TEXTURE_SAMPLING)
    ),
    PIXAL3D_PT_mesh_check,
    PIXAL3D_PT_more,
)
