# SPDX-License-Identifier: GPL-3.0-or-later
"""One tile of a UDIM image, one frame of an image sequence or of a movie. Main thread; alters no datablock.

``image.pixels`` knows neither tile nor frame: it gives the first tile, and the frame that Blender decoded last.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from ..generation import SourceImageError

_FIRST_UDIM = 1001
_UDIM_ROW = 10
_MAX_TILES_NAMED = 12


def path_of(image: bpy.types.Image) -> str:
    """Absolute, of a linked image too."""
    return bpy.path.abspath(image.filepath, library=image.library)


@contextmanager
def loaded(path: str | Path, like: bpy.types.Image | None = None) -> Iterator[bpy.types.Image]:
    """A passing datablock of that file, read in the way that `like` is.

    :raises SourceImageError: there is no such file.
    """
    try:
        image = bpy.data.images.load(str(path), check_existing=False)
    except RuntimeError:
        raise SourceImageError(
            f"The image file can't be read: {path}.", "Check that it is there, or select another image."
        ) from None
    try:
        _read_like(image, like)
        yield image
    finally:
        bpy.data.images.remove(image)


@contextmanager
def unpacked(data: bytes, like: bpy.types.Image) -> Iterator[bpy.types.Image]:
    """The same of a file's bytes."""
    image = packed_image(like.name, data)
    try:
        _read_like(image, like)
        yield image
    finally:
        bpy.data.images.remove(image)


def packed_image(name: str, data: bytes) -> bpy.types.Image:
    """A new datablock that holds an image file's bytes, and is saved with the .blend file."""
    image = bpy.data.images.new(name, 1, 1, alpha=True)
    image.pack(data=data, data_len=len(data))  # type: ignore[arg-type]
    image.source = "FILE"
    return image


def image_of_pixels(name: str, width: int, height: int, values: Any) -> bpy.types.Image:
    """A new datablock of these values (RGBA, bottom row first, sRGB with straight alpha), saved with the file."""
    image = bpy.data.images.new(name, width, height, alpha=True)
    image.pixels.foreach_set(values)  # type: ignore[attr-defined]
    image.pack()  # else they are gone when the file is opened again
    return image


def _read_like(image: bpy.types.Image, like: bpy.types.Image | None) -> None:
    if like is None:
        return
    image.alpha_mode = like.alpha_mode
    # Bytes come as they are in the file. The name is empty before the first decoding, unless the artist set it.
    if image.is_float and (name := like.colorspace_settings.name):
        image.colorspace_settings.name = name  # type: ignore[assignment]


def tile_or_error(image: bpy.types.Image, tile: int) -> int:
    """The number of that tile, of the first one for 0.

    :raises SourceImageError: there is no such tile; it names those that there are.
    """
    numbers = [each.number for each in image.tiles]
    if not tile:
        return numbers[0]
    if tile not in numbers:
        named = ", ".join(map(str, numbers[:_MAX_TILES_NAMED])) + (" …" if len(numbers) > _MAX_TILES_NAMED else "")
        raise SourceImageError(f"The image {image.name} has no tile {tile}.", f"Its tiles are: {named}.")
    return tile


def tile_path(image: bpy.types.Image, tile: int) -> str:
    """The file of that tile."""
    row, column = divmod(tile - _FIRST_UDIM, _UDIM_ROW)
    return path_of(image).replace("<UDIM>", str(tile)).replace("<UVTILE>", f"u{column + 1}_v{row + 1}")


def packed_tile(image: bpy.types.Image, tile: int) -> bytes | None:
    """What is packed of that tile."""
    for packed in image.packed_files:
        if packed.tile_number == tile:
            return bytes(packed.packed_file.data)  # type: ignore[arg-type]
    return None


def frame_shown(image: bpy.types.Image) -> int:
    """The frame that an Image Editor of the window shows of it, or else the scene's current one."""
    for area in bpy.context.screen.areas if bpy.context.screen else ():
        space: Any = area.spaces.active
        if area.type == "IMAGE_EDITOR" and space.image == image:
            return int(space.image_user.frame_current)
    return bpy.context.scene.frame_current


def sequence_path(image: bpy.types.Image, frame: int) -> str:
    """The file of that frame. For 0 that of the frame shown now, or if it has none, the one that the image names.

    :raises SourceImageError: there is no file of that frame.
    """
    path = path_of(image)
    folder, name = os.path.split(path)
    stem, extension = os.path.splitext(name)
    wanted = frame or frame_shown(image)
    # As Blender reads it: the last number in the name is the frame's.
    stem = re.sub(r"\d+(?=\D*$)", lambda digits: str(wanted).zfill(len(digits[0])), stem)
    of_frame = os.path.join(folder, stem + extension)
    if os.path.isfile(of_frame):
        return of_frame
    if frame:
        raise SourceImageError(
            f"The image sequence {image.name} has no frame {frame}.", f"There is no such file: {of_frame}."
        )
    return path


@contextmanager
def movie_frame(image: bpy.types.Image, frame: int) -> Iterator[bpy.types.Image]:
    """A passing datablock whose pixels are that frame of the movie, the first being 1; for 0 the frame shown now.

    A texture is asked for a color at that frame, and then ``image.pixels`` is the frame that it was taken from
    (4.2, 4.5, 5.2). ``gl_load(frame=…)`` does the same in a window, and crashes Blender where there is none (4.2).

    :raises SourceImageError: the movie can't be read, or has no such frame.
    """
    with loaded(path_of(image), image) as movie:
        movie.source = "MOVIE"
        last = movie.frame_duration
        if frame > last >= 1:
            raise SourceImageError(f"The movie {image.name} has no frame {frame}.", f"Its last frame is {last}.")
        texture: Any = bpy.data.textures.new(image.name, "IMAGE")
        try:
            texture.image = movie
            texture.image_user.frame_current = frame or min(max(frame_shown(image), 1), max(last, 1))
            texture.evaluate((0.0, 0.0, 0.0))
            yield movie
        finally:
            bpy.data.textures.remove(texture)
