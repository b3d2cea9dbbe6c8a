# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way to an image that needs a window: the view, the clipboard, a render, the compositor, an editor, a file."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON

SEQUENCE = Path(os.environ["PIXAL3D_GUI_RESULTS"]) / "frames"


def room(name: str) -> Any:
    return importlib.import_module(f"{ADDON}.{name}")


def pixels(values: Any, width: int, height: int) -> np.ndarray:
    return np.asarray(values, np.float32).reshape(height, width, -1)


def pixels_of(image: Any) -> np.ndarray:
    values = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
    image.pixels.foreach_get(values)
    return pixels(values, *image.size)


def sent(image: Any) -> np.ndarray:
    content = room("blender.image_source").source_image(image).content
    return pixels(content.values, content.width, content.height)


def view_state(area: Any) -> list[Any]:
    space, scene = area.spaces.active, bpy.context.scene
    return [
        space.overlay.show_overlays,
        space.shading.type,
        scene.render.film_transparent,
        [round(value, 5) for row in space.region_3d.view_matrix for value in row],
    ]


def use(d: Driver, operator: str) -> Any:
    """Runs the operator as a click in the sidebar of the largest area does; says the image, or the error."""
    area = max(d.window.screen.areas, key=lambda each: each.width * each.height)
    region = next(region for region in area.regions if region.type == "UI")
    with bpy.context.temp_override(window=d.window, area=area, region=region):
        try:
            getattr(bpy.ops.pixal3d, operator)("INVOKE_DEFAULT", True)
        except RuntimeError as error:
            return str(error)
    return addon.settings().image


