# SPDX-License-Identifier: GPL-3.0-or-later
"""200 generations of earlier sessions in the list: one is searched for, looked at, used in each way, and removed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON

DRAGON = os.environ["GUI_DRAGON"]
HEADER_STEP_PX = 13
COPY, REMOVE = 0.75, 0.83


def listed() -> Any:
    return sys.modules[f"{ADDON}.blender.generation_list"]


def drawn_panels() -> list[str]:
    """Which of our panels are drawn from now on."""
    drawn: list[str] = []
    panel: Any = bpy.types.PIXAL3D_PT_generations
    inner = panel.draw

    def draw(self: Any, context: Any) -> None:
        drawn.append("generations")
        inner(self, context)

    panel.draw = draw
    return drawn


def open_list(d: Driver) -> Steps:
    """Clicks what is no button until the panel opens, and a second time on what was another panel's header."""
    drawn, region = drawn_panels(), d.region("UI")
    x, y = region.x + region.width // 4, region.y + region.height - HEADER_STEP_PX
    while not drawn and y > region.y:
        for _ in range(2):
            yield from d.move(x, y)
            if not drawn and not d.says_under_mouse():
                yield from d.click(x, y)
                yield 0.2
        y -= HEADER_STEP_PX
    if not drawn:
        raise RuntimeError("the panel did not open")


def press(d: Driver, operator: str, column: float = 0.5) -> Steps:
    """The dragon's button, which lies there across the sidebar."""

    def is_wanted(what: str) -> bool:
        return what.startswith(f"bpy.ops.{operator}(") and DRAGON in what

    place = yield from d.find_button(is_wanted, operator, columns=(column,))
    yield from d.click(*place)


def scenario(d: Driver) -> Steps:
    with bpy.context.temp_override(window=d.window, area=d.area()):
        bpy.ops.screen.screen_full_area()  # for all of the panel to be seen
    yield 0.5
    yield from d.open_sidebar("Pixal3D")
    yield from d.wait_until(lambda: addon.manager() and not addon.manager().is_busy, 30, "the first look")
    yield from d.wait_until(lambda: len(listed().of(bpy.context).rows) > 100, 10, "the list")
    manager = addon.manager()
    d.record("listed", len(listed().of(bpy.context).rows))
    d.record("needing_attention", [s.generation.name for s in listed().needing_attention(manager)])
    d.record("width", d.region("UI").width)
    file = d.results / "saved.blend"
    with bpy.context.temp_override(window=d.window):
        bpy.ops.wm.save_as_mainfile(filepath=str(file), copy=True, compress=False)
    d.record("is_list_in_file", b"concept sheet" in file.read_bytes())
    yield from d.screenshot("closed")
    yield from open_list(d)
    yield 1.0
    yield from d.screenshot("list")

    place = yield from d.find_button(lambda what: "pixal3d_generations.active_index" in what, "a row")
    yield from d.move(*place)
    yield from d.key("F", ctrl=True)
    yield from d.type_text("drag")
    yield from d.key("RET")
    yield 0.5
    yield from d.screenshot("searched")
    place = yield from d.find_button(lambda what: "pixal3d_generations.active_index" in what, "the found row")
    yield from d.click(*place)
    yield from d.wait_until(lambda: listed().active_id(bpy.context) == DRAGON, 5, "the found one chosen")
    d.record("found_by_typing", listed().active_id(bpy.context))
    yield 1.0
    yield from d.screenshot("chosen")

    def models() -> list[str]:
        return sorted(obj.name for obj in bpy.data.objects if "pixal3d" in obj and obj.name != "Cube")

    yield from press(d, "pixal3d.reuse_settings")
    settings = addon.settings()
    d.record("settings", [settings.decimation_target, settings.resolution, settings.seed])
    yield from press(d, "pixal3d.import_model")
    yield from d.wait_until(models, 30, "the model, imported again")
    d.record("imported_again", models())

    cube = bpy.data.objects["Cube"]
    cube.location = (3.0, 1.0, 0.0)
    bpy.context.view_layer.objects.active = cube
    yield from press(d, "pixal3d.replace_mesh")
    yield from d.wait_until(lambda: len(cube.data.vertices) > 1000, 30, "another mesh")
    d.record(
        "replaced",
        {
            "name": cube.name,
            "location": list(cube.location),
            "children": len(cube.children),
            "is_dragon": cube["pixal3d"]["generation"] == DRAGON,
        },
    )
    yield from d.screenshot("replaced")
    view = d.region("WINDOW")
    yield from d.move(view.x + view.width // 3, view.y + view.height // 2)
    yield from d.key("Z", ctrl=True)
    yield from d.wait_until(lambda: len(bpy.data.objects["Cube"].data.vertices) == 8, 10, "the old mesh after undo")
    d.record("after_undo", len(bpy.data.objects["Cube"].data.vertices))

    yield from press(d, "pixal3d.copy_job_id", COPY)
    d.record("clipboard", bpy.context.window_manager.clipboard)
    yield from press(d, "pixal3d.remove", REMOVE)
    yield 0.5
    yield from d.screenshot("question")
    d.record("asked_before_removing", addon.manager().get(DRAGON) is not None)
    yield from d.key("RET")
    yield from d.wait_until(lambda: addon.manager().get(DRAGON) is None, 10, "its removal")
    yield 0.5
    d.record("listed_at_the_end", len(listed().of(bpy.context).rows))
    yield from d.screenshot("removed")


play(scenario)
