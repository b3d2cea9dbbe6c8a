# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing before anything can work. Drawing reads memory only."""

from __future__ import annotations

from typing import Any

import bpy

from .. import __package__ as base_package
from ..blender import online, session
from .layout_parts import draw_text


def draw_first_steps(layout: Any, context: bpy.types.Context) -> bool:
    """What is missing before anything can work, and nothing else. Returns whether something was."""
    if reason := online.offline_reason():
        draw_text(layout, context, reason, icon="INTERNET")
        if not bpy.app.online_access_override:
            layout.operator("extensions.userpref_allow_online", text="Allow Online Access")
        return True
    if not session.key_source():
        draw_text(
            layout,
            context,
            "A Scenario API key is needed. Make one at app.scenario.com, in your project's settings.",
            icon="INFO",
        )
        layout.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES").module = base_package
        return True
    return False
