# SPDX-License-Identifier: GPL-3.0-or-later
"""One click on Generate beside the image that is open: in the Image Editor, and in the Shader Editor."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    addon.settings().decimation_target, addon.settings().resolution = 5000, "1024"
    image = bpy.data.images.load(str(addon.SAMPLE))

    area = d.area()
    area.type = "IMAGE_EDITOR"
    area.spaces.active.image = image
    yield from d.open_sidebar("Pixal3D", "IMAGE_EDITOR")
    yield from d.click_operator("pixal3d.generate", "UI", "IMAGE_EDITOR")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    yield from d.screenshot("image_editor")
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the model")

    material = bpy.data.materials.new("Mushroom")
    material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    node.select, material.node_tree.nodes.active = True, node
    cube = bpy.data.objects["Cube"]
    cube.data.materials.clear()
    cube.data.materials.append(material)
    bpy.context.view_layer.objects.active = cube
    area.ui_type = "ShaderNodeTree"
    addon.settings().seed = 2
    yield 1.0
    yield from d.open_sidebar("Pixal3D", "NODE_EDITOR")
    yield from d.click_operator("pixal3d.generate", "UI", "NODE_EDITOR")
    yield from d.wait_until(lambda: addon.states().count("running") == 1, 30, "a second job")
    yield from d.screenshot("shader_editor")
    yield from d.wait_until(lambda: addon.states().count("imported") == 2, 60, "the second model")
    area.ui_type = "VIEW_3D"
    d.record("models", sorted(o.name for o in bpy.data.objects if "pixal3d" in o))


play(scenario)
