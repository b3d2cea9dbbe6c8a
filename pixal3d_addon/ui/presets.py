# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of the settings, in Blender's own preset menu. Ours lie in ``presets/pixal3d``, the artist's where Blender
keeps them. They leave alone what belongs to one model: the image, its framing, the scale and the seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bl_operators.presets import AddPresetBase
from bl_ui.utils import PresetPanel

from ..parameters import SETTINGS

_FOLDER = "pixal3d"
_OF_ONE_MODEL = frozenset({"mesh_scale", "seed"})
_SEARCHED = str(Path(__file__).resolve().parent.parent)


class PIXAL3D_PT_presets(PresetPanel, bpy.types.Panel):
    bl_label = "Pixal3D Presets"
    preset_subdir = _FOLDER
    preset_operator = "script.execute_preset"
    preset_add_operator = "pixal3d.preset_add"


class PIXAL3D_OT_preset_add(AddPresetBase, bpy.types.Operator):
    """Add or remove a preset of the settings"""

    bl_idname = "pixal3d.preset_add"
    bl_label = "Add Pixal3D Preset"
    preset_menu = "PIXAL3D_PT_presets"
    preset_subdir = _FOLDER
    preset_defines: Any = ["settings = bpy.context.scene.pixal3d"]
    preset_values: Any = [f"settings.{p.identifier}" for p in SETTINGS if p.identifier not in _OF_ONE_MODEL]


class PIXAL3D_OT_reset(bpy.types.Operator):
    """Set all settings of the model to the service's defaults"""

    bl_idname = "pixal3d.reset"
    bl_label = "Reset to Defaults"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        for parameter in SETTINGS:
            context.scene.pixal3d.property_unset(parameter.identifier)
        return {"FINISHED"}


def register() -> None:
    bpy.utils.register_preset_path(_SEARCHED)  # type: ignore[attr-defined]


def unregister() -> None:
    bpy.utils.unregister_preset_path(_SEARCHED)  # type: ignore[attr-defined]


classes = (PIXAL3D_PT_presets, PIXAL3D_OT_preset_add, PIXAL3D_OT_reset)
