# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's properties and the operator's arguments say what the table says."""

from __future__ import annotations

from typing import Any

import bpy
import pytest


def test_the_scenes_properties_have_the_tables_names_ranges_and_defaults(room: Any) -> None:
    parameters = room("parameters")
    for owner in (bpy.types.Scene.bl_rna.properties["pixal3d"].fixed_type, bpy.ops.pixal3d.generate.get_rna_type()):
        for parameter in parameters.SETTINGS:
            prop = owner.properties[parameter.identifier]
            assert (prop.name, prop.description) == (parameter.label, parameter.tooltip)
            if parameter.kind is parameters.Kind.CHOICE:
                assert [item.identifier for item in prop.enum_items] == [str(c) for c in parameter.choices]
                assert prop.default == str(parameter.default)
            elif parameter.kind is parameters.Kind.SEED:
                assert (prop.default, prop.soft_min, prop.soft_max) == (-1, -1, parameter.maximum)
            elif parameter.kind is not parameters.Kind.SWITCH:
                assert prop.default == pytest.approx(parameter.default)
                assert prop.soft_min == pytest.approx(parameter.minimum)
                assert prop.soft_max == pytest.approx(parameter.maximum)


def test_a_new_scenes_settings_are_the_services_defaults(room: Any) -> None:
    values = room("ui.properties").parameter_values(bpy.context.scene.pixal3d)
    assert room("parameters").complete(values) == room("parameters").complete({})


def test_the_sliders_of_a_scene_stay_in_range(addon: Any) -> None:
    settings = bpy.context.scene.pixal3d
    settings.mesh_scale = 100.0
    settings.decimation_target = 1
    assert (settings.mesh_scale, settings.decimation_target) == (4.0, 5000)
