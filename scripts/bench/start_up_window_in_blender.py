# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``start_up.py`` looks for in a Blender window with the add-on enabled: what it touches before it is used."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import addon_utils
import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.inside import note_touched, order
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON

# Enabled anew, to see that too.
addon_utils.disable(ADDON)


def scenario(d: Driver) -> Steps:
    noted: list[str] = []
    note_touched(noted)
    addon_utils.enable(ADDON)
    yield order()["seconds"]
    d.record("before its tab is opened", list(noted))
    yield from d.open_sidebar("Pixal3D")
    yield order()["seconds"]
    d.record("its tab is open", noted)
    d.record("threads", [each.name for each in threading.enumerate() if each.name.startswith("pixal3d")])
    folder = bpy.utils.extension_path_user(ADDON, path="")
    d.record("files", [str(each) for each in Path(folder).rglob("*")] if folder else [])


play(scenario)
