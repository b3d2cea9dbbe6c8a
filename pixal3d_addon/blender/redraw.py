# SPDX-License-Identifier: GPL-3.0-or-later
"""Has everything drawn anew that shows something of ours. Main thread, not in a draw."""

from __future__ import annotations

import bpy

_AREAS = frozenset({"VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR"})
"""Where our panels are."""


def redraw_panels() -> None:
    """The sidebars, and the status bar."""
    is_modal = False
    for window in bpy.context.window_manager.windows:
        is_modal = is_modal or any(not op.bl_idname.startswith("PIXAL3D_") for op in window.modal_operators)
        for area in window.screen.areas:
            if area.type in _AREAS:
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
    workspace = bpy.context.workspace
    if workspace and not is_modal:
        # The status bar is in no screen's list of areas. Setting no text draws it anew; it would take away that of a
        # modal operator, as of Move.
        workspace.status_text_set(None)
