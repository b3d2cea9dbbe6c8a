# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state of every panel, one after the other, and a picture of each (``scripts/gallery.py``).

``GUI_PART`` is ``first``, in a profile in which nothing was made yet, or ``later``. With ``GUI_ALL`` the panels that
hold nothing but settings are shown too, and some states also in a wide sidebar and with Blender's light theme.
"""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, pixels, play
from tests.support.blender_process import ADDON
from tests.support.standin import StandIn

WIDTHS = {"narrow": 280, "wide": 420}
PANELS = ("quality", "mesh", "texture", "placement", "advanced", "more")
STATUS_BAR_PIXELS = 40
POINTER_PIXELS = 32
"""The mouse pointer is no larger: it moves too when something pops up."""
ABOVE_TEST_PIXELS = 95
"""From the preferences' Test Connection to their first row."""
WORKED_SECONDS = 60
"""So long the service has been at the job that is shown at 40 percent; the earlier ones took 150."""

service = StandIn(os.environ["GUI_BASE_URL"], os.environ["GUI_KEY"], os.environ["GUI_SECRET"], 0)


def module(name: str) -> Any:
    return sys.modules[f"{ADDON}.{name}"]


class Gallery:
    """Takes the pictures, and notes of each where on the display it is and what proves the state."""

    def __init__(self, d: Driver) -> None:
        self.d = d
        self.rectangles: dict[str, dict[str, Any]] = {}
        self.reached: dict[str, Any] = {}
        self.shows_all = bool(os.environ.get("GUI_ALL"))

    def show(self, state: str, proof: object, *, in_all_ways: bool = False) -> Steps:
        """The sidebar, narrow and dark."""
        self.reached[state] = proof
        yield from self._sidebar(state, "narrow", "dark")
        if in_all_ways and self.shows_all:
            yield from self._sidebar(state, "wide", "dark")
            light = Path(bpy.utils.preset_paths("interface_theme")[0]) / "Blender_Light.xml"
            bpy.ops.script.execute_preset(filepath=str(light), menu_idname="USERPREF_MT_interface_theme_presets")
            yield from self._sidebar(state, "wide", "light")
            yield from self._sidebar(state, "narrow", "light")
            bpy.ops.preferences.reset_default_theme()

    def _sidebar(self, state: str, width: str, theme: str) -> Steps:
        yield from self.d.set_sidebar_width(WIDTHS[width])
        yield from self._away()
        region = self.d.region()
        region.tag_redraw()
        rectangle = region.x, region.y, region.width, region.height
        yield from self._take(f"{state}-{width}-{theme}", rectangle, "sidebar")

    def show_popup(self, state: str, proof: object, opens: Callable[[], object]) -> Steps:
        """What `opens` brings up over the 3D View; it is closed again."""
        view = self.d.region("WINDOW")
        middle = view.x + view.width // 3, view.y + view.height // 2
        yield from self.d.move(*middle)
        yield 0.3
        before = self._display()
        with self.override("WINDOW"):
            opens()
        yield 0.8
        self.reached[state] = proof
        changed = self._changed(before)
        yield from self._take(f"{state}-narrow-dark", changed, "popup")
        yield from self.d.key("ESC")
        yield 0.3

    def show_region(self, state: str, proof: object, rectangle: tuple[int, int, int, int]) -> Steps:
        """Another part of the window, in its coordinates."""
        self.reached[state] = proof
        yield from self._take(f"{state}-narrow-dark", rectangle, "region")

    def override(self, region: str = "UI") -> Any:
        return bpy.context.temp_override(window=self.d.window, area=self.d.area(), region=self.d.region(region))

    def _take(self, name: str, rectangle: tuple[int, int, int, int], kind: str) -> Steps:
        x, y, width, height = rectangle
        yield from self.d.screenshot(name)
        from_top = [x, len(self._display()) - y - height, width, height]
        self.rectangles[name] = {"rectangle": from_top, "kind": kind}

    def _display(self) -> Any:
        return pixels(Path(os.environ["PIXAL3D_GUI_FRAMEBUFFER"])).copy()

    def _changed(self, before: Any) -> tuple[int, int, int, int]:
        """The rectangle in which the display is not what it was, but for the status bar."""
        now = self._display()
        changed = (now[:-STATUS_BAR_PIXELS, :, :3] != before[:-STATUS_BAR_PIXELS, :, :3]).any(axis=2)
        rows = np.flatnonzero(changed.sum(axis=1) > POINTER_PIXELS)
        columns = np.flatnonzero(changed.sum(axis=0) > POINTER_PIXELS)
        x, width = int(columns[0]), int(columns[-1] - columns[0]) + 1
        return x, len(now) - int(rows[-1]) - 1, width, int(rows[-1] - rows[0]) + 1

    def _away(self) -> Steps:
        """No button is to be highlighted."""
        view = self.d.region("WINDOW")
        yield from self.d.move(view.x + 60, view.y + 60)


