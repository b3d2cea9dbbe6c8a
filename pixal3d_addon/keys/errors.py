# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with a place for the key."""

from __future__ import annotations

from ..errors import Pixal3DError


class KeyPlaceError(Pixal3DError):
    """A sentence for the artist, and what to do next. Never with the key in it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()
