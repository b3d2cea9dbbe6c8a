# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told about an image before any money is spent on it. For a worker; numpy only.

All is judged on a copy of at most 256 px a side. It is made in one pass over the pixels, some rows at a time: each call
is short, and numpy lets other threads run in it.

What the model does with an image decides what is worth saying (TencentARC/Pixal3D,
``pixal3d/pipelines/pixal3d_image_to_3d.py``, ``preprocess_image``): it scales the image down to 1024 px; if any pixel
is not fully opaque it takes the alpha as it is, and removes the background otherwise; then it cuts a square out around
all that is more than 80 % opaque.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import SourceImageError
from .source import Pixels

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]
    Ints = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]
    Mask = np.ndarray[Any, np.dtype[np.bool_]]

CHECK_SIDE_PX = 256
"""Longest side of the copy that is judged. A subject of 1.5 % still has a thousand pixels in it."""

MODEL_OPAQUE_ALPHA = 0.8
"""Above this a pixel is part of the subject for the model (``alpha > 0.8 * 255``). It fails without any such pixel."""

TRANSPARENT_SHARE = 0.005
"""Transparency is used if so much of the image is less opaque than that: rounded corners are, odd pixels are not."""

VISIBLE_ALPHA = 0.04
"""Above this a pixel of the small copy is in the subject's box. One pixel in 16 is 0.06: a mast that is one pixel wide
in a 4096 px image stays in a cropped one, and so does a soft shadow."""

CUT_ALPHA = 0.5
"""Above this it is the subject that reaches the edge, and not its shadow or glow."""

BACKGROUND_TOLERANCE = 0.1
"""Distance in sRGB (each channel 0 to 1) within which a color is still the background's. Noise with a deviation of 0.1
stays below it in the small copy of a 1024 px image, the vignette of scikit-image's ``clock_motion`` in 99 % of its
border; the cream-colored spots of ``scripts/sample/mushroom.png`` on white are above it but for their lit rims."""

SURE_DISTANCE = 0.2
"""From here on it is the subject without doubt; what is nearer to the background belongs to it only if it is connected,
as a highlight or a shadow is. ``cell`` and ``clock_motion`` have corners of 0.1 to 0.15 that are just badly lit."""

PLAIN_BORDER_SHARE = 0.6
"""The background is plain if so much of the border is of its color. Of scikit-image's pictures, ``camera`` has 0.56,
``coffee`` 0.40 and ``chelsea`` 0.36; a head in front of the sky, cut by three edges, has 0.64."""

BORDER_SHARE = 0.03
"""How wide the border is, of the shorter side."""

CUT_EDGE_SHARE = 0.16
"""The subject is cut if it takes so much of one edge. A disk that only touches the edges takes up to 0.15 of one
(257 px, whose last two rows are one of the small copy), mostly 0.06 to 0.12."""

TINY_PX = 256
"""Longest side below which an image is tiny: the model works on 1024 px, and would make up 15 of 16 pixels."""

ELONGATION = 4.0
"""Longer to shorter side of the subject's box. The model sees a square, which a longer subject leaves three quarters
empty."""

NEARLY_EMPTY_SHARE = 0.015
"""Share of the image that the subject covers. Less of it is less than 125 px square of the model's 1024 px."""

_FIT_ROUNDS = 6
_FIT_DAMPING = 1e-6


class Finding(enum.Enum):
    """What may spoil a model. None of it forbids to make one."""

    NO_ALPHA_BUSY_BACKGROUND = ("Busy Background", "Cut the subject out, or show it in front of one plain color.")
    CUT_AT_EDGE = ("Cut at the Edge", "Show the whole subject: what the edge cuts off will be missing.")
    TINY = ("Tiny Image", "Use a larger image: the model works on 1024 px, this is below 256.")
    ELONGATED = ("Elongated Subject", "Choose a less elongated view: a long subject gets little detail.")
    NEARLY_EMPTY = ("Nearly Empty", "Show the subject larger, or turn on Crop to Subject.")
    SEE_THROUGH = ("See-Through", "Make the subject opaque: the model ignores what is under 80 %.")

    def __init__(self, label: str, sentence: str) -> None:
        self.label = label
        self.sentence = sentence
        """What the artist can do about it."""


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels of an image whose first row is at the bottom. `right` and `top` are the first that are outside."""

    left: int
    bottom: int
    right: int
    top: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class ImageCheck:
    """What :func:`check_image` found."""

    width: int
    height: int
    subject: Box | None
    """Around all that is not background, at most one pixel of the small copy (1/128 of the longest side) too large.
    ``None`` if there is nothing, and if it can't be told: without alpha, in front of a busy background."""
    has_alpha: bool
    """Whether transparency is used. An alpha channel that is opaque but for odd pixels is not."""
    findings: tuple[Finding, ...] = ()
    """In the order of :class:`Finding`."""


