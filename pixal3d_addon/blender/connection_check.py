# SPDX-License-Identifier: GPL-3.0-or-later
"""Test Connection: asks the service in a background thread, and keeps the answer for the preferences to show."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from ..errors import Pixal3DError
from . import limits
from .redraw import redraw_panels, redraw_preferences

if TYPE_CHECKING:
    from ..scenario import Connection


@dataclass(frozen=True, slots=True)
class Answer:
    """What the last check found."""

    text: str
    is_error: bool = False


_thread: threading.Thread | None = None
_cancel = threading.Event()
answer: Answer | None = None


def check(connection: Connection, cancel: threading.Event | None = None) -> Answer:
    """Ask the service now, in this thread.

    :raises ScenarioError: it can't be reached or refuses the key.
    """
    from ..scenario import ScenarioClient

    with ScenarioClient(connection, cancel=cancel) as client:
        project = client.check_key()
    return Answer(f"Connected to the project {project.name}" if project.name else "Connected: the key is accepted")


def is_running() -> bool:
    """Memory only, for ``draw``."""
    return _thread is not None and _thread.is_alive()


def start(connection: Connection) -> None:
    """Ask the service in the background; :data:`answer` will hold what it says."""
    global _thread, _cancel, answer

    def work() -> None:
        global answer
        try:
            found = check(connection, cancel)
        except Pixal3DError as error:
            found = Answer(str(error), is_error=True)
        if not cancel.is_set():
            answer = found

    if is_running():
        return
    answer = None
    cancel = _cancel = threading.Event()
    _thread = threading.Thread(target=work, name="pixal3d-connection", daemon=True)
    _thread.start()
    if not bpy.app.timers.is_registered(_redraw_until_done):
        bpy.app.timers.register(_redraw_until_done, persistent=True)


def close() -> None:
    """For ``unregister``."""
    global answer
    _cancel.set()
    answer = None
    if bpy.app.timers.is_registered(_redraw_until_done):
        bpy.app.timers.unregister(_redraw_until_done)


def _redraw_until_done() -> float | None:
    done = not is_running()
    redraw_preferences()
    redraw_panels()
    return None if done else limits.WATCH_INTERVAL_SECONDS
