# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python door: ``api.py`` of the enabled add-on, in background mode, against the stand-in."""

from __future__ import annotations

import _thread
import ast
import inspect
import textwrap
import threading
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

QUICK: Any = {"decimation_target": 5000, "resolution": 1024}
GENERATE = {"method": "POST", "path": "/v1/generate/.*"}
SLOW_UPLOAD = {"method": "POST", "path": "/v1/assets", "times": 1, "action": "slow", "seconds": 0.5}


@pytest.fixture
def api(service: Any, room: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The door, with a service whose jobs are short."""
    service.set_options(job_seconds=0.3, model_cache=True)
    limits = room("generation.limits")
    monkeypatch.setattr(limits, "POLL_FIRST_SECONDS", 0.1)
    monkeypatch.setattr(limits, "LOOKUP_PAUSES_SECONDS", (0.0, 0.1))
    yield room("api")
    service.set_options(job_seconds=1.0, model_cache=False)


@pytest.fixture
def chair(painted: Any, tmp_path: Path) -> Path:
    """A saved file with the image Chair in it, and the same as ``//chair.png`` beside it."""
    painted.filepath_raw, painted.file_format = str(tmp_path / "chair.png"), "PNG"
    painted.save()
    painted.filepath_raw = ""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    return tmp_path / "chair.png"


@pytest.fixture
def charged(service: Any) -> Callable[[], int]:
    """How many models were paid for since the test began."""
    before = len(service.charges())
    return lambda: len(service.charges()) - before


def names(model: Any) -> list[str]:
    return [obj.name for obj in model.objects]


# What is declared.


def test_the_parameters_that_editors_complete_are_those_of_the_table(api: Any, room: Any) -> None:
    parameters = room("parameters")
    kinds = {
        parameters.Kind.NUMBER: float,
        parameters.Kind.WHOLE: int,
        parameters.Kind.SWITCH: bool,
        parameters.Kind.SEED: int | None,
    }
    expected = {p.identifier: typing.Literal[p.choices] if p.choices else kinds[p.kind] for p in parameters.SETTINGS}
    assert typing.get_type_hints(api.Parameters) == expected
    assert list(typing.get_type_hints(api.Parameters)) == [p.identifier for p in parameters.SETTINGS]


def test_the_arguments_are_those_of_the_operator(api: Any) -> None:
    arguments = set(bpy.ops.pixal3d.generate.get_rna_type().properties.keys()) - {"rna_type", "image"}
    switches = {"use_height", "use_merge"}  # here a length of 0 says so
    assert set(typing.get_type_hints(api.Settings)) == arguments - switches


def test_all_that_is_raised_has_one_root_and_can_be_caught_by_the_door(api: Any, room: Any) -> None:
    errors = [getattr(api, name) for name in api.__all__ if name.endswith("Error")]
    assert len(errors) > 10 and all(issubclass(error, api.Pixal3DError) for error in errors)
    assert issubclass(api.ResultTimeoutError, TimeoutError) and issubclass(api.ParameterError, ValueError)


# Blocking.


@pytest.mark.parametrize("kind", ["datablock", "name", "text", "path"])
def test_an_image_becomes_a_model_in_the_scene(api: Any, chair: Path, service: Any, charged: Any, kind: str) -> None:
    image = {"datablock": bpy.data.images["Chair"], "name": "Chair", "text": "//chair.png", "path": chair}[kind]
    model = api.generate(image, seed=7, mesh_scale=2.0, **QUICK)
    (obj,) = model.objects
    assert obj.name == ("Chair" if kind in ("datablock", "name") else "chair")
    assert bpy.context.active_object == obj and obj.select_get() and obj.type == "MESH"
    assert max(obj.dimensions) == pytest.approx(2.0, rel=1e-4)
    assert (model.job_id, model.seed) == (service.charges()[-1]["job_id"], 7)
    assert model.cost and model.glb_path.read_bytes()[:4] == b"glTF" and charged() == 1


def test_a_path_is_never_taken_for_the_name_of_an_image(api: Any, chair: Path) -> None:
    bpy.data.images["Chair"].name = "sofa.png"
    with pytest.raises(api.NoImageError, match=r"sofa\.png"):
        api.generate(Path("sofa.png"))


def test_it_is_placed_as_said(api: Any, chair: Path) -> None:
    model = api.generate("Chair", place_at=(1.0, -2.0, 3.0), height=0.5, turn=90, is_asset=True, **QUICK)
    (obj,) = model.objects
    corners = [obj.matrix_world @ vertex.co for vertex in obj.data.vertices]
    low = [min(corner[axis] for corner in corners) for axis in range(3)]
    high = [max(corner[axis] for corner in corners) for axis in range(3)]
    middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]
    assert middle == pytest.approx([1.0, -2.0, 3.0], abs=1e-3)
    assert high[2] - low[2] == pytest.approx(0.5, rel=1e-3) and obj.asset_data is not None