def check_image(pixels: Pixels) -> ImageCheck:
    """Look at an image as it would be sent. For a worker: about 0.1 s for 4096 px.

    :raises SourceImageError: there are no pixels.
    """
    small = small_copy(pixels, CHECK_SIDE_PX)
    color, alpha = small[:, :, :3], small[:, :, 3]
    has_alpha = float((alpha < MODEL_OPAQUE_ALPHA).mean()) >= TRANSPARENT_SHARE
    is_plain = True
    if has_alpha:
        is_subject, is_body, coverage = alpha > VISIBLE_ALPHA, alpha > CUT_ALPHA, float(alpha.mean())
    else:
        is_subject, is_plain = _in_front_of_background(color)
        is_body, coverage = is_subject, float(is_subject.mean())

    subject = _box(is_subject, pixels) if is_plain else None
    sides = (subject.width, subject.height) if subject else (1, 1)
    found = {
        Finding.NO_ALPHA_BUSY_BACKGROUND: not is_plain,
        Finding.CUT_AT_EDGE: is_plain and _reaches_an_edge(is_body),
        Finding.TINY: max(pixels.width, pixels.height) < TINY_PX,
        Finding.ELONGATED: max(sides) > ELONGATION * min(sides),
        Finding.NEARLY_EMPTY: is_plain and coverage < NEARLY_EMPTY_SHARE,
        Finding.SEE_THROUGH: has_alpha and subject is not None and not _has_opaque_pixel(pixels, alpha),
    }
    return ImageCheck(
        width=pixels.width,
        height=pixels.height,
        subject=subject,
        has_alpha=has_alpha,
        findings=tuple(finding for finding in Finding if found[finding]),
    )


def small_copy(pixels: Pixels, side_px: int) -> Floats:
    """The image as it would be sent, scaled down to at most `side_px` a side: (height, width, 4) float32 from 0 to 1,
    bottom row first, sRGB with straight alpha. Each pixel is the mean of those that it covers. For a worker.

    :raises SourceImageError: there are no pixels.
    """
    import numpy as np

    if pixels.width < 1 or pixels.height < 1:
        raise SourceImageError("The image has no pixels.", "Check that its file is there, or select another image.")
    image = pixels.values.reshape(pixels.height, pixels.width, pixels.channels)
    has_alpha = pixels.channels in (2, 4) and pixels.has_alpha
    (rows, row_counts), (columns, column_counts) = _parts(pixels, side_px)

    sums = np.empty((len(rows), pixels.width, pixels.channels), np.float32)
    strip = np.empty((int(row_counts.max()), pixels.width, pixels.channels), np.float32)
    for start, count, row_sum in zip(rows, row_counts, sums, strict=True):
        part = strip[:count]
        # As `encode_png` sends them: missing is 0 (`fmax` of a number and NaN is the number), infinite is 1.
        np.fmax(image[start : start + count], np.float32(0.0), out=part)
        np.fmin(part, np.float32(1.0), out=part)
        if has_alpha and not pixels.is_linear:  # else the color of invisible pixels would bleed into the subject's edge
            for channel in range(pixels.channels - 1):  # 25 ms for 4096 px; 700 ms with all three in one broadcast
                part[:, :, channel] *= part[:, :, -1]
        np.add.reduce(part, axis=0, out=row_sum)
    means = np.add.reduceat(sums, columns, axis=1)
    means /= (row_counts[:, None] * column_counts)[:, :, None]

    color = means[:, :, :-1] if pixels.channels in (2, 4) else means
    alpha = means[:, :, -1:] if has_alpha else np.float32(1.0)
    if has_alpha:
        color = color / np.where(alpha > 0.0, alpha, 1.0)
    color = np.clip(color, 0.0, 1.0)
    if pixels.is_linear:
        # IEC 61966-2-1
        color = np.where(color <= 0.0031308, color * 12.92, 1.055 * np.power(color, 1 / 2.4) - 0.055)
    result = np.empty((len(rows), len(columns), 4), np.float32)
    result[:, :, :3] = color  # a gray one into all three
    result[:, :, 3:] = alpha
    return result


