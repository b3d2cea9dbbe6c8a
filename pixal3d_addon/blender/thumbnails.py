# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of the images that were sent, as icons.

Asking for one is memory only: Blender notes the file, and a job of its own reads it once the icon is drawn.
"""

from __future__ import annotations

from typing import Any

import bpy.utils.previews

from ..generation import Generation
from . import limits

_previews: Any = None


def icon(generation: Generation) -> int:
    """Blender's number for it, 0 if the image is not kept any more. For ``draw``."""
    global _previews
    if not generation.source_file:
        return 0
    if _previews is None:
        _previews = bpy.utils.previews.new()
    found = _previews.get(generation.id)
    if found is None:
        if len(_previews) >= limits.THUMBNAILS:
            _previews.clear()
        found = _previews.load(generation.id, generation.source_file, "IMAGE")
    return int(found.icon_id)


def close() -> None:
    """For ``unregister``."""
    global _previews
    if _previews is not None:
        bpy.utils.previews.remove(_previews)
        _previews = None
