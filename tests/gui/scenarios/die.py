# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender is killed in the middle of a paid job."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    os.kill(os.getpid(), signal.SIGKILL)


play(scenario)
