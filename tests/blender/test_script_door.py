# SPDX-License-Identifier: GPL-3.0-or-later
"""``bpy.ops.pixal3d`` from scripts: what is promised of the arguments, of blocking, of errors and of the scene.

What the invoke form does is in ``tests/gui``: it needs a window.
"""

from __future__ import annotations

from typing import Any

import bpy
import pytest

QUICK = {"decimation_target": 5000, "resolution": "1024"}


def test_every_parameter_is_an_argument_with_the_table_s_range_and_default(addon: Any, room: Any) -> None:
    arguments = bpy.ops.pixal3d.generate.get_rna_type().properties
    kinds = room("parameters").Kind
    for parameter in room("parameters").SETTINGS:
        argument = arguments[parameter.identifier]
        assert (argument.name, argument.description) == (parameter.label, parameter.tooltip)
        if parameter.kind is kinds.SWITCH:
            assert (argument.type, argument.default) == ("BOOLEAN", parameter.default)
        elif parameter.kind is kinds.CHOICE:
            assert [int(item.identifier) for item in argument.enum_items] == list(parameter.choices)
            assert int(argument.default) == parameter.default
        else:
            assert argument.type == ("FLOAT" if parameter.kind is kinds.NUMBER else "INT")
            default = -1 if parameter.kind is kinds.SEED else parameter.default
            assert argument.default == pytest.approx(default)
            minimum = -1 if parameter.kind is kinds.SEED else parameter.minimum  # which is a random one
            assert (argument.soft_min, argument.soft_max) == pytest.approx((minimum, parameter.maximum))


@pytest.mark.parametrize("context", [(), ("EXEC_DEFAULT",), ("EXEC_DEFAULT", True), ("INVOKE_DEFAULT",)])
def test_in_background_mode_it_blocks_and_leaves_the_new_objects_selected(
    quick: Any, painted: Any, context: tuple[Any, ...]
) -> None:
    """The invoke form too: there is no window that would tick."""
    bpy.ops.mesh.primitive_cube_add()
    before = len(quick.charges())
    done = bpy.ops.pixal3d.generate(*context, image="Chair", mesh_scale=2.0, seed=7, **QUICK)
    assert done == {"FINISHED"} and len(quick.charges()) == before + 1
    active = bpy.context.active_object
    assert active.name == "Chair" and [obj.name for obj in bpy.context.selected_objects] == ["Chair"]
    assert max(active.dimensions) == pytest.approx(2.0, rel=1e-4) and active["pixal3d"]["seed"] == 7


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("max_num_tokens", 4095, r"maxNumTokens\) must be a whole number from 4096 to 131072, not 4095"),
        ("max_num_tokens", 131073, r"maxNumTokens\) must be a whole number from 4096 to 131072, not 131073"),
        ("mesh_scale", 0.05, r"meshScale\) must be a number from 0.1 to 4, not 0.05"),
        ("mesh_scale", 9.0, r"meshScale\) must be a number from 0.1 to 4, not 9.0"),
        ("seed", -2, r"seed\) must be a whole number from 0 to 2147483647, not -2"),
    ],
)
def test_a_value_out_of_range_is_refused_with_a_sentence_and_never_changed(
    quick: Any, painted: Any, name: str, value: Any, sentence: str
) -> None:
    before = len(quick.requests())
    with pytest.raises(RuntimeError, match=sentence) as error:
        bpy.ops.pixal3d.generate(image="Chair", **{name: value})
    assert "Traceback" not in str(error.value) and len(quick.requests()) == before


def test_a_choice_that_is_none_names_the_choices(quick: Any, painted: Any) -> None:
    with pytest.raises(TypeError, match=r"512\W+not found in \('1024', '2048', '4096'\)"):  # Blender's own words
        bpy.ops.pixal3d.generate(image="Chair", resolution="512")


@pytest.mark.parametrize("operator", ["generate", "variations", "quote"])
def test_an_image_that_is_not_there_is_named(quick: Any, operator: str) -> None:
    with pytest.raises(RuntimeError, match=r"There is no image named 'Sofa', and no file of that path\. Name an image"):
        getattr(bpy.ops.pixal3d, operator)(image="Sofa")


@pytest.mark.parametrize("operator", ["generate", "variations", "quote", "fetch_job"])
def test_without_online_access_the_way_out_is_named(quick: Any, painted: Any, operator: str) -> None:
    bpy.context.preferences.system.use_online_access = False
    with pytest.raises(RuntimeError, match=r"Online access is off\. Allow it in Preferences > System > Network"):
        getattr(bpy.ops.pixal3d, operator)()


@pytest.mark.parametrize("operator", ["generate", "variations", "quote", "fetch_job"])
def test_without_a_key_the_way_out_is_named(quick: Any, monkeypatch: pytest.MonkeyPatch, operator: str) -> None:
    monkeypatch.delenv("SCENARIO_SDK_API_KEY")
    with pytest.raises(RuntimeError, match=r"No Scenario API key is set\. Enter it in the add-on's preferences"):
        getattr(bpy.ops.pixal3d, operator)()


def test_a_job_that_fails_is_told_in_the_service_s_words_and_changes_nothing(quick: Any, painted: Any) -> None:
    quick.set_options(job_outcome="failure")
    bpy.ops.mesh.primitive_cube_add()
    with pytest.raises(RuntimeError, match="could not make a model of this image: The stand-in is set to fail"):
        bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert [obj.name for obj in bpy.context.selected_objects] == ["Cube"] == [obj.name for obj in bpy.data.objects]


def test_variations_are_several_models_side_by_side(quick: Any, painted: Any) -> None:
    before = len(quick.charges())
    settings = bpy.context.scene.pixal3d
    settings.resolution, settings.decimation_target, settings.seed = "1024", 5000, 3
    assert bpy.ops.pixal3d.variations(count=2, image="Chair") == {"FINISHED"}
    first, second = sorted(bpy.data.objects, key=lambda obj: obj.location.x)
    assert (first["pixal3d"]["seed"], second["pixal3d"]["seed"]) == (3, 4)
    assert second.location.x - first.location.x >= 1.0 and len(quick.charges()) == before + 2


def test_a_job_is_fetched_by_its_id(quick: Any, painted: Any) -> None:
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    charges = quick.charges()
    assert bpy.ops.pixal3d.fetch_job(job_id=charges[-1]["job_id"]) == {"FINISHED"}
    assert bpy.context.active_object.name == "Chair.001" and quick.charges() == charges
    with pytest.raises(RuntimeError, match=r"No job ID was given\. Copy it from the job list"):
        bpy.ops.pixal3d.fetch_job()


def test_a_quote_is_reported_and_not_charged(quick: Any, painted: Any, capfd: pytest.CaptureFixture[str]) -> None:
    before = len(quick.charges())
    bpy.context.scene.pixal3d.resolution = "1024"
    assert bpy.ops.pixal3d.quote(image="Chair") == {"FINISHED"}
    assert "costs 30 CU" in capfd.readouterr().out and len(quick.charges()) == before
