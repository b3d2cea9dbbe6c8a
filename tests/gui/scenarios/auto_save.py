# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender still auto-saves while a job runs for longer than the auto-save interval."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play

INTERVAL_MINUTES = 1
PATIENCE_SECONDS = 100.0


def scenario(d: Driver) -> Steps:
    folder = Path(os.environ["PIXAL3D_GUI_RESULTS"]) / "auto-save"
    folder.mkdir()
    paths = bpy.context.preferences.filepaths
    paths.temporary_directory = str(folder)
    paths.auto_save_time = INTERVAL_MINUTES
    paths.use_auto_save_temporary_files = True
    started = time.monotonic()
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    with bpy.context.temp_override(window=d.window):  # 5.2 saves only what was changed; an undo step alone is no change
        bpy.ops.mesh.primitive_cube_add("EXEC_DEFAULT", True)

    def saved() -> list[Path]:
        return list(folder.glob("**/*autosave*"))

    yield from d.wait_until(saved, PATIENCE_SECONDS, f"an auto-save, at an interval of {INTERVAL_MINUTES} min")
    d.record("seconds_until_saved", time.monotonic() - started)
    d.record("state_at_save", addon.state())


play(scenario)
