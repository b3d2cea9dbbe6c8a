# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Blender may open the pictures in a GLB.

Blender believes neither ``mimeType`` nor name but tries all its decoders, among them those of formats that are no
texture's and less well guarded, as OpenEXR, TIFF or Photoshop; what no decoder claims may pass for a TARGA. And a
picture of a hundred kilobytes may ask for gigabytes of memory.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO, Final

from . import limits
from .errors import UnreadableModelError
from .glb_data import Data, unpacked
from .glb_schema import Document, contradiction, items
from .image_size import image_size

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN: Final = b"\xff\xda"
_PACKED_TEXT: Final = (b"zTXt", b"iTXt", b"iCCP")
_DEFLATE_MOST: Final = 1032
"""What a byte may become (zlib, technical details)."""


def check_images(document: Document, data: Data) -> None:
    """
    :raises UnreadableModelError: a picture is in no format of glTF, or asks for too much.
    """
    total = looked_at = 0
    for index, image in enumerate(items(document, "images")):
        where, uri, view = f"images/{index}", image.get("uri"), image.get("bufferView")
        if uri is not None and view is not None:
            raise contradiction(where)
        if isinstance(uri, str):
            packed = unpacked(uri)
            file: BinaryIO = io.BytesIO(packed)
            start, length = 0, len(packed)
        elif isinstance(view, int):
            file, start, length = data.view(view)
        else:
            continue
        looked_at += length
        total += _pixel_bytes(file, start, length, where)
        if total > limits.GLB_PIXEL_BYTES or looked_at > limits.GLB_BYTES:
            raise _too_large(where)


def _pixel_bytes(file: BinaryIO, start: int, length: int, where: str) -> int:
    """How much memory it takes when it is open."""
    file.seek(start)
    head = file.read(min(length, limits.GLB_PIECE_BYTES))
    size = image_size(io.BytesIO(head))
    if size is None or 0 in size:
        raise UnreadableModelError(
            "A texture in the model file is neither a PNG nor a JPEG nor a WebP picture.", reason=where
        )
    if max(size) > limits.GLB_IMAGE_SIDE:
        raise _too_large(where)
    channel_bytes = 1
    if head.startswith(_PNG):
        channel_bytes = 4 if head[24:25] == b"\x10" else 1  # 16 bits become floats
        if _packed_text_bytes(file, start, length) * _DEFLATE_MOST > limits.GLB_PIXEL_BYTES:
            raise _too_large(where)
    elif head.startswith(b"\xff\xd8") and _scans(file, start, length) > limits.GLB_JPEG_SCANS:
        raise _too_large(where)
    return 4 * channel_bytes * size[0] * size[1]


def _packed_text_bytes(file: BinaryIO, start: int, length: int) -> int:
    """Of a PNG's chunks that hold no pixels, and may be packed."""
    place, total = start + len(_PNG), 0
    for _ in range(limits.GLB_PNG_CHUNKS):
        if place + 8 > start + length:
            break
        file.seek(place)
        chunk_bytes, kind = struct.unpack(">I4s", file.read(8))
        total += chunk_bytes if kind in _PACKED_TEXT else 0
        place += 12 + chunk_bytes
    return total


def _scans(file: BinaryIO, start: int, length: int) -> int:
    """How often a JPEG goes over the whole picture."""
    file.seek(start)
    count, last, left = 0, b"", length
    while left > 0 and (piece := file.read(min(left, limits.GLB_PIECE_BYTES))):
        count += (last + piece).count(_START_OF_SCAN)
        last, left = piece[-1:], left - len(piece)
    return count


def _too_large(where: str) -> UnreadableModelError:
    return UnreadableModelError("A texture in the model file is far larger than it should be.", reason=where)
