# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist does with Pixal3D, all operators and preferences of ours, and what the service does meanwhile."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import addon_utils
import bpy

from tests.gui import addon
from tests.gui.driver import STEP_SECONDS, Driver, ScenarioError, Steps
from tests.lab.inside import control
from tests.monkey.inside import spies
from tests.monkey.inside.hands import Hands, NotNow, action, op
from tests.support.blender_process import ADDON

SEEDS = (1, 2, 3)
"""Few, so that the stand-in has made most models before."""
TROUBLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("busy", {"action": "status", "status": 503, "path": "", "times": 3}),
    ("limited", {"action": "status", "status": 429, "path": "generate", "times": 2, "method": "POST"}),
    ("closed", {"action": "close", "path": "", "times": 2}),
    ("lost reply", {"action": "accept_then_close", "path": "generate", "method": "POST"}),
    ("lost reply to the upload", {"action": "accept_then_close", "path": "assets", "method": "POST"}),
    ("portal", {"action": "html", "status": 200, "path": "jobs", "times": 2}),
    ("cut model", {"action": "cut", "path": "cdn", "bytes": 5000}),
    ("refused", {"action": "status", "status": 400, "path": "generate", "method": "POST"}),
    ("hang", {"action": "hang", "path": "jobs", "seconds": 3.0}),
)


# Orders.


def choose_image(hands: Hands) -> str:
    """The sample, under a name that no order had before."""
    name = f"{hands.life}-{hands.orders:04d}"
    hands.orders += 1
    scene = hands.driver.window.scene
    if not scene.is_editable:
        raise NotNow
    settings = scene.pixal3d
    with hands.change("Image"):
        image = bpy.data.images.load(str(addon.SAMPLE))
        image.name = name
        settings.image, settings.decimation_target, settings.resolution = image, 5000, "1024"
        settings.seed = hands.one(SEEDS)
    return name


@action(70)
def generate(hands: Hands) -> Steps:
    choose_image(hands)
    with hands.view():
        op("pixal3d.generate", "INVOKE_DEFAULT")
    if addon.preferences().spending_limit and hands.chance(0.5):
        yield STEP_SECONDS
        yield from hands.driver.key("RET")


@action(3)
def generate_of_what_is_chosen(hands: Hands) -> None:
    """Whatever that is by now: an image that was removed, a texture of the active object, a render."""
    kind = hands.one(("VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR"))
    with hands.view(kind):
        op("pixal3d.generate", "INVOKE_DEFAULT")


@action(2)
def click_on_generate(hands: Hands) -> Steps:
    choose_image(hands)
    try:
        yield from hands.driver.open_sidebar("Pixal3D")
        yield from hands.driver.click_operator("pixal3d.generate")
    except ScenarioError:  # a popup, a narrow view, a first step that is missing
        raise NotNow from None


@action(2)
def generate_in_a_script(hands: Hands) -> None:
    name = choose_image(hands)
    with hands.view():
        if bpy.context.mode != "OBJECT":
            raise NotNow
        op("pixal3d.generate", "EXEC_DEFAULT", image=name, decimation_target=5000, resolution="1024", seed=1)


@action(6)
def submit_in_a_script(hands: Hands) -> None:
    name = choose_image(hands)
    api: Any = importlib.import_module(f"{ADDON}.api")
    with hands.view():
        handle = api.submit(bpy.data.images[name], decimation_target=5000, resolution=1024, seed=2)
        if hands.chance(0.2):
            handle.stop()


@action(8)
def variations(hands: Hands) -> Steps:
    """A dialog: agreed to, refused, or left open under what comes next."""
    choose_image(hands)
    with hands.view():
        op("pixal3d.variations", "INVOKE_DEFAULT", count=2)
    yield 2 * STEP_SECONDS
    if hands.chance(0.7):
        yield from hands.driver.key(hands.one(("RET", "RET", "ESC")))


@action(6)
def generate_again(hands: Hands) -> Steps:
    with hands.view():
        op("pixal3d.generate_again", "INVOKE_DEFAULT")
    yield STEP_SECONDS
    yield from hands.driver.key(hands.one(("RET", "ESC")))


# What can be done with a generation.


def _any_generation(hands: Hands) -> str:
    manager = addon.manager()
    known = [s.generation.id for s in manager.history()] if manager else []
    # The newest mostly; and one that is not known at all.
    return str(hands.one(["gone", *known[-3:], *known[-12:], *known[-3:]]))


def _on_generation(hands: Hands, name: str, **values: Any) -> Steps:
    how = hands.one(("INVOKE_DEFAULT", "INVOKE_DEFAULT", "EXEC_DEFAULT"))
    with hands.view():
        op(f"pixal3d.{name}", how, generation=_any_generation(hands), **values)
    yield STEP_SECONDS
    if how == "INVOKE_DEFAULT" and name in {"go_on", "try_again", "remove"}:
        yield from hands.driver.key(hands.one(("RET", "ESC")))


