# SPDX-License-Identifier: GPL-3.0-or-later
"""An image datablock to what a worker can send, without altering the datablock and without encoding anything here.

What may go as it is (a clean file, packed bytes) goes as it is. Only when the pixels are not to be had otherwise are
they copied out with ``foreach_get`` (37 ms for 4096 px; ``image.save`` takes 879 ms and ``list(image.pixels)`` 7.6 s).

Not used, since they send the wrong picture: ``image.copy()`` of a painted image is stale or black,
``image.save_render()`` bakes in the view transform, which only a render is meant to have. Not read where it can be
avoided, since they decode the whole image on the main thread: ``size``, ``channels`` and ``file_format``.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from ..generation import Framing, Pixels, SourceImage, SourceImageError
from ..generation import limits as generation_limits
from ..generation.pixels_to_come import PixelsToCome
from ..generation.source import sniff_mime
from . import image_parts, limits, render_result
from .errors import NoImageError

_SENT_AS_THEY_ARE = frozenset({"image/png", "image/jpeg", "image/webp"})
"""What the model certainly reads. The service takes more formats, but Blender can convert those."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which picture of an image that holds several."""

    udim_tile: int = 0
    """1001 and so on; 0 for the first tile."""
    frame: int = 0
    """Of an image sequence the number in the file's name, of a movie counted from 1; 0 for the frame shown now: by an
    Image Editor of the window, or else the scene's current one."""


def source_image(
    image: bpy.types.Image,
    framing: Framing = Framing(),  # noqa: B008 (it is frozen)
    part: Part = Part(),
    *,
    may_come_later: bool = False,
) -> SourceImage:
    """What is to be sent of `image`, as the artist sees it. To be framed it is copied, a clean file too.

    `part` is heeded by the images that have such parts, and by no other.

    :param may_come_later: a timer may copy the pixels a moment later, as soon as a worker asks for them. Not where the
        caller waits for that worker, and thereby keeps the timer from coming.

    :raises SourceImageError: there is nothing to send.
    """
    if image.type in render_result.RENDERED:
        scene: Any = bpy.context.scene
        with render_result.as_file(image, scene) as file:
            return _of_file(image.name, file, framing)
    if image.source == "TILED":
        return _of_tile(image, framing, part.udim_tile)
    if image.source == "MOVIE":
        with image_parts.movie_frame(image, part.frame) as movie:
            return SourceImage(image.name, pixels(movie), framing)
    if image.source == "SEQUENCE" and not image.packed_file:
        return _of_sequence(image, framing, part.frame)
    if image.source == "FILE" and not image.is_dirty and framing == Framing():
        as_it_is = _packed_bytes(image) if image.packed_file else _file(image)
        if as_it_is is not None:
            return SourceImage(image.name, as_it_is)
    content = _pixels_to_come(image) if may_come_later else pixels(image)
    return SourceImage(image.name, content, framing)


def source_image_from_path(path: str, framing: Framing = Framing()) -> SourceImage:  # noqa: B008
    """What is to be sent of an image file. A format that the service may not take is converted by way of Blender.

    :raises SourceImageError: it can't be read.
    """
    file = Path(bpy.path.abspath(path))
    return _of_file(file.name, file, framing)


def find_image(
    name_or_path: str,
    framing: Framing = Framing(),  # noqa: B008
    part: Part = Part(),
) -> SourceImage:
    """The image datablock of that name, or else the image file of that path.

    :raises NoImageError: there is neither.
    """
    if (image := bpy.data.images.get(name_or_path)) is not None:
        return source_image(image, framing, part)
    path = os.path.expanduser(bpy.path.abspath(name_or_path))
    is_movie = os.path.splitext(path)[1].lower() in bpy.path.extensions_movie  # type: ignore[attr-defined]
    if is_movie and os.path.isfile(path):
        with image_parts.loaded(path) as movie:
            return replace(source_image(movie, framing, part), name=os.path.basename(path))
    if os.path.isfile(path):
        return source_image_from_path(path, framing)
    raise NoImageError(
        f"There is no image named {name_or_path!r}, and no file of that path.",
        "Name an image of this .blend file, or the path of an image file.",
    )


