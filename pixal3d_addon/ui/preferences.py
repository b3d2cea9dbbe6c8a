# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: the account, the service, and what becomes of the models."""

from __future__ import annotations

import bpy

from .. import __package__ as base_package
from ..blender import limits, online, session
from ..scenario import DEFAULT_BASE_URL
from .first_steps import draw_connection
from .key_operators import PLACES, draw_key
from .layout_parts import draw_text
from .texts import said


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
    # Changed by moving the key (:mod:`..blender.key_move`), and not shown.
    key_place: bpy.props.EnumProperty(name="Keep the Key In", items=PLACES, default="PREFERENCES", options={"HIDDEN"})
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
    arrival: bpy.props.EnumProperty(
        name="When a Model Arrives",
        description="Whether it is placed in the scene by itself",
        items=(
            ("FILE", "Place in Its File", "Place it if the file that it was made for is open, else ask"),
            ("ANY", "Place in Any File", "Place it in whatever file is open"),
            ("ASK", "Ask", "Wait for a click on Import Here"),
        ),
        default="FILE",
    )
    concurrency: bpy.props.IntProperty(
        name="At Once",
        description="Number of models that are generated at the same time. Further ones wait for their turn",
        default=limits.CONCURRENCY,
        min=1,
        max=limits.MAX_CONCURRENCY,
    )
    results_folder: bpy.props.StringProperty(
        name="Keep Models In",
        description="Folder for the images that are sent and the GLB files that come back, from now on. "
        "If empty, the extension's own folder",
        subtype="DIR_PATH",
    )
    disk_limit_gb: bpy.props.FloatProperty(
        name="Disk Limit (GB)",
        description="When images and models take more than this, the oldest that are safe in a saved file are deleted. "
        "Others are never deleted. 0 for no limit",
        default=limits.DISK_LIMIT_GB,
        min=0.0,
        soft_max=1000.0,
        precision=1,
    )
    show_price: bpy.props.BoolProperty(
        name="Show the Price",
        description="Ask the service for the price when the settings have been left alone for a second, and show it "
        "on the Generate button. Nothing is charged for it",
        default=True,
    )
    spending_limit: bpy.props.FloatProperty(
        name="Spending Limit (CU)",
        description="Creative units that may be spent until Blender is closed, before Generate asks first. "
        "0 for no limit",
        default=0.0,
        min=0.0,
        soft_max=100000.0,
        precision=0,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False

        column = layout.column()
        draw_key(column, context, self)
        column.prop(self, "project_id")
        column.prop(self, "base_url")
        draw_connection(layout, context)
        if reason := online.offline_reason():
            draw_text(layout, context, reason, icon="ERROR")

        column = layout.column()
        column.prop(self, "show_price")
        column.prop(self, "spending_limit")

        column = layout.column()
        column.prop(self, "arrival")
        column.prop(self, "mesh_scale_applied_by")
        column.prop(self, "concurrency")
        column.prop(self, "results_folder")
        column.prop(self, "disk_limit_gb")
        manager = session.manager_or_none()
        if manager and manager.bytes_on_disk is not None:
            text = said("Images and models take {size} MB", size=f"{manager.bytes_on_disk / 1e6:,.0f}")
            column.label(text=text, translate=False)
            layout.operator("pixal3d.clear", icon="TRASH")


classes = (PIXAL3D_AP_preferences,)
