# SPDX-License-Identifier: GPL-3.0-or-later
"""A generation outlives the click: which file it belongs to, when it is safe, what it was made from, and its files."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import bpy  # isort: skip
import pytest

QUICK = {"decimation_target": 5000, "resolution": "1024"}


@pytest.fixture
def chair(painted: bpy.types.Image) -> bpy.types.Image:
    return painted


@pytest.fixture
def prefs(addon: Any) -> Any:
    preferences = bpy.context.preferences.addons[addon.__name__].preferences
    names = ("arrival", "concurrency", "results_folder", "disk_limit_gb")
    before = {name: getattr(preferences, name) for name in names}
    yield preferences
    for name, value in before.items():
        setattr(preferences, name, value)


def made(manager: Any) -> Any:
    """The newest generation, as it stands on disk."""
    for thread in threading.enumerate():
        if thread.name.startswith("pixal3d-"):
            thread.join(10 if "keeper" not in thread.name else 0)
    return manager.store.get(manager.snapshots()[-1].generation.id)


# Which file.


def test_the_file_of_the_click_is_known_by_its_path_and_a_new_one_as_long_as_it_is_open(
    addon: Any, room: Any, tmp_path: Path
) -> None:
    open_file = room("blender.open_file")
    unsaved = open_file.placement_here(bpy.context)
    assert unsaved.blend_file == "" and open_file.is_open(unsaved)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    assert open_file.is_open(unsaved), "saving is not opening another file"
    saved = open_file.placement_here(bpy.context)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert not open_file.is_open(unsaved) and not open_file.is_open(saved)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert open_file.is_open(saved) and not open_file.is_open(unsaved)


@pytest.mark.parametrize(
    ("choice", "same", "other"), [("FILE", True, False), ("ANY", True, True), ("ASK", False, False)]
)
def test_a_model_comes_by_itself_as_the_artist_has_set(
    service: Any, chair: Any, room: Any, prefs: Any, choice: str, same: bool, other: bool
) -> None:
    arrival, session = room("blender.arrival"), room("blender.session")
    prefs.arrival = choice
    generation = room("generation").Generation(
        "Chair", {}, room("blender.open_file").placement_here(bpy.context), state=room("generation").State.READY
    )
    session.manager()._snapshots.put(generation)
    assert (arrival.next_to_place(session.manager()) is not None) is same
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert (arrival.next_to_place(session.manager()) is not None) is other
    assert "not open" in arrival.question(generation)


def test_a_model_of_another_file_lands_where_the_artist_is_now(
    service: Any, chair: Any, manager: Any, tmp_path: Path
) -> None:
    """Names of the other file mean nothing here, though they may be the same."""
    bpy.context.scene.cursor.location = (9.0, 9.0, 9.0)
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.cursor.location = (1.0, 2.0, 3.0)
    bpy.ops.pixal3d.import_model(generation=manager.snapshots()[-1].generation.id)
    obj = bpy.context.active_object
    low = min((obj.matrix_world @ v.co).z for v in obj.data.vertices)
    assert (obj.location.x, obj.location.y, low) == pytest.approx((1.0, 2.0, 3.0), abs=1e-3)


# When it is safe.


def test_an_imported_model_is_safe_once_the_file_is_saved(
    service: Any, chair: Any, manager: Any, tmp_path: Path
) -> None:
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert made(manager).is_open, "a crash now would lose it"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "chair.blend"))
    assert made(manager).state == "imported" and not made(manager).is_open


def test_a_model_that_was_deleted_before_saving_is_not_said_to_be_in_the_file(
    service: Any, chair: Any, manager: Any, tmp_path: Path
) -> None:
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    bpy.data.objects.remove(bpy.context.active_object)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "empty.blend"))
    assert made(manager).is_open


def test_a_file_that_gets_its_name_after_the_click_is_remembered_by_it(
    service: Any, chair: Any, manager: Any, room: Any, tmp_path: Path
) -> None:
    generation = room("generation").Generation(
        "Chair", {}, room("blender.open_file").placement_here(bpy.context), state=room("generation").State.READY
    )
    manager._snapshots.put(generation)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "later.blend"))
    assert made(manager).placement.blend_file == str(tmp_path / "later.blend")


# What it was made from.


def test_generate_again_takes_the_image_and_the_settings_of_the_active_object(
    service: Any, chair: Any, manager: Any
) -> None:
    bpy.ops.pixal3d.generate(image="Chair", mesh_scale=2.0, seed=7, ss_sampling_steps=12, **QUICK)
    first = bpy.context.active_object
    bpy.data.images.remove(chair)
    charges = len(service.charges())
    assert bpy.ops.pixal3d.generate_again() == {"FINISHED"}
    second = bpy.context.active_object
    assert second is not first and len(service.charges()) == charges + 1
    one, two = first["pixal3d"].to_dict(), second["pixal3d"].to_dict()
    assert one["parameters"] == two["parameters"] and two["seed"] == 7 and one["job_id"] != two["job_id"]
    assert one["source_sha256"] == two["source_sha256"]
    settings = bpy.context.scene.pixal3d
    assert (settings.mesh_scale, settings.seed, settings.ss_sampling_steps) == (2.0, 7, 12), "the panel shows them"


def test_generate_again_is_offered_for_our_models_only_and_also_for_their_parts(service: Any, chair: Any) -> None:
    bpy.ops.mesh.primitive_cube_add()
    assert not bpy.ops.pixal3d.generate_again.poll()
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    model = bpy.context.active_object
    assert bpy.ops.pixal3d.generate_again.poll()
    bpy.ops.mesh.primitive_cube_add()
    bpy.context.active_object.parent = model
    assert bpy.ops.pixal3d.generate_again.poll()
    bpy.context.active_object.parent = None
    bpy.context.active_object["pixal3d"] = "nonsense"
    assert not bpy.ops.pixal3d.generate_again.poll()


def test_generate_again_without_the_image_says_what_to_do(service: Any, chair: Any, manager: Any) -> None:
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    bpy.ops.pixal3d.remove(generation=manager.snapshots()[-1].generation.id)
    for thread in threading.enumerate():
        if thread.name.startswith("pixal3d-note"):
            thread.join(10)
    charges = len(service.charges())
    with pytest.raises(RuntimeError, match=r"not kept any more\. Select it and generate"):
        bpy.ops.pixal3d.generate_again()
    assert len(service.charges()) == charges


def test_a_job_that_was_begun_elsewhere_is_fetched_by_its_id_for_nothing(
    service: Any, chair: Any, manager: Any
) -> None:
    bpy.ops.pixal3d.generate(image="Chair", mesh_scale=2.0, seed=5, **QUICK)
    job_id = bpy.context.active_object["pixal3d"]["job_id"]
    manager.remove(manager.snapshots()[-1].generation.id)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    charges = len(service.charges())
    assert bpy.ops.pixal3d.fetch_job(job_id=f" {job_id} ") == {"FINISHED"}
    obj = bpy.context.active_object
    assert obj.name == "Chair" and obj["pixal3d"]["job_id"] == job_id
    assert obj["pixal3d"]["parameters"]["mesh_scale"] == 2.0 and obj["pixal3d"]["seed"] == 5
    assert max(obj.dimensions) == pytest.approx(2.0, rel=1e-4)
    assert len(service.charges()) == charges


@pytest.mark.parametrize(("job_id", "match"), [("", "No job ID"), ("job_unknown", "not know|not found")])
def test_a_job_that_is_not_there_is_a_sentence(
    service: Any, addon: Any, room: Any, monkeypatch: Any, job_id: str, match: str
) -> None:
    monkeypatch.setattr(room("generation.limits"), "UNKNOWN_JOB_PATIENCE_SECONDS", 0.0)
    with pytest.raises(RuntimeError, match=match):
        bpy.ops.pixal3d.fetch_job(job_id=job_id)


# Its files.


def test_images_and_models_are_kept_where_the_artist_has_set(
    service: Any, chair: Any, manager: Any, prefs: Any, room: Any, tmp_path: Path
) -> None:
    prefs.results_folder = str(tmp_path / "models")
    room("blender.session").configure()
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    record = made(manager)
    assert Path(record.glb_file).parent.parent == Path(record.source_file).parent.parent == tmp_path / "models"
    assert record.bytes_on_disk == sum(p.stat().st_size for p in Path(record.folder).iterdir())


def test_a_results_folder_that_depends_on_the_open_file_is_not_taken(prefs: Any, room: Any) -> None:
    prefs.results_folder = "//models"
    assert room("blender.session").settings().results is None


def test_clear_deletes_what_is_safe_in_a_file_and_nothing_else(
    service: Any, chair: Any, manager: Any, tmp_path: Path
) -> None:
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "chair.blend"))
    safe = made(manager)
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    unsaved = made(manager)
    bpy.ops.pixal3d.clear()
    for thread in threading.enumerate():
        if thread.name == "pixal3d-clear":
            thread.join(10)
    assert not Path(safe.folder).exists() and Path(unsaved.glb_file).exists()
    assert manager.store.get(safe.id).job_id == safe.job_id, "the record stays"
    assert manager.bytes_on_disk == unsaved.bytes_on_disk


def test_the_disk_limit_spares_what_is_not_in_a_saved_file(
    service: Any, chair: Any, manager: Any, prefs: Any, room: Any, tmp_path: Path
) -> None:
    prefs.disk_limit_gb = 1e-6
    room("blender.session").configure()
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    first = made(manager)
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert Path(first.glb_file).exists()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "chair.blend"))
    made(manager)
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert not Path(first.folder).exists() and Path(made(manager).glb_file).exists()


def test_a_store_that_cannot_be_read_does_not_keep_the_artist_from_generating(
    service: Any, chair: Any, room: Any
) -> None:
    session = room("blender.session")
    session.folder().mkdir(parents=True, exist_ok=True)
    (session.folder() / "generations.sqlite3").write_bytes(b"no database at all" * 1000)
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert bpy.context.active_object.name == "Chair"
    assert "set aside" in session.manager().notice
    assert bpy.ops.pixal3d.dismiss_notice() == {"FINISHED"} and session.manager().notice == ""


def test_what_a_dead_blender_had_saved_already_is_recognized_in_its_file_and_not_offered_again(
    service: Any, chair: Any, room: Any, tmp_path: Path
) -> None:
    """It died after saving and before it could note that."""
    session, open_file = room("blender.session"), room("blender.open_file")
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    record = made(session.manager())
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "chair.blend"))
    made(session.manager())
    session.manager().store.save(record.changed(is_kept=False))  # as the dead one left it
    session.close()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "chair.blend"))
    heir = session.manager()
    heir.resume()
    deadline = time.monotonic() + 20
    while heir.is_busy and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [g.id for g in heir.arrived()] == [record.id]
    open_file.recognize(heir)
    assert heir.arrived() == []
    assert made(heir).state == "imported"
    bpy.ops.wm.save_mainfile()
    assert made(heir).is_kept
