# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing before anything can work. Drawing reads memory only."""

from __future__ import annotations

from typing import Any

import bpy

from .. import __package__ as base_package
from ..blender import connection_check, kept_key, online, session
from .key_operators import draw_no_key
from .layout_parts import draw_text
from .texts import said


def draw_first_steps(layout: Any, context: bpy.types.Context) -> bool:
    """What is missing before anything can work, and nothing else. Returns whether something was."""
    if reason := online.offline_reason():
        draw_text(layout, context, reason, icon="INTERNET")
        if not bpy.app.online_access_override:
            layout.operator("extensions.userpref_allow_online", text="Allow Online Access")
        return True
    if not session.key_source():
        _draw_key(layout, context)
        return True
    return False


def draw_connection(layout: Any, context: bpy.types.Context) -> None:
    """Test Connection, and what the last test found."""
    layout.operator("pixal3d.test_connection", icon="URL")
    if connection_check.is_running():
        layout.label(text="Asking the service…", icon="TIME")
    elif answer := connection_check.answer:
        draw_text(layout, context, answer.text, icon="ERROR" if answer.is_error else "CHECKMARK")


def _draw_key(layout: Any, context: bpy.types.Context) -> None:
    preferences = session.preferences()
    if session.key_place() != kept_key.PREFERENCES:
        draw_no_key(layout, context)
        layout.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES").module = base_package
        return
    draw_text(
        layout,
        context,
        "A Scenario API key is needed. Make one at app.scenario.com, in your project's settings.",
        icon="INFO",
    )
    found, missing = session.half_a_key()
    if found:
        text = said("{found} is set in the environment, but {missing} is not.", found=found, missing=missing)
        draw_text(layout, context, text, icon="ERROR")
    if isinstance(preferences, bpy.types.AddonPreferences):
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(preferences, "api_key")
        column.prop(preferences, "api_secret")
    layout.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES").module = base_package
