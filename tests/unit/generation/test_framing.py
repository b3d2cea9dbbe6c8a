# SPDX-License-Identifier: GPL-3.0-or-later
"""Crop to Subject and Pad to Square act on what is sent, and the thumbnail shows what that is."""

from __future__ import annotations

import io
import math
import threading
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixal3d_addon.generation import Pixels, SourceImageError, limits
from pixal3d_addon.generation.framing import findings_when_sent, frame, sent_size, thumbnail
from pixal3d_addon.generation.image_check import Box, Finding, ImageCheck, check_image
from pixal3d_addon.generation.png import encode_png

GO = threading.Event()
BROWN = (0.45, 0.25, 0.1)


def picture(width: int, height: int, box: Box | None = None, background: float | None = None) -> np.ndarray:
    """(height, width, 4), bottom row first: a brown box on gray, or else on nothing. Its bottom left pixel is green."""
    image = np.zeros((height, width, 4), np.float32)
    if background is not None:
        image[:] = (background, background, background, 1.0)
    if box:
        image[box.bottom : box.top, box.left : box.right] = (*BROWN, 1.0)
        image[box.bottom, box.left] = (0.0, 1.0, 0.0, 1.0)
    return image


def pixels_of(image: np.ndarray, **changes: object) -> Pixels:
    height, width, channels = image.shape
    return replace(Pixels(width, height, image.ravel(), channels), **changes)  # type: ignore[arg-type]


def framed(pixels: Pixels, *, crop: bool = False, pad: bool = False) -> Pixels:
    return frame(pixels, crop_to_subject=crop, pad_to_square=pad, check=check_image(pixels))


def as_array(pixels: Pixels) -> np.ndarray:
    return pixels.values.reshape(pixels.height, pixels.width, pixels.channels)


def sent(pixels: Pixels) -> np.ndarray:
    """The PNG's pixels, bottom row first."""
    with Image.open(io.BytesIO(encode_png(pixels, GO))) as image:
        return np.asarray(image)[::-1]


SUBJECT = Box(100, 40, 200, 90)


@pytest.mark.parametrize("background", [None, 0.9], ids=["alpha", "gray"])
def test_a_crop_keeps_the_subject_with_a_small_margin(background: float | None) -> None:
    image = picture(256, 200, SUBJECT, background)
    cropped = framed(pixels_of(image), crop=True)
    np.testing.assert_array_equal(as_array(cropped), image[34:96, 94:206])


def test_a_crop_stays_inside_the_image() -> None:
    image = picture(256, 256, Box(0, 2, 120, 250))
    np.testing.assert_array_equal(as_array(framed(pixels_of(image), crop=True)), image[:, :135])


@pytest.mark.parametrize("is_linear", [False, True])
@pytest.mark.parametrize("crop", [False, True])
def test_what_is_sent_of_a_crop_is_that_part_of_what_would_be_sent(crop: bool, is_linear: bool) -> None:
    image = picture(256, 200, SUBJECT)
    image *= np.random.default_rng(1).uniform(0.5, 1.0, image.shape).astype(np.float32)
    pixels = pixels_of(image, is_linear=is_linear)
    part = sent(pixels)[34:96, 94:206] if crop else sent(pixels)
    np.testing.assert_array_equal(sent(framed(pixels, crop=crop)), part)


def test_without_a_subject_a_crop_leaves_the_image_whole() -> None:
    image = np.random.default_rng(1).random((60, 80, 4), np.float32)
    image[:, :, 3] = 1.0
    np.testing.assert_array_equal(as_array(framed(pixels_of(image), crop=True)), image)


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (255, 256)])
def test_padding_is_transparent_where_the_image_is(size: tuple[int, int]) -> None:
    width, height = size
    image = picture(width, height, SUBJECT)
    padded = as_array(framed(pixels_of(image), pad=True))
    side = max(size)
    left, bottom = (side - width) // 2, (side - height) // 2
    assert padded.shape == (side, side, 4)
    np.testing.assert_array_equal(padded[bottom : bottom + height, left : left + width], image)
    padded[bottom : bottom + height, left : left + width] = 0.0
    assert not padded.any()


