# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of a virtual display, out of Xvfb's memory: what a person in front of it would see. Standard library only.

Blender's own screenshot operator is no help there: it reads the front buffer, which came out black (Blender 4.3.2 and
5.2.2 under Debian bookworm's Xvfb, while the display did show the window).
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

_HEADER = struct.Struct(">25I")  # XWDFile.h, version 7
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def save_png(framebuffer: Path, png: Path) -> None:
    """Converts the file that ``Xvfb -fbdir`` maps (XWD, 32 bits a pixel) to an RGB PNG."""
    data = framebuffer.read_bytes()
    header = _HEADER.unpack_from(data)
    size, width, height, big_endian, pixel_bits, row_bytes, colors = (header[i] for i in (0, 4, 5, 7, 11, 12, 19))
    if big_endian or pixel_bits != 32:
        raise ValueError(f"an unexpected frame buffer: {pixel_bits} bits a pixel, byte order {big_endian}")
    first = size + colors * 12
    rows = bytearray()
    for y in range(height):
        start = first + y * row_bytes
        row = data[start : start + width * 4]  # blue, green, red, unused
        rgb = bytearray(width * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        rows += b"\0" + rgb
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(rows), 6)),
        (b"IEND", b""),
    )
    png.write_bytes(_PNG_SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
