# SPDX-License-Identifier: GPL-3.0-or-later
"""Several models of one image: each has its own seed and place, and one of them can be kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest

from tests.support.standin import PROJECT

SAMPLE = PROJECT / "scripts/sample/mushroom.png"


def models() -> list[Any]:
    return sorted((obj for obj in bpy.data.objects if "pixal3d" in obj), key=lambda obj: obj.matrix_world.translation.x)


@pytest.fixture
def four(service: Any) -> list[Any]:
    settings = bpy.context.scene.pixal3d
    settings.image = bpy.data.images.load(str(SAMPLE))
    settings.decimation_target, settings.resolution = 5000, "1024"
    settings.mesh_scale = 2.0
    bpy.context.scene.cursor.location = (1.0, 0.0, 0.0)
    bpy.ops.pixal3d.variations(count=4)
    bpy.context.view_layer.update()
    return models()


def test_they_stand_side_by_side_with_seeds_of_their_own_and_each_is_charged(four: list[Any], service: Any) -> None:
    assert [round(obj.matrix_world.translation.x, 3) for obj in four] == [1.0, 3.5, 6.0, 8.5]
    assert len({obj["pixal3d"]["parameters"]["seed"] for obj in four}) == 4
    assert len({obj["pixal3d"]["group"] for obj in four}) == 1


def test_keep_this_removes_the_others_with_their_meshes_and_nothing_else(four: list[Any]) -> None:
    other = bpy.data.objects.new("Other", bpy.data.meshes.new("Other"))
    bpy.context.collection.objects.link(other)
    kept = four[2].name
    bpy.context.view_layer.objects.active = four[2]
    assert bpy.ops.pixal3d.keep_this() == {"FINISHED"}
    assert [obj.name for obj in models()] == [kept]
    assert bpy.data.objects.get("Other") and len(bpy.data.meshes) == 2


def test_a_seed_that_is_set_is_the_firsts_and_the_others_follow(room: Any) -> None:
    seeds = room("ui.variation_operators")._seeds
    assert seeds(2147483646, 3) == [2147483646, 2147483647, 0]
    assert len(set(seeds(None, 16))) == 16


def test_a_lone_model_has_no_others_to_be_removed(service: Any, tmp_path: Path) -> None:
    bpy.ops.pixal3d.generate(image=str(SAMPLE), decimation_target=5000, resolution="1024")
    assert not bpy.ops.pixal3d.keep_this.poll()
