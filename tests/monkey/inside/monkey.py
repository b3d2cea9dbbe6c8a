# SPDX-License-Identifier: GPL-3.0-or-later
"""Started in Blender by ``tests/monkey/lives.py``: does what the dice say, notes each action before it is done, and
comes to rest. The notes of the actions are the replay."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, ScenarioError, Steps, play
from tests.monkey.inside import blenders, ours, spies
from tests.monkey.inside.hands import ACTIONS, Hands, NotNow
from tests.support.blender_process import ADDON

REST_SECONDS = 60.0
PICTURE_EVERY = 75
SHOWN_CHARACTERS = 90
WITH_KEYS = frozenset({"any_key", "any_click", "escape", "confirm", "rest", "undo_by_key", "drag_with_the_mouse"})
PAUSE_SECONDS = 0.05
"""Between two actions: Blender takes what was done, and its timers run."""

ORDER: dict[str, Any] = json.loads(os.environ["PIXAL3D_MONKEY"])
FOLDER = Path(os.environ["PIXAL3D_GUI_RESULTS"])


def lines() -> Iterator[dict[str, Any]]:
    """What is to be done: from a file, or as the dice say."""
    if ORDER["replay"]:
        yield from map(json.loads, Path(ORDER["replay"]).read_text(encoding="utf-8").splitlines())
        return
    dice = random.Random(f"{ORDER['seed']} {ORDER['life']}")
    names = list(ACTIONS)
    weights = [weight for weight, _ in ACTIONS.values()]
    for number in range(ORDER["count"]):
        (name,) = dice.choices(names, weights)
        yield {"n": number, "do": name, "dice": dice.getrandbits(32)}


def scenario(d: Driver) -> Steps:
    hands = Hands(d, FOLDER, ORDER["name"])
    done: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    problems: list[str] = []
    spies.install()
    ours.calm_service()
    ours.calm_preferences()
    if not (FOLDER / blenders.FILES[0]).exists():
        for name in blenders.FILES:
            bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / name), copy=True)
    yield from d.open_sidebar("Pixal3D")
    with (FOLDER / "actions.jsonl").open("w", encoding="utf-8") as log:
        for line in lines():
            log.write(json.dumps(line) + "\n")
            log.flush()
            done[line["do"]] += 1
            refusal, problem = yield from _carefully(hands, line)
            if refusal:
                refused[f"{line['do']}: {refusal[:SHOWN_CHARACTERS]}"] += 1
            if problem:
                problems.append(f"{line['n']} {line['do']}: {problem}")
            if line["n"] % PICTURE_EVERY == PICTURE_EVERY - 1:
                yield from d.screenshot(f"{ORDER['name']}-{line['n']:04d}")
            yield PAUSE_SECONDS
    with contextlib.suppress(ScenarioError):
        yield from ours.come_to_rest(hands, d)
    unrest = yield from _rest(d)
    yield from d.screenshot(f"{ORDER['name']}-rest")
    d.record("done", done)
    d.record("refused", refused)
    d.record("problems", problems)
    d.record("troubles", hands.troubles)
    d.record("asked", spies.asked)
    d.record("let_go", sorted(spies.let_go))
    d.record("removed", spies.removed)
    d.record("held", spies.held_datablocks())
    d.record("unrest", unrest)
    d.record("waiting", addon.watcher().waiting)
    d.record("generations", [_told(generation) for generation in addon.generations()])
    d.quit_at_the_end()


def _carefully(hands: Hands, line: dict[str, Any]) -> Any:
    """Does it. Returns why it made no sense or was refused, and what went wrong; both are empty if it was done."""
    hands.roll(line["dice"])
    if line["do"] not in WITH_KEYS:
        yield from _let_go_of_the_mouse(hands.driver)
    try:
        steps = ACTIONS[line["do"]][1](hands)
        if steps is not None:
            yield from steps
    except NotNow:
        return "not now", ""
    except Exception as error:
        text = f"{error}\n{traceback.format_exc()}"
        is_ours = f"{ADDON.rpartition('.')[2]}/" in text
        if any(cls.__name__ == "Pixal3DError" for cls in type(error).__mro__):
            return str(error), ""  # a script's call, with a sentence
        if isinstance(error, RuntimeError) and not ("Traceback" in str(error) and is_ours):
            return str(error), ""  # an operator's own report
        if isinstance(error, TypeError) and "enum" in str(error):
            return str(error), ""  # Blender has no such choice just now: Sculpt Mode for an empty
        return "", text
    return "", ""


def _let_go_of_the_mouse(d: Driver) -> Steps:
    """Ends Move, Rotate and their like, which take all keys for themselves: no artist undoes, deletes or opens a file
    in the middle of them, as a script can. They write to the objects that they hold, which are gone then, and Blender
    crashes (4.3.2: ``ed.undo`` by a script during Rotate)."""
    for _ in range(3):
        running = [operator.bl_idname for window in _windows() for operator in window.modal_operators]
        if not any(not name.startswith(("RENDER_", "PIXAL3D_")) for name in running):
            return
        yield from d.key("ESC")


def _windows() -> Any:
    return bpy.context.window_manager.windows


def _rest(d: Driver) -> Any:
    """Until nothing is under way. What is still is returned, in words."""
    try:
        yield from d.wait_until(lambda: not _under_way(), REST_SECONDS, "rest")
    except ScenarioError:
        return _under_way()
    yield 1.0
    return _under_way()


def _under_way() -> list[str]:
    manager = addon.manager()
    if manager is None:
        return []
    found = [f"{g.name} runs" for g in addon.generations() if manager.is_running(g.id)]
    found += [f"{g.name} is to be placed" for g in manager.arrived()]
    found += [f"{g.name} is retried" for g in addon.generations() if manager.is_retried(g.id)]
    return found


def _told(generation: Any) -> dict[str, Any]:
    on_disk = addon.manager().store.get(generation.id)
    told = {name: getattr(generation, name) for name in ("id", "name", "error", "hint", "job_id", "glb_file")}
    return {**told, "state": generation.state.value, "on_disk": on_disk.state.value if on_disk else ""}


play(scenario)
