# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in Blender: the key goes into a real keyring (GNOME Keyring behind secret-tool) and is found at the next start.

A session bus and a keyring of this process's own, below the test's home folder: nobody's own keyring is asked.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import bpy

ADDON, PHASE = sys.argv[sys.argv.index("--") + 1 :]

for program in ("dbus-daemon", "gnome-keyring-daemon", "secret-tool"):
    subprocess.run(["which", program], check=True, stdout=subprocess.DEVNULL)  # absent: this test has failed


def session_bus() -> subprocess.Popen[str]:
    runtime = Path(tempfile.mkdtemp(prefix="pixal3d-bus-"))
    os.environ.update(XDG_RUNTIME_DIR=str(runtime), XDG_DATA_HOME=str(Path.home() / ".local/share"))
    os.environ.pop("DISPLAY", None)  # a prompt would wait for somebody
    command = ("dbus-daemon", "--session", "--nofork", "--print-address", f"--address=unix:path={runtime}/bus")
    bus = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().strip()
    return bus


def unlock(password: str) -> None:
    command = ("gnome-keyring-daemon", "--unlock", "--components=secrets")
    subprocess.run(command, input=password, text=True, check=True, capture_output=True, timeout=60)


bus = session_bus()
unlock("correct horse battery staple")
session, kept_key = (importlib.import_module(f"{ADDON}.blender.{name}") for name in ("session", "kept_key"))
prefs = bpy.context.preferences.addons[ADDON].preferences
result = {"source_at_start": session.key_source()}
if PHASE == "store":
    bpy.context.preferences.use_preferences_save = True
    prefs.api_key, prefs.api_secret = os.environ["TEST_KEY"], os.environ["TEST_SECRET"]
    prefs.base_url = os.environ["TEST_BASE_URL"]
    bpy.ops.wm.save_userpref()
    result["moved"] = list(bpy.ops.pixal3d.keep_key(place="KEYRING"))
    result["fields"] = [prefs.api_key, prefs.api_secret]
    subprocess.run(["secret-tool", "lock"], check=True)
    kept_key.forget()
    result["source_when_locked"], result["problem_when_locked"] = session.key_source(), session.key_problem()
    try:
        bpy.ops.pixal3d.keep_key(place="PREFERENCES")
    except RuntimeError as error:
        result["move_when_locked"] = str(error)
else:
    bpy.context.preferences.system.use_online_access = True
    result["connected"] = list(bpy.ops.pixal3d.test_connection())
    result["moved"] = list(bpy.ops.pixal3d.keep_key(place="FILE"))
    command = ("secret-tool", "search", "--all", "application", "pixal3d-blender")
    result["left_in_keyring"] = subprocess.run(command, capture_output=True, text=True).stdout
result["source"] = session.key_source()
print("RESULT", json.dumps(result))
sys.stdout.flush()
bus.kill()
