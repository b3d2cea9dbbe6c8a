# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel says when something is missing or goes wrong, one picture each."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON


def scenario(d: Driver) -> Steps:
    preferences = bpy.context.preferences
    preferences.system.use_online_access = False
    yield from d.open_sidebar("Pixal3D")
    yield from d.screenshot("offline")
    yield from d.click_operator("extensions.userpref_allow_online")
    yield from d.wait_until(lambda: preferences.system.use_online_access, 5, "online access, allowed by the button")
    yield from d.screenshot("no_key")

    own = preferences.addons[ADDON].preferences
    own.api_key, own.api_secret = os.environ["GUI_KEY"], "a wrong one"
    own.base_url = os.environ["GUI_BASE_URL"]
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.screenshot("ready")
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "failed", 30, "the refusal of the key")
    d.record("wrong_key", addon.generations()[-1].error)
    yield from d.screenshot("wrong_key")
    yield from d.click_operator("pixal3d.remove")

    own.api_secret = os.environ["GUI_SECRET"]
    own.base_url = "http://127.0.0.1:9/v1"  # the discard port: nobody listens
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "failed", 90, "the error of a server that is down")
    d.record("server_down", addon.generations()[-1].error)
    yield from d.screenshot("server_down")
    yield from d.click_operator("pixal3d.remove")

    own.base_url = os.environ["GUI_BASE_URL"]
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    yield from d.click_operator("pixal3d.stop_waiting")
    yield from d.wait_until(lambda: addon.state() == "abandoned", 30, "no more waiting")
    yield from d.wait_until(lambda: not addon.manager().is_busy, 30, "the worker's end")
    yield from d.screenshot("stopped")
    yield from d.click_operator("pixal3d.fetch_again")
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the model, fetched after all")
    d.record("charges_made_by_fetching", len({g.job_id for g in addon.generations() if g.job_id}))

    d.area().type = "PREFERENCES"
    preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "Pixal3D"
    bpy.ops.preferences.addon_expand(module=ADDON)
    yield 1.0
    yield from d.click_operator("pixal3d.test_connection", "WINDOW", "PREFERENCES")
    check = sys.modules[f"{ADDON}.blender.connection_check"]
    yield from d.wait_until(lambda: check.answer, 30, "the service's answer")
    d.record("test_connection", check.answer.text)
    yield 0.5
    yield from d.screenshot("preferences")


play(scenario)
