# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of generations, and what can be done with one of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy  # isort: skip
import pytest
from mathutils import Euler

QUICK = {"decimation_target": 5000, "resolution": "1024"}


@pytest.fixture
def listed(room: Any) -> Any:
    return room("blender.generation_list")


@pytest.fixture
def chair(painted: bpy.types.Image, manager: Any) -> Any:
    """A generation whose model stands in the scene."""
    bpy.ops.pixal3d.generate(image="Chair", seed=11, mesh_scale=1.5, **QUICK)
    return manager.snapshots()[-1].generation


def ids(listed: Any) -> list[str]:
    return [row.generation for row in listed.of(bpy.context).rows]


def known(room: Any, manager: Any, number: int, state: str = "FAILED", **changes: Any) -> Any:
    """One more that the manager knows."""
    generation = room("generation").Generation(f"chair {number}", {}, created_at=time.time() + number, **changes)
    generation = generation.changed(state=room("generation").State[state])
    manager._snapshots.put(generation)
    return generation


# The list.


def test_the_list_follows_and_the_chosen_one_stays_chosen(manager: Any, room: Any, listed: Any) -> None:
    first, second = known(room, manager, 1), known(room, manager, 2)
    assert listed.sync(manager) and not listed.sync(manager)
    assert ids(listed) == [second.id, first.id]
    listed.of(bpy.context).active_index = 1
    third = known(room, manager, 3)
    listed.sync(manager)
    assert ids(listed) == [third.id, second.id, first.id]
    assert listed.active_id(bpy.context) == first.id
    bpy.ops.pixal3d.remove(generation=first.id)
    assert ids(listed) == [third.id, second.id] and listed.active_id(bpy.context) == "", "nobody has chosen another"
    bpy.ops.pixal3d.remove(generation=second.id)
    bpy.ops.pixal3d.remove(generation=third.id)
    assert ids(listed) == [] and listed.active_id(bpy.context) == ""


def test_the_list_is_there_after_file_open_and_in_no_file(manager: Any, room: Any, listed: Any, tmp_path: Path) -> None:
    generation = known(room, manager, 1, job_id="job_secretive")
    listed.sync(manager)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), compress=False)
    content = (tmp_path / "a.blend").read_bytes()
    assert generation.id.encode() not in content and b"chair 1" not in content
    for load_ui in (True, False):
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"), load_ui=load_ui)
        listed.sync(manager)
        assert ids(listed) == [generation.id]


def test_the_panel_shows_what_needs_attention_and_the_list_shows_all(manager: Any, room: Any, listed: Any) -> None:
    for state in ("READY", "FAILED", "IMPORTED", "UNCERTAIN", "ABANDONED"):
        known(room, manager, 1, state)
    refused = known(room, manager, 2, "IMPORTED", error="It could not be placed.")
    given_up = known(room, manager, 3, "ABANDONED")
    manager._keeper.inherited.add(given_up.id)
    old = room("generation").Generation("old", {}, created_at=1.0, state=room("generation").State.FAILED)
    manager._snapshots.put_past([old])
    listed.sync(manager)
    shown = listed.needing_attention(manager)
    assert shown is listed.needing_attention(manager)
    assert shown[0].generation.id == refused.id
    assert sorted(s.generation.state.name for s in shown[1:]) == ["ABANDONED", "FAILED", "READY", "UNCERTAIN"]
    assert len(ids(listed)) == 8 and ids(listed)[-1] == old.id


# What can be done with one.


def test_reuse_settings_sets_what_it_was_made_with(chair: Any, manager: Any, room: Any) -> None:
    settings = bpy.context.scene.pixal3d
    manager._snapshots.note(chair.id, seed=77)
    bpy.ops.pixal3d.reuse_settings(generation=chair.id)
    assert (settings.decimation_target, settings.resolution) == (5000, "1024")
    assert (settings.seed, settings.mesh_scale) == (77, 1.5)
    foreign = known(room, manager, 1, seed=None)
    bpy.ops.pixal3d.reuse_settings(generation=foreign.id)
    assert (settings.decimation_target, settings.seed) == (200000, -1), "what is not known is as the service has it"


def test_the_job_id_goes_to_the_clipboard_and_what_is_missing_is_said(chair: Any, manager: Any, room: Any) -> None:
    assert bpy.ops.pixal3d.copy_job_id(generation=chair.id) == {"FINISHED"}
    bare = known(room, manager, 1)
    with pytest.raises(RuntimeError, match="no job"):
        bpy.ops.pixal3d.copy_job_id(generation=bare.id)
    with pytest.raises(RuntimeError, match="gone"):
        bpy.ops.pixal3d.show_folder(generation=bare.id)
    with pytest.raises(RuntimeError, match="not known"):
        bpy.ops.pixal3d.reuse_settings(generation="no such")


