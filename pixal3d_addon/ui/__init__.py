# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sees. Registers everything that Blender must know of the add-on."""

from __future__ import annotations

import bpy

from .. import lazy
from ..blender import (
    connection_check,
    image_look,
    kept_key,
    key_move,
    mesh_check,
    open_file,
    prepared,
    pricing,
    resume,
    session,
    watcher,
)
from . import (
    entrances,
    generation_list,
    generation_operators,
    image_operators,
    import_operators,
    key_operators,
    mesh_operators,
    operators,
    panels,
    preferences,
    presets,
    price_operators,
    properties,
    status_bar,
    texts,
    variation_operators,
)

_CLASSES = (
    *properties.classes,
    *preferences.classes,
    *watcher.classes,
    *operators.classes,
    *key_operators.classes,
    *image_operators.classes,
    *import_operators.classes,
    *generation_operators.classes,
    *price_operators.classes,
    *variation_operators.classes,
    *mesh_operators.classes,
    *presets.classes,
    *generation_list.classes,
    *panels.classes,
    *entrances.classes,
)


def register() -> None:
    texts.register()
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    properties.register()
    entrances.register()
    presets.register()
    generation_list.register()
    status_bar.register()
    open_file.register()
    resume.start()


def unregister() -> None:
    resume.close()
    watcher.close()
    for module in (connection_check, key_move, kept_key, pricing, mesh_check, image_look, prepared, session):
        if lazy.is_loaded(module):
            module.close()
    open_file.unregister()
    status_bar.unregister()
    generation_list.unregister()
    presets.unregister()
    entrances.unregister()
    properties.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    texts.unregister()
