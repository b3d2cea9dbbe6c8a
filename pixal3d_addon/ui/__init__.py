# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sees. Registers everything that Blender must know of the add-on."""

from __future__ import annotations

import bpy

from ..blender import connection_check, mesh_check, open_file, resume, session, watcher
from . import entrances, generation_operators, mesh_operators, operators, panels, preferences, presets, properties

_CLASSES = (
    *properties.classes,
    *preferences.classes,
    *watcher.classes,
    *operators.classes,
    *generation_operators.classes,
    *mesh_operators.classes,
    *presets.classes,
    *panels.classes,
    *entrances.classes,
)


def register() -> None:
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    properties.register()
    entrances.register()
    presets.register()
    open_file.register()
    resume.start()


def unregister() -> None:
    resume.close()
    watcher.stop_watching()
    connection_check.close()
    mesh_check.close()
    session.close()
    open_file.unregister()
    presets.unregister()
    entrances.unregister()
    properties.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