def block() -> Any:
    """A low box that stands on the ground of its own space, in a collection, with a parent and a modifier."""
    mesh = bpy.data.meshes.new("Old Mesh")
    points = [(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (0.0, 0.5)]
    mesh.from_pydata(points, [], [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    mesh.materials.append(bpy.data.materials.new("Old"))
    block, parent = bpy.data.objects.new("Block", mesh), bpy.data.objects.new("Parent", None)
    props = bpy.data.collections.new("Props")
    bpy.context.scene.collection.children.link(props)
    props.objects.link(block)
    bpy.context.collection.objects.link(parent)
    block.parent, block.location, block.scale = parent, (3.0, 2.0, 1.0), (2.0, 2.0, 2.0)
    block.rotation_euler = Euler((0.0, 0.0, 0.7))
    block.modifiers.new("Bevel", "BEVEL")
    block.material_slots[0].link = "OBJECT"
    block.material_slots[0].material = bpy.data.materials.new("Own")
    bpy.context.view_layer.update()
    return block


def activate(obj: Any) -> None:
    for other in tuple(bpy.context.selected_objects):
        other.select_set(False)
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj


def test_replacing_a_mesh_keeps_all_but_the_mesh_and_its_materials(chair: Any, manager: Any, room: Any) -> None:
    model, target = bpy.context.active_object, block()
    twin = target.copy()
    bpy.context.collection.objects.link(twin)
    activate(target)
    matrix = target.matrix_world.copy()
    before = set(bpy.data.objects)
    vertices = len(model.data.vertices)
    assert bpy.ops.pixal3d.replace_mesh(generation=chair.id) == {"FINISHED"}
    assert set(bpy.data.objects) == before
    assert (target.name, target.parent.name, target.users_collection[0].name) == ("Block", "Parent", "Props")
    assert target.matrix_world == matrix and [m.name for m in target.modifiers] == ["Bevel"]
    assert len(target.data.vertices) == vertices > 1000 and target.data != model.data
    assert [s.link for s in target.material_slots] == ["DATA"]
    assert target.material_slots[0].material.node_tree.nodes
    assert min(v.co.z for v in target.data.vertices) == pytest.approx(0.0, abs=1e-5), "it stands where the old one did"
    assert twin.data.name == "Old Mesh"
    assert bpy.context.active_object == target and bpy.context.selected_objects == [target]
    assert room("blender.provenance").of(target)["generation"] == chair.id
    assert manager.get(chair.id).generation.state.value == "imported"


def test_a_model_of_several_parts_becomes_one_mesh(chair: Any, manager: Any, room: Any, tmp_path: Path) -> None:
    for obj in tuple(bpy.data.objects):
        bpy.data.objects.remove(obj)
    for number in range(2):
        bpy.ops.mesh.primitive_cube_add(size=0.5, location=(0.0, 0.0, number))
    file = tmp_path / "parts.glb"
    bpy.ops.export_scene.gltf(filepath=str(file))
    for obj in tuple(bpy.data.objects):
        bpy.data.objects.remove(obj)
    manager._snapshots.note(chair.id, glb_file=str(file), bounds=None)
    target = block()
    activate(target)
    before = set(bpy.data.objects)
    bpy.ops.pixal3d.replace_mesh(generation=chair.id)
    heights = [v.co.z for v in target.data.vertices]
    assert set(bpy.data.objects) == before
    assert (min(heights), max(heights)) == pytest.approx((0.0, 1.5), abs=1e-5)


def test_a_mesh_is_not_replaced_where_that_makes_no_sense(chair: Any, manager: Any, room: Any) -> None:
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.collection.objects.link(empty)
    activate(empty)
    assert not bpy.ops.pixal3d.replace_mesh.poll()
    target = block()
    activate(target)
    bpy.ops.object.mode_set(mode="EDIT")
    assert not bpy.ops.pixal3d.replace_mesh.poll()
    bpy.ops.object.mode_set(mode="OBJECT")
    failed = known(room, manager, 1)
    with pytest.raises(RuntimeError, match="no finished model"):
        bpy.ops.pixal3d.replace_mesh(generation=failed.id)
    manager._snapshots.note(chair.id, glb_file="/nowhere/model.glb")
    objects, mesh = set(bpy.data.objects), target.data
    with pytest.raises(RuntimeError, match="could not read"):
        bpy.ops.pixal3d.replace_mesh(generation=chair.id)
    assert set(bpy.data.objects) == objects and target.data == mesh


def test_thumbnails_are_made_once_and_not_without_end(chair: Any, room: Any, monkeypatch: Any) -> None:
    """Their numbers are 0 without a window; what is drawn of them is in ``tests/gui/scenarios/generations.py``."""
    thumbnails, limits = room("blender.thumbnails"), room("blender.limits")
    for _ in range(2):
        thumbnails.icon(chair)
        thumbnails.icon(chair.changed(id="gone", source_file="/nowhere/image.png"))
    assert thumbnails.icon(chair.without_files()) == 0
    assert set(thumbnails._previews) == {chair.id, "gone"}
    monkeypatch.setattr(limits, "THUMBNAILS", 2)
    thumbnails.icon(chair.changed(id="one more"))
    assert list(thumbnails._previews) == ["one more"]
    thumbnails.close()


def test_what_is_said_of_time_is_no_finer_than_it_is_known(room: Any) -> None:
    texts = room("ui.generation_texts")
    assert [texts.age(seconds) for seconds in (3, 200, 7300, 500_000)] == ["now", "3 min", "2 h", "5 d"]
    assert texts.time_left(20.0) == "Less than a minute left"
    assert [texts.time_left(seconds) for seconds in (50.0, 170.0)] == ["About 1 min left", "About 3 min left"]
    assert [texts.duration(seconds) for seconds in (42.2, 132.0)] == ["42 s", "2 min 12 s"]
