# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist has asked of the manager, by whatever button: the monkey does not always know what it clicks."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import addon_utils
import bpy

from tests.lab.inside import pace
from tests.support.blender_process import ADDON

asked: dict[str, str] = {}
"""Generations that were to be paid for, with their names: each of them at most once."""
let_go: set[str] = set()
"""Generations that the artist does not wait for any more."""
removed: dict[str, dict[str, str]] = {}
"""Generations that the artist has removed from the list."""


def install() -> None:
    """To be called after each loading of the add-on: its modules may be new ones."""
    manager_type: Any = importlib.import_module(f"{ADDON}.generation.manager").Manager
    if getattr(manager_type.start, "is_spy", False):
        return
    pace.hurry()
    _open_all_panels()
    start, stop, forget, remove = manager_type.start, manager_type.stop, manager_type.let_go, manager_type.remove

    def spy_start(self: Any, generation: Any, source: Any, connection: Any, **more: Any) -> None:
        start(self, generation, source, connection, **more)
        if source is not None:
            asked[generation.id] = generation.name

    def spy_stop(self: Any, generation_id: str) -> None:
        let_go.add(generation_id)
        stop(self, generation_id)

    def spy_let_go(self: Any, generation_id: str) -> None:
        let_go.add(generation_id)
        forget(self, generation_id)

    def spy_remove(self: Any, generation_id: str) -> None:
        known = self.get(generation_id)
        remove(self, generation_id)
        if known is not None and self.get(generation_id) is None:
            removed[generation_id] = {"name": known.generation.name, "job_id": known.generation.job_id}

    spy_start.is_spy = True  # type: ignore[attr-defined]
    manager_type.start, manager_type.stop = spy_start, spy_stop
    manager_type.let_go, manager_type.remove = spy_let_go, spy_remove


def _open_all_panels() -> None:
    """Those that are closed at first would seldom be drawn; and so in the preferences."""
    addon_utils.module_bl_info(sys.modules[ADDON])["show_expanded"] = True
    panels = [*importlib.import_module(f"{ADDON}.ui.panels").classes]
    for cls in reversed(panels):
        bpy.utils.unregister_class(cls)
    for cls in panels:
        cls.bl_options = set(getattr(cls, "bl_options", ())) - {"DEFAULT_CLOSED"}
        bpy.utils.register_class(cls)


def held_datablocks() -> list[str]:
    """Where a module of the add-on holds on to something of the open file, which an undo would leave dangling."""
    found = []
    for name, module in sorted(sys.modules.items()):
        if name.startswith(f"{ADDON}.") and module is not None:
            found += [f"{name}.{where}" for key, value in vars(module).items() for where in _held(key, value, 4)]
    return found


def _held(where: str, value: Any, depth: int) -> list[str]:
    if isinstance(value, bpy.types.ID):
        return [where]
    if depth == 0 or isinstance(value, (str, bytes, int, float, type)) or callable(value):
        return []
    if isinstance(value, dict):
        return [path for key, each in value.items() for path in _held(f"{where}[{key!r}]", each, depth - 1)]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [path for each in value for path in _held(f"{where}[]", each, depth - 1)]
    names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
    is_ours = type(value).__module__.startswith(ADDON)
    return [p for n in names if is_ours for p in _held(f"{where}.{n}", getattr(value, n, None), depth - 1)]
