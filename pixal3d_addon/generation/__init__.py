# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one image becoming one mesh. No bpy here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import loader

if TYPE_CHECKING:
    from .errors import GenerationError, NotFinishedError, SourceImageError, StoreError, TakenError
    from .file_door import connection_from_environment, generate_file
    from .manager import Manager, Settings
    from .record import Generation, ImportOptions, Placement, Snapshot
    from .source import Framing, KeptImage, Pixels, Source, SourceImage, source_image_from_file
    from .state import UNPAID, State
    from .store import Store
    from .waiting import Progress, wait

__getattr__ = loader(
    __name__,
    {
        "errors": ("GenerationError", "NotFinishedError", "SourceImageError", "StoreError", "TakenError"),
        "file_door": ("connection_from_environment", "generate_file"),
        "manager": ("Manager", "Settings"),
        "record": ("Generation", "ImportOptions", "Placement", "Snapshot"),
        "source": ("Framing", "KeptImage", "Pixels", "Source", "SourceImage", "source_image_from_file"),
        "state": ("UNPAID", "State"),
        "store": ("Store",),
        "waiting": ("Progress", "wait"),
    },
)

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
    "Progress",
    "Settings",
    "Snapshot",
    "Source",
    "SourceImage",
    "SourceImageError",
    "State",
    "Store",
    "StoreError",
    "TakenError",
    "connection_from_environment",
    "generate_file",
    "source_image_from_file",
    "wait",
)
