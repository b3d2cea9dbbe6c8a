# SPDX-License-Identifier: GPL-3.0-or-later
"""A model arrives as it was planned: in its placeholder's place, or where and how the artist says afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector

from tests.blender.test_importer import SIDES, glb, ready

__all__ = ("glb", "ready")


@pytest.fixture
def place(room: Any) -> Callable[..., list[Any]]:
    def import_it(generation: Any, **options: Any) -> list[Any]:
        chosen = room("generation").ImportOptions(**options)
        applied_by = room("generation.scale").AppliedBy.AUTO
        objects: list[Any] = room("blender.importer").import_model(bpy.context, generation, applied_by, chosen)
        bpy.context.view_layer.update()
        return objects

    return import_it


@pytest.fixture
def planned(room: Any, glb: Callable[..., str], ready: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """A ready generation and its placeholder."""

    def make(**changes: Any) -> tuple[Any, Any]:
        placement = room("generation").Placement("Scene", "Scene Collection", (1.0, 2.0, 0.0))
        generation = ready(glb(), placement=placement, **changes)
        picture = room("generation").Pixels(4, 8, np.full(4 * 8 * 4, 0.5, np.float32))
        empty = room("blender.placeholder").add(bpy.context, generation, picture)
        bpy.context.view_layer.update()
        return generation, empty

    return make


def box(obj: Any) -> tuple[Vector, Vector]:
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    return Vector(map(min, zip(*corners, strict=True))), Vector(map(max, zip(*corners, strict=True)))


def close(a: Any, b: Any) -> bool:
    return all(abs(x - y) < 1e-4 for x, y in zip(a, b, strict=True))


def test_the_placeholder_stands_upright_at_the_place_at_the_final_size(planned: Any) -> None:
    _, empty = planned(mesh_scale=2.0)
    assert empty.empty_display_type == "IMAGE" and tuple(empty.data.size) == (4, 8)
    assert close(empty.location, (1, 2, 0))
    assert empty.empty_display_size == 2.0
    up = empty.matrix_world.to_3x3() @ Vector((0, 1, 0))
    assert close(up, (0, 0, 1)), "the image's upper edge is above"


def test_an_untouched_placeholder_gives_its_place_to_the_model_and_is_gone(planned: Any, place: Any) -> None:
    generation, empty = planned()
    name = empty.name
    (model,) = place(generation)
    low, high = box(model)
    assert close(low, (1 - SIDES[0] / 2, 2 - SIDES[2] / 2, 0)) and abs(high.z - SIDES[1]) < 1e-4
    assert close(model.scale, (1, 1, 1)) and close(model.rotation_euler, (0, 0, 0))
    assert model.name == name == "Chair", "the model gets the name that its placeholder had"
    assert not any(obj.type == "EMPTY" for obj in bpy.data.objects)
    assert not any("pixal3d_placeholder" in image for image in bpy.data.images), "its picture is gone with it"


def test_the_model_takes_the_placeholders_transform_parent_children_and_collection(planned: Any, place: Any) -> None:
    generation, empty = planned()
    other = bpy.data.collections.new("Props")
    bpy.context.scene.collection.children.link(other)
    bpy.context.scene.collection.objects.unlink(empty)
    other.objects.link(empty)
    parent, child = bpy.data.objects.new("Parent", None), bpy.data.objects.new("Child", None)
    for obj in (parent, child):
        bpy.context.scene.collection.objects.link(obj)
    parent.location = (0, 0, 5)
    bpy.context.view_layer.update()
    empty.parent = parent
    empty.matrix_parent_inverse = parent.matrix_world.inverted()
    child.parent = empty
    turned = Matrix.Rotation(math.radians(90), 4, "Z")
    upright = Matrix.Rotation(math.pi / 2, 4, "X")
    empty.matrix_world = Matrix.Translation((4, 0, 1)) @ turned @ Matrix.Scale(2, 4) @ upright
    bpy.context.view_layer.update()
    child_was = child.matrix_world.copy()

    (model,) = place(generation)
    low, high = box(model)
    assert close(low, (4 - SIDES[2], -SIDES[0], 1)) and abs(high.z - low.z - 2 * SIDES[1]) < 1e-4
    assert model.parent == parent and model.users_collection == (other,)
    assert child.parent == model and close(child.matrix_world.translation, child_was.translation)


def test_each_duplicate_of_the_placeholder_becomes_a_model_that_shares_the_mesh(planned: Any, place: Any) -> None:
    generation, empty = planned()
    copy = empty.copy()
    bpy.context.scene.collection.objects.link(copy)
    copy.location = (-3, 0, 0)
    bpy.context.view_layer.update()
    objects = place(generation)
    assert len(objects) == 2 and len({obj.data for obj in objects}) == 1
    assert sorted(round(sum(box(obj)[i].x for i in (0, 1)) / 2, 3) for obj in objects) == [-3.0, 1.0]


def test_without_its_placeholder_the_model_comes_to_the_place_of_the_click(planned: Any, place: Any) -> None:
    generation, empty = planned()
    bpy.data.objects.remove(empty)
    (model,) = place(generation)
    assert close(box(model)[0], (1 - SIDES[0] / 2, 2 - SIDES[2] / 2, 0))


def test_place_offset_turn_and_height_can_be_chosen(planned: Any, place: Any) -> None:
    generation, _ = planned()
    bpy.context.scene.cursor.location = (7, 7, 7)
    (model,) = place(generation, place_at="CURSOR", offset=(0, 0, 1), turn=90, height=1.8)
    low, high = box(model)
    assert abs(high.z - low.z - 1.8) < 1e-4
    ratio = 1.8 / SIDES[1]
    assert close(high - low, (SIDES[2] * ratio, SIDES[0] * ratio, 1.8)), "turned by 90 degrees"
    assert close(((low.x + high.x) / 2, (low.y + high.y) / 2, low.z), (7, 7, 8))


def test_at_the_origin_and_onto_the_source_object(room: Any, glb: Any, ready: Any, place: Any) -> None:
    placement = room("generation").Placement("Scene", "Scene Collection", (1.0, 2.0, 0.0), source_object="Shown")
    path = glb()
    bpy.ops.mesh.primitive_cube_add(size=2, location=(5, 0, 3))
    bpy.context.object.name = "Shown"
    (model,) = place(ready(path, placement=placement), place_at="ORIGIN")
    assert abs(box(model)[0].z) < 1e-4 and close(model.matrix_world.translation.xy, (0, 0))
    (model,) = place(ready(path, placement=placement), place_at="OBJECT")
    low, high = box(model)
    assert close(((low.x + high.x) / 2, (low.y + high.y) / 2, low.z), (5, 0, 2))


def test_shade_smooth_and_merge_change_the_mesh_only_when_asked(glb: Any, ready: Any, place: Any) -> None:
    path = glb()
    (plain,) = place(ready(path))
    (finished,) = place(ready(path), shade_smooth=True, merge_distance=0.001)
    assert len(plain.data.vertices) == 24 and len(finished.data.vertices) == 8
    assert not finished.data.has_custom_normals
    assert all(polygon.use_smooth for polygon in finished.data.polygons)


def test_textures_beside_the_file_never_write_over_another_file(
    glb: Any, ready: Any, place: Any, tmp_path: Path
) -> None:
    path = glb()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    place(ready(path), textures="FILES")
    place(ready(path), textures="FILES")
    files = sorted(file.name for file in (tmp_path / "textures").iterdir())
    assert len(files) == 4, files
    images = [image for image in bpy.data.images if image.filepath.startswith("//textures/")]
    assert len(images) == 4 and not any(image.packed_file for image in images)
    assert all(tuple(image.size) == (8, 8) for image in images), "they are read from there"


def test_an_asset_lands_in_its_catalog(glb: Any, ready: Any, place: Any, tmp_path: Path) -> None:
    path = glb()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    (first,) = place(ready(path), is_asset=True, asset_catalog="Props/Chairs")
    (second,) = place(ready(path), is_asset=True, asset_catalog=" Props / Chairs ")
    catalogs = (tmp_path / "blender_assets.cats.txt").read_text()
    assert catalogs.count("Props/Chairs") == 1 and "VERSION 1" in catalogs
    assert first.asset_data.catalog_id == second.asset_data.catalog_id
    assert first.asset_data.catalog_id in catalogs


def test_a_generation_keeps_its_options_on_disk(room: Any) -> None:
    generation = room("generation")
    options = generation.ImportOptions(turn=90, height=1.8, offset=(1.0, 0.0, 0.0), is_asset=True, textures="FILES")
    made = generation.Generation("Chair", room("parameters").complete({}), options=options, group="g")
    assert generation.Generation.from_json(made.to_json()) == made


def test_stale_placeholders_go_but_not_one_that_holds_children(room: Any, planned: Any) -> None:
    generation, empty = planned()
    child = bpy.data.objects.new("Child", None)
    bpy.context.scene.collection.objects.link(child)
    child.parent = empty
    room("blender.placeholder").sweep({generation.id})
    assert room("blender.placeholder").find(generation) == [empty]
    child.parent = None
    room("blender.placeholder").sweep({generation.id})
    assert room("blender.placeholder").find(generation) == []
