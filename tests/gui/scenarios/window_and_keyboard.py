# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the sidebar, types into a field, clicks buttons, and uses a shortcut. Needs nothing of the add-on."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    d.record("version", bpy.app.version_string)
    yield from d.open_sidebar("Item")
    cube = bpy.data.objects["Cube"]
    yield from d.type_into("location[0]", "2.5")
    yield from d.wait_until(lambda: abs(cube.location.x - 2.5) < 1e-6, 5, "the typed location")

    yield from d.open_sidebar("View")
    camera_locked = d.area().spaces.active.lock_camera
    place = yield from d.find_button(lambda what: what.endswith(".lock_camera"), "lock_camera")
    yield from d.click(*place)
    yield from d.wait_until(lambda: d.area().spaces.active.lock_camera != camera_locked, 5, "the clicked check box")

    d.area("PROPERTIES").spaces.active.context = "PHYSICS"
    yield 0.5
    yield from d.click_operator("object.forcefield_toggle", "WINDOW", "PROPERTIES")
    yield from d.wait_until(lambda: cube.field is not None and cube.field.type == "FORCE", 5, "the clicked force field")

    view = d.region("WINDOW")
    yield from d.move(view.x + view.width // 2, view.y + view.height // 2)
    yield from d.key("TAB")
    yield from d.wait_until(lambda: bpy.context.object.mode == "EDIT", 5, "edit mode after TAB")
    yield from d.screenshot("edit_mode")


play(scenario)
