# SPDX-License-Identifier: GPL-3.0-or-later
"""What will be sent of an image, as the panel shows it before any click. Memory only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..blender import image_look
from .layout_parts import draw_text
from .texts import said

if TYPE_CHECKING:
    from ..blender.image_source import Part
    from ..generation import Framing

_THUMBNAIL_SCALE = 6.0
"""In buttons' heights."""


def draw_look(layout: Any, context: bpy.types.Context, image: bpy.types.Image, framing: Framing, part: Part) -> None:
    """The thumbnail, the size, and a line for each thing that may spoil the model."""
    look = image_look.look(image, framing, part)
    if look is None:
        return
    column = layout.column(align=True)
    if look.problem:
        draw_text(column, context, look.problem, icon="ERROR")
        return
    column.template_icon(look.icon_id, scale=_THUMBNAIL_SCALE)  # as high without an icon, so that nothing jumps
    row = column.row()
    row.alignment = "CENTER"
    if not look.width:
        if look.icon_id:
            row.label(text="Looking at the Image", icon_value=look.icon_id)
        else:
            row.label(text="Looking at the Image", icon="TIME")
        return
    row.label(text=_size_text(look), translate=False)
    for finding in look.findings:
        column.label(text=finding.label, icon="ERROR")
        draw_text(column, context, finding.sentence, icon="BLANK1")


def _size_text(look: image_look.Look) -> str:
    size = said("{width} × {height} px", width=look.width, height=look.height)
    if (look.width, look.height) == (look.sent_width, look.sent_height):
        return size
    return said("{size} → {width} × {height} px sent", size=size, width=look.sent_width, height=look.sent_height)
