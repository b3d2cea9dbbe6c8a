# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixal3D: one image becomes a textured mesh in the scene.

Nothing here imports bpy: ``scenario`` and ``generation`` work in plain Python too.
"""


def register() -> None:
    """Called by Blender, on the main thread, when the add-on is enabled."""
    from . import cli, ui

    ui.register()
    cli.register()


def unregister() -> None:
    """Called by Blender when the add-on is disabled and when Blender quits. Returns within a second."""
    from . import cli, ui

    cli.unregister()
    ui.unregister()
