# SPDX-License-Identifier: GPL-3.0-or-later
"""The other ways in: a file that is dropped, and the menus."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy  # isort: skip
import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "scripts/sample/mushroom.png"


def test_a_dropped_file_is_selected_once_and_nothing_is_sent(service: Any) -> None:
    requests = len(service.requests())
    for _ in range(2):
        assert bpy.ops.pixal3d.drop_image(filepath=str(SAMPLE)) == {"FINISHED"}
    assert bpy.context.scene.pixal3d.image == bpy.data.images["mushroom.png"] and len(bpy.data.images) == 1
    assert len(service.requests()) == requests


def test_a_dropped_file_that_is_not_there_or_no_image_is_a_sentence(service: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    with pytest.raises(RuntimeError, match="is not there"):
        bpy.ops.pixal3d.drop_image(filepath=str(path))
    path.write_bytes(b"no image")
    bpy.ops.pixal3d.drop_image(filepath=str(path))  # Blender loads what it can't show; Generate says so
    with pytest.raises(RuntimeError, match="notes"):
        bpy.ops.pixal3d.generate()


@pytest.mark.parametrize(("area", "is_taken"), [("VIEW_3D", True), ("IMAGE_EDITOR", True), ("TEXT_EDITOR", False)])
def test_images_are_taken_where_an_artist_would_drop_them(addon: Any, room: Any, area: str, is_taken: bool) -> None:
    handler = room("ui.entrances").PIXAL3D_FH_image
    assert handler.poll_drop(SimpleNamespace(area=SimpleNamespace(type=area))) is is_taken
    assert not handler.poll_drop(SimpleNamespace(area=None))
    assert ".png" in handler.bl_file_extensions and handler.bl_import_operator == "pixal3d.drop_image"
