# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts in a window: what blocks and what returns at once, from an app timer, as all of this scenario is."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON

QUICK: Any = {"decimation_target": 5000, "resolution": 1024}


def models() -> list[str]:
    return sorted(obj.name for obj in bpy.data.objects if "pixal3d" in obj)


def scenario(d: Driver) -> Steps:
    api: Any = importlib.import_module(f"{ADDON}.api")
    image = bpy.data.images.load(str(addon.SAMPLE))

    with bpy.context.temp_override(window=d.window):
        bpy.ops.pixal3d.generate("EXEC_DEFAULT", image=image.name, decimation_target=5000, resolution="1024")
        d.record("after EXEC_DEFAULT", models())

        addon.use_sample_image()
        bpy.ops.pixal3d.generate("INVOKE_DEFAULT")
        d.record("after INVOKE_DEFAULT", models())
    yield from d.wait_until(lambda: len(models()) == 2, 60, "the second model")

    handle = api.submit(image, place_at=(2.0, 0.0, 0.0), **QUICK)
    d.record("after submit", models())
    yield from d.wait_until(lambda: len(models()) == 3, 60, "the third model, placed by the watcher")
    model = handle.result()
    d.record("placed by the watcher", [obj.name for obj in model.objects])
    d.record("stands at", round(model.objects[0].location.x, 2))
    d.record("status", handle.status)

    bpy.ops.ed.undo_push(message="Before")
    model = api.generate(addon.SAMPLE, **QUICK)
    d.record("after generate", [models(), model.objects[0].name])
    d.record("selected", [obj.name for obj in d.window.view_layer.objects.selected])
    yield 0.5
    yield from d.key("Z", ctrl=True)
    yield 0.5
    d.record("after one undo", models())


play(scenario)
