# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels share."""

from __future__ import annotations

from typing import Any

import bpy

from ..translations import OUR_CONTEXT
from .texts import translated
from .wrapping import wrapped

_CHARACTER_WIDTH_PX = 6.3
"""Mean width of a letter of Blender's default font at a scale of 1, to break long sentences in the sidebar."""


class Sidebar:
    """Our tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pixal3D"
    bl_translation_context = OUR_CONTEXT


def draw_text(layout: Any, context: bpy.types.Context, text: str, icon: Any = "NONE", width_px: float = 0.0) -> None:
    """Sentences in the artist's language, in as many lines as the sidebar's width asks for; Blender's labels know one
    line only.

    :param width_px: of a dialog, at a scale of 1, instead.
    """
    width = (width_px or context.region.width / context.preferences.system.ui_scale) - 60
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(wrapped(translated(text), max(20, int(width / _CHARACTER_WIDTH_PX)))):
        shown_icon = icon if number == 0 or icon == "NONE" else "BLANK1"
        column.label(text=line, icon=shown_icon, translate=False)
