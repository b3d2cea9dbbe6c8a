# SPDX-License-Identifier: GPL-3.0-or-later
"""The root of everything that this add-on raises on purpose. Each room has a tree of its own below it.

No bpy here, and no other room is imported.
"""

from __future__ import annotations


class Pixal3DError(Exception):
    """``str()`` of it says what happened and what to do next, in one or two sentences.

    Key, secret and signed URLs are in none of them.
    """
