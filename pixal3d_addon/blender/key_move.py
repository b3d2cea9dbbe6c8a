# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves the key from one place to another, so that at every moment it is in one that Blender will look in.

It is written to the new place and read back; then Blender's preferences name that place, and are saved; only then is
the old one emptied. Whatever fails leaves the key where it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import bpy

from ..keys import KeyPair, KeyPlaceError, keep, read
from . import kept_key, limits, session
from .kept_key import PREFERENCES
from .redraw import redraw_panels, redraw_preferences

_NOT_SAVED = KeyPlaceError(
    "Blender's preferences could not be saved, so that the key would be looked for at its old place.",
    "Allow Auto-Save Preferences and try again.",
)


class Move:
    """Its steps, in order. Main thread, unless they say otherwise.

    :param target: one of :data:`kept_key.PLACES`.
    :raises KeyPlaceError: Blender would not remember the new place.
    """

    def __init__(self, target: str) -> None:
        if not isinstance(session.preferences(), bpy.types.AddonPreferences):
            raise KeyPlaceError(
                "The add-on has no preferences in this session.", "Enable it in Preferences > Add-ons first."
            )
        self._target = target
        self._old = session.key_place()
        self._typed = session.typed_key()
        self._file = kept_key.file_path()
        self._pair: KeyPair | None = self._typed
        self._to_empty = self._old if self._old not in {PREFERENCES, target} else ""
        if self._to_empty and not _may_save():
            raise _NOT_SAVED

    def write(self) -> None:
        """The key to the new place. For a worker.

        :raises KeyPlaceError: it is not surely there.
        """
        if self._pair is None and self._old != PREFERENCES:
            self._pair = self._read(self._old)
        if self._pair is None and self._target != PREFERENCES:
            self._pair = self._read(self._target)  # e.g. after Blender's settings were reset
        if self._pair is None:
            raise KeyPlaceError("There is no key to keep there.", "Enter the key and its secret first.")
        if self._target != PREFERENCES:
            keep(kept_key.key_place(self._target, self._file), self._pair)

    def settle(self) -> str:
        """Blender's preferences name the new place. Returns what became of it, for the artist.

        :raises KeyPlaceError: they could not be saved, and are as they were; :meth:`empty` then takes back what
            :meth:`write` did.
        """
        prefs, pair = session.preferences(), self._pair
        assert pair is not None, "written"
        before = prefs.key_place, prefs.api_key, prefs.api_secret
        prefs.key_place = self._target
        if self._target == PREFERENCES:
            prefs.api_key, prefs.api_secret = pair.key, pair.secret
        elif session.typed_key() in {None, self._typed}:  # not what was typed meanwhile
            prefs.api_key = prefs.api_secret = ""
        bpy.context.preferences.is_dirty = True
        is_saved = _saved()
        if self._to_empty and not is_saved:
            prefs.key_place, prefs.api_key, prefs.api_secret = before
            self._to_empty = self._target if self._target != PREFERENCES else ""
            raise _NOT_SAVED
        if self._target != PREFERENCES:
            kept_key.remember(self._target, pair)
        if self._target == self._old == PREFERENCES:
            return "The key is in Blender's preferences."
        if not is_saved:
            return "The key was moved. Blender's preferences file still holds it until you save the preferences."
        return "The key was moved."

    def empty(self) -> None:
        """The old place. For a worker.

        :raises KeyPlaceError: the key is still there too.
        """
        if self._to_empty:
            kept_key.key_place(self._to_empty, self._file).empty()

    def _read(self, place: str) -> KeyPair | None:
        return read(kept_key.key_place(place, self._file))


def _steps(move: Move) -> Generator[Callable[[], None], None, str]:
    """Yields what a worker is to do, and does the rest. Returns what became of it, for the artist.

    :raises KeyPlaceError: see :meth:`Move.settle`.
    """
    yield move.write
    try:
        return move.settle()
    finally:
        yield move.empty


def run(target: str) -> str:
    """All of it, now: for a script.

    :raises KeyPlaceError: the key was not moved, or is at its old place too.
    """
    steps = _steps(Move(target))
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return str(end.value)
        step()


answer: str = ""
"""What became of the last move."""
has_failed: bool = False
_running: Generator[Callable[[], None], None, str] | None = None
_thread: threading.Thread | None = None
_failure: KeyPlaceError | None = None
"""Of the thread."""


def is_running() -> bool:
    """Memory only."""
    return _running is not None


def start(target: str) -> None:
    """All of it in the background; :data:`answer` will say what became of it.

    :raises KeyPlaceError: it can't even begin.
    """
    global _running
    if is_running():
        return
    _running = _steps(Move(target))
    _note("")
    _begin(next(_running))
    if not bpy.app.timers.is_registered(_follow):
        bpy.app.timers.register(_follow, persistent=True)


def close() -> None:
    """For ``unregister``."""
    global _running
    _running = None
    _note("")
    if bpy.app.timers.is_registered(_follow):
        bpy.app.timers.unregister(_follow)


def _begin(step: Callable[[], None]) -> None:
    global _thread

    def work() -> None:
        global _failure
        _failure = None
        try:
            step()
        except KeyPlaceError as error:
            _failure = error

    _thread = threading.Thread(target=work, name="pixal3d-key-move", daemon=True)
    _thread.start()


def _follow() -> float | None:
    global _running
    if _thread is not None and _thread.is_alive():
        return limits.WATCH_INTERVAL_SECONDS
    try:
        if _failure is not None:
            raise _failure
        if _running is not None:
            _begin(next(_running))
    except StopIteration as end:
        _running = None
        _note(end.value)
    except KeyPlaceError as error:
        _running = None
        _note(str(error), failed=True)
    redraw_panels()
    redraw_preferences()
    return limits.WATCH_INTERVAL_SECONDS if is_running() else None


def _note(text: str, *, failed: bool = False) -> None:
    global answer, has_failed
    answer, has_failed = text, failed


def _may_save() -> bool:
    """Whether Blender saves its preferences without being told to. With factory settings it would replace the artist's
    own by them."""
    return bpy.context.preferences.use_preferences_save and not bpy.app.use_userpref_skip_save_on_exit


def _saved() -> bool:
    if not _may_save():
        return False
    try:
        return bpy.ops.wm.save_userpref() == {"FINISHED"}
    except RuntimeError:  # its report, e.g. of a full disk
        return False
