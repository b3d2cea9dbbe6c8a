# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with a place for the key."""

from __future__ import annotations

from ..errors import Pixal3DError


class KeyPlaceError(Pixal3DError):
    """A sentence for the artist, and what to do next. Never with the key in it."""
