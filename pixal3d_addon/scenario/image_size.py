# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a picture is, from the first bytes of its file. For a worker.

Blender's ``image.size`` decodes the whole picture on the main thread for it (299 ms for a PNG of 4096 px).
PNG, JPEG and WebP are known, the formats that a glTF model may hold.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import BinaryIO

from ..files import open_file
from . import limits

Size = tuple[int, int]
"""Width and height in pixels."""

HEADER_BYTES = 1 << 18
"""Enough of a picture: a JPEG tells its size behind its EXIF data and color profile, each up to 64 KiB a segment."""

_MOST_STEPS = 1 << 16
"""From segment to segment, and over bytes that only fill up: a file of nothing else would be walked for minutes."""

_LOSSY_START = b"\x9d\x01\x2a"
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})  # Huffman tables, a reserved marker, arithmetic coding: among the SOF numbers


def image_size(file: BinaryIO) -> Size | None:
    """The size of the picture that begins where `file` stands, ``None`` if it is cut short or of another format.

    :raises OSError: the file can't be read.
    """
    start = file.tell()
    head = file.read(30)
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":  # W3C PNG, 11.2.1
            return struct.unpack_from(">II", head, 16)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp_size(head)
        if head.startswith(b"\xff\xd8"):
            file.seek(start + 2)
            return _jpeg_size(file)
    except struct.error:  # cut short
        pass
    return None


def image_sizes_in_glb(path: Path) -> dict[int, Size]:
    """The sizes of the pictures inside of a GLB, by their lengths in bytes.

    Blender's importer packs them as they are, so a packed image is found again by its length, without copying its
    bytes out of Blender (``packed_file.data`` copies all of them: 14 to 100 ms for 25 MB).

    Nothing is raised for a file that is gone or damaged: what can't be read is left out.
    """
    sizes: dict[int, Size] = {}
    try:
        with open_file(path) as file:
            _, _, _, json_bytes, _ = struct.unpack("<4sIIII", file.read(20))
            if json_bytes > limits.GLB_JSON_BYTES:
                return {}
            document = json.loads(file.read(json_bytes))
            binary_start = 20 + json_bytes + 8
            for image in document.get("images", ()):
                if "bufferView" not in image:
                    continue
                view = document["bufferViews"][image["bufferView"]]
                file.seek(binary_start + view.get("byteOffset", 0))
                if size := image_size(file):
                    sizes[view["byteLength"]] = size
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, struct.error):
        pass
    return sizes


def _jpeg_size(file: BinaryIO) -> Size | None:
    """From segment to segment until one that begins a frame (ITU T.81, B.1.1 and B.2.2)."""
    for _ in range(_MOST_STEPS):
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF:
            return None
        if kind == 0xFF:  # a byte to fill up
            file.seek(-3, 1)
        elif 0xC0 <= kind <= 0xCF and kind not in _NO_FRAME:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return width, height
        else:
            file.seek(length - 2, 1)
    return None


def _webp_size(head: bytes) -> Size | None:
    """RFC 9649: extended, lossy (RFC 6386, 9.1) or lossless."""
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8 " and head[23:26] == _LOSSY_START:
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and head[20:21] == b"\x2f":
        (bits,) = struct.unpack_from("<I", head, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