def busy_photo() -> Any:
    """The sample in front of large patches of color, as a file has it that was never cut out."""
    sample = bpy.data.images.load(str(addon.SAMPLE), check_existing=True)
    width, height = sample.size
    values = np.empty(width * height * 4, np.float32)
    sample.pixels.foreach_get(values)
    values = values.reshape(height, width, 4)
    patches = (0.2 + 0.5 * np.random.default_rng(3).random((8, 8, 1)) * [1.0, 0.8, 0.6]).astype(np.float32)
    background = patches.repeat(-(-height // 8), axis=0).repeat(-(-width // 8), axis=1)[:height, :width]
    white = (values[:, :, :3].min(axis=2, keepdims=True) > 0.97) if values[:, :, 3].min() == 1 else None
    alpha = values[:, :, 3:4] if white is None else np.where(white, 0.0, 1.0)
    values[:, :, :3] = values[:, :, :3] * alpha + background * (1 - alpha)
    values[:, :, 3] = 1.0
    image = bpy.data.images.new("kitchen photo", width, height)
    image.pixels.foreach_set(values.ravel().astype(np.float32))
    return image


def known(image: Any) -> bool:
    look = module("blender.image_look").look(image, module("ui.properties").framing(addon.settings()))
    return bool(look and look.width)


def findings(image: Any) -> list[str]:
    framing = module("ui.properties").framing(addon.settings())
    return [finding.label for finding in module("blender.image_look").look(image, framing).findings]


def select(d: Driver, image: Any) -> Steps:
    addon.settings().image = image
    d.region().tag_redraw()
    yield from d.wait_until(lambda: known(image), 20, f"a look at {image.name}")


def label() -> str:
    values = module("ui.properties").parameter_values(addon.settings())
    return str(module("ui.price_texts").generate_text(module("blender.pricing").price(values)))


def generate(g: Gallery) -> Any:
    """As by a click on the button, with another seed. Returns what reads its record from then on."""
    addon.settings().seed += 1
    with g.override("WINDOW"):
        bpy.ops.pixal3d.generate("INVOKE_DEFAULT")
    return addon.generations()[-1].id


def snapshot(generation: str) -> Any:
    return addon.manager().get(generation)


def is_state(generation: str, state: str) -> Callable[[], bool]:
    return lambda: snapshot(generation).generation.state == state


def tell(*jobs: tuple[str, str, float]) -> None:
    """From now on the service says of these generations' jobs: status and progress."""
    service.clear_faults()
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=WORKED_SECONDS)
    faults = []
    for generation, status, progress in jobs:
        job = {
            "jobId": snapshot(generation).generation.job_id,
            "jobType": "custom",
            "status": status,
            "progress": progress,
            "statusHistory": [{"status": status, "date": began.isoformat()}],
            "metadata": {"input": {}},
            "createdAt": began.isoformat(),
            "updatedAt": began.isoformat(),
        }
        fault = {"action": "status", "method": "GET", "path": f"/v1/jobs/{job['jobId']}", "times": 1000}
        faults.append({**fault, "status": 200, "body": {"job": job}})
    service.set_faults(faults)


def remove(generation: str) -> None:
    bpy.ops.pixal3d.remove(generation=generation)


def first(g: Gallery) -> Steps:
    """Up to the first generation."""
    d, preferences, own = g.d, bpy.context.preferences, addon.preferences()
    preferences.system.use_online_access = False
    yield from d.open_sidebar("Pixal3D")
    yield from g.show("offline", module("blender.online").offline_reason(), in_all_ways=True)
    preferences.system.use_online_access = True
    yield from g.show("no_key", module("blender.session").key_source() == "", in_all_ways=True)
    os.environ["SCENARIO_SDK_API_KEY"] = service.key
    yield from g.show("half_a_key", module("blender.session").half_a_key())
    del os.environ["SCENARIO_SDK_API_KEY"]

    own.api_key, own.api_secret, own.base_url = service.key, service.secret, service.base_url
    d.region().tag_redraw()
    yield 0.5
    yield from g.show("no_image", module("blender.ordering").chosen_image(bpy.context) is None)
    addon.use_sample_image()
    yield from select(d, addon.settings().image)
    yield from g.show("first_image", findings(addon.settings().image))
    bpy.ops.pixal3d.test_connection("INVOKE_DEFAULT")
    check = module("blender.connection_check")
    yield from d.wait_until(lambda: check.answer, 30, "the service's answer")
    yield from g.show("connected", check.answer.text)

    own.api_secret = "a wrong one"
    rejected = generate(g)
    yield from d.wait_until(is_state(rejected, "failed"), 30, "the refusal of the key")
    yield from g.show("key_rejected", snapshot(rejected).generation.error)
    remove(rejected)


def before(g: Gallery) -> Steps:
    """Up to the click."""
    d, own = g.d, addon.preferences()
    pricing = module("blender.pricing")
    own.show_price = False
    yield from d.open_sidebar("Pixal3D")
    yield from d.wait_until(lambda: addon.manager() and addon.manager().history(), 20, "the earlier generations")
    addon.use_sample_image()
    yield from select(d, addon.settings().image)
    yield from g.show("ready", label(), in_all_ways=True)
    own.show_price = True
    yield from d.wait_until(lambda: "CU" in label(), 20, "the price")
    yield from g.show("quoted", label(), in_all_ways=True)
    service.set_faults([{"method": "POST", "path": "/v1/generate/", "times": 1, "action": "slow", "seconds": 4}])
    addon.settings().resolution = "2048"
    d.region().tag_redraw()
    yield 0.5
    yield from g.show("old_price", label())
    yield from d.wait_until(lambda: not pricing.is_due(), 15, "the answer for other settings")
    addon.settings().resolution = "1024"
    photo = busy_photo()
    yield from select(d, photo)
    yield from g.show("findings", findings(photo), in_all_ways=True)
    addon.use_sample_image()
    addon.settings().crop_to_subject = addon.settings().pad_to_square = True
    yield from select(d, addon.settings().image)
    yield from g.show("cropped", [addon.settings().crop_to_subject, known(addon.settings().image)])
    addon.settings().crop_to_subject = addon.settings().pad_to_square = False
    if g.shows_all:
        yield from settings(g)
    yield from g.show_popup("presets", True, lambda: bpy.ops.wm.call_panel(name="PIXAL3D_PT_presets"))
    yield from g.show_popup("image_from", True, lambda: bpy.ops.wm.call_menu(name="PIXAL3D_MT_image_from"))
    yield from g.show_popup("variations", True, lambda: bpy.ops.pixal3d.variations("INVOKE_DEFAULT"))


def settings(g: Gallery) -> Steps:
    """The sub-panels that do nothing but hold settings."""
    d = g.d
    for name in PANELS:
        place = yield from d.open_panel(f"PIXAL3D_PT_{name}")
        if name == "advanced":
            inner = yield from d.open_panel("PIXAL3D_PT_structure_sampling")
            yield from g.show(name, True)
            yield from d.click(*inner)
        else:
            yield from g.show(name, True)
        yield from d.click(*place)


def one_job(g: Gallery) -> Steps:
    """From the click to the mesh."""
    d = g.d
    service.set_faults(
        [
            {"method": "POST", "path": "/v1/(uploads|assets)", "times": 1, "action": "slow", "seconds": 3},
            {"method": "POST", "path": "/v1/generate/", "times": 1, "action": "slow", "seconds": 1},
        ]
    )
    this = generate(g)
    yield from d.wait_until(is_state(this, "uploading"), 20, "the upload")
    yield from g.show("uploading", snapshot(this).generation.state)
    yield from d.wait_until(is_state(this, "running"), 30, "a job")
    tell((this, "queued", 0.0))
    yield from d.wait_until(lambda: snapshot(this).generation.service_status == "queued", 20, "a queued job")
    yield from g.show("queued", [snapshot(this).generation.service_status, snapshot(this).shown_progress])
    tell((this, "in-progress", 0.4))
    yield from d.wait_until(lambda: snapshot(this).shown_progress == 0.4, 20, "40 percent")
    left = addon.manager().seconds_left(snapshot(this).generation)
    yield from g.show("40_percent", [snapshot(this).shown_progress, left], in_all_ways=True)
    service.clear_faults()
    service.set_faults([{"action": "close", "method": "GET", "path": "/v1/jobs/", "times": 1000}])
    yield from d.wait_until(lambda: snapshot(this).notice, 30, "the network's absence")
    yield from g.show("network_away", snapshot(this).notice)
    service.clear_faults()
    service.set_faults(
        [{"action": "drip", "method": "GET", "path": "/cdn/", "times": 9, "bytes": 250_000, "seconds": 1.0}]
    )
    yield from d.wait_until(
        lambda: is_state(this, "downloading")() and (snapshot(this).progress or 0) > 0.2, 40, "a part of the model"
    )
    with g.override("WINDOW"):
        bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
        bpy.ops.object.mode_set(mode="EDIT")
    yield from g.show("downloading", snapshot(this).progress)
    yield from d.wait_until(is_state(this, "ready"), 60, "the model, ready")
    yield from d.wait_until(lambda: addon.watcher().waiting, 10, "what it waits for")
    yield from g.show("waiting_for_object_mode", addon.watcher().waiting)
    with g.override("WINDOW"):
        bpy.ops.object.mode_set(mode="OBJECT")
    yield from d.wait_until(is_state(this, "imported"), 30, "the model")
    yield 1.0
    yield from g.show("done", bpy.context.view_layer.objects.active.name, in_all_ways=True)
    yield from g.show_popup("redo", True, lambda: bpy.ops.screen.redo_last("INVOKE_DEFAULT"))
    place = yield from d.open_panel("PIXAL3D_PT_mesh_check")
    check, mesh = module("blender.mesh_check"), bpy.context.view_layer.objects.active.data
    yield from d.wait_until(lambda: check.of(mesh), 20, "the counts")
    yield from g.show("mesh_check", [label for label, _, _ in check.rows(check.of(mesh))])
    yield from d.click(*place)


def troubles(g: Gallery) -> Steps:
    """What goes wrong after the click."""
    d = g.d
    service.set_options(job_outcome="failure")
    this = generate(g)
    yield from d.wait_until(is_state(this, "failed"), 30, "the failure")
    yield from g.show("failed", snapshot(this).generation.trouble, in_all_ways=True)
    remove(this)
    service.set_options(job_outcome="success", list_lag_seconds=600.0)
    service.set_faults([{"method": "POST", "path": "/v1/generate/", "times": 1, "action": "accept_then_close"}])
    this = generate(g)
    yield from d.wait_until(is_state(this, "uncertain"), 30, "a reply that is lost")
    yield from g.show("reply_lost", snapshot(this).generation.state)
    bpy.ops.pixal3d.stop_waiting(generation=this)
    yield from d.wait_until(lambda: not addon.manager().is_running(this), 30, "no more looking")
    yield from g.show("reply_lost_stopped", snapshot(this).generation.state)
    remove(this)
    service.set_options(list_lag_seconds=0.0)
    this = generate(g)
    yield from d.wait_until(is_state(this, "running"), 30, "a job")
    tell((this, "in-progress", 0.4))
    bpy.ops.pixal3d.stop_waiting(generation=this)
    yield from d.wait_until(is_state(this, "abandoned"), 30, "no more waiting")
    yield from d.wait_until(lambda: not addon.manager().is_running(this), 30, "the worker's end")
    yield from g.show("stopped", snapshot(this).generation.state)
    service.clear_faults()
    remove(this)

    this = generate(g)
    yield from d.wait_until(is_state(this, "running"), 30, "a job")
    bpy.ops.wm.read_homefile()
    yield 0.5
    yield from enlarge(d)
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.wait_until(is_state(this, "ready"), 30, "a model for a file that was closed")
    yield from select(d, addon.settings().image)
    yield from g.show("other_file", module("blender.arrival").question(snapshot(this).generation))
    remove(this)


def the_list(g: Gallery) -> Steps:
    d = g.d
    place = yield from d.open_panel("PIXAL3D_PT_generations")
    listed = module("blender.generation_list")
    shown = listed.of(bpy.context)
    chosen = next(i for i, row in enumerate(shown.rows) if row.name == "dragon")
    shown.active_index = chosen
    d.region().tag_redraw()
    yield 1.0
    yield from g.show("list", [len(shown.rows), shown.rows[chosen].name], in_all_ways=True)
    yield from d.set_sidebar_width(WIDTHS["narrow"])
    yield from d.click(*place)


def many(g: Gallery) -> Steps:
    d = g.d
    these = [generate(g) for _ in range(8)]

    def under_way() -> list[str]:
        return [this for this in these if is_state(this, "running")()]

    yield from d.wait_until(lambda: len(under_way()) == 3, 30, "three jobs")
    told = [(0.65, "in-progress"), (0.3, "in-progress"), (0.0, "warming-up")]
    tell(*((this, status, progress) for this, (progress, status) in zip(under_way(), told, strict=True)))
    yield from d.wait_until(lambda: any(snapshot(this).shown_progress == 0.65 for this in these), 20, "their progress")
    yield 2.5
    yield from g.show("many", [len(these), sum(snapshot(this).is_queued for this in these)], in_all_ways=True)
    for this in these:
        addon.manager().stop(this)
    service.clear_faults()


def preferences(g: Gallery) -> Steps:
    d = g.d

    def is_test(what: str) -> bool:
        return what.startswith("bpy.ops.pixal3d.test_connection(")

    with g.override():
        bpy.ops.screen.back_to_previous()
    yield 0.5
    d.area().type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "Pixal3D"
    bpy.ops.preferences.addon_expand(module=ADDON)
    yield 1.0
    place = yield from d.find_button(is_test, "Test Connection", "WINDOW", "PREFERENCES")
    region = d.region("WINDOW", "PREFERENCES")
    yield from d.move(region.x + 4, region.y + 4)
    top = place[1] + ABOVE_TEST_PIXELS  # and not the path of the add-on's file
    yield from g.show_region("preferences", True, (region.x, region.y, region.width, top - region.y))


def enlarge(d: Driver) -> Steps:
    """The 3D View fills the window, for all of a panel to be seen."""
    with bpy.context.temp_override(window=d.window, area=d.area()):
        bpy.ops.screen.screen_full_area(use_hide_panels=True)
    yield 0.5


def scenario(d: Driver) -> Steps:
    bpy.context.preferences.system.use_region_overlap = False  # the sidebar beside the view, not over it
    g = Gallery(d)
    bpy.context.preferences.view.show_tooltips = False
    d.window.cursor_warp(2, 2)
    yield from enlarge(d)
    parts = {
        "first": (first,),
        "later": (before, one_job, troubles, the_list, many, preferences),
    }
    began = time.monotonic()
    for part in parts[os.environ["GUI_PART"]]:
        yield from part(g)
        print(f"{part.__name__}: {time.monotonic() - began:.0f} s")
        d.record("rectangles", g.rectangles)
        d.record("reached", g.reached)


play(scenario)
