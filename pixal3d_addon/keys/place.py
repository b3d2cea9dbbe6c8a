# SPDX-License-Identifier: GPL-3.0-or-later
"""What every place can do."""

from __future__ import annotations

from typing import Protocol

from .errors import KeyPlaceError
from .pair import KeyPair


class KeyPlace(Protocol):
    """One text, or none. Everything raises :class:`KeyPlaceError`."""

    def load(self) -> str:
        """The text, empty if there is none."""

    def store(self, text: str) -> None:
        """In place of what was there."""

    def empty(self) -> None:
        """Nothing is there afterwards. No error if nothing was."""


def read(place: KeyPlace) -> KeyPair | None:
    """
    :raises KeyPlaceError: it can't be read, or holds something else.
    """
    text = place.load()
    return KeyPair.from_text(text) if text else None


def keep(place: KeyPlace, pair: KeyPair) -> None:
    """Write the key there and read it back.

    :raises KeyPlaceError: it is not surely there.
    """
    place.store(pair.as_text())
    if read(place) != pair:
        raise KeyPlaceError("The key could not be read back after it was written.", "It stays where it was.")
