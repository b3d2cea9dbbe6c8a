# SPDX-License-Identifier: GPL-3.0-or-later
"""The image in a panel: where it comes from, what will be sent of it, and the button. Memory only."""

from __future__ import annotations

from typing import Any

import bpy

from ..blender import ordering, session
from . import properties
from .first_steps import draw_connection
from .image_operators import draw_part
from .layout_parts import draw_text
from .look_rows import draw_look
from .price_texts import draw_generate
from .texts import said


def draw_choice(layout: Any, context: bpy.types.Context) -> bpy.types.Image | None:
    """Where an image can be chosen. Returns the one that is, or else that of the active object."""
    settings = context.scene.pixal3d
    row = layout.row(align=True)
    row.template_ID(settings, "image", open="image.open")
    row.menu("PIXAL3D_MT_image_from", text="", icon="DOWNARROW_HLT")
    image = ordering.chosen_image(context)
    if image is None:
        draw_text(layout, context, "Select an image, or an object with a texture", icon="INFO")
    elif settings.image is None:
        text = said("{name} of the active object", name=image.name)
        layout.label(text=text, icon="MATERIAL", translate=False)
    return image


def draw_source(layout: Any, context: bpy.types.Context, image: bpy.types.Image | None, name: str = "") -> None:
    """What will be sent of `image`, and Generate.

    :param name: of the image, if it is not the one that :func:`draw_choice` returns.
    """
    settings = context.scene.pixal3d
    column = layout.column()
    if image is not None:
        draw_part(column, settings, image)
        draw_look(column, context, image, properties.framing(settings), properties.part(settings, image))
        row = column.row(align=True)
        row.prop(settings, "crop_to_subject", toggle=True)
        row.prop(settings, "pad_to_square", toggle=True)
    draw_generate(layout, context, name, is_enabled=image is not None)
    manager = session.manager_or_none()
    if manager is None or not manager.history():  # the first time
        if session.key_source() == "environment":
            layout.label(text="The key is set in the environment", icon="INFO")
        draw_connection(layout.column(), context)
