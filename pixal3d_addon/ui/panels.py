# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pixal3D tab in the 3D View's sidebar. Drawing reads memory only."""

from __future__ import annotations

from typing import Any

import bpy

from ..blender import mesh_check, online, provenance, session
from ..parameters import Group, in_group
from ..translations import OUR_CONTEXT
from .first_steps import draw_first_steps
from .generation_list import PIXAL3D_PT_generations
from .generation_rows import draw_generations
from .import_operators import is_without_textures
from .import_settings import draw_import_options
from .layout_parts import Sidebar
from .presets import PIXAL3D_PT_presets
from .source_rows import draw_choice, draw_source
from .texts import translated


class PIXAL3D_PT_main(Sidebar, bpy.types.Panel):
    bl_label = "Pixal3D"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        PIXAL3D_PT_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if not draw_first_steps(layout, context):
            draw_source(layout, context, draw_choice(layout, context))
        if provenance.of(context.object) and is_without_textures(context):
            layout.operator("pixal3d.show_textures", icon="SHADING_TEXTURE")
        draw_generations(layout, context)


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
            label = parameter.short or parameter.label
            layout.prop(context.scene.pixal3d, parameter.identifier, text=label, text_ctxt=OUR_CONTEXT)


def _settings_panel(group: Group, parent: str = "PIXAL3D_PT_main") -> type[bpy.types.Panel]:
    name = f"PIXAL3D_PT_{group.name.lower()}"
    return type(
        name,
        (_SettingsPanel, bpy.types.Panel),
        {"bl_idname": name, "bl_label": group.value, "bl_parent_id": parent, "group": group},
    )


class PIXAL3D_PT_placement(_SettingsPanel, bpy.types.Panel):
    """How the model arrives."""

    bl_label = "Placement"

    def draw(self, context: bpy.types.Context) -> None:
        draw_import_options(self.layout, context.scene.pixal3d)


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
                text = translated(value)
                row.label(text=text, icon="ERROR" if is_worth_a_look else "NONE", translate=False)
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
        column.operator("pixal3d.generate_again", icon="FILE_REFRESH")
        column.operator("pixal3d.keep_this", icon="CHECKMARK")
        column.operator("pixal3d.fetch_job", icon="IMPORT")


class PIXAL3D_PT_advanced(_SettingsPanel, bpy.types.Panel):
    bl_label = "Advanced"

    def draw(self, context: bpy.types.Context) -> None:
        """Holds the sampling panels."""


classes = (
    PIXAL3D_PT_main,
    PIXAL3D_PT_generations,
    *(_settings_panel(group) for group in (Group.QUALITY, Group.MESH, Group.TEXTURE)),
    PIXAL3D_PT_placement,
    PIXAL3D_PT_advanced,
    *(
        _settings_panel(group, "PIXAL3D_PT_advanced")
        for group in (Group.STRUCTURE_SAMPLING, Group.SHAPE_SAMPLING, Group.TEXTURE_SAMPLING)
    ),
    PIXAL3D_PT_mesh_check,
    PIXAL3D_PT_more,
)
