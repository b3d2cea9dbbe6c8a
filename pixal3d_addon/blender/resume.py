# SPDX-License-Identifier: GPL-3.0-or-later
"""At Blender's start: go on with what a Blender that has ended, or crashed, left unfinished. In a window only."""

from __future__ import annotations

import os

import bpy

from . import limits, session, watcher


def start() -> None:
    """For ``register``. Nothing is read or made before the timer fires, and nothing at all without earlier records."""
    if not bpy.app.background:
        bpy.app.timers.register(_resume, first_interval=limits.RESUME_DELAY_SECONDS, persistent=True)


def close() -> None:
    """For ``unregister``."""
    if bpy.app.timers.is_registered(_resume):
        bpy.app.timers.unregister(_resume)


def _resume() -> None:
    if not os.path.isdir(session.folder()):  # nothing is loaded before the first use
        return
    from ..generation import Store

    if Store(session.folder()).exists:
        session.manager().resume()
        watcher.watch()
