# SPDX-License-Identifier: GPL-3.0-or-later
"""Enabling and disabling the add-on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import bpy  # isort: skip  (it makes addon_utils importable)
import addon_utils

ADDON = "bl_ext.dev.pixal3d_addon"
PROJECT = Path(__file__).resolve().parents[2]


def registered_names() -> set[str]:
    """Everything of ours that Blender knows of."""
    types = {name for name in dir(bpy.types) if "pixal3d" in name.lower()}
    operators = {f"bpy.ops.pixal3d.{name}" for name in dir(bpy.ops.pixal3d)}
    properties = {"Scene.pixal3d"} if hasattr(bpy.types.Scene, "pixal3d") else set()
    handlers = {
        f"{name}: {handler}"
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
        for handler in getattr(bpy.app.handlers, name)
        if "pixal3d" in getattr(handler, "__module__", "")
    }
    threads = {t.name for t in threading.enumerate() if "pixal3d" in t.name.lower()}
    return types | operators | properties | handlers | threads


def test_enabling_disabling_and_enabling_again_leaves_nothing_behind(addon: Any) -> None:
    enabled = registered_names()
    assert any("PIXAL3D_OT_generate" in name for name in enabled)
    for _ in range(3):
        addon_utils.disable(ADDON, default_set=True)
        assert registered_names() == set()
        addon_utils.enable(ADDON, default_set=True)
        assert registered_names() == enabled


def test_nothing_heavy_is_imported_and_nothing_is_written_before_the_first_use(tmp_path: Path) -> None:
    """In a fresh process, since this one has imported everything already."""
    code = """
import builtins, sys, traceback, bpy, addon_utils, pathlib, threading, types
repos = bpy.context.preferences.extensions.repos
repos.new(name="dev", module="dev", custom_directory=sys.argv[1], source="USER")
before, asked, done, is_on = set(sys.modules), set(), [], True
imported = builtins.__import__

def asking(name, scope=None, *rest, **named):
    # What is there already, too: with the bpy module numpy is, in Blender it is not.
    if scope and str(scope.get("__name__")).startswith("bl_ext.dev."):
        asked.add(name.split(".")[0])
    return imported(name, scope, *rest, **named)

def note(event, arguments):
    is_written = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if is_on and (is_written or event.startswith(("socket.", "subprocess.", "os.mk", "os.re", "_thread.start"))):
        if any("pixal3d_addon" in frame.f_code.co_filename for frame, _ in traceback.walk_stack(None)):
            done.append((event, arguments))  # and not what Blender notes of its extensions

sys.dont_write_bytecode = True
builtins.__import__ = asking
sys.addaudithook(note)
addon_utils.enable("bl_ext.dev.pixal3d_addon", default_set=True)
is_on, builtins.__import__ = False, imported
heavy = {"requests", "urllib3", "numpy", "sqlite3", "ssl", "http", "subprocess", "asyncio"}
assert not heavy & (asked | (set(sys.modules) - before)), heavy & (asked | (set(sys.modules) - before))
ours = "bl_ext.dev.pixal3d_addon"
loaded = {name.removeprefix(ours) for name, module in sys.modules.items() if type(module) is types.ModuleType}
asleep = {".blender.session", ".blender.importer", ".blender.image_look", ".generation.record", ".generation.manager"}
assert loaded >= {".ui.panels", ".parameters"}
assert not (asleep | {".keys", ".scenario.connection"}) & loaded, loaded
assert not done, done
assert [t.name for t in threading.enumerate()] == ["MainThread"]
folder = pathlib.Path(bpy.utils.extension_path_user("bl_ext.dev.pixal3d_addon"))
assert not folder.exists(), list(folder.iterdir())
addon_utils.disable("bl_ext.dev.pixal3d_addon", default_set=True)
print("LIGHT")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(PROJECT)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path)},
        check=False,
    )
    assert "LIGHT" in done.stdout, done.stdout + done.stderr


def test_every_operator_and_property_has_a_tooltip_in_blenders_style(addon: Any) -> None:
    checked = 0
    for name in dir(bpy.ops.pixal3d):
        rna = getattr(bpy.ops.pixal3d, name).get_rna_type()
        assert rna.name and rna.name[0].isupper(), name
        inherited = {"rna_type"} | ({"name", "remove_name", "remove_active"} if name == "preset_add" else set())
        properties = [p for p in rna.properties if p.identifier not in inherited]  # Blender's own have no tooltip
        for text in [rna.description, *(p.description for p in properties)]:
            assert text and text[0].isupper() and not text.endswith("."), (name, text)
            checked += 1
    assert checked > 25
