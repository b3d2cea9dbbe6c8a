# SPDX-License-Identifier: GPL-3.0-or-later
"""In a real window: what will be sent is shown and judged before any click, whatever kind of image it is."""

from __future__ import annotations

from typing import Any

from tests.gui.conftest import Window


def test_every_kind_of_image_is_shown_as_it_will_be_sent_and_is_not_altered(window: Window, standin: Any) -> None:
    seen = window.play("look", standin.environment()).recorded
    assert seen["file"] == {"size": [4096, 4096], "sent": [4096, 4096], "findings": [], "icon": True, "problem": ""}
    assert seen["busy"]["findings"] == ["Busy Background"]
    assert seen["tiny"]["findings"] == ["Tiny Image"]
    assert seen["tiny"]["size"] == [128, 128]
    assert seen["painted"]["findings"] == ["Nearly Empty"]
    for kind in ("alpha", "packed", "tiled", "saved_preview", "own_preview"):
        assert (seen[kind]["size"], seen[kind]["findings"], seen[kind]["icon"]) == ([1024, 1024], [], True), kind
    assert (seen["huge"]["size"], seen["huge"]["findings"]) == ([4608, 4608], [])
    assert seen["float"]["size"] == [512, 512]
    assert seen["generated"]["size"] == [1024, 512]
    assert "Check that its file is there" in seen["missing"]["problem"]

    assert seen["cropped"]["size"] == [1024, 1024]
    assert 512 < seen["cropped"]["sent"][0] < 640, "half the image, and a margin"
    assert seen["wide"]["sent"] == [1536, 256]
    assert seen["padded"]["sent"] == [1536, 1536]

    assert seen["unchanged"]
    assert seen["own_preview_kept"] == [8, 8]
    for kind in ("saved_preview", "alpha", "packed"):
        assert not seen[f"{kind}: loaded before"], "the scenario proves nothing"
        assert seen[f"{kind}: opened"] == seen[kind]
    assert not seen["file_is_dirty"]
    # The promise is what is asserted here, so there is no way around the clock.
    assert seen["seconds_to_disable"] < 1.0
    assert not seen["timer_left"]
