# SPDX-License-Identifier: GPL-3.0-or-later
"""One click on Generate: the panel shows how it goes, the mesh appears, and one undo takes back the mesh alone."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    d.record("version", bpy.app.version_string)
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    bpy.context.scene.cursor.location = (1.5, -1.0, 0.0)
    bpy.data.objects["Cube"].location = (-2.0, 0.0, 0.0)  # the artist's last action, which undo must leave alone
    bpy.ops.ed.undo_push(message="Move")
    yield from d.screenshot("ready")

    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    view = d.region("WINDOW")
    yield from d.move(view.x + view.width // 2, view.y + view.height // 2)
    yield from d.wait_until(lambda: addon.generations()[-1].service_status == "in-progress", 30, "progress")
    yield 0.5
    yield from d.screenshot("running")
    yield from d.key("TAB")  # Blender is usable meanwhile, and the model waits for Object Mode
    yield from d.wait_until(lambda: bpy.context.object.mode == "EDIT", 5, "edit mode after TAB")
    yield from d.wait_until(lambda: addon.state() == "ready", 60, "the model, ready")
    yield 0.5
    d.record("imported_in_edit_mode", addon.model() is not None)
    yield from d.screenshot("waiting_for_object_mode")
    yield from d.key("TAB")
    yield from d.wait_until(lambda: addon.state() == "imported", 30, "the model, imported")

    model = addon.model()
    bpy.context.view_layer.update()
    d.record("vertices", len(model.data.vertices))
    d.record("largest_side", max(model.dimensions))
    low = min((model.matrix_world @ v.co).z for v in model.data.vertices)
    d.record("stands_at", [model.location.x, model.location.y, low])
    d.record("selected", [o.name for o in bpy.context.selected_objects])
    d.record("active", bpy.context.view_layer.objects.active.name)
    d.area().spaces.active.shading.color_type = "TEXTURE"
    with bpy.context.temp_override(window=d.window, area=d.area(), region=view):
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
    yield 2.0
    yield from d.screenshot("done")

    yield from d.key("Z", ctrl=True)
    yield from d.wait_until(lambda: addon.model() is None, 10, "the mesh gone after one undo")
    d.record("cube_after_undo", list(bpy.data.objects["Cube"].location))
    yield from d.key("Z", ctrl=True, shift=True)
    yield from d.wait_until(lambda: addon.model() is not None, 10, "the mesh back after redo")


play(scenario)
