# SPDX-License-Identifier: GPL-3.0-or-later
"""What a review of the whole change found broken: money, models, the artist's own objects and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy  # isort: skip
import addon_utils
import pytest

from tests.blender.conftest import ADDON
from tests.blender.test_arriving import box, close, place, planned
from tests.blender.test_importer import glb, ready
from tests.support.standin import PROJECT

__all__ = ("glb", "place", "planned", "ready")

SAMPLE = PROJECT / "scripts/sample/mushroom.png"


@pytest.fixture
def pair(service: Any) -> list[Any]:
    """Two variations that stand in the scene."""
    settings = bpy.context.scene.pixal3d
    settings.image = bpy.data.images.load(str(SAMPLE))
    settings.decimation_target, settings.resolution = 5000, "1024"
    bpy.ops.pixal3d.variations(count=2)
    return models()


@pytest.fixture
def manager(room: Any) -> Any:
    return room("blender.session").manager()


@pytest.fixture
def in_state(room: Any, manager: Any) -> Callable[[Any, str], None]:
    """The manager knows the generation, in that state."""

    def put(generation: Any, state: str) -> None:
        manager._snapshots.put(generation.changed(state=room("generation").State[state]))

    return put


def models() -> list[Any]:
    return [obj for obj in bpy.data.objects if "pixal3d" in obj]


def linked(obj: Any) -> Any:
    bpy.context.scene.collection.objects.link(obj)
    return obj


def keep(obj: Any) -> None:
    bpy.context.view_layer.objects.active = obj
    bpy.ops.pixal3d.keep_this()


# Money.


def test_variations_of_a_model_do_not_pay_for_the_seed_that_is_there_already(pair: Any) -> None:
    old = {obj["pixal3d"]["parameters"]["seed"] for obj in pair}
    bpy.ops.pixal3d.variations(count=2, generation=pair[0]["pixal3d"]["generation"])
    assert not old & {obj["pixal3d"]["parameters"]["seed"] for obj in models() if obj not in pair}


def test_try_again_buys_nothing_when_the_model_has_come_meanwhile(pair: Any, service: Any) -> None:
    charges = len(service.charges())
    with pytest.raises(RuntimeError):
        bpy.ops.pixal3d.try_again(generation=pair[0]["pixal3d"]["generation"])
    assert len(service.charges()) == charges


def test_a_price_that_the_service_refuses_is_not_asked_for_with_one_image_after_the_other(
    room: Any, service: Any, manager: Any
) -> None:
    pricing, connection = room("blender.pricing"), room("blender.session").connection()
    for number in range(20):
        account = {"account": connection.fingerprint(), "asset_id": f"asset_gone_{number}"}
        manager._snapshots.put(room("generation").Generation("chair", {}, created_at=float(number), **account))
    parameters, asked = room("parameters").complete({}), 0
    while asked < 20 and pricing._is_askable(connection, parameters):
        asked += 1
        with pytest.raises(room("generation").GenerationError):
            pricing.quote(connection, parameters, None)
    assert asked <= 3


# The artist's own objects.


def test_keep_this_leaves_what_the_artist_has_parented_to_another_variation(pair: Any) -> None:
    hat = linked(bpy.data.objects.new("Hat", bpy.data.meshes.new("Hat")))
    hat.parent = pair[1]
    keep(pair[0])
    assert "Hat" in bpy.data.objects


def test_keep_this_leaves_an_object_whose_mesh_was_replaced_by_another_variation(pair: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.object.name = "Mine"
    bpy.ops.pixal3d.replace_mesh(generation=pair[1]["pixal3d"]["generation"])
    keep(pair[0])
    assert "Mine" in bpy.data.objects


def test_keep_this_keeps_it_under_whatever_parent(pair: Any) -> None:
    name = pair[0].name
    pair[0].parent = pair[1]
    keep(pair[0])
    assert name in bpy.data.objects


def test_keep_this_keeps_out_another_variation_that_was_not_placed_yet(pair: Any, manager: Any, in_state: Any) -> None:
    other = pair[1]["pixal3d"]["generation"]
    bpy.data.objects.remove(pair[1])
    in_state(manager.get(other).generation, "READY")
    keep(pair[0])
    assert other not in [generation.id for generation in manager.arrived()]


def test_a_child_of_the_placeholder_keeps_its_own_transform_and_so_its_animation(planned: Any, place: Any) -> None:
    generation, empty = planned()
    child = linked(bpy.data.objects.new("Child", None))
    child.parent, child.location = empty, (0, 1, 0)
    child.keyframe_insert("location", frame=1)
    bpy.context.view_layer.update()
    was = child.matrix_world.translation.copy()
    place(generation)
    bpy.context.scene.frame_set(2)
    assert close(child.matrix_world.translation, was)


def test_what_points_at_the_placeholder_points_at_the_model(planned: Any, place: Any) -> None:
    generation, empty = planned()
    constraint = linked(bpy.data.objects.new("Camera", None)).constraints.new("TRACK_TO")
    constraint.target = empty
    (model,) = place(generation)
    assert constraint.target == model


def test_the_model_stands_in_all_collections_of_its_placeholder(planned: Any, place: Any) -> None:
    generation, empty = planned()
    second = bpy.data.collections.new("Second")
    bpy.context.scene.collection.children.link(second)
    second.objects.link(empty)
    (model,) = place(generation)
    assert set(model.users_collection) == {second, bpy.context.scene.collection}


# Arriving.


def test_a_duplicate_of_the_placeholder_in_another_scene_does_not_break_the_import(planned: Any, place: Any) -> None:
    generation, empty = planned()
    bpy.data.scenes.new("Other").collection.objects.link(empty.copy())
    assert len(place(generation)) == 2


def test_a_duplicate_of_the_placeholder_in_an_excluded_collection_does_not_break_the_import(
    planned: Any, place: Any
) -> None:
    generation, empty = planned()
    off = bpy.data.collections.new("Off")
    bpy.context.scene.collection.children.link(off)
    off.objects.link(empty.copy())
    bpy.context.view_layer.layer_collection.children["Off"].exclude = True
    assert len(place(generation)) == 2


def test_an_import_that_fails_half_way_leaves_the_placeholder_and_nothing_of_the_model(
    room: Any, planned: Any, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation, empty = planned()

    def fail(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(room("blender.importer"), "finish", fail)
    with pytest.raises(OSError):
        place(generation)
    assert list(bpy.data.objects) == [empty] and not bpy.data.meshes


def test_the_merge_distance_is_of_the_size_that_the_placeholder_gives(planned: Any, place: Any) -> None:
    generation, empty = planned()
    empty.scale = (0.1, 0.1, 0.1)
    bpy.context.view_layer.update()
    (model,) = place(generation, merge_distance=0.04)  # the box is 0.05 by 0.025 by 0.1 there
    assert len(model.data.vertices) == 4


def test_a_placeholder_on_a_vertex_gives_its_place_to_the_model(planned: Any, place: Any) -> None:
    generation, empty = planned()
    bpy.ops.mesh.primitive_cube_add()
    empty.parent, empty.parent_type, empty.parent_vertices = bpy.context.object, "VERTEX", (5, 0, 0)
    bpy.context.view_layer.update()
    foot = empty.matrix_world.translation.copy()
    (model,) = place(generation)
    low, high = box(model)
    assert close(((low.x + high.x) / 2, (low.y + high.y) / 2, low.z), foot)


def test_a_hidden_placeholder_that_went_with_its_parent_is_where_it_went(planned: Any, place: Any) -> None:
    generation, empty = planned()
    parent = linked(bpy.data.objects.new("Parent", None))
    empty.parent, empty.hide_viewport = parent, True
    bpy.context.view_layer.update()
    parent.location.z = 10.0
    bpy.context.view_layer.update()
    (model,) = place(generation)
    assert abs(box(model)[0].z - 10.0) < 1e-4


def test_a_replaced_mesh_has_the_same_size_whoever_applied_the_mesh_scale(room: Any, ready: Any, glb: Any) -> None:
    heights = []
    for delivered in (1.0, 2.0):
        generation = ready(glb(delivered), 2.0, delivered)
        bpy.ops.mesh.primitive_cube_add()
        auto = room("generation.scale").AppliedBy.AUTO
        room("blender.mesh_replacement").replace_mesh(bpy.context, generation, auto)
        bpy.context.view_layer.update()
        heights.append(bpy.context.object.dimensions.z)
    assert heights[0] == pytest.approx(heights[1])


def test_a_script_that_says_how_a_model_is_to_be_imported_is_heeded(pair: Any) -> None:
    bpy.ops.pixal3d.import_model(generation=pair[0]["pixal3d"]["generation"], use_height=True, height=5.0)
    bpy.context.view_layer.update()
    assert bpy.context.object.dimensions.z == pytest.approx(5.0, rel=0.01)


# Placeholders.


def test_a_placeholder_is_not_removed_while_blender_moves_it(
    room: Any, planned: Any, manager: Any, in_state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Move writes to the object's memory until it ends (5.2: into another object that has it by then)."""
    watcher, (generation, empty) = room("blender.watcher"), planned()
    name = empty.name
    in_state(generation, "RUNNING")
    watcher._note_changes(manager, "")
    in_state(generation, "FAILED")
    monkeypatch.setattr(room("blender.arrival"), "wait_reason", lambda context: "Waiting for Move to end")
    watcher._note_changes(manager, "")
    watcher._remove_stale_placeholders(bpy.context)
    assert name in bpy.data.objects
    monkeypatch.undo()
    watcher._remove_stale_placeholders(bpy.context)
    assert name not in bpy.data.objects


