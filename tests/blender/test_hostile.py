# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in a file may come from anywhere: another version, another program, another file, a script's accident."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy  # isort: skip
import addon_utils
import pytest

from tests.blender.conftest import ADDON
from tests.blender.test_arriving import box, close, place, planned
from tests.blender.test_importer import glb, ready

__all__ = ("glb", "place", "planned", "ready")

GARBAGE: tuple[Any, ...] = (
    "",
    "x" * 100_000,
    7,
    [1, 2, 3],
    {},
    {"generation": 3, "group": 4, "source": 5, "seed": "many", "parameters": "none"},
    {"generation": {"a": 1}, "group": {"a": 1}, "parameters": {"seed": "x", "resolution": [1, 2]}},
    {"generation": [1.0, 2.0], "group": [1, 2]},
    {"generation": "../../../x", "source": "x" * 100_000, "group": "", "cost": "dear"},
    {"generation": "y" * 100_000, "group": "z" * 100_000, "parameters": {"unknown": 1, "mesh_scale": float("nan")}},
)


def linked(obj: Any) -> Any:
    bpy.context.scene.collection.objects.link(obj)
    return obj


@pytest.fixture
def library(addon: Any, tmp_path: Path) -> Callable[..., Any]:
    """Writes a file with what `make` puts into the collection Props of it, and links that collection."""

    def link(make: Callable[[Any], None] = lambda collection: None) -> Any:
        props = bpy.data.collections.new("Props")
        make(props)
        path = str(tmp_path / "library.blend")
        bpy.data.libraries.write(path, {props})
        for obj in list(props.objects):
            bpy.data.objects.remove(obj)
        bpy.data.collections.remove(props)
        with bpy.data.libraries.load(path, link=True) as (_, wanted):
            wanted.collections = ["Props"]
        (found,) = wanted.collections
        bpy.context.scene.collection.children.link(found)
        return found

    return link


def activate(name: str) -> None:
    view_layer = bpy.context.view_layer
    view_layer.active_layer_collection = view_layer.layer_collection.children[name]


# Linked files and library overrides.


def test_a_model_arrives_while_a_linked_collection_is_the_active_one(planned: Any, place: Any, library: Any) -> None:
    generation, empty = planned()
    bpy.data.objects.remove(empty)
    library()
    activate("Props")
    (model,) = place(generation)
    assert model.users_collection == (bpy.context.scene.collection,)


def test_a_model_of_several_parts_arrives_while_a_linked_collection_is_the_active_one(
    room: Any, planned: Any, place: Any, library: Any
) -> None:
    library()
    activate("Props")
    parts = [linked(bpy.data.objects.new("Part", None)) for _ in range(2)]
    root = room("blender.importer")._single_root(parts, "Chair", bpy.context)
    assert {part.parent for part in parts} == {root}


def test_a_model_arrives_while_an_overridden_collection_is_the_active_one(
    room: Any, planned: Any, place: Any, library: Any
) -> None:
    generation, empty = planned()
    bpy.data.objects.remove(empty)
    name = (
        library(lambda props: props.objects.link(bpy.data.objects.new("Thing", None)))
        .override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
        .name
    )
    assert bpy.data.collections[name, None].override_library
    activate(name)
    placement = room("generation").Placement("Scene", name, (1.0, 2.0, 0.0))
    (model,) = place(generation.changed(placement=placement))
    assert model.users_collection == (bpy.context.scene.collection,)


@pytest.mark.parametrize("is_overridden", [False, True])
def test_the_placeholder_of_another_file_is_not_ours_to_replace_or_to_remove(
    room: Any, planned: Any, place: Any, library: Any, is_overridden: bool
) -> None:
    generation, empty = planned()
    key = room("blender.placeholder").KEY
    bpy.data.objects.remove(empty)

    def a_placeholder(props: Any) -> None:
        other = bpy.data.objects.new("Chair", None)
        other[key] = generation.id
        props.objects.link(other)

    props = library(a_placeholder)
    if is_overridden:
        props.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    others = [obj for obj in bpy.context.scene.objects if key in obj]
    (model,) = place(generation)
    assert close(((box(model)[0] + box(model)[1]) / 2).xy, (1, 2)), "at the place of the click"
    room("blender.placeholder").sweep({generation.id})
    assert others and all(obj in list(bpy.context.scene.objects) for obj in others)


