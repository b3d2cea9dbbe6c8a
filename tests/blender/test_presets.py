# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets: ours are offered and valid, an artist's own are saved the Blender way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy  # isort: skip
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "pixal3d_addon/presets/pixal3d"
OURS = {path.stem for path in FOLDER.glob("*.py")}


def offered() -> dict[str, Path]:
    """What Blender's preset menu finds."""
    return {path.stem: path for folder in bpy.utils.preset_paths("pixal3d") for path in Path(folder).glob("*.py")}


def values(room: Any) -> dict[str, Any]:
    return room("parameters").complete(room("ui.properties").parameter_values(bpy.context.scene.pixal3d))


def choose(path: Path) -> None:
    bpy.ops.script.execute_preset(filepath=str(path), menu_idname="PIXAL3D_PT_presets")


def test_ours_are_in_blenders_menu_as_long_as_the_add_on_is_enabled(addon: Any) -> None:
    assert OURS == {"Draft", "Standard", "Detailed", "Game_Asset"}
    assert OURS <= set(offered())


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_sets_the_same_settings_to_valid_values_and_spares_what_belongs_to_one_model(
    addon: Any, room: Any, name: str
) -> None:
    settings = bpy.context.scene.pixal3d
    settings.mesh_scale, settings.seed, settings.crop_to_subject = 2.0, 7, True
    settings.ss_sampling_steps, settings.decimation_target = 1, 6000
    choose(offered()[name])
    found = values(room)
    assert (found["mesh_scale"], found["seed"], settings.crop_to_subject) == (2.0, 7, True)
    assert found["ss_sampling_steps"] != 1 and found["decimation_target"] != 6000


def test_standard_is_what_the_service_does_by_itself(addon: Any, room: Any) -> None:
    defaults = values(room)
    choose(offered()["Detailed"])
    assert values(room) != defaults
    choose(offered()["Standard"])
    assert values(room) == defaults
    choose(offered()["Draft"])
    assert bpy.ops.pixal3d.reset() == {"FINISHED"} and values(room) == defaults


def test_an_artists_own_is_saved_found_and_removed_the_blender_way(addon: Any, room: Any) -> None:
    bpy.context.scene.pixal3d.decimation_target = 12345
    bpy.context.scene.pixal3d.seed = 99
    assert bpy.ops.pixal3d.preset_add(name="My Props") == {"FINISHED"}
    own = next(path for path in offered().values() if "12345" in path.read_text(encoding="utf-8"))
    assert "seed" not in own.read_text(encoding="utf-8") and FOLDER not in own.parents
    bpy.ops.pixal3d.reset()
    choose(own)
    assert values(room)["decimation_target"] == 12345
    own.unlink()
