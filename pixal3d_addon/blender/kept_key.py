# SPDX-License-Identifier: GPL-3.0-or-later
"""The key that is kept outside of Blender's preferences: read once, in the background, and then held in memory.

A keyring may ask its user for a password, and takes as long as that does; so in a window nobody waits for it. In
background mode there is nobody else to do anything meanwhile.
"""

from __future__ import annotations

import threading
from pathlib import Path

import bpy

from .. import __package__ as base_package
from ..keys import KeyFile, KeyPair, KeyPlace, KeyPlaceError, read, system_keyring
from . import limits
from .redraw import redraw_panels, redraw_preferences

PREFERENCES, KEYRING, FILE = PLACES = ("PREFERENCES", "KEYRING", "FILE")
"""Where the artist may have the key kept."""


class _Reading:
    """What was found at a place, once :attr:`done` is set."""

    def __init__(self, place: str, file: Path) -> None:
        self.place = place
        self.done = threading.Event()
        self.pair: KeyPair | None = None
        self.problem: KeyPlaceError | None = None
        self._file = file
        self._has_begun = False

    def begin(self) -> None:
        """In a thread of its own. Main thread; does nothing the second time."""
        if not self._has_begun and not self.done.is_set():
            self._has_begun = True
            threading.Thread(target=self._read, name="pixal3d-key", daemon=True).start()

    def _read(self) -> None:
        try:
            self.pair = read(key_place(self.place, self._file))
        except KeyPlaceError as error:
            self.problem = error
        finally:
            self.done.set()


_reading: _Reading | None = None
_stop = threading.Event()


def pair(place: str) -> KeyPair | None:
    """The key that is kept there, ``None`` if there is none or it is not read yet.

    Memory only, for ``draw`` and ``poll``; the first call has it read. In background mode it waits for that.
    """
    if bpy.app.background:
        wait(place)
    return _reading_of(place).pair


def wait(place: str) -> None:
    """Until the key is read, as far as it can be: for a script."""
    reading = _reading_of(place)
    reading.begin()
    reading.done.wait()


def is_reading(place: str) -> bool:
    """Memory only."""
    return not _reading_of(place).done.is_set()


def problem(place: str) -> KeyPlaceError | None:
    """Why the key can't be had from there. Memory only."""
    return _reading_of(place).problem


def remember(place: str, kept: KeyPair) -> None:
    """It is known to be there."""
    global _reading
    reading = _Reading(place, file_path())
    reading.pair = kept
    reading.done.set()
    _reading = reading


def forget() -> None:
    """The next call reads anew."""
    global _reading
    _reading = None


def close() -> None:
    """For ``unregister``: ends what is waited for, and forgets the key."""
    global _stop
    _stop.set()
    _stop = threading.Event()
    forget()
    if bpy.app.timers.is_registered(_follow):
        bpy.app.timers.unregister(_follow)


def file_path() -> Path:
    """Of the key file."""
    return Path(bpy.utils.extension_path_user(base_package)) / "key.json"


def key_place(place: str, file: Path) -> KeyPlace:
    """
    :param file: :func:`file_path`, which only the main thread can ask for.
    :raises KeyPlaceError: this system has none.
    """
    if place == KEYRING:
        keyring = system_keyring(_stop)
        if keyring is None:
            raise KeyPlaceError(
                "This system has no keyring that the add-on can use.", "On Linux, install the program secret-tool."
            )
        return keyring
    if not KeyFile.is_there():
        raise KeyPlaceError("This system has no files that only their owner can read.", "Choose another place.")
    return KeyFile(file)


def _reading_of(place: str) -> _Reading:
    global _reading
    if _reading is None or _reading.place != place:
        _reading = _Reading(place, file_path())
        if not bpy.app.background and not bpy.app.timers.is_registered(_follow):
            bpy.app.timers.register(_follow, persistent=True)  # a draw starts no threads
    return _reading


def _follow() -> float | None:
    if _reading is not None:
        _reading.begin()
        if not _reading.done.is_set():
            return limits.WATCH_INTERVAL_SECONDS
    redraw_panels()
    redraw_preferences()
    return None
