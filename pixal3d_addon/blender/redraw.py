# SPDX-License-Identifier: GPL-3.0-or-later
"""Has everything drawn anew that shows something of ours. Main thread, not in a draw."""

from __future__ import annotations

import bpy

_AREAS = frozenset({"VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR"})
"""Where our panels are."""


def redraw_panels() -> None:
    """The sidebars, and the status bar."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in _AREAS:
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
        if not any(map(is_of_blender, window.modal_operators)):
            # The status bar is in no screen's list of areas. Setting no text draws it anew; it would take away that of
            # a modal operator of Blender's, as of Move.
            with bpy.context.temp_override(window=window):
                window.workspace.status_text_set(None)


def redraw_preferences() -> None:
    """Blender's preferences, if they are open."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()


def is_of_blender(operator: bpy.types.Operator) -> bool:
    """Whether a running operator is one of Blender's own. Add-ons may have one that runs all the time, as ours does."""
    return bpy.types.Operator.bl_rna_get_subclass_py(operator.bl_idname) is None
