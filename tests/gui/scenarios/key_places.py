# SPDX-License-Identifier: GPL-3.0-or-later
"""The key is typed, moved into a keyring that takes its time, and read from there; Blender goes on meanwhile."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON

ABOVE_BUTTON_PIXELS = 46
"""From the panel's Open Preferences to the field of the key."""

ABOVE_TEST_PIXELS = 92
"""From the preferences' Test Connection to the menu Keep the Key In, with what became of a move between them."""

# Answers when the file "go" is there; keeps what it gets turned round, as a keyring encrypts it.
PLAY = """
import pathlib, sys, time
here = pathlib.Path(__file__).parent
(here / "asked").touch()
while not (here / "go").exists():
    time.sleep(0.02)
kept, what = here / "kept", sys.argv[1]
if what == "store":
    kept.write_text(sys.stdin.read()[::-1])
elif what == "clear":
    kept.unlink()
elif kept.exists():
    sys.stdout.write(kept.read_text()[::-1])
else:
    sys.exit(1)
"""


def module(name: str) -> Any:
    return sys.modules[f"{ADDON}.{name}"]


def info_log(d: Driver) -> str:
    """What Blender notes of everything that is done, as its Info editor has it."""
    area = d.area()
    area.type = "INFO"
    with bpy.context.temp_override(window=d.window, area=area, region=area.regions[-1]):
        bpy.ops.info.select_all(action="SELECT")
        bpy.ops.info.report_copy()
    area.type = "VIEW_3D"
    return str(bpy.context.window_manager.clipboard)


def scenario(d: Driver) -> Steps:
    tool = Path(tempfile.mkdtemp(prefix="pixal3d-keyring-")) / "secret-tool"
    tool.write_text(f"#!/usr/bin/env -S {sys.executable} -SE\n{PLAY}", encoding="utf-8")
    tool.chmod(0o755)
    os.environ["PATH"] = f"{tool.parent}:{os.environ['PATH']}"
    asked, go = tool.parent / "asked", tool.parent / "go"
    session, kept_key, key_move = (module(f"blender.{name}") for name in ("session", "kept_key", "key_move"))
    bpy.context.preferences.use_preferences_save = True
    own = addon.preferences()
    own.base_url = os.environ["GUI_BASE_URL"]

    yield from d.open_sidebar("Pixal3D")
    yield from type_key(d)
    d.record("typed", own.api_key == os.environ["GUI_KEY"])
    own.api_secret = os.environ["GUI_SECRET"]
    addon.use_sample_image()
    d.record("log", info_log(d))
    yield from d.open_sidebar("Pixal3D")

    bpy.ops.pixal3d.keep_key("INVOKE_DEFAULT", place="KEYRING")
    yield from d.wait_until(asked.exists, 30, "the keyring asked")
    yield from goes_on(d, "moving")
    d.record("running", key_move.is_running())
    d.record("source_while_moving", session.key_source())
    go.touch()
    yield from d.wait_until(lambda: not key_move.is_running(), 30, "the end of the move")
    d.record("answer", key_move.answer)
    d.record("source", session.key_source())
    d.record("fields", [own.api_key, own.api_secret])

    go.unlink()
    asked.unlink()
    kept_key.forget()  # as after a new start
    d.region().tag_redraw()
    yield from d.wait_until(asked.exists, 30, "the keyring asked again, by drawing the panel")
    yield from goes_on(d, "reading")
    d.record("is_reading", session.is_reading_key())
    d.record("can_generate", bpy.ops.pixal3d.generate.poll())
    yield from d.screenshot("reading")
    go.touch()
    yield from d.wait_until(lambda: session.key_source() == "keyring", 30, "the key")
    bpy.ops.pixal3d.test_connection("INVOKE_DEFAULT")
    check = module("blender.connection_check")
    yield from d.wait_until(lambda: check.answer, 30, "the service's answer")
    d.record("connected", not check.answer.is_error)

    d.area().type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "Pixal3D"
    bpy.ops.preferences.addon_expand(module=ADDON)
    yield 1.0
    yield from d.screenshot("in_keyring")
    go.unlink()
    asked.unlink()
    name = "pixal3d.test_connection"
    is_test = lambda what: what.startswith(f"bpy.ops.{name}(")  # noqa: E731
    x, y = yield from d.find_button(is_test, name, "WINDOW", "PREFERENCES")
    yield from d.click(x, y + ABOVE_TEST_PIXELS)
    yield 1.0
    yield from d.key("F")  # the underlined letter of File
    yield from d.wait_until(asked.exists, 30, "the keyring asked for the key that is to move")
    d.record("running_after_click", key_move.is_running())
    go.touch()
    yield from d.wait_until(lambda: session.key_source() == "file", 30, "the key in a file")
    yield from d.wait_until(lambda: not key_move.is_running(), 30, "the end of the move")
    d.record("kept_after_all", (tool.parent / "kept").exists())
    yield 0.5
    yield from d.screenshot("in_file")

    # A keyring that never answers does not hold Blender back when it quits.
    go.unlink()
    asked.unlink()
    bpy.ops.pixal3d.keep_key("INVOKE_DEFAULT", place="KEYRING")
    yield from d.wait_until(asked.exists, 30, "the keyring asked a last time")
    own.key_place = "FILE"
    d.quit_at_the_end()


def type_key(d: Driver) -> Steps:
    """Blender does not say which field of an add-on's preferences is where: it is the second above this button."""
    name = "preferences.addon_show"
    x, y = yield from d.find_button(lambda what: what.startswith(f"bpy.ops.{name}("), name)
    yield from d.move(x + d.region().width // 4, y + ABOVE_BUTTON_PIXELS - 1)
    yield from d.move(x + d.region().width // 4, y + ABOVE_BUTTON_PIXELS)
    yield from d.key("RET")
    yield from d.key("A", ctrl=True)
    yield from d.type_text(os.environ["GUI_KEY"])
    yield from d.key("RET")


def goes_on(d: Driver, name: str) -> Steps:
    """Keys are still obeyed."""
    view = d.region("WINDOW")
    yield from d.move(view.x + view.width // 3, view.y + view.height // 2)
    before = bpy.context.view_layer.objects.active.mode
    yield from d.key("TAB")
    yield from d.wait_until(lambda: bpy.context.view_layer.objects.active.mode != before, 10, f"Edit Mode while {name}")
    yield from d.key("TAB")
    yield from d.wait_until(lambda: bpy.context.view_layer.objects.active.mode == before, 10, "Object Mode again")


play(scenario)