def test_an_object_of_the_artists_with_a_copy_of_the_placeholders_property_is_not_taken_for_one(
    room: Any, planned: Any, place: Any
) -> None:
    generation, _ = planned()
    mine = linked(bpy.data.objects.new("Mine", bpy.data.meshes.new("Mine")))
    mine[room("blender.placeholder").KEY] = generation.id
    place(generation)
    room("blender.placeholder").sweep({generation.id})
    assert "Mine" in bpy.data.objects


# Custom properties that hold anything.


@pytest.mark.parametrize("value", GARBAGE, ids=lambda value: repr(value)[:30])
def test_whatever_stands_in_the_facts_of_an_object_nothing_of_ours_stumbles(
    room: Any, service: Any, value: Any, tmp_path: Path
) -> None:
    cube = linked(bpy.data.objects.new("Cube", bpy.data.meshes.new("Cube")))
    for key in ("pixal3d", "pixal3d_part", "pixal3d_placeholder"):
        cube[key] = value
    linked(bpy.data.objects.new("Empty", None))["pixal3d_placeholder"] = value
    bpy.context.view_layer.objects.active = cube
    room("blender.session").manager()
    provenance, placeholder = room("blender.provenance"), room("blender.placeholder")
    provenance.settings_of(provenance.of(cube))
    assert all(isinstance(generation_id, str) for generation_id in provenance.generation_ids_in_file())
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    room("blender.open_file").recognize(room("blender.session").manager())
    placeholder.sweep({"an id"})
    charges = len(service.charges())
    for operator in (bpy.ops.pixal3d.generate_again, bpy.ops.pixal3d.keep_this):
        try:
            operator()
        except RuntimeError as error:
            assert "Traceback" not in str(error)
    assert len(service.charges()) == charges
    assert "Cube" in bpy.data.objects


# Settings of a version that this one does not know.


def raw(owner: Any) -> Any:
    """The stored values of properties, which are checked by nobody."""
    return owner.bl_system_properties_get(do_create=True) if hasattr(owner, "bl_system_properties_get") else owner


@pytest.fixture
def prefs(addon: Any) -> Any:
    preferences = bpy.context.preferences.addons[ADDON].preferences
    names = ("arrival", "mesh_scale_applied_by", "concurrency", "results_folder", "disk_limit_gb", "spending_limit")
    names += ("key_place",)
    yield preferences
    for name in names:
        preferences.property_unset(name)


def test_a_choice_in_the_preferences_that_this_version_does_not_know_is_the_usual_one(room: Any, prefs: Any) -> None:
    for name in ("arrival", "mesh_scale_applied_by", "key_place"):
        raw(prefs)[name] = 17
    session = room("blender.session")
    assert session.arrival() == "FILE" and session.mesh_scale_applied_by().value == "AUTO"
    assert session.key_source() == ""


def test_a_choice_in_the_scene_that_this_version_does_not_know_is_the_usual_one(room: Any, addon: Any) -> None:
    settings = bpy.context.scene.pixal3d
    for name in ("turn", "textures", "place_at", "resolution"):
        raw(settings)[name] = 17
    options = room("ui.import_settings").import_options(settings)
    assert (options.turn, options.textures) == (0, "PACK")
    assert room("parameters").complete(room("ui.properties").parameter_values(settings))


@pytest.mark.parametrize("value", ["text", 0.5, 10**9, [1, 2], {"a": 1}], ids=str)
def test_a_setting_of_another_type_or_out_of_range_is_a_sentence_at_most(
    room: Any, prefs: Any, service: Any, painted: Any, value: Any
) -> None:
    settings = bpy.context.scene.pixal3d
    for owner in (prefs, settings):
        for name in owner.bl_rna.properties.keys():
            if name not in ("rna_type", "name", "bl_idname", "image"):
                raw(owner)[name] = value
    raw(settings)["of_the_future"] = value
    session, parameter_values = room("blender.session"), room("ui.properties").parameter_values
    session.manager()
    session.configure()
    session.arrival()
    room("ui.price_texts").question(parameter_values(settings))  # as drawing a panel does
    settings.image = painted
    try:
        bpy.ops.pixal3d.quote()
    except RuntimeError as error:
        assert "Traceback" not in str(error)
    for name in list(raw(prefs).keys()):
        del raw(prefs)[name]


