# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of every kind are selected one after the other: what the panel says of them, and what it costs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON

FOLDER = Path(bpy.app.tempdir)
_steps: list[float] = []


def picture(side: int, *, busy: bool = False, alpha: bool = False, radius: float = 0.25) -> np.ndarray[Any, Any]:
    """A disk of noise in front of white, of large patches of color, or of nothing."""
    random = np.random.default_rng(side)
    values = np.ones((side, side, 4), np.float32)
    if busy:
        patches = random.random((8, 8, 3)).astype(np.float32)
        values[:, :, :3] = patches.repeat(side // 8, axis=0).repeat(side // 8, axis=1)
    y, x = np.ogrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]  # type: ignore[misc]
    disk = x * x + y * y < (2 * radius) ** 2
    values[disk, :3] = random.random((int(disk.sum()), 3), np.float32) * 0.4
    if alpha:
        values[~disk] = 0.0
    return values


def new(name: str, values: np.ndarray[Any, Any], **options: Any) -> Any:
    image = bpy.data.images.new(name, values.shape[1], values.shape[0], alpha=True, **options)
    image.pixels.foreach_set(values.ravel())
    return image


def file(name: str, values: np.ndarray[Any, Any]) -> Any:
    """An image file that Blender has not loaded yet."""
    image = new("to be saved", values)
    path = FOLDER / name
    image.filepath_raw, image.file_format = str(path), "JPEG" if path.suffix == ".jpg" else "PNG"
    image.save()
    bpy.data.images.remove(image)
    return bpy.data.images.load(str(path), check_existing=False)


def images() -> dict[str, Any]:
    made = {
        "file": file("file.png", picture(4096)),
        "busy": file("busy.jpg", picture(1024, busy=True)),
        "alpha": file("alpha.png", picture(1024, alpha=True)),
        "tiny": file("tiny.png", picture(128)),
        "huge": file("huge.png", picture(4608)),
        "packed": file("packed.png", picture(1024)),
        "saved_preview": file("saved_preview.png", picture(1024)),
        "own_preview": file("own_preview.png", picture(1024)),
        "painted": new("painted", picture(1024, radius=0.04)),
        "float": new("float", picture(512, alpha=True), float_buffer=True),
        "generated": bpy.data.images.new("generated", 1024, 512),
        "missing": file("missing.png", picture(64)),
    }
    made["packed"].pack()
    (FOLDER / "packed.png").unlink()
    (FOLDER / "missing.png").unlink()
    made["wide"] = file("wide.png", np.tile(picture(512)[128:384], (1, 3, 1)))
    tile = picture(1024)
    for number in (1001, 1002):
        made["tiled"] = file(f"tiled.{number}.png", tile)
    made["tiled"].source, made["tiled"].filepath = "TILED", str(FOLDER / "tiled.<UDIM>.png")
    for name in ("saved_preview", "own_preview"):
        made[name].preview_ensure()
    made["own_preview"].preview.image_size = 8, 8
    made["own_preview"].preview.image_pixels_float.foreach_set(np.ones(8 * 8 * 4, np.float32))
    for image in made.values():
        image.use_fake_user = True
    return made


def state_of(image: Any) -> list[Any]:
    return [image.name, image.filepath, image.source, image.is_dirty, bool(image.packed_file), image.use_fake_user]


def look_at(name: str) -> Any:
    module = sys.modules[f"{ADDON}.blender.image_look"]
    settings = addon.settings()
    framing = sys.modules[f"{ADDON}.ui.properties"].framing(settings)
    return module.look(bpy.data.images[name], framing)


def as_json(look: Any) -> dict[str, Any]:
    return {
        "size": [look.width, look.height],
        "sent": [look.sent_width, look.sent_height],
        "findings": [finding.label for finding in look.findings],
        "icon": look.icon_id > 0,
        "problem": look.problem,
    }


def is_known(name: str) -> Callable[[], bool]:
    def known() -> bool:
        look = look_at(name)
        return bool(look and (look.width or look.problem))

    return known


def measure_steps(look: Any) -> None:
    """How long the main thread is stopped at a time, into ``_steps``."""
    tick = look._tick

    def timed() -> Any:
        begin = time.perf_counter()
        pause = tick()
        _steps.append(1000 * (time.perf_counter() - begin))
        return pause

    look._tick = timed


