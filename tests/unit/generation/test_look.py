# SPDX-License-Identifier: GPL-3.0-or-later
"""The thumbnail shows what is sent, and a smaller copy of an image is judged as the image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixal3d_addon.generation import Framing, Pixels, limits
from pixal3d_addon.generation.image_check import Box, Finding, check_image
from pixal3d_addon.generation.look import FRAMINGS, THUMBNAIL_SIDE_PX, Original, resized, see, without_bands


def square(width: int, height: int, box: Box) -> Pixels:
    """A dark box in front of white."""
    picture = np.ones((height, width, 4), np.float32)
    picture[box.bottom : box.top, box.left : box.right, :3] = 0.1
    return Pixels(width, height, picture.reshape(-1))


def dark_share(thumbnail: Pixels) -> float:
    picture = thumbnail.values.reshape(THUMBNAIL_SIDE_PX, THUMBNAIL_SIDE_PX, 4)
    return float(((picture[:, :, 0] < 0.5) & (picture[:, :, 3] > 0.5)).mean())


def test_a_thumbnail_for_each_way_of_framing_shows_what_is_sent() -> None:
    pixels = square(1024, 512, Box(256, 128, 512, 384))
    seen, thumbnails = see(pixels, Original(1024, 512))
    assert tuple(thumbnails) == FRAMINGS and len(set(FRAMINGS)) == 4
    assert seen.check == check_image(pixels)
    assert dark_share(thumbnails[Framing()]) == pytest.approx(256**2 / 1024**2, rel=0.05)
    assert dark_share(thumbnails[Framing(crop_to_subject=True)]) == pytest.approx(1 / 1.12**2, rel=0.05)
    padded = thumbnails[Framing(pad_to_square=True)].values.reshape(-1, 4)
    assert (padded[:, 3] == 1.0).all(), "filled up with the background"
    assert (thumbnails[Framing()].values.reshape(-1, 4)[:, 3] == 0.0).mean() == pytest.approx(0.5, abs=0.01)


def test_a_large_image_is_judged_by_its_preview_in_its_own_size() -> None:
    preview = np.zeros((128, 128, 4), np.float32)  # of 8192 x 4096 px: bands above and below
    preview[32:96] = square(128, 64, Box(32, 16, 64, 48)).values.reshape(64, 128, 4)
    original = Original(8192, 4096)
    picture = without_bands(preview.reshape(-1), (128, 128), original)
    assert (picture.width, picture.height) == (128, 64)
    seen, _ = see(picture, original)
    assert (seen.check.width, seen.check.height) == (8192, 4096)
    assert seen.check.subject == Box(2048, 1024, 4096, 3072)
    assert seen.check.findings == ()


def test_a_resized_check_keeps_what_was_in_the_box_and_knows_its_size() -> None:
    check = check_image(square(1000, 1000, Box(333, 333, 667, 667)))
    assert check.subject
    small = resized(check, 77, 77)
    assert small.subject and small.findings == (Finding.TINY,)
    scale = 77 / 1000
    assert small.subject.left <= check.subject.left * scale and small.subject.right >= check.subject.right * scale
    assert resized(small, 1000, 1000).findings == ()


def test_a_file_that_is_gone_or_too_large_does_not_go_as_it_is(tmp_path: Path) -> None:
    pixels = square(64, 64, Box(16, 16, 48, 48))
    file = tmp_path / "image.png"

    def goes(original: Original) -> bool:
        return see(pixels, original)[0].goes_as_it_is

    assert not goes(Original(64, 64, True, str(file)))
    file.write_bytes(b"any")
    assert goes(Original(64, 64, True, str(file)))
    assert not goes(Original(64, 64, False, str(file)))
    assert goes(Original(64, 64, True, packed_bytes=limits.MAX_SOURCE_BYTES))
    assert not goes(Original(64, 64, True, packed_bytes=limits.MAX_SOURCE_BYTES + 1))