@action(6)
def stop_waiting(hands: Hands) -> Steps:
    yield from _on_generation(hands, "stop_waiting")


@action(8)
def fetch_again(hands: Hands) -> Steps:
    yield from _on_generation(hands, "fetch_again")


@action(4)
def go_on(hands: Hands) -> Steps:
    yield from _on_generation(hands, "go_on")


@action(4)
def try_again(hands: Hands) -> Steps:
    """Not from a script: it would block, and for what the artist has let go of for long."""
    generation = _any_generation(hands)
    with hands.view():
        op("pixal3d.try_again", "INVOKE_DEFAULT", generation=generation)
    yield STEP_SECONDS
    yield from hands.driver.key(hands.one(("RET", "ESC")))


@action(5)
def remove(hands: Hands) -> Steps:
    yield from _on_generation(hands, "remove")


@action(12)
def import_model(hands: Hands) -> Steps:
    values: dict[str, Any] = {}
    if hands.chance(0.5):
        values["place_at"] = hands.one(("PLANNED", "CURSOR", "ORIGIN", "OBJECT"))
    if hands.chance(0.3):
        values |= {"shade_smooth": True, "use_merge": True, "use_height": True, "height": 2.0, "turn": "90"}
    if hands.chance(0.2):
        values |= {"is_asset": True, "asset_catalog": "Props/Chairs", "textures": "FILES"}
    yield from _on_generation(hands, "import_model", **values)


@action(6)
def replace_mesh(hands: Hands) -> Steps:
    yield from _on_generation(hands, "replace_mesh")


@action(3)
def reuse_settings(hands: Hands) -> Steps:
    yield from _on_generation(hands, "reuse_settings")


@action(2)
def copy_job_id(hands: Hands) -> Steps:
    yield from _on_generation(hands, "copy_job_id")


@action(1)
def show_folder(hands: Hands) -> Steps:
    yield from _on_generation(hands, "show_folder")


@action(2)
def fetch_job(hands: Hands) -> Steps:
    """By its ID, in the dialog's way: one of ours, or one that is none."""
    manager = addon.manager()
    jobs = [s.generation.job_id for s in manager.history() if s.generation.job_id] if manager else []
    with hands.view():
        op("pixal3d.fetch_job", "INVOKE_DEFAULT", job_id=hands.one(["", "job_of_nobody", "../../x", *jobs[-4:]]))
    yield STEP_SECONDS
    yield from hands.driver.key(hands.one(("RET", "ESC")))


@action(4)
def keep_this(hands: Hands) -> None:
    with hands.view():
        op("pixal3d.keep_this", "INVOKE_DEFAULT")


@action(10)
def other_operators(hands: Hands) -> Steps:
    names = (
        "clear",
        "dismiss_notice",
        "use_active_texture",
        "test_connection",
        "use_clipboard",
        "use_render",
        "use_view",
    )
    names += ("quote", "check_mesh", "clean_up_mesh", "reset", "show_textures", "watch")
    with hands.view():
        op(f"pixal3d.{hands.one(names)}", "INVOKE_DEFAULT")
    yield STEP_SECONDS


@action(2)
def drop_image(hands: Hands) -> None:
    path = hands.one((str(addon.SAMPLE), str(hands.folder / "a.blend"), "/nowhere/x.png", ""))
    with hands.view():
        op("pixal3d.drop_image", "INVOKE_DEFAULT" if path else "EXEC_DEFAULT", filepath=path)


@action(2)
def presets(hands: Hands) -> None:
    with hands.view():
        what = hands.one(("add", "remove", "use"))
        if what == "add":
            op("pixal3d.preset_add", name=hands.one(("Mine", "Draft", "x" * 50, "ünï/çødé", "")))
        elif what == "remove":
            op("pixal3d.preset_add", remove_active=True)
        else:
            file = hands.one(sorted(Path(sys.modules[ADDON].__file__ or "").parent.glob("presets/pixal3d/*.py")))
            op("script.execute_preset", filepath=str(file), menu_idname="PIXAL3D_PT_presets")


@action(3)
def move_in_the_list(hands: Hands) -> None:
    listed = bpy.context.window_manager.pixal3d_generations  # type: ignore[attr-defined]
    listed.active_index = int(hands.dice.random() * (len(listed.rows) + 1))


@action(4)
def scene_settings(hands: Hands) -> None:
    scene = hands.driver.window.scene
    if not scene.is_editable:
        raise NotNow
    settings = scene.pixal3d
    values: tuple[tuple[str, Any], ...] = (
        ("crop_to_subject", hands.chance(0.5)),
        ("pad_to_square", hands.chance(0.5)),
        ("place_at", hands.one(("CURSOR", "ORIGIN", "OBJECT"))),
        ("turn", hands.one(("0", "90", "180", "270"))),
        ("use_height", hands.chance(0.5)),
        ("is_asset", hands.chance(0.3)),
        ("textures", hands.one(("PACK", "FILES"))),
        ("mesh_scale", hands.one((0.1, 1.0, 5.0))),
        ("image", None),
    )
    with hands.change("Settings"):
        setattr(settings, *hands.one(values))


