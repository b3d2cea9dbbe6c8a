# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender has drawn in a gap: the whole view, or our panels and the status bar only."""

VIEW, PANELS, NOTHING = "3D View", "panels", "nothing"