def test_a_record_with_choices_that_this_version_does_not_know_is_placed(
    room: Any, service: Any, ready: Any, glb: Any
) -> None:
    options = room("generation").ImportOptions(textures="CLOUD", turn=45, place_at="MOON", asset_catalog=7)
    parameters = {"of_the_future": 1, "resolution": 8192, "mesh_scale": "large"}
    generation = ready(glb(), options=options).changed(parameters=parameters)
    manager = room("blender.session").manager()
    manager._snapshots.put(generation)
    room("blender.pricing").spent()
    room("ui.price_texts").question(parameters)
    snapshots, scene = room("generation").Snapshot, bpy.context.scene
    room("blender.prepared").look_ahead([snapshots(generation)], [generation], scene)  # as the watcher does
    assert room("blender.placeholder").size_of(generation, scene) == 1.0
    bpy.ops.pixal3d.import_model(generation=generation.id)
    assert manager.get(generation.id).generation.state == "imported"
    bpy.ops.pixal3d.reuse_settings(generation=generation.id)
    assert bpy.context.scene.pixal3d.resolution == "4096"


# Engines.


def test_textures_are_shown_with_an_engine_that_has_no_material_preview(room: Any, addon: Any) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.context.scene.render.engine = "BLENDER_WORKBENCH"
    spaces = [area.spaces.active for area in bpy.context.window.screen.areas if area.type == "VIEW_3D"]
    room("blender.shading").show_textures(spaces[0])
    assert room("blender.shading").shows_textures(spaces[0])


# Scripts that clear away.


def test_the_add_on_can_be_disabled_after_a_script_has_cleared_all_handlers(addon: Any, capfd: Any) -> None:
    known: Any = bpy.app.handlers
    handlers = (known.load_post, known.save_post, known.translation_update_post)
    before = [list(each) for each in handlers]
    for each in handlers:
        each.clear()
    addon_utils.disable(ADDON, default_set=True)
    for each, kept in zip(handlers, before, strict=True):
        each.extend(handler for handler in kept if not handler.__module__.startswith(ADDON))
    assert addon_utils.enable(ADDON, default_set=True) is not None
    assert "Traceback" not in "".join(capfd.readouterr())


# The add-on goes and comes in the middle of a job.


def _reload(addon: Any) -> None:
    bpy.ops.script.reload()


def _disable_and_enable(addon: Any) -> None:
    addon_utils.disable(ADDON, default_set=True)
    assert addon_utils.enable(ADDON, default_set=True) is not None


def _load_factory_startup(addon: Any) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


_STRIKES: list[Callable[[Any], None]] = [_disable_and_enable, _load_factory_startup]
if bpy.app.version >= (5, 0):  # after it, without an add-on too, the module of 4.2 crashes at its end, and 4.5 has none
    _STRIKES.append(_reload)


@pytest.mark.parametrize("strike", _STRIKES)
def test_a_job_under_way_is_gone_on_with_and_charged_once(
    addon: Any, room: Any, quick: Any, painted: Any, strike: Callable[[Any], None], capfd: Any
) -> None:
    charges = len(quick.charges())
    quick.set_options(job_seconds=2.0)
    handle = room("api").submit(painted, decimation_target=5000, resolution=1024, seed=5)
    manager = room("blender.session").manager()
    until(lambda: manager.snapshots()[-1].generation.state == "running")
    strike(addon)
    manager = room("blender.session").manager()
    manager.configure(room("blender.session").settings(), room("blender.session").connection())
    manager.resume()
    until(lambda: any(s.generation.state == "ready" for s in manager.snapshots()))
    assert handle.status
    assert len(quick.charges()) == charges + 1
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said and "Exception" not in said


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