def smooth_surface(terms: Floats, colors: Floats) -> Floats:
    """The coefficients (terms, channels) with which `terms` (n, terms) come nearest to most of the `colors`
    (n, channels). Fitted in rounds, in which what is far off counts ever less."""
    import numpy as np

    coefficients: Floats = np.zeros((terms.shape[1], colors.shape[1]))
    fitted = np.median(colors, axis=0)[None]
    for _ in range(_FIT_ROUNDS):
        off = np.linalg.norm(colors - fitted, axis=1)
        weighted = terms / (1.0 + (off / BACKGROUND_TOLERANCE) ** 4)[:, None] ** 2
        # Normal equations, which do for six terms: `lstsq` starts BLAS's threads, and they compete with Blender's (two
        # busy cores: longest pause of the main thread 53 ms, like this 9 ms). A term that is left open becomes 0.
        square = np.einsum("ni,nj->ij", weighted, terms) + _FIT_DAMPING * np.eye(terms.shape[1])
        coefficients = np.linalg.solve(square, np.einsum("ni,nc->ic", weighted, colors))
        fitted = np.einsum("ni,ic->nc", terms, coefficients)
    return coefficients


def _parts(pixels: Pixels, side_px: int) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """For the rows and for the columns of a small copy: the first one of the image that each covers, and how many."""
    import numpy as np

    def parts(length: int) -> tuple[Ints, Ints]:
        count = max(1, round(length * ratio))
        starts = np.arange(count) * length // count
        return starts, np.diff(starts, append=length)

    ratio = min(1.0, side_px / max(pixels.width, pixels.height))
    return parts(pixels.height), parts(pixels.width)


def _has_opaque_pixel(pixels: Pixels, small_alpha: Floats) -> bool:
    """Whether the model would find a subject. The pixels themselves are asked only if their means leave a doubt."""
    if bool((small_alpha > MODEL_OPAQUE_ALPHA).any()):
        return True
    alpha = pixels.values[pixels.channels - 1 :: pixels.channels]
    return bool((alpha > MODEL_OPAQUE_ALPHA).any())


def _in_front_of_background(color: Floats) -> tuple[Mask, bool]:
    """What differs from the background, and whether the background is plain. `color` is (height, width, 3) in sRGB.

    The background is a smooth surface through the colors of the border, since a studio's backdrop has a gradient or a
    vignette. What stands in front of it at the border is left out of it.
    """
    import numpy as np

    height, width = color.shape[:2]
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=2)
    edge = max(1, round(min(height, width) * BORDER_SHARE))
    is_border = np.ones((height, width), np.bool_)
    is_border[edge:-edge, edge:-edge] = False

    coefficients = smooth_surface(terms[is_border], color[is_border])
    distance = np.linalg.norm(color - np.einsum("yxi,ic->yxc", terms, coefficients), axis=2)
    is_plain = float((distance[is_border] < BACKGROUND_TOLERANCE).mean()) >= PLAIN_BORDER_SHARE
    return _connected(
        _without_specks(distance > BACKGROUND_TOLERANCE), _without_specks(distance > SURE_DISTANCE)
    ), is_plain


def _without_specks(mask: Mask) -> Mask:
    """What belongs to a square of 2 by 2. Noise does not."""
    import numpy as np

    if min(mask.shape) < 2:
        return mask
    squares = mask[:-1, :-1] & mask[1:, :-1] & mask[:-1, 1:] & mask[1:, 1:]
    kept = np.zeros_like(mask)
    for part in (kept[:-1, :-1], kept[1:, :-1], kept[:-1, 1:], kept[1:, 1:]):
        part |= squares
    return kept


def _connected(mask: Mask, sure: Mask) -> Mask:
    """What of `mask` is connected to something of `sure`; all of it if nothing is sure."""
    if not sure.any():
        return mask
    kept, count = sure.copy(), -1
    while count != (count := int(kept.sum())):  # some 100 rounds of 0.05 ms
        kept[1:] |= kept[:-1]
        kept[:-1] |= kept[1:]
        kept[:, 1:] |= kept[:, :-1]
        kept[:, :-1] |= kept[:, 1:]
        kept &= mask
    return kept


def _reaches_an_edge(mask: Mask) -> bool:
    return any(float(edge.mean()) >= CUT_EDGE_SHARE for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def _box(mask: Mask, pixels: Pixels) -> Box | None:
    """Around a mask of the small copy's size, in pixels of the image."""
    import numpy as np

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    (bottoms, heights), (lefts, widths) = _parts(pixels, CHECK_SIDE_PX)
    return Box(
        left=int(lefts[columns[0]]),
        bottom=int(bottoms[rows[0]]),
        right=int((lefts + widths)[columns[-1]]),
        top=int((bottoms + heights)[rows[-1]]),
    )
