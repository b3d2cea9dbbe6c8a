# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever an artist does while models arrive: no crash, no error of ours, no mesh lost, nothing paid twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.monkey.conftest import OUTPUT
from tests.monkey.judge import figures, judge
from tests.monkey.lives import live
from tests.support.blender_process import Blender

SHORT_ACTIONS = 130
LONG_LIVES, LONG_ACTIONS = 2, 260


def test_whatever_is_done_nothing_crashes_and_every_mesh_comes(
    blender: Blender, profile: Path, display: dict[str, str], standin: Any, seed: int, request: pytest.FixtureRequest
) -> None:
    option = request.config.option
    is_long = option.monkey == "long"
    folder = OUTPUT / f"{blender.path.name}-{seed}"
    replay = str(Path(option.monkey_replay).absolute()) if option.monkey_replay else ""
    if replay:
        folder = folder.with_name(f"{folder.name}-replay")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lives, actions = (LONG_LIVES, LONG_ACTIONS) if is_long else (1, SHORT_ACTIONS)
    story = live(blender, profile, display, standin, folder, seed=seed, lives=lives, actions=actions, replay=replay)
    (folder / "figures.json").write_text(json.dumps(figures(story)), encoding="utf-8")
    if problems := judge(story):
        again = f"--monkey-seed {seed} --monkey-replay {folder}/life-{story.lives[-1].name}/actions.jsonl"
        pytest.fail("\n\n".join([*problems, f"again: {again}"]), pytrace=False)
