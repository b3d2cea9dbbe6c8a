# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of an image that is sent, and how it looks. Acts on copies only. For a worker where not said otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import limits
from .image_check import TINY_PX, Box, Finding, ImageCheck, small_copy, smooth_surface
from .source import Pixels

if TYPE_CHECKING:
    from .image_check import Floats

CROP_MARGIN = 0.06
"""Around the subject, of its longer side. The model takes 0.05 (``size * 1.1``), and cuts once more by itself."""


def frame(pixels: Pixels, *, crop_to_subject: bool, pad_to_square: bool, check: ImageCheck) -> Pixels:
    """What is to be sent of an image, given what :func:`check_image` said of it.

    Padding is transparent if the image uses transparency. Otherwise it goes on in the color of the edge that it is
    joined to. An alpha channel that is not used is marked as meaningless, so that it is not sent: the model removes the
    background only of an image without any, and a single pixel of 254 would make the whole image the subject.
    """
    import numpy as np

    box = _cropped(check, crop_to_subject=crop_to_subject)
    image = pixels.values.reshape(pixels.height, pixels.width, pixels.channels)
    image = image[box.bottom : box.top, box.left : box.right]
    framed = replace(
        pixels,
        width=box.width,
        height=box.height,
        values=np.ascontiguousarray(image).reshape(-1),
        has_alpha=pixels.has_alpha and check.has_alpha,
    )
    return _padded(framed) if pad_to_square and box.width != box.height else framed


def sent_size(check: ImageCheck, *, crop_to_subject: bool, pad_to_square: bool) -> tuple[int, int]:
    """Width and height of what is sent, scaled down as :func:`encode_png` does it. Any thread, at once."""
    box = _cropped(check, crop_to_subject=crop_to_subject)
    longest = max(box.width, box.height)
    width, height = (longest, longest) if pad_to_square else (box.width, box.height)
    ratio = min(1.0, limits.MAX_SOURCE_SIDE_PX / longest)
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def findings_when_sent(check: ImageCheck, *, crop_to_subject: bool) -> tuple[Finding, ...]:
    """What is left to be said with the artist's options. Any thread, at once.

    A crop makes a subject large. It can't bring back what the edge has cut off, nor make pixels.
    """
    found = set(check.findings)
    if crop_to_subject and check.subject:
        found.discard(Finding.NEARLY_EMPTY)
        if max(sent_size(check, crop_to_subject=True, pad_to_square=False)) < TINY_PX:
            found.add(Finding.TINY)
    return tuple(finding for finding in Finding if finding in found)


def thumbnail(pixels: Pixels, side_px: int) -> Pixels:
    """A square of `side_px` with the whole image in its middle, as large as it fits, on transparency.

    RGBA, bottom row first, sRGB with straight alpha: what ``ImagePreview.image_pixels_float`` takes. A smaller image is
    enlarged without smoothing, so that its pixels are seen.

    :raises SourceImageError: there are no pixels.
    """
    import numpy as np

    small = small_copy(pixels, side_px)
    ratio = side_px / max(pixels.width, pixels.height)
    if ratio > 1.0:
        rows, columns = (
            (np.arange(max(1, round(length * ratio))) / ratio).astype(np.intp).clip(max=length - 1)
            for length in small.shape[:2]
        )
        small = small[rows[:, None], columns]
    height, width = small.shape[:2]
    square = np.zeros((side_px, side_px, 4), np.float32)
    bottom, left = (side_px - height) // 2, (side_px - width) // 2
    square[bottom : bottom + height, left : left + width] = small
    return Pixels(side_px, side_px, square.reshape(-1))


def _cropped(check: ImageCheck, *, crop_to_subject: bool) -> Box:
    """What is left of the image, before it is padded."""
    if not crop_to_subject or check.subject is None:
        return Box(0, 0, check.width, check.height)
    subject = check.subject
    margin = round(max(subject.width, subject.height) * CROP_MARGIN)
    return Box(
        left=max(0, subject.left - margin),
        bottom=max(0, subject.bottom - margin),
        right=min(check.width, subject.right + margin),
        top=min(check.height, subject.top + margin),
    )


def _padded(pixels: Pixels) -> Pixels:
    """An image of unequal sides in the middle of a square, scaled down if the square would be larger than is sent."""
    import numpy as np

    if max(pixels.width, pixels.height) > limits.MAX_SOURCE_SIDE_PX:  # a square of 16384 px takes 4 GB
        small = small_copy(pixels, limits.MAX_SOURCE_SIDE_PX)
        height, width = small.shape[:2]
        pixels = Pixels(width, height, small.reshape(-1), has_alpha=pixels.has_alpha)
    width, height = pixels.width, pixels.height
    image = pixels.values.reshape(height, width, pixels.channels)
    side = max(width, height)
    square = np.zeros((side, side, pixels.channels), np.float32)
    bottom, left = (side - height) // 2, (side - width) // 2
    square[bottom : bottom + height, left : left + width] = image
    if not pixels.has_alpha and width < height:
        square[:, :left] = _smooth(image[:, 0])[:, None]
        square[:, left + width :] = _smooth(image[:, -1])[:, None]
    elif not pixels.has_alpha:
        square[:bottom] = _smooth(image[0])
        square[bottom + height :] = _smooth(image[-1])
    return replace(pixels, width=side, height=side, values=square.reshape(-1))


def _smooth(edge: Floats) -> Floats:
    """The colors (n, channels) of an edge without noise, and without the subject where it covers less than half of it.

    Neither one mean color, which makes a new edge where the backdrop has a gradient, nor the edge's own pixels, which
    make streaks.
    """
    import numpy as np

    edge = np.clip(np.nan_to_num(edge, nan=0.0), 0.0, 1.0)
    along = np.linspace(-1, 1, len(edge))
    terms = np.stack([np.ones_like(along), along, along * along], axis=1)
    smooth: Floats = np.einsum("ni,ic->nc", terms, smooth_surface(terms, edge))
    return smooth.clip(edge.min(axis=0), edge.max(axis=0))