def test_several_images_become_as_many_models_in_their_order(api: Any, chair: Path, charged: Any) -> None:
    told: list[Any] = []
    models = api.generate(["//chair.png", "Chair", chair], on_progress=told.append, **QUICK)
    assert [names(model)[0].split(".")[0] for model in models] == ["chair", "Chair", "chair"]
    assert len({model.job_id for model in models}) == 3 == charged()
    assert {now.index for now in told} == {0, 1, 2} and all(now.name in ("chair", "Chair") for now in told)
    assert api.generate([]) == [] and api.submit(()) == []


def test_as_many_at_a_time_as_the_preferences_say(api: Any, chair: Path, room: Any, service: Any) -> None:
    room("blender.session").preferences().concurrency = 1
    service.set_options(parallel_jobs=1)
    try:
        told: list[Any] = []
        assert len(api.generate(["Chair", "Chair"], on_progress=told.append, **QUICK)) == 2
    finally:
        service.set_options(parallel_jobs=None)
        room("blender.session").preferences().concurrency = 3
    assert len({now.index for now in told if now.is_queued}) == 1, "whoever is written down first begins"
    assert not any(now.notice for now in told), "the service had no reason to refuse one for a while"


def test_if_one_fails_the_others_still_arrive(api: Any, chair: Path, service: Any, charged: Any) -> None:
    refusal = {"action": "status", "status": 422, "body": {"reason": "Flagged by content policy"}}
    service.set_faults([{**GENERATE, "skip": 1, "times": 1, **refusal}])
    with pytest.raises(api.PartlyFailedError, match=r"1 of 3 models could not be had\. .*content policy") as caught:
        api.generate(["Chair", "Chair", "Chair"], **QUICK)
    (refused,) = [result for result in caught.value.results if isinstance(result, api.ModeratedError)]
    arrived = [result for result in caught.value.results if result is not refused]
    assert [names(model) for model in arrived] == [["Chair"], ["Chair.001"]] and charged() == 2


def test_progress_is_told_in_the_calling_thread_and_never_made_up(api: Any, chair: Path, service: Any) -> None:
    told: list[Any] = []

    def on_progress(now: Any) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.append(now)

    service.set_options(job_seconds=1.0)
    service.set_faults([SLOW_UPLOAD])
    model = api.generate("Chair", on_progress=on_progress, **QUICK)
    order = [status for status in api.State if status in {now.status for now in told}]
    seen = [now.status for now in told]
    assert [status for number, status in enumerate(seen) if status not in seen[:number]] == order
    assert {"uploading", "running", "ready"} <= set(seen)
    assert told[-1].fraction == 1.0 and told[-1].job_id == model.job_id
    assert any(now.service_status == "in-progress" and now.fraction for now in told)
    assert all(now.fraction is None for now in told if now.service_status == "queued" and now.status == "running")


