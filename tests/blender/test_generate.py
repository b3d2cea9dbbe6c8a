# SPDX-License-Identifier: GPL-3.0-or-later
"""One image becomes a textured mesh in the scene, through the operator and a real HTTP server."""

from __future__ import annotations

import struct
import threading
from pathlib import Path
from typing import Any

import bpy  # isort: skip  (it makes addon_utils importable)
import addon_utils
import numpy as np
import pytest

QUICK = {"decimation_target": 5000, "resolution": "1024"}


@pytest.fixture
def chair(addon: Any) -> bpy.types.Image:
    """A painted picture with alpha: a disk with a stem, so that the silhouette says something."""
    size = 96
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    inside = (x**2 + (y - 0.15) ** 2 < 0.08) | ((abs(x) < 0.06) & (y < 0.0) & (y > -0.45))
    picture = np.zeros((size, size, 4), np.float32)
    picture[inside] = (0.8, 0.3, 0.1, 1.0)
    image = bpy.data.images.new("Chair", size, size, alpha=True)
    image.pixels.foreach_set(picture.ravel())
    return image


def largest_side(obj: bpy.types.Object) -> float:
    bpy.context.view_layer.update()
    return max(obj.dimensions)


def test_a_script_gets_the_mesh_in_the_scene(service: Any, chair: Any) -> None:
    before = len(service.charges())
    assert bpy.ops.pixal3d.generate(image="Chair", seed=7, **QUICK) == {"FINISHED"}
    obj = bpy.context.active_object
    assert obj.type == "MESH" and obj.name == "Chair" and obj.select_get()
    assert len(obj.data.polygons) > 3000
    assert len(obj.data.uv_layers) == 1
    (charge,) = service.charges()[before:]
    assert obj["pixal3d"]["job_id"] == charge["job_id"]
    assert obj["pixal3d"]["seed"] == 7


@pytest.mark.parametrize("texture_format", ["webp", "png", "jpeg"])
def test_the_textures_arrive_in_every_format(service: Any, chair: Any, texture_format: str) -> None:
    service.set_options(texture_format=texture_format)
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    tree = bpy.context.active_object.data.materials[0].node_tree
    images = {n.image.name: n.image for n in tree.nodes if n.type == "TEX_IMAGE"}
    assert set(images) == {"Chair Base Color", "Chair Metallic Roughness"}
    for image in images.values():
        assert tuple(image.size) == (1024, 1024)
        assert image.packed_file is not None
    values = np.empty(1024 * 1024 * 4, np.float32)
    images["Chair Base Color"].pixels.foreach_get(values)
    colors = np.abs(values.reshape(-1, 4)[:, :3] - (0.8, 0.3, 0.1)).max(axis=1)
    assert (colors < 0.06).mean() > 0.3, "the image's color is not in the texture"


