# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels to PNG with numpy and zlib, both of which let other threads run meanwhile. For a worker.

Blender bundles no image library, and its own ``image.save`` holds the interpreter for the whole time
(0.9 s for a painted image of 4096 px; here 0.5 s, in which Blender goes on drawing).
"""

from __future__ import annotations

import struct
import threading
import zlib
from typing import TYPE_CHECKING, Any

from . import limits
from .errors import NotFinishedError, SourceImageError
from .source import Pixels

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_COLOR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}
_FILTER_UP = 2


def encode_png(pixels: Pixels, stop: threading.Event) -> bytes:
    """An 8-bit sRGB PNG with straight alpha, its longest side at most :data:`limits.MAX_SOURCE_SIDE_PX`.

    :raises SourceImageError: there are no pixels.
    :raises NotFinishedError: `stop` was set.
    """
    import numpy as np

    if pixels.width < 1 or pixels.height < 1:
        raise SourceImageError("The image has no pixels.", "Check that its file is there, or select another image.")
    image = pixels.values.reshape(pixels.height, pixels.width, pixels.channels)[::-1]
    if pixels.channels in (2, 4) and not pixels.has_alpha:
        image = image[:, :, :-1]
    image = _scaled_down(image, premultiplied=pixels.is_linear)
    height, width, channels = image.shape

    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPE[channels], 0, 0, 0)
    compressor = zlib.compressobj(limits.PNG_COMPRESSION_LEVEL)
    compressed = []
    row_above = np.zeros((1, width * channels), np.uint8)
    for top in range(0, height, limits.PNG_ROWS_PER_CHUNK):
        if stop.is_set():
            raise NotFinishedError("The image was not sent: it was stopped.", "Nothing was charged.")
        rows = _to_bytes(image[top : top + limits.PNG_ROWS_PER_CHUNK], pixels.is_linear).reshape(-1, width * channels)
        above = np.concatenate([row_above, rows[:-1]])
        filtered = np.empty((len(rows), width * channels + 1), np.uint8)
        filtered[:, 0] = _FILTER_UP
        np.subtract(rows, above, out=filtered[:, 1:])
        compressed.append(compressor.compress(filtered.tobytes()))
        row_above = rows[-1:]
    compressed.append(compressor.flush())
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header), _chunk(b"IDAT", b"".join(compressed)), _chunk(b"IEND", b"")]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join([struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)])


def _to_bytes(image: Array, is_linear: bool) -> Array:
    """Rows of floats (any range, NaN included) to 0..255, sRGB with straight alpha."""
    import numpy as np

    image = np.nan_to_num(image.astype(np.float32), nan=0.0)
    if is_linear:
        has_alpha = image.shape[2] in (2, 4)
        color = image[:, :, :-1] if has_alpha else image
        if has_alpha:
            alpha = image[:, :, -1:]
            color /= np.where(alpha > 0.0, alpha, 1.0)
        np.clip(color, 0.0, 1.0, out=color)
        # IEC 61966-2-1
        color[...] = np.where(color <= 0.0031308, color * 12.92, 1.055 * np.power(color, 1 / 2.4) - 0.055)
    result: Array = (np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return result


def _scaled_down(image: Array, *, premultiplied: bool) -> Array:
    """`image` with its longest side at most the limit: each pixel is the mean of those that it covers."""
    import numpy as np

    height, width, channels = image.shape
    ratio = limits.MAX_SOURCE_SIDE_PX / max(width, height)
    if ratio >= 1.0:
        return image
    weighted = channels in (2, 4) and not premultiplied
    if weighted:  # else the color of invisible pixels would bleed into the subject's edge
        image = image.copy()
        image[:, :, :-1] *= image[:, :, -1:]
    for axis, length in ((0, height), (1, width)):
        starts = np.arange(max(1, round(length * ratio))) * length // max(1, round(length * ratio))
        counts = np.diff(starts, append=length).astype(np.float32)
        shape = [1, 1, 1]
        shape[axis] = len(counts)
        image = np.add.reduceat(image, starts, axis=axis, dtype=np.float32) / counts.reshape(shape)
    if weighted:
        alpha = image[:, :, -1:]
        image[:, :, :-1] /= np.where(alpha > 0.0, alpha, 1.0)
    return image
