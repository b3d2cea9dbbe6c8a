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
    height, width = _scaled_size(image)
    channels = image.shape[2]

    header = struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPE[channels], 0, 0, 0)
    compressor = zlib.compressobj(limits.PNG_COMPRESSION_LEVEL)
    compressed = []
    row_above = np.zeros((1, width * channels), np.uint8)
    for top in range(0, height, limits.PNG_ROWS_PER_CHUNK):
        if stop.is_set():
            raise NotFinishedError("The image was not sent: it was stopped.", "Nothing was charged.")
        bottom = min(top + limits.PNG_ROWS_PER_CHUNK, height)
        strip = _scaled_rows(image, top, bottom, premultiplied=pixels.is_linear)
        rows = _to_bytes(strip, pixels.is_linear).reshape(-1, width * channels)
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


def _scaled_size(image: Array) -> tuple[int, int]:
    """Height and width with the longest side at most the limit."""
    height, width = image.shape[:2]
    ratio = min(1.0, limits.MAX_SOURCE_SIDE_PX / max(width, height))
    return max(1, round(height * ratio)), max(1, round(width * ratio))


def _scaled_rows(image: Array, top: int, bottom: int, *, premultiplied: bool) -> Array:
    """Some rows of the scaled image, from `top` to before `bottom`: each pixel is the mean of those that it covers.

    A strip at a time: of a whole image of 4096 px the copies alone would take 0.5 GB.
    """
    import numpy as np

    height, width = _scaled_size(image)
    edges = np.arange(top, bottom + 1) * image.shape[0] // height
    strip = image[edges[0] : edges[-1]]
    if (height, width) == image.shape[:2]:
        return strip
    weighted = strip.shape[2] in (2, 4) and not premultiplied
    if weighted:  # else the color of invisible pixels would bleed into the subject's edge
        strip = strip.copy()
        for channel in range(strip.shape[2] - 1):  # all in one broadcast takes 28 times as long
            strip[:, :, channel] *= strip[:, :, -1]
    means = _means(strip, edges - edges[0], 0)
    means = _means(means, np.arange(width + 1) * image.shape[1] // width, 1)
    if weighted:
        alpha = means[:, :, -1:]
        means[:, :, :-1] /= np.where(alpha > 0.0, alpha, 1.0)
    return means


def _means(image: Array, edges: Array, axis: int) -> Array:
    """Along an axis, of what lies between one of the edges and the next. ``np.add.reduceat`` takes 20 times as long."""
    import numpy as np

    starts, counts = edges[:-1], np.diff(edges)
    sums = np.take(image, starts, axis)
    for step in range(1, int(counts.max())):
        is_longer = counts > step
        further = np.take(image, starts[is_longer] + step, axis)
        if is_longer.all():
            sums += further
        elif axis:
            sums[:, is_longer] += further
        else:
            sums[is_longer] += further
    shape = [1, 1, 1]
    shape[axis] = len(counts)
    sums /= counts.astype(np.float32).reshape(shape)
    return sums
