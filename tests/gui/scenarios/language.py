# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's language is changed while the panel is open: what it says, how it looks, and a mesh made in each language.

With ``GUI_ALL`` every sub-panel is opened and shown in every language, to be looked at.
"""

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

ENGLISH = "en_US"
WIDTH_PIXELS = 280
ALWAYS = ("generations", "placement")
SELDOM = ("quality", "mesh", "texture", "advanced", "mesh_check", "more")


def module(name: str) -> Any:
    return sys.modules[f"{ADDON}.{name}"]


def locales() -> list[str]:
    """Those of Blender's that we have texts for."""
    language_of = module("translations").language_of
    return [locale for locale in bpy.app.translations.locales if language_of(locale)]


def speak(d: Driver, locale: str) -> Steps:
    view = bpy.context.preferences.view
    view.language = locale
    view.use_translate_interface = view.use_translate_tooltips = view.use_translate_reports = True
    yield 0.5
    d.region("UI").tag_redraw()
    yield 0.5


def texts(failed: str) -> dict[str, str]:
    """What the artist sees of us, by how it comes about."""
    from bpy.app.translations import pgettext_iface, pgettext_tip

    generation = addon.manager().get(failed).generation
    said, texts = module("ui.generation_texts"), module("ui.texts")
    return {
        "button": module("ui.price_texts").generate_text(None),
        "state": said.state_text(generation.state),
        "time left": said.time_left(150.0),
        "error": texts.translated(generation.trouble),
        "property": pgettext_iface(addon.settings().bl_rna.properties["crop_to_subject"].name),
        "operator": pgettext_iface(module("ui.variation_operators").PIXAL3D_OT_variations.bl_label, "Operator"),
        "tooltip": pgettext_tip(module("ui.operators").PIXAL3D_OT_generate.__doc__),
        "panel": pgettext_iface(bpy.types.PIXAL3D_PT_generations.bl_label),
    }


def fail(d: Driver) -> Steps:
    """A generation whose key the service refuses: its sentence stays in the panel."""
    own, secret = addon.preferences(), os.environ["GUI_SECRET"]
    own.api_key, own.api_secret, own.base_url = os.environ["GUI_KEY"], "a wrong one", os.environ["GUI_BASE_URL"]
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "failed", 30, "the refusal of the key")
    own.api_secret = secret


def show(d: Driver, name: str) -> Steps:
    for locale in locales():
        yield from speak(d, locale)
        yield from d.screenshot(f"{locale}-{name}")
    yield from speak(d, ENGLISH)


def scenario(d: Driver) -> Steps:
    bpy.context.preferences.system.use_region_overlap = False
    with bpy.context.temp_override(window=d.window, area=d.area()):
        bpy.ops.screen.screen_full_area()
    yield 0.5
    own = addon.preferences()
    own.api_key, own.api_secret, own.base_url = (os.environ[f"GUI_{n}"] for n in ("KEY", "SECRET", "BASE_URL"))
    yield from d.open_sidebar("Pixal3D")
    yield from d.set_sidebar_width(WIDTH_PIXELS)
    addon.use_sample_image()
    yield from fail(d)
    failed = addon.generations()[-1].id
    d.record("locales", locales())
    d.record("texts", {ENGLISH: texts(failed)})

    for locale in locales():
        yield from speak(d, locale)
        d.recorded["texts"][locale] = texts(failed)
        yield from d.screenshot(f"{locale}-ready")
        addon.settings().seed += 1
        yield from d.click_operator("pixal3d.generate")
        yield from d.wait_until(lambda: addon.state() == "running", 20, f"a job, clicked for in {locale}")
        yield from d.screenshot(f"{locale}-running")
        yield from d.wait_until(lambda: addon.state() == "imported", 60, f"the model, in {locale}")
    d.record("states", addon.states())
    yield from speak(d, ENGLISH)

    bpy.ops.pixal3d.remove(generation=failed)
    module("blender.generation_list").of(bpy.context).active_index = 0
    for panel in ALWAYS + (SELDOM if os.environ.get("GUI_ALL") else ()):
        place = yield from d.open_panel(f"PIXAL3D_PT_{panel}")
        if panel == "advanced":
            inner = yield from d.open_panel("PIXAL3D_PT_structure_sampling")
        yield from show(d, panel)
        if panel == "advanced":
            yield from d.click(*inner)
        yield from d.click(*place)


play(scenario)
