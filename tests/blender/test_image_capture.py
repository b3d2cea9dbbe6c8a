# SPDX-License-Identifier: GPL-3.0-or-later
"""The clipboard and the last render become an image that is selected, and that stays with the .blend file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy  # isort: skip
import numpy as np
import pytest

from .test_image_source import assert_is_the_half, decoded, rendered_half

SAMPLE = Path(__file__).resolve().parents[2] / "scripts/sample/mushroom.png"


def pixels_of(image: bpy.types.Image) -> np.ndarray:
    """Top row first."""
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], 4)[::-1]


def test_the_last_render_is_selected_and_stays_when_the_file_is_opened_again(addon: Any, tmp_path: Path) -> None:
    rendered_half()
    assert bpy.ops.pixal3d.use_render() == {"FINISHED"}
    image = bpy.context.scene.pixal3d.image
    assert (image.name, image.filepath) == ("Render", "")
    assert_is_the_half(pixels_of(image))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "kept.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "kept.blend"))
    assert_is_the_half(pixels_of(bpy.context.scene.pixal3d.image))


def test_each_render_that_is_used_is_an_image_of_its_own(addon: Any) -> None:
    rendered_half()
    bpy.ops.pixal3d.use_render()
    first = bpy.context.scene.pixal3d.image
    bpy.ops.pixal3d.use_render()
    assert bpy.context.scene.pixal3d.image != first and bpy.data.images["Render"] == first


def test_the_render_that_was_used_is_sent_with_its_alpha(addon: Any, room: Any, tmp_path: Path) -> None:
    import threading

    rendered_half()
    bpy.ops.pixal3d.use_render()
    source = room("blender.image_source").source_image(bpy.context.scene.pixal3d.image)
    assert source.title == "Render"
    file = room("generation.source").write_source(source, tmp_path, threading.Event())
    assert_is_the_half(decoded(file.path.read_bytes()))


def test_without_a_render_one_is_told_so_and_nothing_is_selected(addon: Any) -> None:
    bpy.context.window.scene = bpy.data.scenes.new("Never Rendered")
    with pytest.raises(RuntimeError, match="Nothing was rendered in this scene yet"):
        bpy.ops.pixal3d.use_render()
    assert bpy.context.scene.pixal3d.image is None


def test_the_window_is_asked_for_what_only_it_can_do(addon: Any) -> None:
    for operator in (bpy.ops.pixal3d.use_view, bpy.ops.pixal3d.use_clipboard):
        assert not operator.poll()
        with pytest.raises(RuntimeError, match="needs a Blender window"):
            operator()


@pytest.mark.parametrize(
    "text",
    [str(SAMPLE), f'  "{SAMPLE}"\n', f"'{SAMPLE}'", SAMPLE.as_uri(), f"{SAMPLE.as_uri()}\r\nfile:///tmp/other.png"],
    ids=["bare", "quoted", "single", "uri", "uris"],
)
def test_the_path_of_an_image_in_the_clipboard_is_taken(addon: Any, room: Any, text: str) -> None:
    # Background Blender has no clipboard, so its text is handed in; the window test uses the real one.
    context = SimpleNamespace(window_manager=SimpleNamespace(clipboard=text))
    image = room("blender.clipboard").image_of_clipboard(context)
    assert Path(image.filepath) == SAMPLE
    assert room("blender.clipboard").image_of_clipboard(context) == image, "not loaded twice"


def test_a_path_with_blanks_and_umlauts_is_read_from_an_address(addon: Any, room: Any, tmp_path: Path) -> None:
    path = tmp_path / "grüner Pilz.png"
    path.write_bytes(SAMPLE.read_bytes())
    context = SimpleNamespace(window_manager=SimpleNamespace(clipboard=path.as_uri()))
    assert Path(room("blender.clipboard").image_of_clipboard(context).filepath) == path


@pytest.mark.parametrize(
    "text",
    ["", "hello", "/nowhere/a.png", str(Path(__file__)), "a\0b.png", "x" * 100_000 + ".png", "file:", "file://["],
)
def test_a_clipboard_without_an_image_is_a_sentence(addon: Any, room: Any, text: str) -> None:
    context = SimpleNamespace(window_manager=SimpleNamespace(clipboard=text))
    with pytest.raises(room("blender.errors").NoImageError, match="no image in the clipboard"):
        room("blender.clipboard").image_of_clipboard(context)
    assert not bpy.data.images


def test_the_tile_or_the_frame_is_drawn_only_for_images_that_have_them(addon: Any, room: Any) -> None:
    image = bpy.data.images.new("Any", 4, 4)
    for source, expected in (
        ("GENERATED", []),
        ("TILED", ["udim_tile"]),
        ("MOVIE", ["frame"]),
        ("SEQUENCE", ["frame"]),
    ):
        image.source = source
        drawn: list[str] = []
        layout = SimpleNamespace(prop=lambda owner, name, drawn=drawn: drawn.append(name))
        room("ui.image_operators").draw_part(layout, bpy.context.scene.pixal3d, image)
        assert drawn == expected
    room("ui.image_operators").draw_part(None, bpy.context.scene.pixal3d, None)
