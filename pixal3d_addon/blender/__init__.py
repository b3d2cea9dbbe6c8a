# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Blender's data and ours. Everything here is for the main thread and may import bpy."""

from ..lazy import modules

__getattr__ = modules(__name__)
