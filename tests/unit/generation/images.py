# SPDX-License-Identifier: GPL-3.0-or-later
"""An image to send, made without any library, and waiting for what other threads and processes do."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable

PATIENCE_SECONDS = 60.0


def a_png() -> bytes:
    """A 64 px PNG of a green disk on nothing."""
    green, nothing, side = bytes((30, 160, 60, 255)), bytes(4), range(64)
    rows = b"".join(
        b"\0" + b"".join(green if (x - 32) ** 2 + (y - 32) ** 2 < 500 else nothing for x in side) for y in side
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 64, 64, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
