# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender is started again after a crash: the job goes on by itself, and the mesh waits for one click."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    yield from d.open_sidebar("Pixal3D")
    yield from d.wait_until(lambda: addon.state() == "ready", 60, "the model of the job that was left")
    yield 1.0
    d.record("in_the_scene_by_itself", addon.model() is not None)
    yield from d.screenshot("next_morning")
    yield from d.click_operator("pixal3d.import_model")
    yield from d.wait_until(lambda: addon.state() == "imported", 30, "the model, imported")
    d.record("in_the_scene", addon.model() is not None)
    yield from d.key("Z", ctrl=True)


play(scenario)
