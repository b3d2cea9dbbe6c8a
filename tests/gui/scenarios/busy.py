# SPDX-License-Identifier: GPL-3.0-or-later
"""A double click on Generate, and a model that becomes ready while the artist is moving something."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    cube = bpy.data.objects["Cube"]
    with bpy.context.temp_override(window=d.window, area=d.area(), region=d.region("WINDOW")):
        # Two clicks that a busy Blender hands on at once, before it has drawn the effect of the first.
        bpy.ops.pixal3d.generate("INVOKE_DEFAULT")
        bpy.ops.pixal3d.generate("INVOKE_DEFAULT")
    d.record("generations", len(addon.generations()))
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")

    view = d.region("WINDOW")
    x, y = view.x + view.width // 2, view.y + view.height // 2
    yield from d.move(x, y)
    yield from d.key("G")
    yield from d.move(x + 120, y + 40)
    yield from d.wait_until(lambda: addon.state() == "ready", 60, "the model, ready")
    yield 1.0
    d.record("imported_while_moving", addon.model() is not None)
    d.record("moved_meanwhile", cube.location.length > 0.1)
    yield from d.screenshot("waiting_for_move")
    yield from d.key("ESC")
    yield from d.wait_until(lambda: addon.state() == "imported", 30, "the model, imported")
    d.record("cube_after_escape", list(bpy.data.objects["Cube"].location))
    yield from d.key("Z", ctrl=True)
    yield from d.wait_until(lambda: addon.model() is None, 10, "the mesh gone after one undo")
    yield from d.key("Z", ctrl=True, shift=True)
    yield from d.wait_until(lambda: addon.model() is not None, 10, "the mesh back after redo")
    d.record("cube_after_redo", list(bpy.data.objects["Cube"].location))


play(scenario)
