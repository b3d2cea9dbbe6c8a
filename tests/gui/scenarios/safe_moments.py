# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that become ready during playback, in Sculpt Mode and in a linked scene wait, and no mode is changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    view = d.region("WINDOW")

    def override() -> object:
        return bpy.context.temp_override(window=d.window, area=d.area(), region=view)

    def arrives_during(name: str, begin: str, waiting: str) -> Steps:
        """Clicks, goes into the situation, and waits until the model is ready in the middle of it."""
        count = addon.states().count("imported")
        addon.settings().seed += 1
        with override():
            bpy.ops.pixal3d.generate("INVOKE_DEFAULT")
        yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
        with override():
            exec(begin)
        yield from d.wait_until(lambda: addon.state() == "ready", 60, "the model, ready")
        yield 1.0
        d.record(f"{name}: waits", addon.watcher().waiting)
        d.record(f"{name}: placed", addon.states().count("imported") - count)
        yield from d.screenshot(name)

    def arrives_after(name: str, end: str) -> Steps:
        with override():
            exec(end)
        yield from d.wait_until(lambda: addon.state() == "imported", 30, f"the model, after {name}")

    yield from arrives_during("playback", "bpy.ops.screen.animation_play()", "playback")
    d.record("playback: plays on", d.window.screen.is_animation_playing)
    yield from arrives_after("playback", "bpy.ops.screen.animation_play()")

    cube = bpy.data.objects["Cube"]
    select = "bpy.context.view_layer.objects.active = bpy.data.objects['Cube']; "
    yield from arrives_during("sculpting", select + "bpy.ops.object.mode_set(mode='SCULPT')", "Object Mode")
    d.record("sculpting: mode", cube.mode)
    yield from arrives_after("sculpting", "bpy.ops.object.mode_set(mode='OBJECT')")

    library = Path(os.environ["PIXAL3D_GUI_RESULTS"]) / "library.blend"
    own = d.window.scene
    own.name = "Linked"
    bpy.ops.wm.save_as_mainfile(filepath=str(library), copy=True)
    own.name = "Scene"
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.scenes = ["Linked"]
    d.linked, d.own = wanted.scenes[0], own  # type: ignore[attr-defined]
    yield from arrives_during("linked", "d.window.scene = d.linked", "linked")
    yield from arrives_after("linked", "d.window.scene = d.own")
    d.record("models", sum("pixal3d" in o for o in own.objects))


play(scenario)
