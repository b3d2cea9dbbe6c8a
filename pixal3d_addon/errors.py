# SPDX-License-Identifier: GPL-3.0-or-later
"""The root of everything that this add-on raises on purpose. Each room has a tree of its own below it.

No bpy here, and no other room is imported.
"""

from __future__ import annotations


class Pixal3DError(Exception):
    """``str()`` of it says what happened and what to do next, in one or two sentences.

    Key, secret and signed URLs are in none of them.

    :ivar message: what happened.
    :ivar remedy: what to do next; empty if the message says it.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()
