# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels share."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

_CHARACTER_WIDTH_PX = 6.3
"""Mean width of a letter of Blender's default font at a scale of 1, to break long sentences in the sidebar."""


class Sidebar:
    """Our tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pixal3D"


def draw_text(layout: Any, context: bpy.types.Context, text: str, icon: Any = "NONE") -> None:
    """A sentence in as many lines as the sidebar's width asks for; Blender's labels know one line only."""
    width = context.region.width / context.preferences.system.ui_scale - 60
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text, max(20, int(width / _CHARACTER_WIDTH_PX)))):
        column.label(text=line, icon=icon if number == 0 else ("NONE" if icon == "NONE" else "BLANK1"))
