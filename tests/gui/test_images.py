# SPDX-License-Identifier: GPL-3.0-or-later
"""In a real window: what the view shows, the clipboard, a render and the compositor's viewer become the image."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gui.conftest import Window

pytestmark = pytest.mark.xdist_group("images")  # one Blender serves them all


@pytest.fixture(scope="module")
def played() -> dict[str, Any]:
    """One Blender for all of them."""
    return {}


@pytest.fixture
def seen(window: Window, played: dict[str, Any]) -> dict[str, Any]:
    blender = str(window.blender)
    if blender not in played:
        played[blender] = {}  # a failure is not repeated by each test
        played[blender] = window.play("images", timeout=240.0).recorded
    recorded: dict[str, Any] = played[blender]
    return recorded


def assert_in_the_middle_on_transparency(look: dict[str, Any], largest_part: float) -> None:
    assert look["middle"][3] == 1.0
    assert look["corner_alpha"] == [0.0] * 4
    assert 0.01 < look["covered"][0] < largest_part


@pytest.mark.parametrize("shading", ["SOLID", "RENDERED"])
def test_the_view_is_captured_without_overlays_and_stays_as_it_was(seen: dict[str, Any], shading: str) -> None:
    look = seen[f"view {shading}"]
    assert look["size"] == [1024, 1024]
    assert_in_the_middle_on_transparency(look, 0.06)  # grid, axes, camera and lamp would cover more
    assert look["covered"][0] == pytest.approx(seen["view SOLID"]["covered"][0], rel=0.1), "the same part of the view"
    assert seen[f"view {shading} restored"]
    name, is_packed, is_dirty = seen[f"view {shading} kept"]
    assert name.startswith("View") and is_packed and not is_dirty


def test_what_can_not_be_captured_is_a_sentence(seen: dict[str, Any]) -> None:
    assert "nothing in the middle" in seen["view empty"]
    assert "Material Preview" in seen["view cycles"]


def test_the_clipboards_path_is_taken_and_other_text_is_a_sentence(seen: dict[str, Any]) -> None:
    assert seen["clipboard path"] == seen["clipboard address"] == "mushroom.png"
    assert "no image in the clipboard" in seen["clipboard nothing"]


def test_a_pasted_image_is_kept_and_every_editor_stays_as_it_was(seen: dict[str, Any]) -> None:
    assert seen["pasted"] == ["Clipboard", True, False, 0.25]
    assert seen["pasted restored"]
    assert seen["pasted in an Image Editor"].startswith("Clipboard")
    assert seen["still shown"] == [True, False, "IMAGE_EDITOR"]


def test_the_last_render_is_taken_with_its_alpha_and_so_is_the_render_result_itself(seen: dict[str, Any]) -> None:
    assert "Nothing was rendered" in seen["before a render"]
    assert_in_the_middle_on_transparency(seen["render"], 0.5)
    assert seen["render result"] == seen["render"]


def test_the_compositors_viewer_is_sent_as_it_is_seen(seen: dict[str, Any]) -> None:
    assert seen["viewers"] == 1
    assert seen["viewer"]["middle"] == pytest.approx(seen["render"]["middle"], abs=0.01)


def test_of_a_sequence_the_frame_that_the_image_editor_shows_is_sent(seen: dict[str, Any]) -> None:
    assert seen["frame shown"] == [4, 0.4], "the scene's frame 2 and the editor's offset of 2"


def test_a_file_is_chosen_in_the_file_browser(seen: dict[str, Any]) -> None:
    assert seen["file"] == "mushroom.png"
