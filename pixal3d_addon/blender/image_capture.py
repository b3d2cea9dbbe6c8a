# SPDX-License-Identifier: GPL-3.0-or-later
"""A new image datablock of the last render, or of what a 3D View shows. Main thread, on the artist's click.

They are packed, so that they are saved with the .blend file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from . import render_result
from .errors import NoImageError
from .image_parts import image_of_pixels, packed_image

SIDE_PX = 1024
"""Of a captured view. The model works on 1024 px (TencentARC/Pixal3D, ``inference.py``)."""

_MAX_ASPECT = 8
"""Of a 3D View. It is drawn as a texture, and those have a largest side."""

_DRAWN_AT_ONCE = frozenset({"BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH"})
"""Cycles renders a view bit by bit; of it nothing comes (4.3.2, 5.2.2)."""


def image_of_render(scene: bpy.types.Scene) -> bpy.types.Image:
    """The last render of `scene` as a datablock named Render, with its alpha. 70 ms for 1920x1080 (5.2.3).

    :raises SourceImageError: nothing was rendered yet.
    """
    with render_result.as_file(render_result.render_of_scene(), scene) as file:
        return packed_image("Render", file.read_bytes())


def image_of_view(context: Any, area: bpy.types.Area) -> bpy.types.Image:
    """What is in the middle of the 3D View of `area`, square, without overlays, as a datablock named View.

    The background is transparent: the world and a solid view's backdrop are left out. Needs a window.

    :raises NoImageError: nothing is there, or it is not Blender itself that draws it.
    """
    import numpy as np

    side = SIDE_PX
    space: Any = area.spaces.active
    if space.shading.type == "RENDERED" and context.scene.render.engine not in _DRAWN_AT_ONCE:
        raise NoImageError(
            "What this render engine shows in a 3D View can't be captured.",
            "Set the view to Material Preview, or render an image and use the last render.",
        )
    picture = _drawn(context, area, side).astype(np.float32) / 255.0
    alpha = picture[:, 3:]
    if not alpha.any():
        raise NoImageError("There is nothing in the middle of the 3D View.", "Turn the view to what is to be captured.")
    picture[:, :3] /= np.where(alpha > 0.0, alpha, 1.0)  # what is drawn is premultiplied, a byte image is not
    return image_of_pixels("View", side, side, np.clip(picture, 0.0, 1.0).ravel())


def _drawn(context: Any, area: bpy.types.Area, side: int) -> Any:
    """A row of four bytes for each pixel, the bottom row of the picture first.

    All that the region shows is drawn, and its middle taken: EEVEE of 4.3.2 heeds no projection of another shape.
    """
    import gpu
    import numpy as np

    space: Any = area.spaces.active
    region = next(region for region in area.regions if region.type == "WINDOW")
    shorter = min(region.width, region.height)
    if max(region.width, region.height) > _MAX_ASPECT * shorter:
        raise NoImageError("The 3D View is too narrow to be captured.", "Make its area larger.")
    width, height = region.width * side // shorter, region.height * side // shorter
    offscreen: Any = gpu.types.GPUOffScreen(width, height)  # type: ignore[call-arg]
    try:
        with _bare(context.scene, context.view_layer, space):
            offscreen.draw_view3d(
                context.scene,
                context.view_layer,
                space,
                region,
                space.region_3d.view_matrix,
                space.region_3d.window_matrix,
                do_color_management=True,
                draw_background=False,
            )
        pixels = offscreen.texture_color.read()
    finally:
        offscreen.free()
    pixels.dimensions = width * height * 4
    left, bottom = (width - side) // 2, (height - side) // 2
    drawn = np.array(pixels, np.uint8).reshape(height, width, 4)
    return drawn[bottom : bottom + side, left : left + side].reshape(-1, 4)


@contextmanager
def _bare(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, space: Any) -> Iterator[None]:
    """Without overlays and, in a rendered view, without the world."""
    are_shown, is_transparent = space.overlay.show_overlays, scene.render.film_transparent
    try:
        space.overlay.show_overlays = False
        if space.shading.type == "RENDERED":
            scene.render.film_transparent = True
            view_layer.update()  # what is drawn is the evaluated scene
        yield
    finally:
        space.overlay.show_overlays = are_shown
        if scene.render.film_transparent != is_transparent:
            scene.render.film_transparent = is_transparent
