# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``store.py`` measures inside a Blender window. In milliseconds, recorded by the window tests' own driver.

The add-on, which Blender has enabled at its start, is disabled before its timers have fired, and enabled again once
the window stands and everything that is to be timed is wrapped.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import sqlite3  # noqa: F401  its first import would hold Python's lock, which has nothing to do with the store
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import addon_utils
import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON

FIRST_SECONDS = 5.0
"""What counts as the start, from enabling on."""
TICK_SECONDS = 0.01
REDRAWS = 200
UNFINISHED = 3

Spans = list[tuple[float, float]]


def wrap(owner: Any, name: str, spans: Spans) -> None:
    """Replace a function or a method by one that notes when it began and ended."""
    inner: Callable[..., Any] = getattr(owner, name)

    # Two fixed arguments for `draw`: Blender counts them.
    def timed(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return inner(*arguments)
        finally:
            spans.append((began, time.perf_counter()))

    def timed_draw(self: Any, context: Any) -> Any:
        return timed(self, context)

    setattr(owner, name, functools.wraps(inner)(timed_draw if name == "draw" else timed))


def lengths(spans: Spans) -> list[float]:
    return [(ended - began) * 1000 for began, ended in spans]


def module(name: str) -> Any:
    return importlib.import_module(f"{ADDON}.{name}")


addon_utils.disable(ADDON)


def scenario(d: Driver) -> Steps:
    resume: Spans = []
    watch: Spans = []
    takes: Spans = []
    sums: Spans = []
    draws: Spans = []
    wrap(module("blender.resume"), "_resume", resume)
    wrap(module("blender.watcher"), "_keep_watching", watch)
    wrap(module("generation.store").Store, "take_over", takes)
    wrap(module("generation.store").Store, "bytes_on_disk", sums)
    wrap(module("ui.panels").PIXAL3D_PT_main, "draw", draws)
    d.area().spaces.active.show_region_ui = True
    yield 1.0  # for the window, the sidebar and what else Blender begins with

    ticks: list[float] = []

    def tick() -> float | None:
        ticks.append(time.perf_counter())
        return TICK_SECONDS if ticks[-1] - ticks[0] < FIRST_SECONDS else None

    bpy.app.timers.register(tick)
    enabling: Spans = []
    wrap(addon_utils, "enable", enabling)
    addon_utils.enable(ADDON)
    yield from d.open_sidebar("Pixal3D")
    yield from d.wait_until(lambda: ticks and ticks[-1] - ticks[0] >= FIRST_SECONDS, 2 * FIRST_SECONDS, "the start")
    manager = module("blender.session").manager_or_none()
    if manager is None or len(manager.snapshots()) != UNFINISHED or not takes:
        raise RuntimeError("the store was not looked at")
    until = ticks[0] + FIRST_SECONDS
    d.record("enabling the add-on", lengths(enabling)[0])
    d.record("enabled to end of first look (1 s is a pause)", (sums[0][1] - enabling[0][0]) * 1000)
    d.record("  from resume to end of first look", (sums[0][1] - resume[0][0]) * 1000)
    d.record("  of it take_over", lengths(takes)[0])
    d.record("  of it bytes_on_disk", lengths(sums)[0])
    d.record("resume, main thread", sum(lengths(resume)))
    d.record("watcher's timer, main thread, first 5 s", sum(lengths([span for span in watch if span[0] < until])))
    d.record("  longest of its calls", max(lengths(watch)))
    gaps = [(later - earlier) * 1000 for earlier, later in itertools.pairwise(ticks)]
    d.record("longest gap of a 10 ms timer, first 5 s", max(gaps))
    d.record("gap of the timer, 99th percentile", statistics.quantiles(gaps, n=100)[-1])

    draws.clear()
    while len(draws) < REDRAWS:
        d.region("UI").tag_redraw()
        yield 0.0
    d.record("panel draw, median of 200", statistics.median(lengths(draws)))
    d.record("panel draw, 95th percentile", statistics.quantiles(lengths(draws), n=20)[-1])


play(scenario)