def _of_file(name: str, file: Path, framing: Framing, like: bpy.types.Image | None = None) -> SourceImage:
    """A file that is read as the datablock `like` is."""
    if framing == Framing() and _is_sendable_file(file, like):
        return SourceImage(name, file)
    with image_parts.loaded(file, like) as image:
        return SourceImage(name, pixels(image), framing)


def _of_tile(image: bpy.types.Image, framing: Framing, wanted: int) -> SourceImage:
    tile = image_parts.tile_or_error(image, wanted)
    if image.is_dirty or not (image.packed_files or image.filepath):
        if tile != image.tiles[0].number:
            raise SourceImageError(
                f"Tile {tile} of the image {image.name} can't be read before it is saved.",
                "Save the image (Image > Save in the Image Editor), or use its first tile.",
            )
        return SourceImage(image.name, pixels(image), framing)
    file = Path(image_parts.tile_path(image, tile))
    if not image.packed_files:
        return _of_file(file.name, file, framing, image)
    data = image_parts.packed_tile(image, tile) or b""
    if framing == Framing() and _is_sendable(data[: limits.IMAGE_HEADER_BYTES], len(data), image):
        return SourceImage(file.name, data)
    with image_parts.unpacked(data, image) as unpacked:
        return SourceImage(file.name, pixels(unpacked), framing)


def _of_sequence(image: bpy.types.Image, framing: Framing, frame: int) -> SourceImage:
    if image.is_dirty:
        if frame:
            raise SourceImageError(
                f"The image sequence {image.name} was painted on, on a frame that Blender does not tell.",
                "Save the image (Image > Save in the Image Editor), or set the frame to 0 for the one shown now.",
            )
        return SourceImage(image.name, pixels(image), framing)
    return _of_file(image.name, Path(image_parts.sequence_path(image, frame)), framing, image)


def active_material_image(context: bpy.types.Context) -> bpy.types.Image | None:
    """The image texture that colors the active object's material, ``None`` if there is none."""
    material = getattr(context.object, "active_material", None)
    tree = getattr(material, "node_tree", None)
    output = tree.get_output_node("ALL") if tree else None
    return _image_behind(output.inputs["Surface"], []) if output else None


def _image_behind(socket: Any, groups: list[Any]) -> bpy.types.Image | None:
    """The first image texture upstream of `socket`. `groups` are the group nodes that the way has led into."""
    for link in socket.links:
        node = link.from_node
        if node.type == "TEX_IMAGE":
            if node.image is not None:
                return node.image  # type: ignore[no-any-return]
            continue
        if node.type == "GROUP" and node.node_tree:
            found = _image_behind_group(node, link.from_socket.identifier, groups)
        elif node.type == "GROUP_INPUT" and groups:
            *outer, group = groups
            found = _image_behind(_with_identifier(group.inputs, link.from_socket.identifier), outer)
        else:
            found = None
            for upstream in _color_inputs(node):
                found = found or _image_behind(upstream, groups)
        if found is not None:
            return found
    return None


def _image_behind_group(node: Any, identifier: str, groups: list[Any]) -> bpy.types.Image | None:
    for inner in node.node_tree.nodes:
        if inner.type == "GROUP_OUTPUT" and inner.is_active_output:
            return _image_behind(_with_identifier(inner.inputs, identifier), [*groups, node])
    return None


def _with_identifier(sockets: Any, identifier: str) -> Any:
    return next(socket for socket in sockets if socket.identifier == identifier)


def _color_inputs(node: Any) -> list[Any]:
    """A shader's color is looked for, not its roughness or normal; what feeds a color is followed through anything."""
    if any(socket.type == "SHADER" for socket in node.outputs):
        return [socket for socket in node.inputs if socket.type in {"SHADER", "RGBA"}]
    return list(node.inputs)


