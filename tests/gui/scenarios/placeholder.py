# SPDX-License-Identifier: GPL-3.0-or-later
"""One click from a fresh file with a textured object; the placeholder is dragged meanwhile; the redo panel; undo."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
from mathutils import Vector

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play

OFFSET_Z_PIXELS = 106
"""From the upper edge of Adjust Last Operation to the field of the offset along Z."""


def placeholder() -> bpy.types.Object | None:
    return next((obj for obj in bpy.data.objects if "pixal3d_placeholder" in obj), None)


def model() -> bpy.types.Object | None:
    return next((obj for obj in bpy.data.objects if "pixal3d" in obj), None)


def textured_cube() -> None:
    material = bpy.data.materials.new("Mushroom")
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(addon.SAMPLE))
    shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    cube = bpy.data.objects["Cube"]
    cube.data.materials.clear()
    cube.data.materials.append(material)


def bottom(obj: bpy.types.Object) -> list[float]:
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    return [sum(c.x for c in corners) / 8, sum(c.y for c in corners) / 8, min(c.z for c in corners)]


def scenario(d: Driver) -> Steps:
    textured_cube()
    bpy.context.scene.cursor.location = (2.0, 0.0, 0.0)
    bpy.ops.ed.undo_push(message="Cube")
    yield from d.open_sidebar("Pixal3D")
    yield 1.5
    yield from d.screenshot("before")
    yield from d.click_operator("pixal3d.generate")  # the one click
    yield from d.wait_until(placeholder, 10, "a placeholder")
    empty = placeholder()
    d.record("placeholder", [empty.empty_display_type, list(empty.location), empty.empty_display_size])
    d.area().spaces.active.shading.type = "SOLID"
    yield from d.screenshot("placeholder")
    d.record("modal", [op.bl_idname for w in bpy.context.window_manager.windows for op in w.modal_operators])

    bpy.ops.object.select_all(action="DESELECT")
    empty.select_set(True)
    bpy.context.view_layer.objects.active = empty
    view = d.region("WINDOW")
    yield from d.move(view.x + view.width // 2, view.y + view.height // 2)
    for keys in ("G", "X"):
        yield from d.key(keys)
    yield from d.type_text("2")
    yield from d.key("RET")
    d.record("dragged_to", list(placeholder().location))
    yield from d.key("S")
    yield from d.type_text("2")
    yield from d.key("RET")

    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the model")
    yield 0.5
    bpy.context.view_layer.update()
    d.record("placeholders_left", placeholder() is not None)
    d.record("model", [bottom(model()), max(model().dimensions)])
    d.record("images", sorted(image.name for image in bpy.data.images))
    yield from d.screenshot("arrived")

    middle = view.x + view.width // 2, view.y + view.height // 2
    yield from d.move(*middle)
    yield from d.key("F9")
    yield 1.0
    yield from d.screenshot("f9")
    yield from d.key("ESC")
    # A popup takes no simulated clicks; the same panel is in the view's corner.
    hud = d.region("HUD")
    yield from d.click(hud.x + 40, hud.y + hud.height - 12)
    yield from d.wait_until(lambda: hud.height > 150, 5, "the open panel")
    yield 1.0
    x, y = hud.x + hud.width * 3 // 4, hud.y + hud.height - OFFSET_Z_PIXELS
    d.record("hud", [hud.x, hud.y, hud.width, hud.height, x, y])
    yield from d.click(x, y)
    yield 0.5
    yield from d.screenshot("editing")
    yield from d.key("A", ctrl=True)
    yield from d.type_text("3")
    yield from d.key("RET")
    yield from d.wait_until(lambda: bottom(model())[2] > 2.9, 30, "the model, three meters up")
    d.record("raised_to", bottom(model()))
    d.record("models_after_f9", sum("pixal3d" in obj for obj in bpy.data.objects))
    yield from d.screenshot("f9_changed")
    yield from d.move(view.x + 20, view.y + 60)
    yield 0.5
    yield from d.key("Z", ctrl=True)
    yield from d.wait_until(lambda: model() is None, 10, "one undo takes back the model")
    empty = placeholder()
    d.record("after_undo", [list(empty.location), list(empty.scale)] if empty else None)
    yield from d.key("Z", ctrl=True, shift=True)
    yield from d.wait_until(model, 10, "the model after redo")


play(scenario)
