# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in Blender: works with a key for a while, in all the ways there are, then crashes Blender itself."""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import os
import sys
from pathlib import Path

import bpy

ADDON = sys.argv[sys.argv.index("--") + 1]

bpy.context.preferences.system.use_online_access = True
bpy.context.preferences.use_preferences_save = True
prefs = bpy.context.preferences.addons[ADDON].preferences
prefs.api_key, prefs.api_secret = os.environ.pop("TEST_KEY"), os.environ.pop("TEST_SECRET")
prefs.base_url = os.environ["TEST_BASE_URL"]
bpy.ops.pixal3d.test_connection()
bpy.ops.pixal3d.keep_key(place="FILE")
bpy.ops.pixal3d.read_key()
way = importlib.import_module(f"{ADDON}.blender.session").connection()
bpy.ops.wm.save_as_mainfile(filepath=str(Path.home() / "scene.blend"), compress=True)
print(way, prefs, bpy.context.preferences.addons[ADDON])
faulthandler.enable()
sys.stdout.flush()


def fail(connection: object) -> None:
    ctypes.string_at(0)


fail(way)