def test_disabling_and_enabling_the_addon_leaves_the_placeholder_of_a_job_that_runs(
    room: Any, planned: Any, manager: Any, in_state: Any
) -> None:
    watcher, (generation, empty) = room("blender.watcher"), planned()
    name = empty.name
    in_state(generation, "RUNNING")
    watcher._note_changes(manager, "")
    addon_utils.disable(ADDON, default_set=True)
    addon_utils.enable(ADDON, default_set=True)
    watcher = room("blender.watcher")
    watcher._note_changes(room("blender.session").manager(), "")
    watcher._remove_stale_placeholders(bpy.context)
    assert name in bpy.data.objects


def test_the_placeholder_of_a_generation_that_fails_before_the_first_look_goes(
    room: Any, planned: Any, manager: Any, in_state: Any
) -> None:
    watcher = room("blender.watcher")
    watcher._note_changes(manager, "")
    generation, _ = planned()
    in_state(generation, "FAILED")
    watcher._note_changes(manager, "")
    watcher._remove_stale_placeholders(bpy.context)
    assert not any("pixal3d_placeholder" in obj for obj in bpy.data.objects)


# The artist's files.


def test_importing_again_writes_no_second_file_of_the_same_texture(planned: Any, place: Any, tmp_path: Path) -> None:
    generation, _ = planned()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    for _ in range(2):  # as each change in Adjust Last Operation does
        place(generation, textures="FILES")
        bpy.data.batch_remove([*bpy.data.objects, *bpy.data.images])
    assert len(list((tmp_path / "textures").iterdir())) == 2


