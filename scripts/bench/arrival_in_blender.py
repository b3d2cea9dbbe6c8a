# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``arrival.py`` measures inside a Blender window, while models that are ready are placed by the watcher.

Both ways in turns, in one window: with and without a second Blender. The first turn of each is left out: what it
compiles and allocates is not made again.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.inside import (
    PATIENCE_SECONDS,
    Spans,
    Ticks,
    module,
    order,
    ready,
    remove_all,
    within,
    wrap,
)
from tests.gui.driver import Driver, Steps, play

NEVER = 1 << 60
"""Triangles: no model has so many."""
SETTLE_SECONDS = 2.5
"""After it is placed: until then Blender draws it the first time."""
SHADINGS = {"Solid": "SOLID", "Material Preview": "MATERIAL"}
STEPS = ("append", "_work_out_normals", "_decode", "_upload", "_place")


def put(generation: Any) -> None:
    """As if it had just been downloaded."""
    manager = module("blender.session").manager()
    manager.store.make_folder(generation)
    manager._snapshots.put(generation)
    module("blender.watcher").watch()


def is_placed(generation: Any) -> bool:
    return bool(module("blender.session").manager().get(generation.id).generation.state == "imported")


def look_closer(spans: Spans) -> None:
    for name in ("append", "_work_out_normals", "_decode", "_upload"):
        wrap(module("blender.prepared"), name, spans)
    for name in ("_tick", "_place"):
        wrap(module("blender.watcher"), name, spans)
    wrap(module("blender.redraw"), "redraw_panels", spans)
    wrap(module("blender.importer"), "finish", spans)
    wrap(module("blender.mesh_check"), "start", spans, "mesh_check.start")


def in_milliseconds(spans: Spans, name: str, begin: float) -> list[float]:
    return [(b - a) * 1000 for n, a, b in spans if n == name and a >= begin]


def scenario(d: Driver) -> Steps:
    asked = order()
    limits, here = module("blender.limits"), module("blender.open_file")
    spans: Spans = []
    yield from d.open_sidebar("Pixal3D")
    remove_all()
    look_closer(spans)
    ticks = Ticks()
    yield 2.0
    begin = time.perf_counter()
    yield 3.0
    d.record("idle", ticks.gaps(begin, time.perf_counter()))
    for said, shading in SHADINGS.items():
        d.area().spaces.active.shading.type = shading
        turns: dict[str, list[dict[str, Any]]] = {"ours": [], "direct": []}
        for turn in range(0 if asked["rounds"] > 1 else 1, asked["rounds"] + 1):
            for way, found in turns.items():
                limits.PREPARE_TRIANGLES = 0 if way == "ours" else NEVER
                with tempfile.TemporaryDirectory() as folder:
                    with bpy.context.temp_override(window=d.window):
                        placement = here.placement_here(bpy.context)
                    generation = ready(asked["glb"], Path(folder)).changed(placement=placement)
                    yield 0.5
                    begin = time.perf_counter()
                    put(generation)
                    yield from d.wait_until(lambda: is_placed(generation), PATIENCE_SECONDS, "the model")  # noqa: B023
                    yield SETTLE_SECONDS
                    (placed,) = (b for n, _, b in spans if n == "_place")
                    end = time.perf_counter()
                    yield 0.3
                    longest = max(ticks.between(begin, end), key=lambda gap: gap[1] - gap[0])
                    if turn:
                        found.append(
                            {
                                "tick": max(in_milliseconds(spans, "_tick", begin)),
                                **ticks.gaps(begin, end),
                                "until placed": (placed - begin) * 1000,
                                **{name: max(in_milliseconds(spans, name, begin), default=0.0) for name in STEPS},
                                "in the longest gap": within(spans, *longest),
                            }
                        )
                    spans.clear()
                    remove_all()
                    yield 1.0
        d.record(said, turns)
    ticks.stop()
    module("blender.prepared").close()


play(scenario)
