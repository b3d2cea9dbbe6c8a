# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a Blender that has the zip installed: enabled, disabled, enabled and disabled again, and what is left behind.

Prints one line of JSON after ``RESULT``.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
from typing import Any

import addon_utils
import bpy

MODULE = sys.argv[sys.argv.index("--") + 1]


def traces() -> dict[str, list[str]]:
    """Everything of the add-on's that Blender or Python still holds."""
    ours = (MODULE, "pixal3d")
    types = [name for name in dir(bpy.types) if "pixal3d" in name.lower()]
    owners = [
        name for name in ("Scene", "Object", "WindowManager", "Image") if hasattr(getattr(bpy.types, name), "pixal3d")
    ]
    handlers = [
        f"{kind}: {handler}"
        for kind in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, kind), list)
        for handler in getattr(bpy.app.handlers, kind)
        if getattr(handler, "__module__", "").startswith(MODULE)
    ]
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    return {
        "types": types,
        "operators": [name for name in dir(bpy.ops) if name == "pixal3d"],
        "properties": owners,
        "handlers": handlers,
        "timers": [str(function) for function in functions() if bpy.app.timers.is_registered(function)],
        "threads": [name for name in threads if any(word in name.lower() for word in ours)],
        "commands": [] if command_is_free() else ["pixal3d"],
    }


def functions() -> list[Any]:
    """All functions of the add-on's modules: only of a function can Blender be asked whether it is a timer."""
    return [
        thing
        for thing in gc.get_objects()
        if callable(thing)
        and type(thing).__name__ in ("function", "method", "partial")
        and str(getattr(thing, "__module__", "")).startswith(MODULE)
    ]


def command_is_free() -> bool:
    """Blender says on a second registration that a name is taken; there is no other way to ask."""
    register = getattr(bpy.utils, "register_cli_command", None)
    if register is None:
        return True
    try:
        handle = register("pixal3d", lambda argv: 0)
    except RuntimeError:
        return False
    bpy.utils.unregister_cli_command(handle)
    return True


def main() -> None:
    result: dict[str, Any] = {"version": bpy.app.version_string, "enabled_at_start": addon_utils.check(MODULE)[1]}
    result["traces_enabled"] = traces()
    addon_utils.disable(MODULE, default_set=True)
    result["traces_disabled"] = traces()
    result["enabled_again"] = addon_utils.enable(MODULE, default_set=True) is not None
    result["traces_enabled_again"] = traces()
    addon_utils.disable(MODULE, default_set=True)
    result["traces_disabled_again"] = traces()
    print("RESULT " + json.dumps(result), flush=True)


main()
