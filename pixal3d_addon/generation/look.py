# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be shown of an image before it is sent: what was found, and how it will look. For a worker."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from . import limits
from .framing import frame, thumbnail
from .image_check import TINY_PX, Box, Finding, ImageCheck, check_image, small_copy
from .source import Framing, Pixels

if TYPE_CHECKING:
    import numpy as np

THUMBNAIL_SIDE_PX = 256
"""Drawn 120 px wide at a scale of 1, twice that on a fine screen."""

SMALL_SIDE_PX = 512
"""Of the copy that thumbnails are cut out of: they stay sharp for a subject of half the image's size."""

FRAMINGS = tuple(Framing(crop_to_subject=crop, pad_to_square=pad) for crop, pad in product((False, True), repeat=2))


@dataclass(frozen=True, slots=True)
class Original:
    """The image that the pixels are of, which may be a smaller copy."""

    width: int
    height: int
    may_go_as_it_is: bool = False
    """In a format that is sent without being encoded anew, if nothing of it is framed and the file is not too large."""
    path: str = ""
    """Of that file; empty if it is packed."""
    packed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What was made of an image."""

    check: ImageCheck
    goes_as_it_is: bool
    """Unless it is framed, it is sent in its own size, however large."""


def see(pixels: Pixels, original: Original) -> tuple[Seen, dict[Framing, Pixels]]:
    """Judge an image, and make a thumbnail for each way of framing it. About 0.25 s for 4096 px.

    :raises SourceImageError: there are no pixels.
    """
    check = check_image(pixels)
    picture = small_copy(pixels, SMALL_SIDE_PX)
    height, width = picture.shape[:2]
    small = Pixels(width, height, picture.reshape(-1), has_alpha=pixels.has_alpha)
    of_small = resized(check, width, height)
    thumbnails = {
        framing: thumbnail(
            frame(
                small,
                crop_to_subject=framing.crop_to_subject,
                pad_to_square=framing.pad_to_square,
                check=of_small,
            ),
            THUMBNAIL_SIDE_PX,
        )
        for framing in FRAMINGS
    }
    return Seen(resized(check, original.width, original.height), _goes_as_it_is(original)), thumbnails


def written_memory(length: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Memory for so many float32, which the system has really handed out."""
    import numpy as np

    values = np.empty(length, np.float32)
    values.fill(0.0)
    return values


def without_bands(values: Any, shown: tuple[int, int], original: Original) -> Pixels:
    """The picture in the middle of Blender's preview of an image.

    :param values: float32, RGBA, bottom row first, straight alpha in sRGB.
    :param shown: width and height of the preview, which is larger than the picture on one axis.
    """
    ratio = min(shown[0] / original.width, shown[1] / original.height)
    width, height = max(1, int(original.width * ratio)), max(1, int(original.height * ratio))
    left, bottom = (shown[0] - width) // 2, (shown[1] - height) // 2
    picture = values.reshape(shown[1], shown[0], 4)[bottom : bottom + height, left : left + width]
    return Pixels(width, height, picture.reshape(-1))


def resized(check: ImageCheck, width: int, height: int) -> ImageCheck:
    """The same of a larger or smaller copy of the image. A box keeps at least what was in it."""
    x, y = width / check.width, height / check.height
    box = check.subject
    is_tiny = max(width, height) < TINY_PX
    return replace(
        check,
        width=width,
        height=height,
        subject=box
        and Box(
            left=math.floor(box.left * x),
            bottom=math.floor(box.bottom * y),
            right=min(width, math.ceil(box.right * x)),
            top=min(height, math.ceil(box.top * y)),
        ),
        findings=tuple(
            finding for finding in Finding if (is_tiny if finding is Finding.TINY else finding in check.findings)
        ),
    )


def _goes_as_it_is(original: Original) -> bool:
    if not original.may_go_as_it_is:
        return False
    try:
        size = os.path.getsize(original.path) if original.path else original.packed_bytes
    except OSError:
        return False  # it is gone; its pixels are sent
    return size <= limits.MAX_SOURCE_BYTES
