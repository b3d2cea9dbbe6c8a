# SPDX-License-Identifier: GPL-3.0-or-later
"""The pixels of an image, without stopping Blender for them. Main thread.

Three ways lead to a freeze, and none is taken:

- Reading ``image.size`` of an image that Blender has not loaded decodes it on the main thread (170 to 300 ms for a PNG
  of 4096 px). An icon of its preview has Blender's own preview job decode it: the longest pause is then the same for
  a PNG of 512, 4096 and 6000 px (4.3.2 and 5.2.2). The preview's few pixels are all that is added to the datablock; a
  preview that the artist has set is left alone.
- Blender locks an image while it decodes it: ``image.is_dirty`` then took 67 to 300 ms.
- ``foreach_get`` into fresh memory takes 75 ms for 4096 px, and 37 to 44 ms into memory that a worker has written to
  before: the longest step there is (4.3.2 and 5.2.2, tests/gui/scenarios/look.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..generation import Pixels, SourceImageError
from . import image_parts, limits
from .image_source import pixels

if TYPE_CHECKING:
    from ..generation.look import Original

_SENT_AS_THEY_ARE = frozenset({"PNG", "JPEG", "WEBP"})


def may_be_locked() -> bool:
    """Whether a job of Blender's may be decoding an image. Before all else here."""
    app: Any = bpy.app
    return bool(app.is_job_running("RENDER_PREVIEW") or app.is_job_running("RENDER"))


def key(image: bpy.types.Image) -> tuple[Any, ...]:
    """Another one means another picture. Decodes nothing."""
    generated = (image.generated_type, image.generated_width, image.generated_height, *image.generated_color)
    return (
        image.filepath,
        image.source,
        image.packed_file.size if image.packed_file else 0,
        image.is_dirty,
        image.colorspace_settings.name,
        image.alpha_mode,
        generated if image.source == "GENERATED" else (),
    )


def ask_for_preview(image: bpy.types.Image) -> None:
    """Whoever draws it then, as a preview and as an icon, has the image loaded by Blender's job."""
    image.preview_ensure()
    preview = image.preview
    if preview and not (preview.is_image_custom or preview.is_icon_custom):
        preview.reload()  # else one that was saved with the .blend file would do without the image


def of_preview(image: bpy.types.Image) -> Any:
    """The preview's values, float32, RGBA with straight alpha, bottom row first; 0 before it was made."""
    import numpy as np

    width, height = image.preview.image_size
    values = np.zeros(width * height * 4, np.float32)
    if len(values):
        image.preview.image_pixels_float.foreach_get(values)  # type: ignore[attr-defined]
    return values


def is_large(image: bpy.types.Image) -> bool:
    """Of a loaded image. Then its preview must do: all of its pixels would stop Blender for too long."""
    return image.size[0] * image.size[1] > limits.MAX_LOOK_PIXELS


def is_loaded(image: bpy.types.Image) -> bool:
    """Whether there is all that a look at it takes."""
    return image.has_data and (not is_large(image) or bool(of_preview(image).any()))


def copied(image: bpy.types.Image | None, values: Any) -> Pixels | None:
    """The pixels of a loaded image, in `values`; ``None`` if they are not of that length any more."""
    if image is None or not image.has_data or values is None:
        return None
    if len(values) != image.size[0] * image.size[1] * image.channels:
        return None
    return pixels(image, values)


def original(image: bpy.types.Image) -> Original:
    """Of a loaded image. What goes as it is is decided as in ``image_source``, but without looking into the file."""
    from ..generation.look import Original

    width, height = image.size
    is_seen_so = (image.alpha_mode == "STRAIGHT" or image.file_format == "JPEG") and not image.use_multiview
    is_clean_file = image.source in {"FILE", "TILED"} and not image.is_dirty
    is_tiled = image.source == "TILED"
    path = image_parts.tile_path(image, image.tiles[0].number) if is_tiled else image_parts.path_of(image)
    return Original(
        width=width,
        height=height,
        may_go_as_it_is=is_clean_file and is_seen_so and image.file_format in _SENT_AS_THEY_ARE,
        path="" if image.packed_file else path,
        packed_bytes=image.packed_file.size if image.packed_file else 0,
    )


def problem_of(image: bpy.types.Image) -> str:
    """What a click would say. Blender does not try a second time to load what it could not."""
    try:
        pixels(image)
    except SourceImageError as error:
        return str(error)
    return ""
