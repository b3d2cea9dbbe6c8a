# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of a picture is told from its first bytes, whatever they are."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import pytest
from PIL import Image

from pixal3d_addon.scenario.image_size import image_size, image_sizes_in_glb
from tests.unit.scenario.conftest import make_document, pack_glb


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_size_of_what_a_model_may_hold(kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, kind)
    file.seek(0)
    assert image_size(file) == (30, 20)


def test_a_jpeg_of_filling_does_not_keep_anybody_waiting() -> None:
    """Each byte of it is a step; four million took two seconds."""
    file = io.BytesIO(b"\xff\xd8" + b"\xff" * 4_000_000)
    assert image_size(file) is None
    assert file.tell() < 100_000


@pytest.mark.parametrize(
    "data",
    [
        pack_glb(b"[" * 100_000, b""),
        pack_glb(b"[]", b""),
        pack_glb(b'{"images":[{"bufferView":0}],"bufferViews":[{"byteOffset":%d}]}' % 2**70, b""),
        struct.pack("<4sIIII", b"glTF", 2, 99, 2**32 - 1, 0),
    ],
    ids=["deep", "a list", "an offset beyond all files", "four gigabytes of description"],
)
def test_a_model_that_is_damaged_has_no_pictures(data: bytes, tmp_path: Path) -> None:
    """Two of these ended the worker that counts a mesh."""
    path = tmp_path / "model.glb"
    path.write_bytes(data)
    assert image_sizes_in_glb(path) == {}


def test_pictures_in_a_model_are_found_by_their_lengths(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (3, 5)).save(file, "PNG")
    png = file.getvalue()
    document = make_document(len(png)) | {
        "images": [{"bufferView": 0}],
        "bufferViews": [{"buffer": 0, "byteLength": len(png)}],
    }
    path = tmp_path / "model.glb"
    path.write_bytes(pack_glb(json.dumps(document).encode(), png))
    assert image_sizes_in_glb(path) == {len(png): (3, 5)}