@pytest.mark.parametrize("how", ["in on_progress", "the interrupt key"])
def test_what_ends_the_waiting_reaches_the_caller_and_the_job_is_not_lost(
    api: Any, chair: Path, service: Any, manager: Any, charged: Any, how: str
) -> None:
    service.set_options(job_seconds=2.0)

    def on_progress(now: Any) -> None:
        if now.status == "running":
            if how == "in on_progress":
                raise ZeroDivisionError
            _thread.interrupt_main()

    with pytest.raises(ZeroDivisionError if how == "in on_progress" else KeyboardInterrupt):
        api.generate("Chair", on_progress=on_progress, **QUICK)
    (snapshot,) = manager.snapshots()
    while manager.is_running(snapshot.generation.id):
        time.sleep(0.01)
    generation = manager.get(snapshot.generation.id).generation
    assert generation.state == "running" and generation.job_id
    assert names(api.fetch(generation.job_id)) == ["Chair"] and charged() == 1


def test_interrupted_before_the_request_nothing_is_paid_for(
    api: Any, chair: Path, service: Any, manager: Any, charged: Any
) -> None:
    service.set_faults([SLOW_UPLOAD])

    def on_progress(now: Any) -> None:
        if now.status == "uploading":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.generate("Chair", on_progress=on_progress, **QUICK)
    (snapshot,) = manager.snapshots()
    while manager.is_running(snapshot.generation.id):
        time.sleep(0.01)
    assert charged() == 0 and manager.get(snapshot.generation.id).generation.state == "uploading"


# What is refused before anything is sent.


