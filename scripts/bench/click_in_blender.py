# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``click.py`` measures inside a Blender window: from the click on Generate to the mesh in the scene.

Both ways of placing the model in turns, in one window. The image is painted anew before each click, so that nothing is
known of it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.inside import (
    PATIENCE_SECONDS,
    Spans,
    Ticks,
    module,
    note_redraws,
    order,
    remove_all,
    within,
    wrap,
    wrap_draw,
)
from scripts.bench.kinds import VIEW
from tests.gui.driver import Driver, Steps, play

NEVER = 1 << 60
SHADERS_SECONDS = 8.0
IDLE_SECONDS = 4.0
REDRAWS = 12
PREPARING = "worker: the second Blender"
LONG_GAP_MILLISECONDS = 30.0
"""What is to be explained."""
GAPS = 4
"""So many of the longest are."""


def paint(side: int) -> Any:
    image = bpy.data.images.get("Painted") or bpy.data.images.new("Painted", side, side, alpha=True)
    values = np.random.default_rng().random((side, side, 4), np.float32) * 0.05 + 0.4
    values[:, :, 3] = 1.0
    values[: side // 5], values[-side // 5 :] = 1.0, 1.0
    image.pixels.foreach_set(values.ravel())
    image.update()
    return image


def look_closer(spans: Spans) -> None:
    """Everything of ours that runs on the main thread, and what workers do that may hold Python's lock."""
    main = {
        "blender.watcher": ("_tick", "_place", "_keep_watching", "_note_changes"),
        "blender.image_look": ("_tick",),
        "blender.image_source": ("pixels",),
        "blender.calm_pixels": ("pixels",),
        "blender.placeholder": ("add",),
        "blender.thumbnails": ("_tick",),
        "ui.operators": ("gather", "carry_out"),
        "blender.prepared": ("append", "_work_out_normals", "_decode", "_upload"),
    }
    workers = {
        "generation.worker": ("write_source", "inspect_glb"),
        "scenario.client": ("upload_image", "download_model"),
    }
    for kind, names in (("", main), ("worker: ", workers)):
        for name, functions in names.items():
            for function in functions:
                if hasattr(module(name), function):
                    wrap(module(name), function, spans, f"{kind}{name}.{function}")
    wrap(module("generation.store").Store, "save", spans, "worker: store.save")
    wrap(module("blender.prepared"), "_prepared_vertices", spans, PREPARING)
    for cls in module("ui")._CLASSES:
        if issubclass(cls, bpy.types.Panel | bpy.types.UIList) and "draw" in cls.__dict__:
            wrap_draw(cls, spans)


def explained(ticks: Ticks, spans: Spans, begin: float, end: float) -> list[Any]:
    """The longest gaps: when, how long, and what of ours ran in it. With and without a redraw of the 3D View."""
    gaps = sorted(ticks.between(begin, end), key=lambda gap: gap[0] - gap[1])
    found = [
        {"at": a - begin, "length": (b - a) * 1000, "ran": within(spans, a, b)[:8]}
        for a, b in gaps
        if (b - a) * 1000 > LONG_GAP_MILLISECONDS
    ]
    drawn = [gap for gap in found if any(ran[0] == VIEW for ran in gap["ran"])]
    return drawn[:GAPS] + [gap for gap in found if gap not in drawn][:GAPS]


def longest_steps(spans: Spans, begin: float, end: float) -> list[Any]:
    """Of ours, on the main thread."""
    return [each for each in within(spans, begin, end) if not each[0].startswith(("worker", VIEW))][:3]


def make_drawing_cheap(d: Driver) -> None:
    """Blender's drawing is not what is measured, and without a graphics card it hides all else."""
    bpy.context.preferences.system.viewport_aa = "OFF"
    space = d.area().spaces.active
    space.shading.type = "WIREFRAME"
    for name in ("show_floor", "show_axis_x", "show_axis_y", "show_cursor", "show_text", "show_outline_selected"):
        setattr(space.overlay, name, False)
    space.show_gizmo = False


def draw_an_image_empty(d: Driver) -> Steps:
    """What a placeholder is. Blender compiles shaders when it draws the first one, whoever has made it."""
    empty: Any = bpy.data.objects.new("Empty", None)
    empty.empty_display_type, empty.data = "IMAGE", bpy.data.images.new("Empty", 64, 64)
    empty.use_empty_image_alpha, empty.color[3] = True, 0.6
    d.window.scene.collection.objects.link(empty)
    yield SHADERS_SECONDS
    remove_all()
    yield 1.0


def newest() -> Any:
    manager = module("blender.session").manager()
    return manager.snapshots()[-1].generation


def is_in(state: str) -> bool:
    return newest().state.value in (state, "imported")


def scenario(d: Driver) -> Steps:
    asked = order()
    spans: Spans = []
    yield from d.open_sidebar("Pixal3D")
    for name in ("watcher", "image_look", "image_source", "calm_pixels", "placeholder", "prepared"):
        module(f"blender.{name}")
    ticks = Ticks()
    settings = d.window.scene.pixal3d
    yield 1.0

    make_drawing_cheap(d)
    yield 1.0
    note_redraws(spans)
    begin = time.perf_counter()
    yield IDLE_SECONDS
    d.record("idle", ticks.gaps(begin, time.perf_counter()))
    begin = time.perf_counter()
    for number in range(REDRAWS):
        if number % 2:
            d.region("WINDOW").tag_redraw()
        module("blender.redraw").redraw_panels()
        yield 0.2
    d.record("redraws", ticks.gaps_by_redraw(begin, time.perf_counter(), spans))

    begin = time.perf_counter()
    yield from draw_an_image_empty(d)
    d.record("image empty", ticks.gaps(begin, time.perf_counter()))

    look_closer(spans)
    turns: list[dict[str, Any]] = []
    for turn in range(asked["rounds"]):
        way = "ours" if turn % 2 == 0 else "direct"
        module("blender.limits").PREPARE_TRIANGLES = 0 if way == "ours" else NEVER
        painted = paint(asked["side"])
        settings.image = painted
        selected = time.perf_counter()
        d.region("UI").tag_redraw()
        yield asked["look_seconds"]
        looked = time.perf_counter()
        yield 0.1
        spans_before = list(spans)
        spans.clear()
        clicked_at, clicked = time.time(), time.perf_counter()
        with bpy.context.temp_override(window=d.window, area=d.area(), region=d.region("UI")):
            bpy.ops.pixal3d.generate("INVOKE_DEFAULT")
        operator = (time.perf_counter() - clicked) * 1000
        yield from d.wait_until(lambda: is_in("ready"), PATIENCE_SECONDS, "the GLB")
        yield from d.wait_until(lambda: newest().state.value == "imported", PATIENCE_SECONDS, "the mesh in the scene")
        yield 2.0
        (placed,) = (end for name, _, end in spans if name.endswith("_place"))
        (last_byte,) = (end for name, _, end in spans if name.endswith("download_model"))
        ready_at = last_byte + (newest().ready_at - (time.time() - (time.perf_counter() - last_byte)))
        turns.append(
            {
                "way": way,
                "looking": ticks.gaps(selected, looked),
                "longest while looking": explained(ticks, spans_before, selected, looked),
                "clicked at": clicked_at,
                "operator": operator,
                "to ready": ticks.gaps(clicked, ready_at),
                "to ready, by redraw": ticks.gaps_by_redraw(clicked, ready_at, spans),
                "own steps": longest_steps(spans, clicked, ready_at),
                "longest to ready": explained(ticks, spans, clicked, ready_at),
                "last byte to placed": (placed - last_byte) * 1000,
                "preparing": [(a - last_byte, b - a) for name, a, b in spans if name == PREPARING],
                "last byte to ready": (ready_at - last_byte) * 1000,
                "arrival": ticks.gaps(ready_at, placed + 2.0),
                "longest on arrival": explained(ticks, spans, ready_at, placed + 2.0),
            }
        )
        spans.clear()
        settings.image = None
        for obj in [obj for obj in bpy.data.objects if obj.type in {"MESH", "EMPTY"}]:
            bpy.data.objects.remove(obj)
        bpy.ops.outliner.orphans_purge(do_recursive=True)
        yield 1.5
    d.record("turns", turns)

    saves = []
    painted = paint(asked["side"])
    for number in range(3):
        began = time.perf_counter()
        painted.save(filepath=str(Path(bpy.app.tempdir) / f"{number}.png"), save_copy=True)
        saves.append((time.perf_counter() - began) * 1000)
    d.record("image.save", sorted(saves)[1])
    ticks.stop()
    remove_all()
    module("blender.prepared").close()


play(scenario)
