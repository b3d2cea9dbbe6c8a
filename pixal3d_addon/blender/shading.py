# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether 3D Views show textures as they are, and having one do so. Memory only."""

from __future__ import annotations

from typing import Any

import bpy


def shows_textures(space: Any) -> bool:
    """:param space: of a 3D View."""
    shading = space.shading
    return shading.type in {"MATERIAL", "RENDERED"} or (shading.type == "SOLID" and shading.color_type == "TEXTURE")


def show_textures(space: Any) -> None:
    """:param space: of a 3D View. It switches to Material Preview, which the Workbench engine has not."""
    try:
        space.shading.type = "MATERIAL"
    except TypeError:
        space.shading.type, space.shading.color_type = "SOLID", "TEXTURE"


def any_view_shows_textures(context: bpy.types.Context) -> bool:
    """In any window."""
    return any(
        area.type == "VIEW_3D" and shows_textures(area.spaces.active)
        for window in context.window_manager.windows
        for area in window.screen.areas
    )
