# SPDX-License-Identifier: GPL-3.0-or-later
"""File > Open in the middle of jobs: a model made for another file waits for a click, or for its own file, as set."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    folder = Path(os.environ["PIXAL3D_GUI_RESULTS"])
    own, other = folder / "own.blend", folder / "other.blend"
    bpy.data.scenes[0].name = "Other Scene"
    bpy.ops.wm.save_as_mainfile(filepath=str(other), copy=True)
    bpy.data.scenes[0].name = "First Scene"

    def open_file(path: Path) -> Steps:
        with bpy.context.temp_override(window=d.window):
            bpy.ops.wm.open_mainfile(filepath=str(path))
        yield 0.5
        yield from d.open_sidebar("Pixal3D")

    def scenes_of_models() -> list[list[str]]:
        return [[scene.name for scene in obj.users_scene] for obj in bpy.data.objects if "pixal3d" in obj]

    # A click in a file that has no name yet, and gets one while the job runs.
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    bpy.ops.wm.save_as_mainfile(filepath=str(own))
    yield from open_file(other)
    d.record("scene", bpy.context.scene.name)
    d.record("state_after_open", addon.state())
    yield from d.wait_until(lambda: addon.state() == "ready", 60, "the model, ready")
    yield 1.5
    d.record("placed_in_other_file_by_itself", scenes_of_models())
    yield from d.screenshot("after_open")
    yield from open_file(own)
    yield from d.wait_until(lambda: addon.state() == "imported", 30, "the model in its own file")
    d.record("placed_in_own_file", scenes_of_models())
    bpy.ops.wm.save_mainfile()

    # The same again, but the artist takes it where they are.
    addon.use_sample_image()
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a second job")
    yield from open_file(other)
    yield from d.wait_until(lambda: addon.state() == "ready", 60, "the second model, ready")
    yield from d.click_operator("pixal3d.import_model")
    yield from d.wait_until(lambda: addon.state() == "imported", 30, "the second model")
    d.record("placed_by_a_click", scenes_of_models())

    # And once more, set to come to whatever file is open.
    addon.preferences().arrival = "ANY"
    yield from open_file(own)
    addon.use_sample_image()
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a third job")
    yield from open_file(other)
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the third model")
    d.record("placed_as_set", scenes_of_models())


play(scenario)