@pytest.mark.parametrize("size", [(300, 200), (200, 300)])
def test_padding_goes_on_in_the_colors_of_the_backdrop_and_makes_no_new_edge(size: tuple[int, int]) -> None:
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / 300
    image = picture(width, height, Box(80, 60, 130, 120))
    backdrop = image[:, :, 3] == 0.0
    image[backdrop] = np.stack([0.3 + 0.4 * y, 0.9 - 0.5 * x, 0.5 + 0.3 * x * y, np.ones_like(x)], axis=2)[backdrop]
    image[:, :, :3] += np.random.default_rng(1).normal(0.0, 0.01, (height, width, 3)).astype(np.float32)
    pixels = pixels_of(image)
    padded = framed(pixels, pad=True)
    seam = (300 - min(size)) // 2
    square = as_array(padded) if width < height else as_array(padded).transpose(1, 0, 2)
    for outside, inside in ((seam - 1, seam), (300 - seam, 299 - seam)):
        step = square[:, outside, :3].astype(float) - square[:, inside, :3]
        assert np.abs(step).max() < 0.06, "five deviations of the noise"
        assert np.abs(step.mean(axis=0)).max() < 0.005
    assert check_image(padded).findings == check_image(pixels).findings == (Finding.TINY,) * (max(size) < 256)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_padding_has_the_backdrops_color_even_where_the_subject_touches_it(channels: int) -> None:
    color, alpha = (BROWN if channels > 2 else BROWN[:1]), ((1.0,) if channels in (2, 4) else ())
    image = np.full((300, 200, channels), 0.8, np.float32)
    if alpha:
        image[:, :, -1] = 1.0
    image[80:200, :90] = (*color, *alpha)  # takes 0.4 of the left edge
    padded = framed(pixels_of(image), pad=True)
    expected = [0.8] * (channels - len(alpha)) + list(alpha)
    np.testing.assert_allclose(as_array(padded)[:, :50], np.broadcast_to(expected, (300, 50, channels)), atol=0.005)
    np.testing.assert_allclose(as_array(padded)[:, 250:], np.broadcast_to(expected, (300, 50, channels)), atol=0.005)


def test_missing_and_infinite_values_at_the_edge_do_not_spoil_the_padding() -> None:
    image = picture(200, 300, SUBJECT, background=0.8)
    image[50:60, 0] = np.nan
    image[70:80, 0] = np.inf
    padded = as_array(framed(pixels_of(image), pad=True))
    np.testing.assert_allclose(padded[:, :50], np.broadcast_to([0.8, 0.8, 0.8, 1.0], (300, 50, 4)), atol=0.005)


def test_both_options_make_a_square_of_the_subject() -> None:
    image = picture(256, 200, SUBJECT)
    both = as_array(framed(pixels_of(image), crop=True, pad=True))
    assert both.shape == (112, 112, 4)
    np.testing.assert_array_equal(both[25:87], image[34:96, 94:206])


def test_a_long_image_is_scaled_down_before_it_is_padded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SOURCE_SIDE_PX", 64)
    pixels = pixels_of(picture(1024, 32, Box(200, 0, 800, 32)))
    padded = framed(pixels, pad=True)
    assert (padded.width, padded.height) == (64, 64)
    rows, columns = np.nonzero(sent(padded)[:, :, 3])
    assert (set(rows), columns.min(), columns.max()) == ({31, 32}, 12, 49)


def test_an_alpha_channel_that_cuts_nothing_out_is_not_sent() -> None:
    image = picture(256, 256, Box(60, 60, 200, 200), background=0.8)
    image[:, :, 3] = 254 / 255
    for options in ({}, {"crop": True}, {"pad": True}):
        assert sent(framed(pixels_of(image), **options)).shape[2] == 3
    assert sent(framed(pixels_of(picture(256, 256, SUBJECT)))).shape[2] == 4


sides = st.integers(1, 40) | st.sampled_from([257, 300])
values = st.sampled_from([0.0, 0.5, 1.0, 9.0, -1.0, math.nan, math.inf, -math.inf])


@st.composite
def any_pixels(draw: st.DrawFn) -> Pixels:
    width, height, channels = draw(sides), draw(sides), draw(st.integers(1, 4))
    palette = np.array(draw(st.lists(values, min_size=1, max_size=4)), np.float32)
    chosen = np.random.default_rng(draw(st.integers(0, 99))).choice(palette, (height, width, channels))
    if draw(st.booleans()):  # a subject on nothing, so that there is something to crop
        box = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        chosen[: box[0]] = chosen[:, : box[1]] = 0.0
    return Pixels(width, height, chosen.ravel(), channels, is_linear=draw(st.booleans()), has_alpha=draw(st.booleans()))


