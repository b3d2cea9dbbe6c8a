# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one image becoming one mesh. No bpy here."""

from .errors import GenerationError, NotFinishedError, SourceImageError, StoreError
from .manager import Manager, Settings
from .record import UNPAID, Generation, ImportOptions, Placement, Snapshot, State
from .source import Framing, KeptImage, Pixels, Source, SourceImage, source_image_from_file
from .store import Store

__all__ = (
    "UNPAID",
    "Framing",
    "Generation",
    "GenerationError",
    "ImportOptions",
    "KeptImage",
    "Manager",
    "NotFinishedError",
    "Pixels",
    "Placement",
    "Settings",
    "Snapshot",
    "Source",
    "SourceImage",
    "SourceImageError",
    "State",
    "Store",
    "StoreError",
    "source_image_from_file",
)
