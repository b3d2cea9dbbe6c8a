# SPDX-License-Identifier: GPL-3.0-or-later
"""What is under way, in Blender's status bar: it is seen there when the sidebar is closed. Memory only."""

from __future__ import annotations

from typing import Any

import bpy

from .. import lazy
from ..blender import session
from .texts import said


def status_text() -> str:
    """One line, empty if nothing is under way."""
    manager = session.manager_or_none() if lazy.is_loaded(session) else None
    running = [s for s in manager.snapshots() if manager.is_running(s.generation.id)] if manager else []
    if not running:
        return ""
    if len(running) > 1:
        return said("Pixal3D: {count} models under way", count=len(running))
    (snapshot,) = running
    name, progress = snapshot.generation.name, snapshot.shown_progress
    if progress is None:
        return said("Pixal3D: {name} under way", name=name)
    return said("Pixal3D: {name} {percent} %", name=name, percent=round(progress * 100))


def _draw(self: Any, context: bpy.types.Context) -> None:
    if text := status_text():
        self.layout.label(text=text, icon="MESH_MONKEY", translate=False)


def register() -> None:
    bpy.types.STATUSBAR_HT_header.append(_draw)


def unregister() -> None:
    bpy.types.STATUSBAR_HT_header.remove(_draw)
