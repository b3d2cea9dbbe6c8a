# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``draw.py`` measures inside a Blender window: how long each of our panels takes to draw, in milliseconds."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON

FEW, MANY = 3, 200
TURNS = 6
REDRAWS_A_TURN = 40
AREAS = {"DOPESHEET_EDITOR": "IMAGE_EDITOR", "PROPERTIES": "ShaderNodeTree"}
"""Areas that are turned into those in which we have panels too."""


def module(name: str) -> Any:
    return sys.modules[f"{ADDON}.{name}"]


def panels() -> list[Any]:
    """All of ours."""
    return [cls for cls in module("ui")._CLASSES if issubclass(cls, bpy.types.Panel)]


def timed(cls: Any, samples: dict[str, list[float]]) -> None:
    """Its ``draw`` notes how long it took."""
    inner: Callable[[Any, Any], None] = cls.draw

    @functools.wraps(inner)
    def draw(self: Any, context: Any) -> None:
        began = time.perf_counter()
        inner(self, context)
        samples.setdefault(cls.__name__, []).append((time.perf_counter() - began) * 1000)

    cls.draw = draw


def fill(count: int, attention: int) -> None:
    """So many generations, of which the newest need attention: by turns under way, ready, failed."""
    generation, manager = module("generation"), module("blender.session").manager()
    for snapshot in manager.history():
        manager._runs.pop(snapshot.generation.id, None)
        manager._snapshots.drop(snapshot.generation.id)
    steps = (("queued", "2026-01-01T00:00:00Z"), ("in-progress", "2026-01-01T00:01:00Z"))
    done = (*steps, ("success", "2126-01-01T00:01:00Z"))
    states = generation.State
    base = generation.Generation(
        "Concept sheet", module("parameters").complete({}), cost=42.0, seed=7, job_id="job_1", folder="/nowhere",
        source_file="/nowhere/source.png", glb_file="/nowhere/model.glb", status_history=done, is_kept=True,
        state=states.IMPORTED,
    )  # fmt: skip

    def one(number: int, **changes: Any) -> Any:
        identifier = f"{number:032x}"
        created_at = time.time() - number * 60
        return base.changed(id=identifier, name=f"{base.name} {number}", created_at=created_at, **changes)

    past = [one(number) for number in range(attention, count)]
    manager._snapshots.put_past(past)
    manager._experience.learn([one(-1), one(-2)])
    for number in range(attention):
        state = (states.RUNNING, states.READY, states.FAILED)[number % 3]
        error = "The service could not make it. Use another image." if state is states.FAILED else ""
        new = one(number, state=state, error=error, status_history=steps, service_status="in-progress")
        manager._snapshots.put(new)
        if state is states.RUNNING:
            manager._runs[new.id] = module("generation.steering").Steering()
            manager._snapshots.report(new.id, progress=0.4)
    module("blender.generation_list").sync(manager)


def open_all() -> None:
    """Register the panels anew, none of them closed at first."""
    for cls in reversed(panels()):
        bpy.utils.unregister_class(cls)
    for cls in panels():
        cls.bl_options = set(getattr(cls, "bl_options", ())) - {"DEFAULT_CLOSED"}
        bpy.utils.register_class(cls)


def scenario(d: Driver) -> Steps:
    samples: dict[str, list[float]] = {}
    for cls in panels():
        timed(cls, samples)
    open_all()
    for old, new in AREAS.items():
        area = d.area(old)
        area.ui_type = new
    yield 1.0
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    kinds = ("VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR")
    for kind in kinds:
        yield from d.open_sidebar("Pixal3D", kind)
    cases = {f"{FEW}": (FEW, FEW), f"{MANY}": (MANY, FEW), f"{MANY}, all waiting": (MANY, MANY)}
    measured: dict[str, dict[str, list[float]]] = {name: {} for name in cases}
    for _ in range(TURNS):
        for name, case in cases.items():
            fill(*case)
            yield 0.5  # for thumbnails and others' work that follows from the change
            samples.clear()
            for _ in range(REDRAWS_A_TURN):
                for kind in kinds:
                    d.region("UI", kind).tag_redraw()
                yield 0.0
            for panel, times in samples.items():
                measured[name].setdefault(panel, []).extend(times)
            if not measured[name]:
                raise RuntimeError("nothing was drawn")
    for name, found in measured.items():
        d.record(name, found)


play(scenario)
