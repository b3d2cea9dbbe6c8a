# SPDX-License-Identifier: GPL-3.0-or-later
"""Disabling the add-on, and quitting Blender, in the middle of a job whose answers hang."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON


def scenario(d: Driver) -> Steps:
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    yield 3.0  # a poll is under way by now, and gets no answer
    started = time.monotonic()
    bpy.ops.preferences.addon_disable(module=ADDON)
    d.record("seconds_to_disable", time.monotonic() - started)
    d.record("timer_left", sys.modules[f"{ADDON}.blender.watcher"]._timer is not None)
    bpy.ops.preferences.addon_enable(module=ADDON)
    yield 1.0
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    yield 3.0
    d.record("quit_at", time.time())
    d.quit_at_the_end()


play(scenario)
