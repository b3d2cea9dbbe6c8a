# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contact sheet's child Blender runs: pictures of models, one after the other, then the sheet itself.

Run as a script; nobody imports it. See :mod:`.second_blender` for how it is spoken to.

Cycles on the processor: EEVEE and Workbench need a graphics card or a display, which a farm's workers lack.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bpy
from mathutils import Vector

SIDE_PX = 256
SAMPLES = 16
TEXTURE_SIDE_PX = "1024"
VIEW_DIRECTION = Vector((-0.55, 1.0, -0.45))
"""From the camera's front left, somewhat above. A glTF's front looks along Blender's -Y."""
LENS_MM = 85.0
MARGIN = 1.06
FRAMED_POINTS = 20_000

COLUMNS = 8
GAP_PX = 8
CELL_PX = SIDE_PX + GAP_PX
CAPTION_PX = 32
LETTER_PX = 18
CAPTION_LETTERS = 26
CAPTION_SAMPLES = 4
BACKGROUND, GROUND, INK = 1.0, 0.93, 0.1
"""Shades of grey: between the pictures, behind a picture, of the letters."""


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from answering_in_blender import serve

    serve(("io_scene_gltf2", "io_scene_fbx", "cycles"), _carry_out)


def _carry_out(order: dict[str, Any]) -> dict[str, Any]:
    target = Path(order["picture"])
    part = target.with_name(f".{target.stem}.part.png")
    if "model" in order:
        _picture(Path(order["model"]), part)
    else:
        _sheet(order["cells"], part)
    os.replace(part, target)
    return {}


def _picture(model: Path, picture: Path) -> None:
    scene = _empty_scene(SIDE_PX, SIDE_PX)
    _load(model, scene)
    _light(scene)
    _frame(scene)
    _render(scene, picture)


def _empty_scene(width: int, height: int) -> bpy.types.Scene:
    scene = bpy.context.scene
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.film_transparent = True
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGBA"
    render.use_simplify = True
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = SAMPLES
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.max_bounces = 2
    cycles.texture_limit_render = TEXTURE_SIDE_PX
    scene.view_settings.view_transform = "Standard"  # a texture's own colors
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    return scene


def _load(model: Path, scene: bpy.types.Scene) -> None:
    """The model's objects, from any of the formats that a batch may deliver."""
    path = str(model)
    match model.suffix.lower():
        case ".glb" | ".gltf":
            bpy.ops.import_scene.gltf(filepath=path)
        case ".blend":
            with bpy.data.libraries.load(path) as (found, wanted):
                wanted.objects = found.objects
            for loaded in wanted.objects:
                scene.collection.objects.link(loaded)
        case ".obj":
            bpy.ops.wm.obj_import(filepath=path)
        case ".fbx":
            bpy.ops.import_scene.fbx(filepath=path)
        case _:
            bpy.ops.wm.usd_import(filepath=path)


def _light(scene: bpy.types.Scene) -> None:
    """Soft light from everywhere, and a sun from behind the camera's left shoulder for the form."""
    scene.world = bpy.data.worlds.new("World")
    if bpy.app.version < (5, 0):
        scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.45, 0.46, 0.48, 1.0)
    for name, energy, direction in (("Key", 2.2, (0.2, 1.0, -1.0)), ("Fill", 0.6, (-1.0, 0.5, -0.2))):
        sun = bpy.data.lights.new(name, "SUN")
        sun.energy, sun.angle = energy, 0.1
        light = bpy.data.objects.new(name, sun)
        light.rotation_mode = "QUATERNION"
        light.rotation_quaternion = Vector(direction).to_track_quat("-Z", "Y")
        scene.collection.objects.link(light)


def _frame(scene: bpy.types.Scene) -> None:
    """The camera so that all meshes are just seen."""
    points = _points(scene)
    lowest, highest = points.min(axis=0), points.max(axis=0)
    middle = (lowest + highest) / 2
    size = float(((highest - lowest) ** 2).sum() ** 0.5) or 1.0
    camera = scene.camera
    camera.data.lens = LENS_MM
    camera.data.clip_start, camera.data.clip_end = size / 100.0, size * 100.0
    camera.rotation_mode = "QUATERNION"
    camera.rotation_quaternion = VIEW_DIRECTION.to_track_quat("-Z", "Y")
    bpy.context.view_layer.update()
    spread = middle + (points - middle) * MARGIN
    camera.location, _ = camera.camera_fit_coords(bpy.context.evaluated_depsgraph_get(), spread.ravel().tolist())