@pytest.mark.parametrize(
    ("image", "settings", "error", "match"),
    [
        ("Chair", {"mesh_scale": 9.0}, "ParameterError", r"meshScale\) must be a number from 0.1 to 4, not 9.0"),
        ("Chair", {"mesh_size": 2.0}, "ParameterError", "no parameter named 'mesh_size'"),
        ("Chair", {"turn": 45}, "ParameterError", "turn must be one of 0, 90, 180, 270, not 45"),
        ("Chair", {"textures": "EMBED"}, "ParameterError", "textures must be one of PACK, FILES"),
        (
            "Chair",
            {"place_at": "HERE"},
            "ParameterError",
            "place_at must be one of CURSOR, ORIGIN, OBJECT, or three numbers, not 'HERE'",
        ),
        ("Chair", {"place_at": (1.0, 2.0)}, "ParameterError", "or three numbers"),
        ("Chair", {"height": -1.0, "turn": 1}, "ParameterError", "(?s)height.*turn|turn.*height"),
        ("Chair", {"place_at": (0.0, 0.0, float("nan"))}, "ParameterError", "or three numbers"),
        ("Chair", {"place_at": "TOP"}, "ParameterError", "or three numbers, not 'TOP'"),
        ("Chair", {"place_at": 7}, "ParameterError", "or three numbers, not 7"),
        ("Chair", {"turn": (90,)}, "ParameterError", "turn must be one of"),
        ("Chair", {"height": float("inf")}, "ParameterError", "height must be a number"),
        ("Chair", {"merge_distance": "1 mm"}, "ParameterError", "merge_distance must be a number"),
        ("Chair", {"asset_catalog": 7}, "ParameterError", "asset_catalog must be text"),
        ("Chair", {"is_asset": "no"}, "ParameterError", "is_asset must be one of True, False"),
        ("Chair", {"udim_tile": "first"}, "ParameterError", "udim_tile must be a whole number"),
        ("Sofa", {}, "NoImageError", "There is no image named 'Sofa'"),
        ("", {}, "NoImageError", "is no image"),
        (None, {}, "NoImageError", "None is no image"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    api: Any, chair: Path, service: Any, image: Any, settings: Any, error: str, match: str
) -> None:
    bpy.context.scene.pixal3d.image = bpy.data.images["Chair"]  # which a script's slip must not spend money on
    before = len(service.requests())
    for call in (api.generate, api.submit):
        with pytest.raises(getattr(api, error), match=match):
            call(image, **settings)
        with pytest.raises(getattr(api, error), match=match):
            call(["Chair", image], **settings)
    assert len(service.requests()) == before


def test_without_online_access(api: Any, chair: Path, service: Any) -> None:
    bpy.context.preferences.system.use_online_access = False
    before = len(service.requests())
    for call in (
        lambda: api.generate("Chair"),
        lambda: api.submit("Chair"),
        lambda: api.fetch("job_x"),
        lambda: api.quote(),
    ):
        with pytest.raises(api.OnlineAccessError, match=r"Online access is off\. Allow it in Preferences > System"):
            call()
    assert len(service.requests()) == before


def test_without_a_key(api: Any, chair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCENARIO_SDK_API_SECRET")
    with pytest.raises(api.MissingKeyError, match="No Scenario API key is set"):
        api.generate("Chair")


def test_in_another_thread(api: Any, chair: Path, charged: Any) -> None:
    handle = api.submit("Chair", **QUICK)
    raised: list[BaseException] = []

    def work() -> None:
        assert handle.wait() and handle.is_done, "waiting is for any thread"
        for call in (lambda: api.generate("Chair"), handle.result, lambda: api.fetch("job_x"), lambda: api.quote()):
            try:
                call()
            except api.Pixal3DError as error:
                raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [type(error) for error in raised] == [api.WrongThreadError] * 4 and "main thread" in str(raised[0])
    assert names(handle.result()) == ["Chair"] and charged() == 1


# Without blocking.


def test_a_generation_tells_how_far_it_is(api: Any, chair: Path, service: Any, charged: Any) -> None:
    service.set_options(job_seconds=1.0)
    handle = api.submit("Chair", **QUICK)
    assert not handle.is_done and handle.status in ("prepared", "uploading") and handle.name == "Chair"
    assert (handle.job_id, handle.cost, handle.service_status) == ("", None, "")
    assert handle.wait(timeout=0.05) is False
    with pytest.raises(api.ResultTimeoutError, match="The model of Chair is not there yet"):
        handle.result(timeout=0.05)
    assert handle.wait() is True and handle.is_done
    assert (handle.status, handle.service_status, handle.progress) == ("ready", "success", 1.0)
    assert handle.job_id and handle.cost and "Chair" in repr(handle)
    assert list(bpy.data.objects) == [], "in background mode nothing comes by itself"
    model = handle.result()
    assert handle.status == "imported" and handle.result() == model and charged() == 1


def test_the_result_is_what_the_watcher_has_placed(api: Any, chair: Path) -> None:
    handle = api.submit("Chair", **QUICK)
    handle.wait()
    bpy.ops.pixal3d.import_model("EXEC_DEFAULT", True, generation=handle.id)
    assert handle.result().objects == tuple(bpy.data.objects) and len(bpy.data.objects) == 1


def test_a_result_that_was_removed_from_the_file_is_placed_once_more_at_its_place(api: Any, chair: Path) -> None:
    handle = api.submit("Chair", place_at=(1.0, 0.0, 0.0), **QUICK)
    bpy.data.objects.remove(handle.result().objects[0])
    (obj,) = handle.result().objects
    assert obj.location.x == pytest.approx(1.0, abs=0.2) and len(bpy.data.objects) == 1


def test_stopped_before_there_is_a_job_nothing_is_charged(api: Any, chair: Path, service: Any, charged: Any) -> None:
    service.set_faults([SLOW_UPLOAD])
    handle = api.submit("Chair", **QUICK)
    handle.stop()
    with pytest.raises(api.NotFinishedError, match="Nothing was charged"):
        handle.result()
    assert handle.status == "failed" and charged() == 0


def test_stopped_after_that_the_model_can_be_fetched(api: Any, chair: Path, service: Any, charged: Any) -> None:
    service.set_options(job_seconds=1.0)
    handle = api.submit("Chair", **QUICK)
    while not handle.job_id:
        handle.wait(timeout=0.02)
    handle.stop()
    with pytest.raises(api.NotFinishedError, match="goes on with the job and charges"):
        handle.result()
    assert names(api.fetch(handle.job_id)) == ["Chair"] and charged() == 1


def test_the_error_that_ended_it_is_raised_at_each_asking(api: Any, chair: Path, service: Any) -> None:
    service.set_options(job_outcome="failure")
    handle = api.submit("Chair", **QUICK)
    for _ in range(2):
        with pytest.raises(api.ScenarioError, match="could not make a model of this image"):
            handle.result()
    assert handle.status == "failed" and list(bpy.data.objects) == []


def test_one_that_was_removed_says_so(api: Any, chair: Path, manager: Any) -> None:
    handle = api.submit("Chair", **QUICK)
    handle.wait()
    manager.remove(handle.id)
    with pytest.raises(api.GenerationError, match="was removed"):
        print(handle.status)


# Fetching, prices, and what others have left.


def test_a_job_of_anybody_is_fetched_and_placed_as_said(api: Any, chair: Path, charged: Any) -> None:
    made = api.generate("Chair", **QUICK)
    again = api.fetch(f" {made.job_id} ", place_at=(0.0, 5.0, 0.0), height=0.25)
    assert names(again) == ["Chair.001"] and again.objects[0].dimensions.z == pytest.approx(0.25, rel=1e-3)
    assert again.objects[0].location.y == pytest.approx(5.0, abs=0.2)
    assert again.job_id == made.job_id and charged() == 1


def test_a_job_that_is_none_can_t_be_fetched(api: Any, service: Any) -> None:
    with pytest.raises(api.ScenarioError, match="not the ID of a job"):
        api.fetch("../teams")
    with pytest.raises(api.GenerationError, match="No job ID was given"):
        api.fetch(" ")
    with pytest.raises(api.ParameterError, match="no argument named 'mesh_scale'"):
        api.fetch("job_x", mesh_scale=2.0)


def test_a_quote_costs_nothing(api: Any, chair: Path, charged: Any) -> None:
    assert api.quote("//chair.png", resolution=1024) == 30.0
    assert api.quote("Chair", resolution=4096) == 42.0 == api.quote(resolution=2048)
    assert charged() == 0
    with pytest.raises(api.ParameterError, match="meshScale"):
        api.quote(mesh_scale=9.0)


def test_in_background_mode_nothing_is_taken_over(api: Any, chair: Path, room: Any, service: Any) -> None:
    generation = room("generation")
    dead = generation.Store(room("blender.session").folder())
    left = generation.Generation("Left", room("parameters").complete({}), state="running", job_id="job_left_behind")
    dead.save(left)
    dead.release()
    assert bpy.app.background and not room("blender.session").settings().takes_over
    api.generate("Chair", **QUICK)
    assert not any("job_left_behind" in request["path"] for request in service.requests())
    assert [thread.name for thread in threading.enumerate() if thread.name == "pixal3d-keeper"] == []
    heir = generation.Store(room("blender.session").folder())
    assert left.id in {taken.id for taken in heir.take_over()}, "it is there for the next window"
    heir.remove(left)
    heir.release()


# The examples of the docstrings.


def example(documented: Any) -> str:
    text = inspect.getdoc(documented) or ""
    assert "Example::\n" in text, f"{documented.__name__} has no example"
    return textwrap.dedent(text.partition("Example::\n")[2])


@pytest.mark.parametrize("name", ["Generation", "generate", "submit", "fetch", "quote"])
def test_the_example_of_the_docstring_runs(
    api: Any, chair: Path, addon: Any, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code = example(getattr(api, name)).replace("bl_ext.user_default.pixal3d_addon", addon.__name__)
    assert len(ast.parse(code).body) > 1
    exec(compile(code, name, "exec"), {})
    assert capsys.readouterr().out.strip()


def test_every_function_of_the_door_has_an_example(api: Any) -> None:
    functions = [value for name in api.__all__ if inspect.isfunction(value := getattr(api, name))]
    assert len(functions) == 4 and all(example(function) for function in functions)
