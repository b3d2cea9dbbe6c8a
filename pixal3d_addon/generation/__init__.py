# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one image becoming one mesh. No bpy here."""

from .errors import GenerationError, NotFinishedError, SourceImageError, StoreError
from .manager import Manager
from .record import Generation, Placement, Snapshot, State
from .source import Pixels, SourceImage, source_image_from_file
from .store import Store

__all__ = (
    "Generation",
    "GenerationError",
    "Manager",
    "NotFinishedError",
    "Pixels",
    "Placement",
    "Snapshot",
    "SourceImage",
    "SourceImageError",
    "State",
    "Store",
    "StoreError",
    "source_image_from_file",
)