@pytest.mark.parametrize("mesh_scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("who", ["honoured", "ignored"])
def test_the_size_is_the_same_whether_the_service_honors_mesh_scale_or_not(
    service: Any, chair: Any, mesh_scale: float, who: str
) -> None:
    service.set_options(mesh_scale=who)
    bpy.ops.pixal3d.generate(image="Chair", mesh_scale=mesh_scale, seed=1, **QUICK)
    assert largest_side(bpy.context.active_object) == pytest.approx(mesh_scale, rel=1e-4)


def test_the_parameters_given_reach_the_service_and_the_rest_are_its_defaults(
    service: Any, chair: Any, room: Any
) -> None:
    bpy.context.scene.pixal3d.ss_sampling_steps = 5  # the panel's, which a script does not depend on
    bpy.ops.pixal3d.generate(image="Chair", seed=3, tex_slat_guidance_rescale=0.25, remesh=False, **QUICK)
    (request,) = [r for r in service.requests() if r["path"].endswith("/generate/custom/model_pixal3d")][-1:]
    body = dict(request["json"])
    assert body.pop("image").startswith("asset_")
    expected = room("parameters").request_body(
        {"seed": 3, "tex_slat_guidance_rescale": 0.25, "remesh": False, **QUICK}, "x"
    )
    expected.pop("image")
    assert body == expected


@pytest.mark.parametrize(
    ("options", "width_to_height"),
    [({}, 1.0), ({"crop_to_subject": True}, 0.70), ({"crop_to_subject": True, "pad_to_square": True}, 1.0)],
)
def test_what_is_sent_is_framed_as_asked_and_the_image_stays_as_it_is(
    service: Any, chair: Any, room: Any, options: dict[str, bool], width_to_height: float
) -> None:
    bpy.ops.pixal3d.generate(image="Chair", **options, **QUICK)
    source = Path(room("blender.session").manager().snapshots()[-1].generation.source_file)
    width, height = struct.unpack(">II", source.read_bytes()[16:24])
    assert width / height == pytest.approx(width_to_height, abs=0.08)
    assert (max(width, height) < 96) is bool(options) and tuple(chair.size) == (96, 96)


def test_one_click_is_one_charge(service: Any, chair: Any) -> None:
    before = len(service.charges())
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert len(service.charges()) == before + 1


def test_the_arguments_of_one_call_do_not_leak_into_the_next(service: Any, chair: Any) -> None:
    bpy.ops.pixal3d.generate(image="Chair", mesh_scale=2.0, seed=1, **QUICK)
    bpy.ops.pixal3d.generate(image="Chair", seed=1, **QUICK)
    assert largest_side(bpy.context.active_object) == pytest.approx(1.0, rel=1e-4)


def test_a_home_folder_in_a_path_is_understood(service: Any, chair: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    chair.filepath_raw, chair.file_format = str(tmp_path / "stool.png"), "PNG"
    chair.save()
    bpy.ops.pixal3d.generate(image="~/stool.png", **QUICK)
    assert bpy.context.active_object.name == "stool"


def test_an_add_on_that_is_enabled_for_one_run_only_works_with_a_key_from_the_environment(
    service: Any, chair: Any, addon: Any
) -> None:
    addon_utils.disable(addon.__name__, default_set=True)
    addon_utils.enable(addon.__name__, default_set=False)
    assert addon.__name__ not in bpy.context.preferences.addons
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert bpy.context.active_object.name == "Chair"


def test_without_a_name_the_image_of_the_scene_is_taken(service: Any, chair: Any) -> None:
    bpy.context.scene.pixal3d.image = chair
    bpy.ops.pixal3d.generate(**QUICK)
    assert bpy.context.active_object.name == "Chair"


def test_an_image_file_is_taken_by_its_path(service: Any, chair: Any, tmp_path: Path) -> None:
    chair.filepath_raw, chair.file_format = str(tmp_path / "stool.png"), "PNG"
    chair.save()
    bpy.ops.pixal3d.generate(image=str(tmp_path / "stool.png"), **QUICK)
    assert bpy.context.active_object.name == "stool"


def test_the_record_and_its_files_are_on_disk(service: Any, chair: Any, room: Any) -> None:
    bpy.ops.pixal3d.generate(image="Chair", seed=7, **QUICK)
    manager = room("blender.session").manager()
    (snapshot,) = manager.snapshots()
    for thread in threading.enumerate():
        if thread.name.startswith("pixal3d-note"):
            thread.join(10)
    record = manager.store.get(snapshot.generation.id)
    assert record.state == "imported" and record.seed == 7 and record.cost
    assert [status for status, _ in record.status_history][-1] == "success"
    assert Path(record.glb_file).read_bytes()[:4] == b"glTF"
    assert Path(record.source_file).read_bytes()[:4] == b"\x89PNG"
    everything = b"".join(p.read_bytes() for p in manager.store.folder.rglob("*") if p.is_file())
    assert service.secret.encode() not in everything and service.key.encode() not in everything


# Every trouble is a sentence with a remedy, and nothing is lost.


def refused(match: str, **arguments: Any) -> None:
    objects, images = list(bpy.data.objects), len(bpy.data.images)
    with pytest.raises(RuntimeError, match=match) as error:
        bpy.ops.pixal3d.generate(**{"image": "Chair", **QUICK, **arguments})
    assert "Traceback" not in str(error.value)
    assert (list(bpy.data.objects), len(bpy.data.images)) == (objects, images)


def test_no_key(addon: Any, chair: Any, monkeypatch: Any) -> None:
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    refused("No Scenario API key is set. Enter it in the add-on's preferences")


def test_a_wrong_key(service: Any, chair: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "wrong")
    refused("does not accept this API key")
    assert service.requests()[-1]["authorization"] == "invalid"


def test_offline_mode(service: Any, chair: Any) -> None:
    bpy.context.preferences.system.use_online_access = False
    refused("Online access is off. Allow it in Preferences > System > Network")


def test_the_server_is_down(service: Any, chair: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("SCENARIO_BASE_URL", "http://127.0.0.1:9/v1")  # the discard port: nobody listens
    refused("reach")


def test_no_image(service: Any) -> None:
    refused("No image is selected. Select one in the Pixal3D panel", image="")


def test_an_image_that_does_not_exist(service: Any) -> None:
    refused("There is no image named 'Sofa'", image="Sofa")


def test_an_empty_image(service: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    refused("empty.png", image=str(tmp_path / "empty.png"))


def test_a_parameter_out_of_range_is_refused_before_anything_is_sent(service: Any, chair: Any) -> None:
    before = len(service.requests())
    refused(r"meshScale\) must be a number from 0.1 to 4, not 9.0", mesh_scale=9.0)
    assert len(service.requests()) == before


GENERATE = {"method": "POST", "path": "/v1/generate/.*"}


@pytest.mark.parametrize(
    ("status", "body", "match"),
    [
        (400, {"reason": "image parameter is required"}, "image parameter is required"),
        (401, {"message": "Unauthorized"}, "key"),
        (402, {"reason": "Not enough creative units"}, "[Cc]redit|creative units"),
        (403, {"reason": "Your plan does not include this model. Plan required: cu-pro"}, "plan"),
        (404, {"reason": "Asset asset_x not found"}, "not found"),
        (413, {"message": "Request Entity Too Large"}, "large"),
        (422, {"reason": "Flagged by content policy"}, "content|policy|moderat"),
    ],
)
def test_a_refusal_of_the_service_is_told_in_its_words_and_is_not_charged(
    service: Any, chair: Any, status: int, body: Any, match: str
) -> None:
    before = len(service.charges())
    service.set_faults([{**GENERATE, "times": 1, "status": status, "body": body, "action": "status"}])
    refused(match)
    assert len(service.charges()) == before


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "status": 500, "body": {"message": "Internal"}},
        {"action": "status", "status": 503, "body": {"message": "Busy"}},
        {"action": "html", "status": 200},
    ],
    ids=["500", "503", "html"],
)
def test_a_request_without_a_clear_answer_is_never_sent_again_and_said_to_be_uncertain(
    service: Any, chair: Any, room: Any, fault: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(room("generation.limits"), "LOOKUP_PAUSES_SECONDS", (0.0, 0.1))

    def sent() -> int:
        return sum(r["path"].endswith("/generate/custom/model_pixal3d") for r in service.requests())

    before = sent()
    service.set_faults([{**GENERATE, "times": 5, **fault}])
    refused("charged")
    assert sent() == before + 1
    assert room("blender.session").manager().snapshots()[-1].generation.state == "uncertain"


def test_a_lost_reply_costs_nothing_more_and_the_mesh_arrives(service: Any, chair: Any) -> None:
    before = len(service.charges())
    service.set_faults([{**GENERATE, "times": 5, "action": "accept_then_close"}])
    bpy.ops.pixal3d.generate(image="Chair", **QUICK)
    assert bpy.context.active_object.name == "Chair"
    assert len(service.charges()) == before + 1


@pytest.mark.parametrize(("variant", "match"), [("draco", "Draco"), ("meshopt", "[Mm]eshopt")])
def test_a_model_that_blender_cannot_read_is_a_clear_sentence_and_the_file_is_kept(
    service: Any, chair: Any, room: Any, variant: str, match: str
) -> None:
    service.set_options(variant=variant)
    refused(match)
    record = room("blender.session").manager().snapshots()[-1].generation
    assert record.state == "failed" and Path(record.glb_file).exists()


def test_a_model_that_arrives_broken_is_refused_before_blender_sees_it(service: Any, chair: Any, room: Any) -> None:
    service.set_options(variant="broken")
    refused("model")
    record = room("blender.session").manager().snapshots()[-1].generation
    assert record.job_id and record.state == "downloading", "it can be fetched again"


def test_a_job_that_fails_is_told_in_the_services_words(service: Any, chair: Any, room: Any) -> None:
    service.set_options(job_outcome="failure")
    refused("could not make a model of this image: The stand-in is set to fail")
    assert service.charges()[-1]["refunded"]


def test_credits_that_are_used_up(service: Any, chair: Any) -> None:
    before = len(service.charges())
    service.set_options(creative_units=0)
    refused("[Cc]redit|creative units")
    assert len(service.charges()) == before


def test_test_connection_names_the_project(service: Any, room: Any) -> None:
    answer = room("blender.connection_check").check(room("blender.session").connection())
    assert answer.text.startswith("Connected to the project ")
    assert bpy.ops.pixal3d.test_connection() == {"FINISHED"}