@given(any_pixels(), st.booleans(), st.booleans(), st.sampled_from([16, 2048]))
def test_any_image_is_framed_without_being_altered_and_sent_in_the_size_that_was_said(
    pixels: Pixels, crop: bool, pad: bool, limit: int
) -> None:
    before = pixels.values.copy()
    pixels.values.flags.writeable = False
    check = check_image(pixels)
    with mock.patch.object(limits, "MAX_SOURCE_SIDE_PX", limit), np.errstate(all="ignore"):
        result = frame(pixels, crop_to_subject=crop, pad_to_square=pad, check=check)
        height, width = sent(result).shape[:2]
        assert (width, height) == sent_size(check, crop_to_subject=crop, pad_to_square=pad)
    assert not pad or width == height
    assert not check.subject or result.width >= min(check.subject.width, limit)
    np.testing.assert_array_equal(pixels.values, before)


@pytest.mark.parametrize(
    ("subject", "found", "left"),
    [
        (Box(0, 0, 300, 300), (Finding.CUT_AT_EDGE, Finding.NEARLY_EMPTY), (Finding.CUT_AT_EDGE,)),
        (Box(10, 10, 110, 110), (Finding.NEARLY_EMPTY,), (Finding.TINY,)),
        (Box(100, 100, 340, 340), (Finding.NEARLY_EMPTY,), ()),
        (None, (Finding.NEARLY_EMPTY,), (Finding.NEARLY_EMPTY,)),
    ],
    ids=["cut", "few pixels", "small", "nothing"],
)
def test_a_crop_remedies_emptiness_and_nothing_else(
    subject: Box | None, found: tuple[Finding, ...], left: tuple[Finding, ...]
) -> None:
    check = ImageCheck(4096, 4096, subject, has_alpha=True, findings=found)
    assert findings_when_sent(check, crop_to_subject=True) == left
    assert findings_when_sent(check, crop_to_subject=False) == found


@pytest.mark.parametrize(("size", "rows", "columns"), [((1000, 500), (16, 48), (0, 64)), ((5, 20), (0, 64), (24, 40))])
def test_a_thumbnail_shows_the_whole_image_as_large_as_it_fits(
    size: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    image = np.ones((size[1], size[0], 3), np.float32)
    image[: size[1] // 2] = (1.0, 0.0, 0.0)  # the lower half
    small = thumbnail(pixels_of(image), 64)
    assert (small.width, small.height, small.channels, small.is_linear) == (64, 64, 4, False)
    shown = as_array(small)
    inside = shown[slice(*rows), slice(*columns)].copy()
    half = len(inside) // 2
    assert (inside[:half] == (1.0, 0.0, 0.0, 1.0)).all() and (inside[half:] == 1.0).all()
    shown[slice(*rows), slice(*columns)] = 0.0
    assert not shown.any()


def test_the_thumbnail_of_a_float_image_is_in_srgb_with_straight_alpha() -> None:
    image = np.broadcast_to(np.array([0.2140411 * 0.5, 0.0, 0.5, 0.5], np.float32), (40, 40, 4))
    small = as_array(thumbnail(pixels_of(image, is_linear=True), 8))
    np.testing.assert_allclose(small, np.broadcast_to([0.5, 0.0, 1.0, 0.5], (8, 8, 4)), atol=1e-4)


@given(any_pixels(), st.integers(1, 64))
def test_a_thumbnail_of_any_image_is_a_square_of_colors(pixels: Pixels, side: int) -> None:
    with np.errstate(all="raise", under="ignore"):
        small = thumbnail(pixels, side)
    assert small.values.dtype == np.float32 and small.values.shape == (side * side * 4,)
    assert ((small.values >= 0.0) & (small.values <= 1.0)).all()


def test_there_is_no_thumbnail_of_nothing() -> None:
    with pytest.raises(SourceImageError, match=r"no pixels\."):
        thumbnail(Pixels(0, 0, np.zeros(0, np.float32)), 64)
