# SPDX-License-Identifier: GPL-3.0-or-later
"""The price on the button: it comes by itself, is old while the settings change, is absent when refused; and the way to
ask for it where the service wants to see the image."""

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
from tests.support.standin import StandIn


def scenario(d: Driver) -> Steps:
    service = StandIn(os.environ["SCENARIO_BASE_URL"], "", "", 0)
    pricing = sys.modules[f"{ADDON}.blender.pricing"]
    d.record("threads_before_the_panel", pricing.is_due())

    def asked() -> int:
        return sum("dryRun" in r["query"] for r in service.requests())

    def label() -> Any:
        values = sys.modules[f"{ADDON}.ui.properties"].parameter_values(addon.settings())
        return sys.modules[f"{ADDON}.ui.price_texts"].generate_text(pricing.price(values))

    def set_texture_size(size: str) -> None:
        """As the panel's own field does it: the sidebar is drawn anew."""
        addon.settings().resolution = size
        d.region("UI").tag_redraw()

    service.clear_requests()
    d.area().spaces.active.show_region_ui = False
    yield 2.0
    d.record("asked_before_the_panel", asked())
    yield from d.open_sidebar("Pixal3D")
    addon.settings().image = bpy.data.images.load(str(addon.SAMPLE), check_existing=True)
    yield from d.wait_until(lambda: asked() == 1, 10, "the first dry run, by drawing alone")
    yield from d.wait_until(lambda: not pricing.is_due(), 10, "the answer")
    yield from d.screenshot("price")
    d.record("price", label())

    service.set_faults([{"method": "POST", "path": "/v1/generate/", "times": 1, "action": "slow", "seconds": 2}])
    set_texture_size("1024")
    yield from d.screenshot("price_old")
    d.record("price_meanwhile", label())
    yield from d.wait_until(lambda: not pricing.is_due(), 15, "the answer for other settings")
    yield from d.screenshot("price_of_1024")
    d.record("price_of_1024", label())
    yield 2.0
    d.record("asked", asked())

    service.set_faults(
        [{"method": "POST", "path": "/v1/generate/", "times": 1, "action": "status", "status": 403, "body": {}}]
    )
    set_texture_size("2048")
    yield from d.wait_until(lambda: asked() == 3, 10, "a dry run that is refused")
    yield from d.wait_until(lambda: not pricing.is_due(), 10, "the refusal")
    yield from d.screenshot("price_refused")
    d.record("price_refused", label())
    d.record("trouble", pricing.trouble())
    yield from d.click_operator("pixal3d.quote")
    yield from d.wait_until(lambda: label() != "Generate", 10, "the answer to the wish")
    yield from d.screenshot("price_wished")
    d.record("price_wished", label())


play(scenario)
