# SPDX-License-Identifier: GPL-3.0-or-later
"""What was interrupted is gone on with by itself: after a wrong key was corrected, and while online access was off."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.standin import StandIn


def scenario(d: Driver) -> Steps:
    service = StandIn(os.environ["GUI_BASE_URL"], os.environ["GUI_KEY"], os.environ["GUI_SECRET"], 0)
    own = addon.preferences()
    own.api_key, own.api_secret = os.environ["GUI_KEY"], os.environ["GUI_SECRET"]
    own.base_url = os.environ["GUI_BASE_URL"]
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()

    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    service.set_faults([{"method": "GET", "path": "/v1/jobs/", "times": 1, "action": "status", "status": 401}])
    yield from d.wait_until(lambda: addon.generations()[-1].error, 30, "the refusal of the key")
    d.record("wrong_key", addon.generations()[-1].trouble)
    yield from d.screenshot("key_rejected")
    own.api_key = own.api_key + " "  # no change for the better: blanks are left out
    yield 3.0
    d.record("state_with_the_same_key", addon.state())
    own.project_id = "proj_standin"  # the artist corrects what was wrong
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the model, after the correction")

    addon.settings().seed = 2
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a second job")
    bpy.context.preferences.system.use_online_access = False
    yield from d.wait_until(lambda: not addon.manager().is_running(addon.generations()[-1].id), 10, "no more traffic")
    d.record("state_when_offline", addon.state())
    requests = len(service.requests())
    yield 4.0
    d.record("requests_while_offline", len(service.requests()) - requests)
    yield from d.screenshot("offline_meanwhile")
    bpy.context.preferences.system.use_online_access = True
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the second model, online again")


play(scenario)