def _points(scene: bpy.types.Scene) -> Any:
    """Vertices of all meshes in world space, of many only some: an array of shape (n, 3)."""
    import numpy as np

    bpy.context.view_layer.update()
    meshes = [item for item in scene.objects if item.type == "MESH" and len(item.data.vertices)]
    if not meshes:
        raise ValueError("the file holds no mesh")
    step = sum(len(item.data.vertices) for item in meshes) // FRAMED_POINTS + 1
    found = []
    for item in meshes:
        points = np.empty(len(item.data.vertices) * 3, np.float32)
        item.data.vertices.foreach_get("co", points)
        matrix = np.array(item.matrix_world)
        found.append(points.reshape(-1, 3)[::step] @ matrix[:3, :3].T + matrix[:3, 3])
    return np.concatenate(found)


def _render(scene: bpy.types.Scene, picture: Path) -> None:
    bpy.ops.render.render()
    # Not `write_still`: since 5.0 it takes braces in a path for a template.
    bpy.data.images["Render Result"].save_render(str(picture), scene=scene)


def _sheet(cells: list[dict[str, str]], target: Path) -> None:
    """All pictures in one, each with its caption below. A cell without a picture stays empty but for its caption."""
    import numpy as np

    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    width, height = columns * CELL_PX, rows * (CELL_PX + CAPTION_PX)
    page = np.full((height, width, 3), BACKGROUND, np.float32)
    places = [(i // columns * (CELL_PX + CAPTION_PX), i % columns * CELL_PX) for i in range(len(cells))]
    for cell, (top, left) in zip(cells, places, strict=True):
        inner = page[top + GAP_PX : top + CELL_PX, left + GAP_PX // 2 : left + CELL_PX - GAP_PX // 2]
        inner[...] = GROUND
        if cell["picture"]:
            pixels = _pixels(cell["picture"])[:SIDE_PX, :SIDE_PX]
            color, alpha = pixels[:, :, :3], pixels[:, :, 3:]
            inner[: len(pixels), : pixels.shape[1]] = color * alpha + GROUND * (1.0 - alpha)
    captions = target.with_name(f"{target.stem}-captions.png")
    _captions([cell["caption"] for cell in cells], places, (width, height), captions)
    alpha = _pixels(str(captions))[:, :, 3:]
    captions.unlink()
    page = INK * alpha + page * (1.0 - alpha)
    image = bpy.data.images.new("Sheet", width, height)
    image.pixels.foreach_set(np.concatenate([page, np.ones_like(alpha)], axis=2)[::-1].ravel().astype(np.float32))
    image.filepath_raw, image.file_format = str(target), "PNG"
    image.save()


def _pixels(file: str) -> Any:
    """Height by width by red, green, blue, alpha; the top row first."""
    import numpy as np

    image = bpy.data.images.load(file)
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1]


def _captions(texts: list[str], places: list[tuple[int, int]], size: tuple[int, int], target: Path) -> None:
    """A picture of the captions on nothing. Blender's Python has no other way to write letters in 4.2."""
    width, height = size
    scene = _empty_scene(width, height)
    scene.cycles.samples = CAPTION_SAMPLES
    for text, (top, left) in zip(texts, places, strict=True):
        letters = bpy.data.curves.new("Caption", "FONT")
        text = text.encode("utf-8", "replace").decode("utf-8")  # a file's name may hold bytes that are no text
        letters.body = text if len(text) <= CAPTION_LETTERS else f"{text[: CAPTION_LETTERS - 1]}…"
        letters.size = LETTER_PX
        letters.align_x = "CENTER"
        caption = bpy.data.objects.new("Caption", letters)
        caption.location = (left + CELL_PX / 2, height - top - CELL_PX - CAPTION_PX * 0.7, 0.0)
        scene.collection.objects.link(caption)
    camera = scene.camera
    camera.data.type = "ORTHO"
    camera.data.ortho_scale = max(width, height)
    camera.location = (width / 2, height / 2, 10.0)
    _render(scene, target)


if __name__ == "__main__":
    main()