# Preferences, and the add-on itself.


@action(8)
def preferences(hands: Hands) -> None:
    own = addon.preferences()
    values: tuple[tuple[str, Any], ...] = (
        ("arrival", hands.one(("FILE", "ANY", "ASK"))),
        ("mesh_scale_applied_by", hands.one(("AUTO", "SERVICE", "IMPORT"))),
        ("concurrency", hands.one((1, 3, 16))),
        ("results_folder", hands.one(("", str(hands.folder / "results"), "//here", "/proc/nowhere"))),
        ("disk_limit_gb", hands.one((0.0, 0.001, 10.0))),
        ("show_price", hands.chance(0.5)),
        ("spending_limit", hands.one((0.0, 50.0, 100000.0))),
        ("project_id", hands.one(("", "proj_standin"))),
    )
    name, value = hands.one(values)
    if hands.chance(0.5):
        own.property_unset(name)
    else:
        setattr(own, name, value)


@action(2)
def language(hands: Hands) -> None:
    view = bpy.context.preferences.view
    try:
        view.language = hands.one(("en_US", "de_DE", "fr_FR", "es", "ja_JP"))
    except TypeError:  # this Blender was built without it
        raise NotNow from None
    view.use_translate_new_dataname = True


@action(2)
def online_access(hands: Hands) -> None:
    bpy.context.preferences.system.use_online_access = hands.chance(0.6)


@action(1)
def disable_and_enable(hands: Hands) -> Steps:
    """In the middle of whatever is under way."""
    op("preferences.addon_disable", module=ADDON)
    yield hands.dice.random()
    enable()


@action(1)
def reload_scripts(hands: Hands) -> Steps:
    with hands.view():
        op("script.reload")
    yield STEP_SECONDS
    enable()


@action(1)
def factory_settings(hands: Hands) -> Steps:
    with bpy.context.temp_override(window=hands.driver.window):
        bpy.ops.wm.read_factory_settings()
    yield 3 * STEP_SECONDS
    calm_preferences()
    enable()


def enable() -> None:
    """The add-on is there, and the spies are in it."""
    if not addon_utils.check(ADDON)[1]:
        bpy.ops.preferences.addon_enable(module=ADDON)
    spies.install()


def calm_preferences() -> None:
    """As the driver sets them, after they were lost."""
    from tests.gui.driver import _set_preferences

    _set_preferences()
    bpy.context.preferences.filepaths.temporary_directory = tempfile.gettempdir()
    bpy.context.preferences.view.render_display_type = "NONE"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "Pixal3D"


# The service.


@action(4)
def service_trouble(hands: Hands) -> None:
    name, fault = hands.one(TROUBLES)
    hands.troubles[name] += 1
    control.ask("POST", "faults", [fault])


@action(2)
def service_options(hands: Hands) -> None:
    changes = hands.one(({"job_outcome": "failure"}, {"parallel_jobs": 1}, {"job_seconds": 4.0}))
    hands.troubles[" ".join(f"{key}={value}" for key, value in changes.items())] += 1
    control.ask("POST", "options", {**OPTIONS, **changes})


@action(6)
def service_calm(hands: Hands) -> None:
    calm_service()


OPTIONS = {**control.CALM, "job_seconds": 1.0}


def calm_service() -> None:
    control.ask("DELETE", "faults")
    control.ask("POST", "options", OPTIONS)


# The end.


def come_to_rest(hands: Hands, d: Driver) -> Steps:
    """An artist who leaves Blender alone: nothing stands against what is to arrive."""
    for _ in range(4):
        yield from d.key("ESC")
    calm_service()
    enable()
    bpy.context.preferences.system.use_online_access = True
    addon.preferences().arrival = "ANY"
    addon.preferences().results_folder = ""
    while len(bpy.context.window_manager.windows) > 1:
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
            bpy.ops.wm.window_close()
        yield STEP_SECONDS
    yield from d.wait_until(lambda: not bpy.app.is_job_running("RENDER"), 60, "the end of a render")
    while d.window.screen.show_fullscreen:
        with bpy.context.temp_override(window=d.window, screen=d.window.screen, area=d.window.screen.areas[0]):
            bpy.ops.screen.back_to_previous()
        yield 2 * STEP_SECONDS
    if d.window.screen.is_animation_playing:
        with bpy.context.temp_override(window=d.window):
            bpy.ops.screen.animation_play()
    if not d.window.scene.is_editable:
        d.window.scene = next(scene for scene in bpy.data.scenes if scene.is_editable)
    with bpy.context.temp_override(window=d.window):
        if bpy.context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
    yield 2 * STEP_SECONDS
