# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the key is kept: what the preferences show of it, and the operators. The key is in no argument of theirs."""

from __future__ import annotations

from typing import Any

import bpy

from ..blender import kept_key, key_move, session
from .layout_parts import draw_text
from .operator_parts import errors_reported, is_from_window
from .texts import said, translated

PLACES = (
    ("KEYRING", "System Keyring", "Where the system keeps passwords, encrypted with that of the user"),
    ("FILE", "File", "A file in the extension's own folder, which only the user can read"),
    ("PREFERENCES", "Blender's Preferences", "Blender's preferences file, which others may be able to read"),
)


class PIXAL3D_OT_keep_key(bpy.types.Operator):
    """Move the key to another place. It leaves the old one once it was read back from the new one"""

    bl_idname = "pixal3d.keep_key"
    bl_label = "Keep the Key In"
    bl_options = {"INTERNAL"}

    place: bpy.props.EnumProperty(
        name="Keep the Key In", description="Where the key is kept from now on", items=PLACES, options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not is_from_window(self):
            return self.execute(context)
        with errors_reported(self):
            key_move.start(self.place)
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            self.report({"INFO"}, translated(key_move.run(self.place), is_report=True))
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_read_key(bpy.types.Operator):
    """Read the key anew from where it is kept, e.g. after the keyring was unlocked"""

    bl_idname = "pixal3d.read_key"
    bl_label = "Read the Key Again"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        kept_key.forget()
        session.key_source()
        return {"FINISHED"}


def draw_key(layout: Any, context: bpy.types.Context, preferences: Any) -> None:
    """For the preferences: where the key comes from, the fields for another one, and where it is to be kept."""
    source, place = session.key_source(), session.key_place()
    if source == "environment":
        layout.label(text="Using the key from SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET", icon="INFO")
        return
    if source:
        draw_text(layout, context, _source_text(source), icon="LOCKED" if source != "preferences" else "INFO")
    elif place != kept_key.PREFERENCES:
        draw_no_key(layout, context)
    layout.prop(preferences, "api_key")
    layout.prop(preferences, "api_secret")
    layout.label(text="Keys are made at app.scenario.com, in the project's settings", icon="INFO")
    if key_move.is_running():
        layout.label(text="Moving the key…", icon="TIME")
        return
    if source == "preferences" and place != kept_key.PREFERENCES:
        layout.operator("pixal3d.keep_key", text="Store This Key in Place of the Old One").place = place
    layout.operator_menu_enum("pixal3d.keep_key", "place")
    if key_move.answer:
        draw_text(layout, context, key_move.answer, icon="ERROR" if key_move.has_failed else "CHECKMARK")


def draw_no_key(layout: Any, context: bpy.types.Context) -> None:
    """Why the key is not there, though it is kept somewhere."""
    if session.is_reading_key():
        layout.label(text="The key is being read…", icon="TIME")
        return
    problem = session.key_problem() or "There is no key where it was kept. Enter it again."
    draw_text(layout, context, problem, icon="ERROR")
    layout.operator("pixal3d.read_key", icon="FILE_REFRESH")


def _source_text(source: str) -> str:
    if source == "keyring":
        return "Key comes from the system's keyring"
    if source == "file":
        return said("Key comes from the file {path}", path=kept_key.file_path())
    return "Key comes from Blender's preferences"


classes = (PIXAL3D_OT_keep_key, PIXAL3D_OT_read_key)
