# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the image comes from: each of these ends with an image datablock selected in the scene."""

from __future__ import annotations

from typing import Any

import bpy

from ..blender import clipboard, image_capture
from .operator_parts import allowed, errors_reported


class _UseImage:
    bl_options = {"REGISTER", "UNDO"}

    def image(self, context: Any) -> bpy.types.Image:
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):  # type: ignore[arg-type]
            context.scene.pixal3d.image = self.image(context)
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_use_clipboard(_UseImage, bpy.types.Operator):
    """Select the image in the clipboard, or the image file whose path is there"""

    bl_idname = "pixal3d.use_clipboard"
    bl_label = "Paste Image from Clipboard"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, _no_window_reason())

    def image(self, context: Any) -> bpy.types.Image:
        return clipboard.image_of_clipboard(context)


class PIXAL3D_OT_use_render(_UseImage, bpy.types.Operator):
    """Select the scene's last render, kept as an image of its own"""

    bl_idname = "pixal3d.use_render"
    bl_label = "Use Last Render"

    def image(self, context: Any) -> bpy.types.Image:
        return image_capture.image_of_render(context.scene)


class PIXAL3D_OT_use_view(_UseImage, bpy.types.Operator):
    """Select a picture of the middle of the 3D View, shaded as it is, without overlays and background"""

    bl_idname = "pixal3d.use_view"
    bl_label = "Capture View"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = _no_window_reason()
        if not reason and _view(context) is None:
            reason = "There is no 3D View in this window"
        return allowed(cls, reason)

    def image(self, context: Any) -> bpy.types.Image:
        return image_capture.image_of_view(context, _view(context))


def _no_window_reason() -> str:
    return "This needs a Blender window, not background mode" if bpy.app.background else ""


def _view(context: bpy.types.Context) -> Any:
    """The 3D View that the artist is in, or else the largest of the window."""
    if context.area is not None and context.area.type == "VIEW_3D":
        return context.area
    views = [area for area in context.screen.areas if area.type == "VIEW_3D"] if context.screen else []
    return max(views, key=lambda area: area.width * area.height, default=None)


class PIXAL3D_MT_image_from(bpy.types.Menu):
    """Other places that an image can come from"""

    bl_label = "Image From"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.operator("pixal3d.use_active_texture", text="Active Material's Texture", icon="MATERIAL")
        layout.operator("pixal3d.use_clipboard", text="Clipboard", icon="PASTEDOWN")
        layout.operator("pixal3d.use_render", text="Last Render", icon="RENDER_RESULT")
        layout.operator("pixal3d.use_view", text="View", icon="VIEW3D")
        layout.separator()
        layout.operator("pixal3d.drop_image", text="File...", icon="FILE_FOLDER")


def draw_part(layout: Any, settings: Any, image: bpy.types.Image | None) -> None:
    """The choice of a tile or a frame, for an image that has them. Memory only."""
    if image is None:
        return
    if image.source == "TILED":
        layout.prop(settings, "udim_tile")
    elif image.source in {"MOVIE", "SEQUENCE"}:
        layout.prop(settings, "frame")


classes = (PIXAL3D_OT_use_clipboard, PIXAL3D_OT_use_render, PIXAL3D_OT_use_view, PIXAL3D_MT_image_from)