def scenario(d: Driver) -> Steps:
    names = {kind: image.name for kind, image in images().items()}
    yield from d.open_sidebar("Pixal3D")
    yield 2.0
    d.record("sidebar_width", d.region().width)
    measure_steps(sys.modules[f"{ADDON}.blender.image_look"])
    before = {kind: state_of(bpy.data.images[name]) for kind, name in names.items()}
    longest = {}
    for kind, name in names.items():
        addon.settings().image = bpy.data.images[name]
        d.region().tag_redraw()
        _steps.clear()
        if kind in {"file", "missing"}:
            yield from d.screenshot(f"{kind}_at_once")
        yield from d.wait_until(is_known(name), 20, f"a look at {kind}")
        longest[kind] = round(max(_steps), 1)
        d.record(kind, as_json(look_at(name)))
        yield from d.screenshot(kind)
    d.record("longest_step_in_milliseconds", longest)

    settings = addon.settings()
    settings.image = bpy.data.images[names["alpha"]]
    yield from d.wait_until(is_known(names["alpha"]), 20, "a look again")
    settings.crop_to_subject = True
    d.region().tag_redraw()
    d.record("cropped", as_json(look_at(names["alpha"])))
    yield from d.screenshot("cropped")
    settings.image = bpy.data.images[names["wide"]]
    settings.crop_to_subject, settings.pad_to_square = False, True
    d.region().tag_redraw()
    yield from d.wait_until(is_known(names["wide"]), 20, "a look at the wide one")
    d.record("padded", as_json(look_at(names["wide"])))
    yield from d.screenshot("padded")
    settings.pad_to_square = False

    # A file with previews in it, opened: nothing is loaded, yet all is said.
    for kind in ("missing", "float", "generated"):
        bpy.data.images.remove(bpy.data.images[names.pop(kind)])
    d.record("unchanged", all(state_of(bpy.data.images[name]) == before[kind] for kind, name in names.items()))
    d.record("own_preview_kept", list(bpy.data.images[names["own_preview"]].preview.image_size))
    path = FOLDER / "all.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    yield 0.5
    yield from d.open_sidebar("Pixal3D")
    settings = addon.settings()
    for kind in ("saved_preview", "alpha", "packed"):
        d.record(f"{kind}: loaded before", bpy.data.images[names[kind]].has_data)
        settings.image = bpy.data.images[names[kind]]
        d.region().tag_redraw()
        yield from d.wait_until(is_known(names[kind]), 20, f"a look at {kind} of a file that was opened")
        d.record(f"{kind}: opened", as_json(look_at(names[kind])))
    d.record("file_is_dirty", bpy.data.is_dirty)

    painted = bpy.data.images[names["alpha"]]
    painted.pixels.foreach_set(picture(1024, alpha=True, radius=0.04).ravel())
    painted.update()
    settings.image = painted

    def is_seen_anew() -> bool:
        d.region().tag_redraw()
        return "Nearly Empty" in as_json(look_at(names["alpha"]))["findings"]

    yield from d.wait_until(is_seen_anew, 20, "a look at what was painted")
    yield from d.screenshot("painted_over")

    material = bpy.data.materials.new("Textured")
    material.use_nodes = True
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = painted
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    cube = bpy.data.objects["Cube"]
    cube.data.materials.clear()
    cube.data.materials.append(material)
    source = sys.modules[f"{ADDON}.blender.image_source"]
    with bpy.context.temp_override(window=d.window):
        begin = time.perf_counter()
        for _ in range(100):
            assert source.active_material_image(bpy.context) == painted
        d.record("microseconds_for_the_material", round(1e4 * (time.perf_counter() - begin)))

    timer = sys.modules[f"{ADDON}.blender.image_look"]._tick
    settings.image = None
    yield from d.wait_until(lambda: not bpy.app.timers.is_registered(timer), 10, "the end of the timer")
    settings.image = bpy.data.images[names["file"]]
    d.region().tag_redraw()
    yield 0.2
    begin = time.perf_counter()
    bpy.ops.preferences.addon_disable(module=ADDON)
    d.record("seconds_to_disable", time.perf_counter() - begin)
    d.record("timer_left", bpy.app.timers.is_registered(timer))


play(scenario)
