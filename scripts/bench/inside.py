# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks share inside Blender. Imported by the ``*_in_blender.py`` scripts."""

from __future__ import annotations

import functools
import hashlib
import importlib
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import bpy

from scripts.bench.kinds import NOTHING, PANELS, VIEW
from tests.support.blender_process import ADDON

TICK_SECONDS = 0.01
PATIENCE_SECONDS = 60.0

Spans = list[tuple[str, float, float]]
"""What ran, when it began and ended, on the performance counter."""


def order() -> Any:
    """What the host asks for."""
    return json.loads(os.environ["PIXAL3D_BENCH_ORDER"])


def report(found: Any) -> None:
    """To the host, in background mode."""
    Path(os.environ["PIXAL3D_BENCH_REPORT"]).write_text(json.dumps(found), encoding="utf-8")


def module(name: str) -> Any:
    """One of the add-on's."""
    return importlib.import_module(f"{ADDON}.{name}")


def ready(glb: str, folder: Path | None) -> Any:
    """A generation whose model is on disk, with all that the worker notes of it.

    :param folder: where its prepared file goes; ``None`` for one that is not to be prepared.
    """
    info = module("scenario").inspect_glb(Path(glb))
    with Path(glb).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return module("generation").Generation(
        name="Bench",
        parameters=module("parameters").complete({}),
        state=module("generation").State.READY,
        folder=str(folder) if folder else "",
        glb_file=glb,
        glb_sha256=digest,
        bounds=(info.bounds_min, info.bounds_max),
        triangles=info.triangles,
    )


def remove_all() -> None:
    """Objects, meshes, materials and images."""
    data = bpy.data
    bpy.data.batch_remove([*data.objects, *data.meshes, *data.materials, *data.images])


def milliseconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def wrap(owner: Any, name: str, spans: Spans, label: str = "") -> None:
    """Replace a function or a method by one that notes its spans."""
    inner: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(inner)
    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return inner(*arguments, **named)
        finally:
            spans.append((label or name, began, time.perf_counter()))

    setattr(owner, name, timed)


def wrap_draw(cls: Any, spans: Spans) -> None:
    """The same for a panel's ``draw``, whose arguments Blender counts."""
    inner: Callable[[Any, Any], None] = cls.draw

    @functools.wraps(inner)
    def draw(self: Any, context: Any) -> None:
        began = time.perf_counter()
        inner(self, context)
        spans.append((f"draw {cls.__name__}", began, time.perf_counter()))

    cls.draw = draw


def note_redraws(spans: Spans) -> None:
    """Notes when the 3D View and the sidebar are drawn: most of a gap, without a graphics card."""
    begun: list[float] = []

    def before() -> None:
        begun.append(time.perf_counter())

    def after_view() -> None:
        spans.append((VIEW, begun[-1], time.perf_counter()))

    def after_panels(*_: Any) -> None:
        spans.append((PANELS, time.perf_counter(), time.perf_counter()))

    add = bpy.types.SpaceView3D.draw_handler_add
    add(before, (), "WINDOW", "PRE_VIEW")
    add(after_view, (), "WINDOW", "POST_PIXEL")
    add(after_panels, (), "UI", "POST_PIXEL")
    bpy.types.STATUSBAR_HT_header.append(after_panels)


_EVENTS = {
    "open": "file",
    "sqlite3.connect": "database",
    "socket.connect": "connection",
    "socket.getaddrinfo": "connection",
    "subprocess.Popen": "process",
    "_thread.start_new_thread": "thread",
    "os.mkdir": "folder",
}


def note_touched(noted: list[str]) -> None:
    """From now on, whatever the add-on opens, makes or starts; what Python imports does not count. Can't be undone."""

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS:
            return
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            if name.startswith("importlib."):
                return
            if name.startswith(f"{ADDON}."):
                noted.append(f"{_EVENTS[event]}: {Path(str(arguments[0])).name}")
                return
            frame = frame.f_back

    sys.addaudithook(note)


class Ticks:
    """When a 10 ms timer ran: its gaps are what the artist feels of all that holds Blender's main thread."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._is_over = False
        bpy.app.timers.register(self._tick, persistent=True)

    def _tick(self) -> float | None:
        self.times.append(time.perf_counter())
        return None if self._is_over else TICK_SECONDS

    def stop(self) -> None:
        self._is_over = True

    def between(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Gaps that lie in a span of time, or reach into it."""
        return [(a, b) for a, b in itertools.pairwise(self.times) if b > begin and a < end]

    def gaps(self, begin: float, end: float) -> dict[str, float]:
        """In milliseconds."""
        return _summed_up([(b - a) * 1000 for a, b in self.between(begin, end)])

    def gaps_by_redraw(self, begin: float, end: float, spans: Spans) -> dict[str, dict[str, float]]:
        """The same, by what was drawn in them; ``count`` is how many there are."""
        found: dict[str, list[float]] = {}
        for a, b in self.between(begin, end):
            drawn = {name for name, since, until in spans if until > a and since < b}
            kind = VIEW if VIEW in drawn else PANELS if PANELS in drawn else NOTHING
            found.setdefault(kind, []).append((b - a) * 1000)
        return {kind: {**_summed_up(lengths), "count": len(lengths)} for kind, lengths in found.items()}


def _summed_up(lengths: list[float]) -> dict[str, float]:
    last = statistics.quantiles(lengths, n=100)[-1] if len(lengths) > 1 else lengths[0]
    return {"p50": statistics.median(lengths), "p99": min(last, max(lengths)), "max": max(lengths)}


def within(spans: Spans, begin: float, end: float) -> list[tuple[str, float, float]]:
    """What ran then: name, milliseconds after `begin`, length in milliseconds; the longest first."""
    found = [(n, (a - begin) * 1000, (b - a) * 1000) for n, a, b in spans if b > begin and a < end]
    return sorted(found, key=lambda each: -each[2])