def look(picture: np.ndarray) -> dict[str, list[float]]:
    """The middle, the mean color and alpha of the corners, and how much is covered."""
    height, width = picture.shape[:2]
    corners = [picture[y, x].tolist() for y in (0, -1) for x in (0, -1)]
    return {
        "size": [width, height],
        "middle": picture[height // 2, width // 2].tolist(),
        "corner_alpha": [corner[3] for corner in corners],
        "covered": [float((picture[:, :, 3] > 0.5).mean())],
    }


def save(image: Any, path: Path) -> None:
    copy = bpy.data.images.new("Copy", *image.size, alpha=True)
    copy.pixels.foreach_set(pixels_of(image).ravel())
    copy.filepath_raw, copy.file_format = str(path), "PNG"
    copy.save()
    bpy.data.images.remove(copy)


def capture(d: Driver) -> Steps:
    area = d.area()
    for shading in ("SOLID", "RENDERED"):
        area.spaces.active.shading.type = shading
        yield 1.0
        before = view_state(area)
        image = use(d, "use_view")
        d.record(f"view {shading}", look(pixels_of(image)))
        d.record(f"view {shading} restored", view_state(area) == before)
        d.record(f"view {shading} kept", [image.name, bool(image.packed_file), image.is_dirty])
        save(image, d.results / f"view_{shading}.png")
    yield from d.screenshot("captured")

    area.spaces.active.shading.type = "SOLID"
    bpy.data.objects["Cube"].hide_set(True)
    yield 0.5
    d.record("view empty", str(use(d, "use_view")))
    bpy.data.objects["Cube"].hide_set(False)

    engine, bpy.context.scene.render.engine = bpy.context.scene.render.engine, "CYCLES"
    area.spaces.active.shading.type = "RENDERED"
    d.record("view cycles", str(use(d, "use_view")))
    area.spaces.active.shading.type, bpy.context.scene.render.engine = "SOLID", engine
    yield 0.5


def paste(d: Driver) -> Steps:
    manager = bpy.context.window_manager
    for name, text in (("path", str(addon.SAMPLE)), ("address", addon.SAMPLE.as_uri()), ("nothing", "hello")):
        addon.settings().image = None
        manager.clipboard = text
        yield 0.3
        found = use(d, "use_clipboard")
        d.record(f"clipboard {name}", found if isinstance(found, str) else found.name)

    # The display of the tests has no images in its clipboard: Blender's own operator is stood in for, in its context.
    clipboard = room("blender.clipboard")

    class Paste:
        def poll(self) -> bool:
            return True

        def __call__(self) -> None:
            image = bpy.data.images.new("Clipboard", 4, 4)
            image.pixels.foreach_set(np.full(64, 0.25, np.float32))
            bpy.context.space_data.image = image

    blenders, clipboard._blenders_paste = clipboard._blenders_paste, Paste
    area = d.area()
    before = [each.ui_type for each in d.window.screen.areas], view_state(area)
    image = use(d, "use_clipboard")
    yield 0.5
    d.record("pasted", [image.name, bool(image.packed_file), image.is_dirty, round(image.pixels[0], 2)])
    after = [each.ui_type for each in d.window.screen.areas], view_state(d.area())
    d.record("pasted restored", before == after)
    yield from d.screenshot("pasted")

    area.type = "IMAGE_EDITOR"
    area.spaces.active.image = shown = bpy.data.images.load(str(addon.SAMPLE), check_existing=True)
    area.spaces.active.use_image_pin = False
    yield 0.5
    image = use(d, "use_clipboard")
    d.record("pasted in an Image Editor", image.name)
    d.record("still shown", [area.spaces.active.image == shown, area.spaces.active.use_image_pin, area.type])
    clipboard._blenders_paste = blenders


def render(d: Driver) -> Steps:
    scene: Any = bpy.context.scene
    d.record("before a render", str(use(d, "use_render")))
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.render.film_transparent, scene.render.resolution_percentage = True, 25
    with bpy.context.temp_override(window=d.window):
        bpy.ops.render.render()
    image = use(d, "use_render")
    d.record("render", look(pixels_of(image)))
    save(image, d.results / "render.png")

    area = d.area("IMAGE_EDITOR")
    area.spaces.active.image = bpy.data.images["Render Result"]
    yield 1.0
    d.record("render result", look(sent(bpy.data.images["Render Result"])))
    yield from d.screenshot("render")


def compose(d: Driver) -> Steps:
    scene: Any = bpy.context.scene
    if hasattr(scene, "compositing_node_group"):
        tree = scene.compositing_node_group = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
    else:
        scene.use_nodes = True
        tree = scene.node_tree
    layers = next((n for n in tree.nodes if n.type == "R_LAYERS"), None) or tree.nodes.new("CompositorNodeRLayers")
    viewer = tree.nodes.new("CompositorNodeViewer")
    tree.links.new(layers.outputs[0], viewer.inputs[0])
    tree.nodes.active = viewer
    with bpy.context.temp_override(window=d.window):
        bpy.ops.render.render()
    area = d.area("IMAGE_EDITOR")
    area.ui_type = "CompositorNodeTree"
    area.spaces.active.show_backdrop = True
    yield 2.0
    viewers = [image for image in bpy.data.images if image.type == "COMPOSITING"]
    d.record("viewers", len(viewers))
    d.record("viewer", look(sent(viewers[0])))
    area.ui_type = "IMAGE_EDITOR"
    yield 0.5


def frames(d: Driver) -> Steps:
    SEQUENCE.mkdir()
    for frame in range(1, 6):
        image = bpy.data.images.new("Frame", 8, 8)
        image.pixels.foreach_set(np.tile(np.array((frame / 10, 0.0, 0.0, 1.0), np.float32), 64))
        image.filepath_raw, image.file_format = str(SEQUENCE / f"walk.{frame:04}.tga"), "TARGA"
        image.save()
        bpy.data.images.remove(image)
    image = bpy.data.images.load(str(SEQUENCE / "walk.0001.tga"))
    image.source = "SEQUENCE"
    space = d.area("IMAGE_EDITOR").spaces.active
    space.image = image
    space.image_user.frame_duration, space.image_user.frame_offset = 5, 2
    bpy.context.scene.frame_set(2)
    yield 1.0
    d.record("frame shown", [space.image_user.frame_current, round(float(sent(image)[0, 0, 0]), 2)])


def choose_file(d: Driver) -> Steps:
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    addon.settings().image = None
    use(d, "drop_image")
    yield from d.wait_until(lambda: any(a.type == "FILE_BROWSER" for a in d.window.screen.areas), 5, "a file browser")
    yield 1.0
    area = d.area("FILE_BROWSER")
    area.spaces.active.params.directory = str(addon.SAMPLE.parent).encode()
    area.spaces.active.params.filename = addon.SAMPLE.name
    yield 1.0
    yield from d.screenshot("file_browser")
    region = d.region("WINDOW", "FILE_BROWSER")
    yield from d.move(region.x + region.width // 2, region.y + region.height // 2)
    yield from d.key("RET")
    yield from d.wait_until(lambda: addon.settings().image is not None, 5, "the image that was chosen")
    d.record("file", addon.settings().image.name)


def scenario(d: Driver) -> Steps:
    area = d.area()
    yield from d.move(area.x + area.width // 2, area.y + area.height * 3 // 4)
    with bpy.context.temp_override(window=d.window, area=area, region=d.region("WINDOW")):
        bpy.ops.wm.call_menu(name="PIXAL3D_MT_image_from")
    yield from d.screenshot("menu")
    yield from d.key("ESC")
    yield from capture(d)
    yield from paste(d)
    yield from render(d)
    yield from compose(d)
    yield from frames(d)
    yield from choose_file(d)


play(scenario)
