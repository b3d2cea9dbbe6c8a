# SPDX-License-Identifier: GPL-3.0-or-later
"""The other ways in, for an artist who has an image before them: the Image and the Shader Editor's sidebars and menus,
Add > Mesh, and a file that is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..generation import SourceImageError
from .first_steps import draw_first_steps
from .generation_rows import draw_generations
from .layout_parts import Sidebar
from .operator_parts import errors_reported
from .source_rows import draw_source
from .texts import said

_EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".tga", ".exr", ".hdr")


def _open_image(context: bpy.types.Context) -> Any:
    """The image of an Image Editor, or that of the active node in a node editor. Memory only."""
    space: Any = context.space_data
    if space.type == "IMAGE_EDITOR":
        return space.image
    node = getattr(context, "active_node", None)
    return getattr(node, "image", None) if node and node.type == "TEX_IMAGE" else None


class _ImagePanel(Sidebar):
    """Generates from the image that is before the artist, with the scene's settings."""

    bl_label = "Pixal3D"
    layout: Any

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if not draw_first_steps(layout, context):
            image = _open_image(context)
            draw_source(layout, context, image, image.name if image else "")
            if image is None:
                layout.label(text="No image is selected", icon="INFO")
        draw_generations(layout, context)


class PIXAL3D_PT_image_editor(_ImagePanel, bpy.types.Panel):
    bl_space_type = "IMAGE_EDITOR"


class PIXAL3D_PT_node_editor(_ImagePanel, bpy.types.Panel):
    bl_space_type = "NODE_EDITOR"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        space: Any = context.space_data
        return bool(space.tree_type == "ShaderNodeTree")


class PIXAL3D_OT_drop_image(bpy.types.Operator):
    """Select an image file to turn into a 3D model. Nothing is sent before Generate is clicked"""

    bl_idname = "pixal3d.drop_image"
    bl_label = "Use Image for Pixal3D"
    bl_options = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="File", description="Path of the image file", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_image: bpy.props.BoolProperty(
        name="Filter Images", description="Show image files", default=True, options={"HIDDEN", "SKIP_SAVE"}
    )
    filter_movie: bpy.props.BoolProperty(
        name="Filter Movies", description="Show movie files", default=True, options={"HIDDEN", "SKIP_SAVE"}
    )
    filter_folder: bpy.props.BoolProperty(
        name="Filter Folders", description="Show folders", default=True, options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """A dropped file comes with its path; from the menu it is chosen first."""
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            if not Path(self.filepath).is_file():
                raise SourceImageError(f"The image file is not there: {self.filepath}.", "Select another one.")
            try:
                image = bpy.data.images.load(self.filepath, check_existing=True)
            except RuntimeError:
                message = f"The image file can't be read: {self.filepath}."
                raise SourceImageError(message, "Select another one.") from None
            context.scene.pixal3d.image = image
            text = said("{name} is selected: click Generate in the Pixal3D tab", name=image.name)
            self.report({"INFO"}, text)
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_FH_image(bpy.types.FileHandler):
    bl_idname = "PIXAL3D_FH_image"
    bl_label = "Use Image for Pixal3D"
    bl_import_operator = "pixal3d.drop_image"
    bl_file_extensions = ";".join(_EXTENSIONS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type in {"VIEW_3D", "IMAGE_EDITOR"}


def _in_image_menu(self: Any, context: bpy.types.Context) -> None:
    if (image := _open_image(context)) is not None:
        self.layout.separator()
        self.layout.operator("pixal3d.generate", text="Generate 3D Model", icon="MESH_MONKEY").image = image.name


def _in_add_menu(self: Any, context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.operator("pixal3d.generate", text="From Image (Pixal3D)", icon="MESH_MONKEY")


_MENUS = (
    ("IMAGE_MT_image", _in_image_menu),
    ("NODE_MT_context_menu", _in_image_menu),
    ("VIEW3D_MT_mesh_add", _in_add_menu),
)


def register() -> None:
    for name, draw in _MENUS:
        getattr(bpy.types, name).append(draw)


def unregister() -> None:
    for name, draw in _MENUS:
        getattr(bpy.types, name).remove(draw)


classes = (PIXAL3D_PT_image_editor, PIXAL3D_PT_node_editor, PIXAL3D_OT_drop_image, PIXAL3D_FH_image)
