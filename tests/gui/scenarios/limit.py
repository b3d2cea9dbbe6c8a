# SPDX-License-Identifier: GPL-3.0-or-later
"""The spending limit: Generate asks before it is passed. Escape sends nothing, agreeing sends one, with the scene's
settings and in the background."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON
from tests.support.standin import StandIn


def scenario(d: Driver) -> Steps:
    service = StandIn(os.environ["SCENARIO_BASE_URL"], "", "", 0)
    pricing = sys.modules[f"{ADDON}.blender.pricing"]
    charges = len(service.charges())

    def price_known() -> bool:
        price = pricing.price({"decimation_target": 5000, "resolution": 1024})
        return price is not None and not price.is_old

    addon.preferences().spending_limit = 50
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.wait_until(price_known, 10, "the price")
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a job without a question: the limit is kept")
    d.record("spent", pricing.spent())
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the model")
    addon.settings().seed = 7

    yield from d.click_operator("pixal3d.generate")
    yield 0.5
    yield from d.screenshot("question")
    yield from d.key("ESC")
    yield 2.0
    d.record("generations_after_escape", len(addon.generations()))
    d.record("charges_after_escape", len(service.charges()) - charges)

    yield from d.click_operator("pixal3d.generate")
    yield 0.5
    yield from d.key("RET")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a second job")
    d.record("models_while_it_runs", sum("mushroom" in o.name and o.type == "MESH" for o in bpy.data.objects))
    parameters = addon.generations()[-1].parameters
    d.record("settings", {name: parameters[name] for name in ("resolution", "decimation_target", "seed")})
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the second model")
    d.record("generations", len(addon.generations()))
    d.record("spent_at_the_end", pricing.spent())
    yield from d.screenshot("agreed")


play(scenario)
