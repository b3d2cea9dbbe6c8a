# SPDX-License-Identifier: GPL-3.0-or-later
"""The image in the clipboard, or the image file whose path is there. Main thread, on the artist's click."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import url2pathname

import bpy

from .errors import NoImageError


def image_of_clipboard(context: bpy.types.Context) -> bpy.types.Image:
    """A datablock named Clipboard, packed; of a path that of its file.

    :raises NoImageError: the clipboard holds neither.
    """
    image = _pasted(context)
    if image is not None:
        image.pack()  # else it would be lost with this Blender
        return image
    path = _image_path(context.window_manager.clipboard)
    if path is None:
        raise NoImageError(
            "Blender finds no image in the clipboard, and no path of an image file.",
            "Copy one of them. Under X11 Blender takes only paths.",
        )
    return bpy.data.images.load(path, check_existing=True)


def _pasted(context: bpy.types.Context) -> bpy.types.Image | None:
    """By Blender's own operator, the only one that reads an image there. It shows what it pastes in an Image Editor."""
    paste = _blenders_paste()
    if not paste.poll():
        return None
    with _image_editor(context) as editor:
        before = editor.image
        try:
            paste()
        except RuntimeError:
            return None
        return editor.image if editor.image != before else None


def _blenders_paste() -> Any:
    return bpy.ops.image.clipboard_paste


@contextmanager
def _image_editor(context: bpy.types.Context) -> Iterator[Any]:
    """One of the window's Image Editors, or another editor that becomes one until this ends; then all is as before."""
    areas = context.screen.areas
    area: Any = next((area for area in areas if area.type == "IMAGE_EDITOR"), context.area or areas[0])
    kind = area.ui_type
    area.type = "IMAGE_EDITOR"
    space = area.spaces.active
    image, is_pinned = space.image, space.use_image_pin
    try:
        with context.temp_override(window=context.window, area=area):
            yield space
    finally:
        space.image, space.use_image_pin = image, is_pinned
        area.ui_type = kind


def _image_path(text: str) -> str | None:
    """The path of an image file that `text` begins with: bare, quoted or as a ``file:`` address."""
    line = text.strip().partition("\n")[0].strip().strip("\"'")
    address = re.match(r"file:(?://[^/]*)?(/.*)", line)
    path = url2pathname(address[1]) if address else os.path.expanduser(line)
    is_image = os.path.splitext(path)[1].lower() in bpy.path.extensions_image  # type: ignore[attr-defined]
    return path if is_image and os.path.isfile(path) else None