@pytest.fixture
def catalogs(room: Any, addon: Any, tmp_path: Path) -> Callable[[str], Path]:
    """The asset catalogs of the open file, and what was in them."""

    def write(text: str) -> Path:
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
        file = tmp_path / "blender_assets.cats.txt"
        file.write_text(text)
        return file

    return write


def test_a_catalog_that_is_commented_out_is_not_taken(room: Any, catalogs: Any) -> None:
    catalogs("VERSION 1\n# 50550c32-9fd3-451f-abee-10b5d71b766b:Props:Props\n")
    assert not room("blender.asset_catalogs").id_of("Props").startswith("#")


def test_an_empty_file_of_catalogs_gets_its_version(room: Any, catalogs: Any) -> None:
    file = catalogs("")
    room("blender.asset_catalogs").id_of("Props")
    assert "VERSION 1" in file.read_text()


def test_a_shared_file_of_catalogs_stays_shared(room: Any, catalogs: Any, tmp_path: Path) -> None:
    file = catalogs("VERSION 1\n")
    shared = file.rename(tmp_path / "shared.txt")
    file.symlink_to(shared)
    room("blender.asset_catalogs").id_of("Props")
    assert file.is_symlink() and ":Props:" in shared.read_text()


def test_a_model_without_all_of_its_facts_is_refused_with_a_sentence(pair: Any) -> None:
    pair[0]["pixal3d"] = {"generation": "unknown"}
    bpy.context.view_layer.objects.active = pair[0]
    with pytest.raises(RuntimeError) as error:
        bpy.ops.pixal3d.generate_again()
    assert "Traceback" not in str(error.value)
