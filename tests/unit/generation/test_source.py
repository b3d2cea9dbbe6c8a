# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that is sent: the same picture as the artist's, in a form that the service takes."""

from __future__ import annotations

import hashlib
import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixal3d_addon.generation import NotFinishedError, Pixels, SourceImage, SourceImageError, limits
from pixal3d_addon.generation.png import encode_png
from pixal3d_addon.generation.source import sniff_mime, source_image_from_file, write_source

GO = threading.Event()


def random_picture(width: int, height: int, channels: int = 4) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, channels), np.uint8)


def as_blender_holds_it(picture: np.ndarray) -> np.ndarray:
    """What ``image.pixels.foreach_get`` would give: floats, bottom row first."""
    return (picture[::-1].astype(np.float32) / 255.0).ravel()


def decoded(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return np.asarray(image)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (300, 700)])
def test_painted_pixels_arrive_exactly_the_right_way_up(channels: int, size: tuple[int, int]) -> None:
    picture = random_picture(*size, channels)
    png = encode_png(Pixels(*size, as_blender_holds_it(picture), channels), GO)
    assert np.array_equal(decoded(png).reshape(picture.shape), picture)


def test_scene_linear_pixels_are_encoded_as_srgb_with_straight_alpha() -> None:
    straight = np.array([[[0.0, 0.002, 0.5, 1.0], [1.0, 0.2140, 0.5, 0.5], [4.0, 0.1, 0.1, 1.0]]], np.float32)
    premultiplied = straight.copy()
    premultiplied[:, :, :3] *= premultiplied[:, :, 3:]
    png = encode_png(Pixels(3, 1, premultiplied.ravel(), 4, is_linear=True), GO)
    # 0.5 linear is 188 and 0.214 is 127 or 128 of 255 in sRGB; brighter than white is white.
    assert decoded(png).tolist() == [[[0, 7, 188, 255], [255, 127, 188, 128], [255, 89, 89, 255]]]


def test_infinite_and_missing_values_of_a_float_image_do_not_break_the_picture() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 1.0], np.float32)
    assert decoded(encode_png(Pixels(1, 1, values, 4, is_linear=True), GO)).tolist() == [[[0, 255, 0, 255]]]


def test_alpha_that_does_not_mean_transparency_is_not_sent() -> None:
    picture = random_picture(8, 8)
    png = encode_png(Pixels(8, 8, as_blender_holds_it(picture), 4, has_alpha=False), GO)
    assert np.array_equal(decoded(png), picture[:, :, :3])


def test_a_larger_picture_is_scaled_to_the_limit_and_still_shows_the_same() -> None:
    limit = limits.MAX_SOURCE_SIDE_PX
    across = np.linspace(0, 1, 3 * limit // 2, dtype=np.float32)
    picture = np.ones((1000, len(across), 4), np.float32)
    picture[:, :, 0] = across
    picture[:500, :, 1] = 0.0  # bottom half, as Blender counts rows
    small = decoded(encode_png(Pixels(len(across), 1000, picture.ravel(), 4), GO))
    assert small.shape == (round(1000 * 2 / 3), limit, 4)
    assert np.abs(small[:, :, 0].astype(float) - np.linspace(0, 255, limit)).max() <= 1.0
    assert small[0, 0, 1] == 255 and small[-1, 0, 1] == 0


def test_scaling_does_not_bleed_the_color_of_invisible_pixels_into_the_edge() -> None:
    size = limits.MAX_SOURCE_SIDE_PX * 2
    picture = np.zeros((2, size, 4), np.float32)
    picture[:, :, 0] = 1.0  # invisible red …
    picture[:, 1::2] = (0.0, 1.0, 0.0, 1.0)  # … beside opaque green in every pair
    small = decoded(encode_png(Pixels(size, 2, picture.ravel(), 4), GO))
    assert small[0, :, :3].max(axis=0).tolist() == [0, 255, 0]
    assert set(small[0, :, 3]) == {128}


def test_a_stopped_encoding_ends_at_once() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(NotFinishedError):
        encode_png(Pixels(8, 8, np.zeros(256, np.float32)), stop)


def test_an_image_without_pixels_is_refused_with_a_remedy() -> None:
    with pytest.raises(SourceImageError, match=r"no pixels\. .*select another"):
        encode_png(Pixels(0, 0, np.zeros(0, np.float32)), GO)


@pytest.mark.parametrize(
    ("format_", "mime"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("TIFF", "image/tiff"),
    ],
)
def test_a_file_is_sent_byte_for_byte_and_called_what_it_is(tmp_path: Path, format_: str, mime: str) -> None:
    original = tmp_path / "picture.of.a.chair"  # the name says nothing: the content counts
    Image.fromarray(random_picture(16, 16, 3)).save(original, format_)
    file = write_source(source_image_from_file(original), tmp_path, GO)
    assert file.path.read_bytes() == original.read_bytes()
    assert (file.mime, file.size) == (mime, original.stat().st_size)
    assert file.sha256 == hashlib.sha256(original.read_bytes()).hexdigest()


def test_packed_bytes_are_sent_as_they_are(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(random_picture(16, 16)).save(buffer, "PNG")
    file = write_source(SourceImage("Packed", buffer.getvalue()), tmp_path, GO)
    assert file.path.read_bytes() == buffer.getvalue()
    assert file.mime == "image/png"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty\. Select another"),
        (b"BM" + bytes(64), r"format that the service does not take\. Save it as PNG or JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(limits.MAX_SOURCE_BYTES), r"too large to send \(21 MB\)\. Scale it down"),
    ],
    ids=["empty", "bmp", "large"],
)
def test_what_cannot_be_sent_is_refused_with_a_remedy(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(content)
    for source in (SourceImage("image.png", content), source_image_from_file(path)):
        with pytest.raises(SourceImageError, match=message):
            write_source(source, tmp_path, GO)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceImageError, match=r"nowhere\.png\. Find the file"):
        write_source(source_image_from_file(tmp_path / "nowhere.png"), tmp_path, GO)
    with pytest.raises(SourceImageError, match="can't be read"):
        write_source(source_image_from_file(tmp_path), tmp_path, GO)


def test_heic_and_avif_are_known_by_their_brand() -> None:
    assert sniff_mime(b"\0\0\0\x18ftypheic\0\0\0\0") == "image/heic"
    assert sniff_mime(b"\0\0\0\x18ftypavif\0\0\0\0") == "image/avif"
    assert sniff_mime(b"\0\0\0\x18ftypisom\0\0\0\0") is None
    assert sniff_mime(b"") is None


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Chair.png", "Chair"),
        ("chair.v2.JPG", "chair.v2"),
        ("Chair.001", "Chair.001"),
        ("Chair.png.001", "Chair"),
        ("clip.mp4", "clip"),
        ("Chair", "Chair"),
        (".png", ".png"),
    ],
)
def test_a_model_is_called_after_its_image_without_the_file_extension(name: str, title: str) -> None:
    assert SourceImage(name, b"").title == title
