# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that lie about themselves, pixels that are no colors, and names and settings that are none."""

from __future__ import annotations

import contextlib
import io
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixal3d_addon.generation import Pixels, SourceImage, SourceImageError
from pixal3d_addon.generation.framing import frame, thumbnail
from pixal3d_addon.generation.image_check import check_image
from pixal3d_addon.generation.look import Original, see
from pixal3d_addon.generation.png import encode_png
from pixal3d_addon.generation.source import sniff_mime, write_source
from pixal3d_addon.parameters import ParameterError, complete, from_request, readable, request_body
from pixal3d_addon.scenario.image_size import image_size, image_sizes_in_glb

from .images import a_png

HEADS = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff\xe1\0\x10Exif\0\0", b"\xff\xd8\xff\xe0\0\x02\xff\xc0\0\x11\x08",
    b"RIFF\xff\xff\xff\xffWEBPVP8X", b"RIFF\0\0\0\0WEBPVP8 ", b"RIFF\0\0\0\0WEBPVP8L", b"GIF89a", b"II*\0", b"MM\0*",
    b"\0\0\0\x20ftypavif", b"\0\0\0\x20ftypheic", b"v/1\x01", b"#?RADIANCE\n", b"<svg", b"",
)  # fmt: skip


@given(st.sampled_from(HEADS), st.binary(max_size=200))
def test_any_bytes_have_a_size_or_none(head: bytes, rest: bytes) -> None:
    size = image_size(io.BytesIO(head + rest))
    assert size is None or all(isinstance(length, int) and 0 <= length < 2**32 for length in size)
    assert sniff_mime((head + rest)[:16]) is None or head


def test_a_file_that_leads_on_and_on_is_not_followed_to_its_end() -> None:
    assert image_size(io.BytesIO(b"\xff\xd8" + b"\xff" * 3_000_000)) is None
    assert image_size(io.BytesIO(b"\xff\xd8" + b"\xff\xe1\0\2" * 500_000)) is None
    assert image_size(io.BytesIO(b"\xff\xd8" + b"\xff\xe1\0\0" * 500_000)) is None


@pytest.mark.parametrize(
    "document",
    [
        b"[" * 300_000,
        b'{"images":7}',
        b'{"images":[{"bufferView":"x"}],"bufferViews":[]}',
        *(b'{"images":[{"bufferView":0}],"bufferViews":[{"byteOffset":%s,"byteLength":[]}]}' % at
          for at in (b"-1", b"1e999", b"-1e999", b"9" * 400, b"9" * 5000, b"[]", b"1.5")),
    ],
)  # fmt: skip
def test_a_glb_that_lies_about_its_pictures_tells_of_none(tmp_path: Path, document: bytes) -> None:
    glb = tmp_path / "model.glb"
    for length in (len(document), 2**32 - 1, 0):
        glb.write_bytes(struct.pack("<4sIII4s", b"glTF", 2, 99, length, b"JSON") + document + a_png())
        assert image_sizes_in_glb(glb) == {}


@given(st.sampled_from(HEADS), st.binary(max_size=60), st.sampled_from(["a.png", "a.exr", "", "CON", "../a.jpg"]))
def test_any_bytes_are_written_as_they_are_or_refused(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, rest: bytes, name: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    with contextlib.suppress(SourceImageError):
        written = write_source(SourceImage(name, head + rest), folder, threading.Event())
        assert written.path.parent == folder and written.path.read_bytes() == head + rest


ODD = np.array([0, 1, -1, 0.5, np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, 65504], np.float32)


@pytest.mark.parametrize("size", [(1, 1), (1, 270), (270, 2), (3, 5)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("is_linear", [False, True])
def test_any_pixels_are_judged_framed_and_encoded(size: tuple[int, int], channels: int, is_linear: bool) -> None:
    chance = np.random.default_rng(sum(size) * channels)
    count = size[0] * size[1] * channels
    for values in (chance.choice(ODD, count), np.full(count, np.nan, np.float32), np.zeros(count, np.float32)):
        with np.errstate(all="ignore"):
            pixels = Pixels(*size, values, channels, is_linear)
            check = check_image(pixels)
            for crop in (False, True):
                framed = frame(pixels, crop_to_subject=crop, pad_to_square=True, check=check)
                png = encode_png(framed, threading.Event())
                width, height = struct.unpack_from(">II", png, 16)
                assert 1 <= min(width, height) and max(width, height) <= 2048
            thumbnail(pixels, 64)
            if channels == 4:
                see(pixels, Original(*size))


@given(st.text(st.characters(exclude_categories=[])) | st.sampled_from(["/", "..", ".png", "a\0b.png", "\udcff.png"]))
def test_any_name_has_a_title_that_blender_takes(name: str) -> None:
    title = SourceImage(name, b"").title
    assert title and "\0" not in title and "/" not in title and title.encode()


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())


@given(st.dictionaries(st.sampled_from([*complete({}), "x"]), VALUES, max_size=4))
def test_any_settings_are_taken_or_refused_in_words(values: dict[str, object]) -> None:
    assert complete(readable(values)) == readable(values) and from_request(values)
    with contextlib.suppress(ParameterError):
        assert complete(complete(values)) == complete(values)
        assert request_body(values, "asset_1")["image"] == "asset_1"
