# SPDX-License-Identifier: GPL-3.0-or-later
"""Many images to many models: lists, a manifest that is the truth about what is done, and what carries them on.

Any number of processes, on any number of machines, may be at one list and one folder at once. No bpy here.
"""

from .entry import Entry, EntryState
from .errors import BatchError, ListError, OutputError, PriceUnknownError
from .items import Item, read_items
from .manifest import MANIFEST_NAME, WORK_FOLDER_NAME, read_manifest
from .runner import Batch, Event, Finish, Plan, Summary

__all__ = (
    "MANIFEST_NAME",
    "WORK_FOLDER_NAME",
    "Batch",
    "BatchError",
    "Entry",
    "EntryState",
    "Event",
    "Finish",
    "Item",
    "ListError",
    "OutputError",
    "Plan",
    "PriceUnknownError",
    "Summary",
    "read_items",
    "read_manifest",
)
