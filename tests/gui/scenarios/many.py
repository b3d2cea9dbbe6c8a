# SPDX-License-Identifier: GPL-3.0-or-later
"""Five clicks, three places: two wait for their turn. One of those is stopped, the others all arrive."""

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
    for seed in range(1, 6):
        addon.settings().seed = seed
        bpy.context.scene.cursor.location.x = 1.5 * seed
        with bpy.context.temp_override(window=d.window, area=d.area(), region=d.region("WINDOW")):
            bpy.ops.pixal3d.generate("INVOKE_DEFAULT")
    yield from d.wait_until(lambda: addon.states().count("running") == 3, 30, "three running jobs")
    yield 0.5
    queued = [s.generation.id for s in addon.manager().snapshots() if s.is_queued]
    d.record("queued", len(queued))
    yield from d.screenshot("many")
    bpy.ops.pixal3d.stop_waiting(generation=queued[0])
    yield from d.wait_until(lambda: "failed" in addon.states(), 10, "the end of the one that was stopped")
    d.record("stopped", next(g.error for g in addon.generations() if g.state == "failed"))
    yield from d.wait_until(lambda: addon.states().count("imported") == 4, 90, "the other four in the scene")
    yield from d.screenshot("many_done")
    d.record("places", sorted(round(o.location.x, 3) for o in bpy.data.objects if "pixal3d" in o))
    yield from d.key("Z", ctrl=True)
    yield 0.5
    d.record("after_undo", sum("pixal3d" in o for o in bpy.data.objects))


play(scenario)
