# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate to the network. Blender's users decide whether add-ons may go online; everything asks here first."""

from __future__ import annotations

import bpy

from .errors import OnlineAccessError


def offline_reason() -> str:
    """Why the network may not be used, with the remedy; empty if it may. Memory only, so ``poll`` may ask."""
    if bpy.app.online_access:
        return ""
    if bpy.app.online_access_override:
        return "Online access is off for this session. Start Blender without --offline-mode"
    return "Online access is off. Allow it in Preferences > System > Network"


def ensure_online() -> None:
    """
    :raises OnlineAccessError: the network may not be used.
    """
    what, _, remedy = offline_reason().partition(". ")
    if what:
        raise OnlineAccessError(f"{what}.", f"{remedy}.")
