# SPDX-License-Identifier: GPL-3.0-or-later
"""The key with its secret, and the text that a place keeps of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from .errors import KeyPlaceError


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The repr shows neither."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    def as_text(self) -> str:
        """One line of ASCII."""
        return json.dumps({"key": self.key, "secret": self.secret})

    @classmethod
    def from_text(cls, text: str) -> KeyPair:
        """
        :raises KeyPlaceError: it is something else.
        """
        try:
            found = json.loads(text)
            key, secret = found["key"], found["secret"]
        except (ValueError, KeyError, TypeError, RecursionError):
            key = secret = None
        if not (isinstance(key, str) and isinstance(secret, str) and key and secret):
            raise KeyPlaceError("What is kept there is not a Scenario API key.", "Enter the key again.")
        return cls(key, secret)