def _packed_bytes(image: bpy.types.Image) -> bytes | None:
    if image.packed_file.size > generation_limits.MAX_SOURCE_BYTES:
        return None
    data = bytes(image.packed_file.data)  # type: ignore[arg-type]
    return data if _is_sendable(data[: limits.IMAGE_HEADER_BYTES], len(data), image) else None


def _file(image: bpy.types.Image) -> Path | None:
    """``None`` too if it is gone: the pixels may still be in memory, and if they are not, that is the error."""
    path = Path(image_parts.path_of(image))
    return path if _is_sendable_file(path, image) else None


def _is_sendable_file(path: Path, like: bpy.types.Image | None) -> bool:
    try:
        with path.open("rb") as file:
            return _is_sendable(file.read(limits.IMAGE_HEADER_BYTES), os.fstat(file.fileno()).st_size, like)
    except OSError:
        return False


def _is_sendable(header: bytes, size: int, like: bpy.types.Image | None) -> bool:
    """Whether the encoded bytes are the picture that the artist sees, in a format and size to be sent."""
    mime = sniff_mime(header)
    is_seen_so = like is None or ((like.alpha_mode == "STRAIGHT" or mime == "image/jpeg") and not like.use_multiview)
    return mime in _SENT_AS_THEY_ARE and is_seen_so and size <= generation_limits.MAX_SOURCE_BYTES


def _pixels_to_come(image: bpy.types.Image) -> PixelsToCome:
    """
    :raises SourceImageError: there are none, or of several layers.
    """
    width, height = _size_or_error(image)
    uid, length = image.session_uid, width * height * image.channels

    def copy(values: Any) -> Pixels:
        """A reference would not outlive an undo."""
        found = next((image for image in bpy.data.images if image.session_uid == uid), None)
        if found is None or length != found.size[0] * found.size[1] * found.channels:
            raise SourceImageError("The image was removed or changed before it was sent.", "Select it and generate.")
        return pixels(found, values)

    later = PixelsToCome(length, copy)

    def step() -> float | None:
        return None if may_copy() and later.step() else limits.COPY_LOOK_SECONDS

    bpy.app.timers.register(step, first_interval=limits.COPY_LOOK_SECONDS, persistent=True)
    return later


_copied_at = 0.0
"""On the monotonic clock."""


def may_copy() -> bool:
    """Whether the last :func:`pixels` is long enough ago for a timer to stop Blender with another one."""
    return time.monotonic() > _copied_at + limits.COPY_REST_SECONDS


def pixels(image: bpy.types.Image, values: Any = None) -> Pixels:
    """Stops Blender for 40 ms at 4096 px: see :func:`may_copy`.

    :param values: memory for them (float32, width * height * channels), if there is some already.
    :raises SourceImageError: there are none, or of several layers.
    """
    import numpy as np

    global _copied_at
    width, height = _size_or_error(image)
    if values is None:
        values = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(values)  # type: ignore[attr-defined]
    _copied_at = time.monotonic()
    return Pixels(
        width=width,
        height=height,
        values=values,
        channels=image.channels,
        is_linear=image.is_float and not image.colorspace_settings.is_data,
        has_alpha=image.alpha_mode not in {"NONE", "CHANNEL_PACKED"},
    )


def _size_or_error(image: bpy.types.Image) -> tuple[int, int]:
    """
    :raises SourceImageError: there are no pixels, or of several layers.
    """
    width, height = image.size
    if image.type == "MULTILAYER":
        raise SourceImageError(
            f"The image {image.name} has several layers.", "Save the one that you want as an image, and select that."
        )
    if width < 1 or height < 1 or not image.has_data:
        raise SourceImageError(
            f"The image {image.name} has no pixels.", "Check that its file is there, or select another image."
        )
    return width, height
