# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge of the monkey sees what is wrong."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pixal3d_addon.generation import Generation, State
from tests.monkey.judge import judge
from tests.monkey.lives import Life, Story

GOOD = Generation("1.0-0000", {}, id="g", job_id="j", state=State.IMPORTED)
TOLD = {"name": "1.0-0000", "state": "imported", "on_disk": "imported"}
JOB = {"id": "j", "status": "success", "image_name": "1.0-0000.png"}
CHARGE = {"job_id": "j", "image_name": "1.0-0000.png"}


def life(**changes: Any) -> Life:
    report = {
        "error": "",
        "problems": [],
        "held": [],
        "unrest": [],
        "waiting": "",
        "generations": [TOLD],
        "removed": {},
        "let_go": [],
        "asked": {"g": "1.0-0000"},
        **changes,
    }
    return Life("1.0", 0, "Info: Saved", report, "", 150, 60.0)


def story(*records: Generation, **changes: Any) -> Story:
    return Story([life(**changes)], records, [JOB], [CHARGE])


def test_a_good_story_has_no_problems() -> None:
    assert judge(story(GOOD)) == []


@pytest.mark.parametrize("state", ["failed", "downloading", "uncertain", "abandoned"])
def test_a_finished_job_that_is_not_there_is_told(state: str) -> None:
    assert judge(story(GOOD.changed(state=State(state), error="The server has gone.")))


def test_what_the_artist_has_let_go_or_removed_is_no_loss() -> None:
    gone = GOOD.changed(state=State.ABANDONED, error="You stopped waiting.")
    assert judge(story(gone, let_go=["g"])) == []
    assert judge(story(removed={"g": {"name": "1.0-0000", "job_id": "j"}})) == []


def test_a_job_that_nobody_knows_is_told() -> None:
    assert judge(story())


def test_a_second_charge_is_told() -> None:
    twice = story(GOOD)
    twice.charges = [CHARGE, {**CHARGE, "job_id": "k"}]
    assert any("2 charges" in problem for problem in judge(twice))


def test_a_record_that_is_another_on_disk_is_told() -> None:
    assert judge(story(GOOD, generations=[{**TOLD, "on_disk": "running"}]))


@pytest.mark.parametrize(
    "line",
    [
        'Traceback (most recent call last):\n  File "x.py", line 1, in f\nKeyError: 3',
        '  File "/a/pixal3d_addon/ui/panels.py", line 3, in draw',
        "WARN (bpy.rna): current value '17' matches no enum in 'PIXAL3D_PG_settings', '', 'turn'",
        "A fault in the add-on while importing",
    ],
)
def test_a_fault_in_the_console_is_told(line: str) -> None:
    assert judge(Story([dataclasses.replace(life(), output=f"Info: a\n{line}\nInfo: b")], [GOOD], [JOB], [CHARGE]))


def test_blenders_own_noise_is_not() -> None:
    noise = (
        "Traceback (most recent call last):\n"
        '  File "/usr/share/blender/scripts/startup/bl_operators/wm.py", line 1209, in execute\n'
        '    subprocess.check_call(["xdg-open", filepath])\n'
        "FileNotFoundError: [Errno 2] No such file or directory: 'xdg-open'\n"
    )
    assert judge(Story([dataclasses.replace(life(), output=noise)], [GOOD], [JOB], [CHARGE])) == []


def test_a_blender_that_dies_is_told_with_its_last_action() -> None:
    dead = dataclasses.replace(life(), report=None, returncode=-11, last_action='{"do": "undo"}')
    assert any("-11" in problem and "undo" in problem for problem in judge(Story([dead])))
