# SPDX-License-Identifier: GPL-3.0-or-later
"""In a real window, against the stand-in: the panel, the click, the progress, the mesh; and what may come between."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.gui.conftest import Window


@pytest.fixture
def service(standin: Any) -> Any:
    standin.clear_faults()
    standin.set_options(job_seconds=6.0, mesh_scale="honoured", texture_format="webp")
    return standin


def test_one_click_is_one_mesh_one_charge_and_one_undo_step(window: Window, service: Any) -> None:
    before = len(service.charges())
    seen = window.play("generate", service.environment()).recorded
    assert not seen["imported_in_edit_mode"]
    assert seen["vertices"] > 2000
    assert seen["largest_side"] == pytest.approx(1.0, rel=1e-3)
    assert seen["stands_at"] == pytest.approx([1.5, -1.0, 0.0], abs=1e-3)
    assert (seen["selected"], seen["active"]) == (["mushroom"], "mushroom")
    assert seen["cube_after_undo"] == [-2.0, 0.0, 0.0]
    assert len(service.charges()) == before + 1


def test_after_file_open_a_mesh_waits_for_its_file_or_a_click_or_comes_as_set(window: Window, service: Any) -> None:
    charges = len(service.charges())
    seen = window.play("open_file", service.environment()).recorded
    assert seen["scene"] == "Other Scene"
    assert seen["state_after_open"] == "running"
    assert seen["placed_in_other_file_by_itself"] == []
    assert seen["placed_in_own_file"] == [["First Scene"]], "the file got its name after the click"
    assert seen["placed_by_a_click"] == [["Other Scene"]]
    assert seen["placed_as_set"] == [["Other Scene"]]
    assert len(service.charges()) == charges + 3


@pytest.mark.newest_only
def test_many_clicks_wait_for_their_turn_and_all_arrive(window: Window, service: Any) -> None:
    charges = len(service.charges())
    seen = window.play("many", service.environment()).recorded
    assert seen["queued"] == 2
    assert "Nothing was charged" in seen["stopped"]
    assert len(seen["places"]) == 4 and len(set(seen["places"])) == 4
    assert seen["after_undo"] == 3, "one undo takes back one model"
    assert len(service.charges()) == charges + 4


def test_a_mesh_waits_for_a_safe_moment_and_no_mode_is_changed_for_it(window: Window, service: Any) -> None:
    seen = window.play("safe_moments", service.environment()).recorded
    for name in ("playback", "sculpting", "linked"):
        assert seen[f"{name}: placed"] == 0, name
    assert "playback" in seen["playback: waits"] and seen["playback: plays on"]
    assert "Object Mode" in seen["sculpting: waits"] and seen["sculpting: mode"] == "SCULPT"
    assert "linked" in seen["linked: waits"]
    assert seen["models"] == 3


@pytest.mark.newest_only
def test_what_was_interrupted_goes_on_by_itself_with_a_better_key_and_online_again(
    window: Window, service: Any
) -> None:
    service.set_options(job_seconds=15.0)
    charges = len(service.charges())
    environment = {"GUI_KEY": service.key, "GUI_SECRET": service.secret, "GUI_BASE_URL": service.base_url}
    seen = window.play("by_itself", environment).recorded
    assert "key" in seen["wrong_key"]
    assert seen["state_with_the_same_key"] == "running"
    assert seen["state_when_offline"] == "running"
    assert seen["requests_while_offline"] == 0
    assert len(service.charges()) == charges + 2


def test_blender_auto_saves_during_a_long_job(window: Window, service: Any) -> None:
    service.set_options(job_seconds=300.0)
    seen = window.play("auto_save", service.environment()).recorded
    assert seen["state_at_save"] == "running"


def test_disabling_and_quitting_take_less_than_a_second_whatever_the_network_does(window: Window, service: Any) -> None:
    service.set_options(job_seconds=300.0)
    service.set_faults([{"method": "GET", "path": "/v1/jobs/.*", "times": 100, "action": "hang", "seconds": 60}])
    seen = window.play("leave", service.environment()).recorded
    assert not seen["timer_left"]
    # The promise is what is asserted here, so there is no way around the clock.
    assert seen["seconds_to_disable"] < 1.0
    assert time.time() - seen["quit_at"] < 1.0 + PROCESS_END_SECONDS


PROCESS_END_SECONDS = 1.5
"""Blender's own end, the chroot's and the display's; an idle Blender takes about as long."""


def test_a_double_click_is_one_charge_and_nothing_is_imported_in_the_middle_of_a_move(
    window: Window, service: Any
) -> None:
    service.set_options(job_seconds=20.0)  # on a busy machine the keys take seconds
    charges = len(service.charges())
    seen = window.play("busy", service.environment()).recorded
    assert seen["generations"] == 1
    assert len(service.charges()) == charges + 1
    assert seen["moved_meanwhile"], "the scenario moved nothing"
    assert not seen["imported_while_moving"]
    assert seen["cube_after_escape"] == seen["cube_after_redo"] == [0.0, 0.0, 0.0]


@pytest.mark.newest_only
def test_every_trouble_is_a_sentence_in_the_panel_and_can_be_mended(window: Window, service: Any) -> None:
    service.set_options(job_seconds=20.0)  # the mouse takes seconds to find a button
    charges = len(service.charges())
    environment = {"GUI_KEY": service.key, "GUI_SECRET": service.secret, "GUI_BASE_URL": service.base_url}
    seen = window.play("troubles", environment).recorded
    assert "key" in seen["wrong_key"]
    assert "reach" in seen["server_down"]
    assert seen["charges_made_by_fetching"] == 1
    assert len(service.charges()) == charges + 1
    assert seen["test_connection"].startswith("Connected to the project ")


def test_one_click_beside_the_open_image_or_the_selected_node_is_a_mesh(window: Window, service: Any) -> None:
    charges = len(service.charges())
    assert window.play("editors", service.environment()).recorded["models"] == ["mushroom", "mushroom.001"]
    assert len(service.charges()) == charges + 2


@pytest.mark.newest_only
def test_a_blender_that_was_killed_in_the_middle_is_made_up_for_by_the_next(window: Window, service: Any) -> None:
    charges = len(service.charges())
    with pytest.raises(pytest.fail.Exception, match="Blender ended with"):
        window.play("die", service.environment())
    seen = window.play("next_morning", service.environment()).recorded
    assert not seen["in_the_scene_by_itself"], "another file may be open by now: the artist decides"
    assert seen["in_the_scene"]
    assert len(service.charges()) == charges + 1
