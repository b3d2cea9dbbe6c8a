# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: the account, the service, and who applies the mesh scale."""

from __future__ import annotations

import bpy

from .. import __package__ as base_package
from ..blender import connection_check, online, session
from ..scenario import DEFAULT_BASE_URL


class PIXAL3D_AP_preferences(bpy.types.AddonPreferences):
    bl_idname = base_package

    api_key: bpy.props.StringProperty(
        name="API Key",
        description="Key of your Scenario project. Blender keeps it in its preferences file, readable by whoever "
        "can read that file",
        subtype="PASSWORD",
    )
    api_secret: bpy.props.StringProperty(
        name="API Secret",
        description="Secret that belongs to the key. Blender keeps it in its preferences file, readable by whoever "
        "can read that file",
        subtype="PASSWORD",
    )
    project_id: bpy.props.StringProperty(
        name="Project ID", description="Project to work in. Leave empty for the key's own project"
    )
    base_url: bpy.props.StringProperty(
        name="Service URL", description="Address of the Scenario API", default=DEFAULT_BASE_URL
    )
    mesh_scale_applied_by: bpy.props.EnumProperty(
        name="Apply Mesh Scale",
        description="Who makes the model as large as Mesh Scale says, so that it happens exactly once",
        items=(
            ("AUTO", "Automatically", "Look at the size of the delivered model, and scale it if it was not scaled"),
            ("SERVICE", "At the Service", "Take the delivered size as it is"),
            ("IMPORT", "On Import", "Always scale the delivered model"),
        ),
        default="AUTO",
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False

        column = layout.column()
        if session.key_source() == "environment":
            column.label(text="Using the key from SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET", icon="INFO")
        else:
            column.prop(self, "api_key")
            column.prop(self, "api_secret")
            column.label(text="Keys are made at app.scenario.com, in the project's settings", icon="INFO")
        column.prop(self, "project_id")
        column.prop(self, "base_url")
        row = layout.row()
        row.operator("pixal3d.test_connection")
        if reason := online.offline_reason():
            layout.label(text=reason, icon="ERROR")
        elif connection_check.is_running():
            layout.label(text="Asking the service…")
        elif answer := connection_check.answer:
            layout.label(text=answer.text, icon="ERROR" if answer.is_error else "CHECKMARK")
        layout.prop(self, "mesh_scale_applied_by")


classes = (PIXAL3D_AP_preferences,)
