# SPDX-License-Identifier: GPL-3.0-or-later
"""File > Open in the middle of a job: the mesh arrives in the file that is open then."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    other = Path(os.environ["PIXAL3D_GUI_RESULTS"]) / "other.blend"
    bpy.data.scenes[0].name = "Other Scene"
    bpy.ops.wm.save_as_mainfile(filepath=str(other), copy=True)
    bpy.data.scenes[0].name = "First Scene"
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    with bpy.context.temp_override(window=d.window):
        bpy.ops.wm.open_mainfile(filepath=str(other))
    yield 0.5
    d.record("scene", bpy.context.scene.name)
    d.record("state_after_open", addon.state())
    yield from d.open_sidebar("Pixal3D")
    yield from d.screenshot("after_open")
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the model in the opened file")
    d.record("scene_of_model", [scene.name for scene in addon.model().users_scene])


play(scenario)
