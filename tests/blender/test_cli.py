# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender --command pixal3d``, called in this process: what it does, what it says and what it ends with."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

from tests.support.model_files import open_model_file

SMALL = ("--decimation-target", "5000", "--resolution", "1024")
"""A model that is made and read quickly."""

DONE, SOME_FAILED, WRONG_USE, NOT_ALLOWED, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130

Command = Callable[..., int]


@pytest.fixture(autouse=True)
def nothing_held_back() -> None:
    """What Blender printed in an earlier test, and the C library still holds, is none of this one's output."""
    ctypes.CDLL(None).fflush(None)


@pytest.fixture
def command(room: Callable[[str], Any]) -> Command:
    """``command("jobs", "--json")`` is its exit code. Blender would end after it; here standard output is used on."""

    def run(*argv: object) -> int:
        kept = os.dup(1)
        try:
            return int(room("cli.main").main([*map(str, argv)]))
        finally:
            sys.stdout.flush()
            ctypes.CDLL(None).fflush(None)  # what Blender has printed: it would come to the real one
            os.dup2(kept, 1)
            os.close(kept)

    return run


@pytest.fixture
def ready(
    service: Any, painted: Any, tmp_path: Path, room: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The stand-in with quick jobs, and an image file ``chair.png`` in the test's folder."""
    service.set_options(job_seconds=0.0, upload_seconds=0.0, model_cache=True)
    monkeypatch.setattr(room("generation.limits"), "POLL_FIRST_SECONDS", 0.1)
    service.clear_requests()
    painted.filepath_raw, painted.file_format = str(tmp_path / "chair.png"), "PNG"
    painted.save()
    return service


@pytest.fixture
def chair(ready: Any, tmp_path: Path) -> Path:
    return tmp_path / "chair.png"


@pytest.fixture
def json_lines(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Standard output since the last call, each line of which must be an object."""

    def read() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        for line in lines:
            assert line.keys() - {"event"} in documented_keys(line["event"]), line
        return lines

    return read


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"


def section(title: str) -> str:
    """Of the document."""
    return DOCUMENT.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]


def documented_keys(event: str) -> list[set[str]]:
    """What the document says an object with this event has; several commands may have one of the same name."""
    rows = re.findall(rf"^\| `{event}` \|[^|]*\|(.*)\|$", section("Output"), re.MULTILINE)
    return [set(re.findall("`([a-z_]+)`", row)) for row in rows]


def color_of(obj: Any) -> Any:
    """The image that colors it, with pixels."""
    nodes = obj.data.materials[0].node_tree.nodes
    (image,) = {
        node.image
        for node in nodes
        if node.type == "TEX_IMAGE" and any(link.to_socket.name == "Base Color" for link in node.outputs[0].links)
    }
    assert image.pixels[:] and image.size[0] == 1024
    return image


def charges(service: Any) -> int:
    return len(service.charges())


# What is refused before anything is sent.


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("CHAIR",), "--output"),
        (("CHAIR", "--output", "m.glb", "--mesh-scale", "9"), "Mesh Scale (meshScale) must be a number from 0.1 to 4"),
        (("CHAIR", "--output", "m.glb", "--resolution", "7"), "must be one of 1024, 2048, 4096"),
        (("CHAIR", "--output", "m.glb", "--seed", "x"), "Seed (seed) must be a whole number"),
        (("CHAIR", "--output", "m.glb", "--height", "-1"), "not a number of meters"),
        (("CHAIR", "--output", "m.stl"), "There is no exporter for .stl"),
        (("CHAIR", "--output", "m"), "There is no exporter"),
        (("CHAIR", "--output", "nowhere/m.glb"), "There is no folder"),
        (("CHAIR", "--output", "there.glb"), "exists already"),
        (("absent.png", "--output", "m.glb"), "There is no image file"),
        (("there.glb", "--output", "m.glb"), "there.glb"),
        (("CHAIR", "--output", "m.glb", "--mesh", "1"), "unrecognized arguments"),
        (("CHAIR", "--output", "there.obj"), "there.mtl exists already"),
        (("CHAIR", "--output", "other.obj"), "other_textures exists already"),
        (("~draft.png", "--output", "m.glb"), "There is no image file"),
        (("CHAIR", "--output", "~nobody/m.glb"), "There is no folder"),
        (("CHAIR", "--output", ""), "it is empty"),
        (("a" * 300, "--output", "m.glb"), "There is no image file"),
        (("CHAIR", "--output", f"{'a' * 248}.glb"), "File name too long"),
        (("CHAIR", "--output", "folder.glb"), "Is a directory"),
    ],
)
def test_wrong_use_sends_nothing(
    command: Command,
    ready: Any,
    chair: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.glb").write_bytes(b"not a model")
    (tmp_path / "there.mtl").write_bytes(b"")
    (tmp_path / "other_textures").mkdir()
    (tmp_path / "folder.glb").mkdir()
    assert command("generate", *(chair if word == "CHAIR" else word for word in argv)) == WRONG_USE
    captured = capfd.readouterr()
    assert said in captured.err, captured.err
    assert captured.out == ""
    assert ready.requests() == []
    assert (tmp_path / "there.glb").read_bytes() == b"not a model"


def test_a_folder_that_may_not_be_written_to_is_refused(
    command: Command, ready: Any, chair: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Tests may run as root, who may write everywhere."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != chair.parent)
    assert command("generate", chair, "--output", chair.with_name("m.glb")) == WRONG_USE
    assert "Nothing can be written" in capfd.readouterr().err
    assert ready.requests() == []


def test_an_exporter_that_is_switched_off_is_told_of_before_anything_is_paid_for(
    command: Command, ready: Any, chair: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import addon_utils

    addon_utils.disable("io_scene_fbx")
    try:
        assert command("generate", chair, "--output", chair.with_name("m.fbx")) == WRONG_USE
    finally:
        addon_utils.enable("io_scene_fbx")
    assert "FBX exporter is switched off" in capfd.readouterr().err
    assert ready.requests() == []


def test_without_online_access_it_says_how_to_allow_it(
    command: Command, ready: Any, chair: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bpy.context.preferences.system.use_online_access = False
    for argv in (
        ("generate", chair, "--output", chair.with_name("m.glb")),
        ("quote",),
        ("jobs", "--service"),
        ("fetch", "job_1", "--output", chair.with_name("m.glb")),
        ("check",),
    ):
        assert command(*argv) == NOT_ALLOWED, argv
        captured = capfd.readouterr()
        assert "blender --online-mode --command pixal3d" in captured.err + captured.out
    assert command("jobs") == DONE
    assert ready.requests() == []


def test_without_a_key_or_with_half_of_one_it_says_what_is_missing(
    command: Command, ready: Any, chair: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SCENARIO_SDK_API_SECRET")
    assert command("generate", chair, "--output", chair.with_name("m.glb")) == NOT_ALLOWED
    assert "SCENARIO_SDK_API_KEY is set, but SCENARIO_SDK_API_SECRET is not" in capfd.readouterr().err
    assert ready.requests() == []


def test_a_key_that_is_refused_ends_with_not_allowed(
    command: Command, ready: Any, chair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "wrong-secret")
    assert command("generate", chair, "--output", chair.with_name("m.glb")) == NOT_ALLOWED
    assert command("quote") == NOT_ALLOWED
    assert charges(ready) == 0 or ready.requests()


@pytest.fixture
def unreachable(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service at which nobody listens, without the pauses between two tries."""
    monkeypatch.setenv("SCENARIO_BASE_URL", "http://127.0.0.1:9/v1")


def test_a_service_out_of_reach_ends_with_unreachable(
    command: Command, chair: Path, unreachable: None, room: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room("scenario.retry"), "delay_seconds", lambda *_: None)
    monkeypatch.setattr(room("scenario.transport"), "delay_seconds", lambda *_: None)
    assert command("generate", chair, "--output", chair.with_name("m.glb")) == UNREACHABLE
    assert command("quote") == UNREACHABLE
    assert command("check") == UNREACHABLE


# Generating and fetching.


def test_a_single_glb_is_passed_on_as_it_was_delivered_and_its_record_is_done(
    command: Command, ready: Any, chair: Path, room: Callable[[str], Any], json_lines: Any
) -> None:
    before = charges(ready)
    output = chair.with_name("m.glb")
    assert command("generate", chair, "--output", output, *SMALL, "--seed", "5", "--json") == DONE
    lines = json_lines()
    assert [line["state"] for line in lines if line["event"] == "state"][-1] == "ready"
    (done,) = [line for line in lines if line["event"] == "done"]
    assert (done["name"], done["seed"], done["cost"]) == ("chair", 5, 30)
    assert done["parameters"]["decimation_target"] == 5000
    assert lines[-1]["event"] == "end"
    assert (lines[-1]["file"], lines[-1]["done"], lines[-1]["code"]) == (str(output), 1, 0)
    store = room("generation").Store(room("blender.session").folder())
    record = store.get(done["id"])
    assert output.read_bytes() == Path(record.glb_file).read_bytes()
    assert (record.state, record.is_kept) == ("imported", True)
    assert store.take_over() == [], "no Blender would offer it again"
    assert charges(ready) == before + 1
    assert list(chair.parent.glob(".pixal3d*")) == []


@pytest.mark.parametrize("applied", ["honoured", "ignored"])
@pytest.mark.parametrize("name", ["m.glb", "m.blend"])
def test_mesh_scale_is_applied_exactly_once(command: Command, ready: Any, chair: Path, applied: str, name: str) -> None:
    ready.set_options(mesh_scale=applied)
    output = chair.with_name(name)
    assert command("generate", chair, "--output", output, *SMALL, "--mesh-scale", "2.5") == DONE
    (obj,) = open_model_file(output)
    assert max(obj.dimensions) == pytest.approx(2.5, rel=0.01)


@pytest.mark.parametrize("suffix", [".blend", ".glb", ".usd", ".usda", ".usdc", ".usdz", ".fbx", ".obj"])
def test_two_models_in_one_file_open_elsewhere_beside_each_other_with_their_textures(
    command: Command, ready: Any, chair: Path, tmp_path: Path, suffix: str, json_lines: Any
) -> None:
    second = tmp_path / "Stühle, zwei.png"
    second.write_bytes(chair.read_bytes())
    folder = tmp_path / "here"
    folder.mkdir()
    output = folder / f"two models{suffix}"
    argv = ("generate", chair, second, "--output", output, *SMALL, "--height", "0.5", "--json")
    assert command(*argv) == DONE
    assert [line["name"] for line in json_lines() if line["event"] == "done"] == ["chair", "Stühle, zwei"]
    assert all(not file.name.startswith(".") for file in folder.iterdir())
    elsewhere = folder.rename(tmp_path / "elsewhere")
    meshes = open_model_file(elsewhere / output.name)
    assert len(meshes) == 2
    bpy.context.view_layer.update()
    spans = []
    for obj in meshes:
        corners = [obj.matrix_world @ __import__("mathutils").Vector(corner) for corner in obj.bound_box]
        spans.append((min(c.x for c in corners), max(c.x for c in corners)))
        assert max(c.z for c in corners) - min(c.z for c in corners) == pytest.approx(0.5, rel=0.01)
        image = color_of(obj)
        if not image.packed_file:
            assert elsewhere in Path(bpy.path.abspath(image.filepath)).resolve().parents
    (_, end_of_first), (start_of_second, _) = sorted(spans)
    assert start_of_second > end_of_first
    assert not any(obj.name.startswith("Cube") for obj in bpy.data.objects)


def test_an_existing_file_is_written_over_only_if_it_is_said_so(command: Command, ready: Any, chair: Path) -> None:
    output = chair.with_name("m.obj")
    for name in ("m.obj", "m.mtl"):
        output.with_name(name).write_text("old", encoding="utf-8")
    assert command("generate", chair, "--output", output, *SMALL) == WRONG_USE
    assert command("generate", chair, "--output", output, *SMALL, "--overwrite") == DONE
    assert output.read_text(encoding="utf-8") != "old"
    assert output.with_suffix(".mtl").read_text(encoding="utf-8") != "old"


def test_a_file_that_can_not_be_written_leaves_what_was_there_and_the_models_to_be_fetched(
    command: Command,
    ready: Any,
    chair: Path,
    room: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    output = chair.with_name("m.blend")
    output.write_bytes(b"old")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(room("blender.exporter"), "_bring_home", refuse)
        argv = ("generate", chair, "--output", output, *SMALL, "--overwrite", "--turn", "90")
        assert command(*argv) == SOME_FAILED
    assert output.read_bytes() == b"old"
    said = capfd.readouterr().err
    assert "No space left on device" in said
    again = said.split(" fetch ")[1].splitlines()[0].split()
    assert again[-2:] == ["--turn", "90"]
    before = charges(ready)
    assert command("fetch", again[0], "--output", output, "--overwrite") == DONE
    assert charges(ready) == before
    assert len(open_model_file(output)) == 1


def test_a_failed_job_ends_with_some_failed_and_the_others_are_written(
    command: Command, ready: Any, chair: Path, json_lines: Any
) -> None:
    output = chair.with_name("m.glb")
    ready.set_options(job_outcome="failure")
    assert command("generate", chair, "--output", output, *SMALL, "--json") == SOME_FAILED
    lines = json_lines()
    assert [line["event"] for line in lines if line["event"] != "state"] == ["failed", "end"]
    assert lines[-2]["error"] and lines[-2]["job"]
    assert lines[-1]["file"] == "" and not output.exists()


def test_one_of_two_that_fails_does_not_keep_the_other_from_its_file(
    command: Command, ready: Any, chair: Path, json_lines: Any
) -> None:
    output = chair.with_name("m.glb")
    broken = chair.with_name("broken.png")
    broken.write_bytes(chair.read_bytes()[:40])
    # Its header is a PNG's, so it is sent, and the service refuses it.
    assert command("generate", chair, broken, "--output", output, *SMALL, "--json") == SOME_FAILED
    lines = json_lines()
    assert [line["name"] for line in lines if line["event"] == "done"] == ["chair"]
    assert [line["name"] for line in lines if line["event"] == "failed"] == ["broken"]
    assert output.exists()


def test_a_job_that_was_begun_elsewhere_is_fetched_for_nothing(
    command: Command, ready: Any, chair: Path, json_lines: Any
) -> None:
    assert command("generate", chair, "--output", chair.with_name("m.glb"), *SMALL, "--json") == DONE
    job = next(line["job"] for line in json_lines() if line["event"] == "done")
    before = charges(ready)
    # Known here, and its model is still on disk.
    assert command("fetch", job, "--output", chair.with_name("again.blend")) == DONE
    assert len(open_model_file(chair.with_name("again.blend"))) == 1
    assert charges(ready) == before


def test_a_job_that_this_computer_does_not_know_is_fetched_from_the_service(
    command: Command, ready: Any, chair: Path, room: Callable[[str], Any], json_lines: Any
) -> None:
    scenario, parameters = room("scenario"), room("parameters")
    with scenario.ScenarioClient(room("blender.session").connection()) as client:
        asset = client.upload_image("armchair.png", chair, "image/png")
        values = parameters.complete({"decimation_target": 5000, "resolution": 1024, "mesh_scale": 2.0})
        job = client.generate(parameters.request_body(values, asset)).job.id
    before = charges(ready)
    output = chair.with_name("m.glb")
    assert command("jobs", "--service", "--json") == DONE
    assert job in [line["job"] for line in json_lines()]
    assert command("fetch", job, "--output", output, "--json") == DONE
    (done,) = [line for line in json_lines() if line["event"] == "done"]
    assert (done["name"], done["parameters"]["mesh_scale"]) == ("armchair", 2.0)
    assert max(open_model_file(output)[0].dimensions) == pytest.approx(2.0, rel=0.01)
    assert charges(ready) == before


def test_an_unknown_job_is_an_error_and_leaves_no_file(command: Command, ready: Any, chair: Path) -> None:
    output = chair.with_name("m.glb")
    assert command("fetch", "job_that_is_not_there", "--output", output) == SOME_FAILED
    assert not output.exists()
    assert command("fetch", " ", "--output", chair.with_name("m.glb")) == WRONG_USE


def test_another_blenders_records_are_left_to_it(
    command: Command, ready: Any, chair: Path, room: Callable[[str], Any]
) -> None:
    """A command in the background goes on with what it was asked for, and with nothing else."""
    generation, session = room("generation"), room("blender.session")
    dead = generation.Store(session.folder())
    left = generation.Generation("left behind", room("parameters").complete({}), state="running", job_id="job_left")
    dead.save(left)
    dead.release()
    try:
        assert command("generate", chair, "--output", chair.with_name("m.glb"), *SMALL) == DONE
        taken = generation.Store(session.folder()).take_over()
        assert [g.id for g in taken] == [left.id]
    finally:
        generation.Store(session.folder()).remove(left)


# The others.


def test_the_price_is_told_and_nothing_is_charged(command: Command, ready: Any, chair: Path, json_lines: Any) -> None:
    before = charges(ready)
    assert command("quote", chair, "--resolution", "1024", "--json") == DONE
    (line,) = json_lines()
    assert (line["event"], line["cost"], line["parameters"]["resolution"]) == ("quote", 30, 1024)
    assert charges(ready) == before


def test_the_report_holds_no_secret_and_says_what_is_needed(
    command: Command, ready: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:proxypassword@127.0.0.1:9")
    assert command("check", "--json") == DONE
    captured = capfd.readouterr()
    line = json.loads(captured.out)
    assert line["key_from"] == "environment"
    assert "yes" in line["key_accepted"]
    assert line["network_settings"].split(", ").count("HTTPS_PROXY") == 1
    assert line["service"].startswith("127.0.0.1")
    for word in (ready.key, ready.secret, "proxypassword"):
        assert word not in captured.out + captured.err
    for name in ("pixal3d", "libraries", "platform", "importer", "exporters", "records", "results"):
        assert line[name], name


def test_what_blender_prints_does_not_come_to_standard_output(
    command: Command, ready: Any, chair: Path, json_lines: Any
) -> None:
    """Its exporters print past Python."""
    assert command("generate", chair, "--output", chair.with_name("m.obj"), *SMALL, "--json") == DONE
    assert json_lines()[-1]["event"] == "end"
    assert command("generate", chair, "--output", chair.with_name("m.fbx"), *SMALL, "--json") == DONE
    assert json_lines()[-1]["event"] == "end"


def test_without_json_a_pipe_gets_a_line_for_each_state(
    command: Command, ready: Any, chair: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready.set_options(job_seconds=1.0)
    assert command("generate", chair, "--output", chair.with_name("m.glb"), *SMALL) == DONE
    out = capfd.readouterr().out
    assert "\r" not in out
    assert out.splitlines()[-1] == f"Wrote {chair.with_name('m.glb')}"
    assert any(line.startswith("chair: running (") for line in out.splitlines())


def test_the_line_that_changes_stays_in_one_line_of_the_terminal(command: Command, ready: Any, chair: Path) -> None:
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 20, 0, 0))
    kept = os.dup(1)
    os.dup2(terminal, 1)
    os.close(terminal)
    try:
        assert command("generate", chair, "--output", chair.with_name("m.glb"), *SMALL) == DONE
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    written = os.read(main, 1 << 16).decode()
    os.close(main)
    changing = [text for line in written.split("\n") for text in line.rstrip("\r").split("\r")[:-1]]
    assert "chair: prepared" in changing and 15 < max(map(len, changing)) < 20


@pytest.mark.parametrize("name", ["generate", "quote", "jobs", "fetch", "batch", "check"])
def test_every_command_has_help_that_names_its_flags(
    command: Command, addon: Any, room: Callable[[str], Any], capfd: pytest.CaptureFixture[str], name: str
) -> None:
    assert command(name, "--help") == DONE
    out = capfd.readouterr().out
    assert out.startswith(f"usage: blender --command pixal3d {name} ")
    if name in ("generate", "quote", "batch"):
        for parameter in room("parameters").SETTINGS:
            assert f"--{parameter.identifier.replace('_', '-')}" in out
    assert command("--help") == DONE
    assert name in capfd.readouterr().out
    assert command() == WRONG_USE


def test_the_document_has_the_flags_of_each_command_and_no_others(addon: Any, room: Callable[[str], Any]) -> None:
    def flags_in(text: str) -> set[str]:
        return set(re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE))

    (commands,) = (a for a in room("cli.arguments").parser()._actions if isinstance(a.choices, dict))
    placing, framing = map(flags_in, section("Settings").split("choose what of the image is sent"))
    for name, parser in commands.choices.items():
        known = {flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")}
        settings = {f"--{p.identifier.replace('_', '-')}" for p in room("parameters").SETTINGS} | {"--no-remesh"}
        assert not settings & known or settings <= known, name
        documented = flags_in(section(name))
        documented |= {"--output", "--overwrite"} if name == "fetch" else set()
        documented |= placing if name in ("generate", "fetch", "batch") else set()
        documented |= framing if name in ("generate", "quote") else set()
        assert known - settings - {"--help", "--json"} == documented, name


def test_an_interrupt_pauses_what_is_paid_for_and_says_how_to_go_on(
    command: Command, ready: Any, chair: Path, room: Callable[[str], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    ready.set_options(job_seconds=3.0)
    before = charges(ready)
    output = chair.with_name("m.glb")

    def interrupt() -> None:
        while charges(ready) == before:
            time.sleep(0.05)
        time.sleep(0.3)  # for the answer to have arrived
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert command("generate", chair, "--output", output, *SMALL) == INTERRUPTED
    thread.join()
    said = capfd.readouterr().err
    job = ready.jobs()[-1]["id"]
    assert f"fetch {job} --output" in said
    store = room("generation").Store(room("blender.session").folder())
    assert next(g for g in store.all() if g.job_id == job).state == "running", "not given up"
    assert command("fetch", job, "--output", output) == DONE
    assert len(open_model_file(output)) == 1 and charges(ready) == before + 1


def test_the_second_signal_is_left_to_the_operating_system(room: Callable[[str], Any]) -> None:
    """Else it would wait until Blender's main thread runs Python code again."""
    before = signal.getsignal(signal.SIGINT)
    calls = list[bool]()
    with room("cli.interrupts").interrupts(lambda: calls.append(True)):
        os.kill(os.getpid(), signal.SIGTERM)
        while not calls:
            time.sleep(0.01)
        assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert calls == [True]
    assert signal.getsignal(signal.SIGINT) == before


# Batches. What the engine does is tested with it; here is what a command makes of it.


@pytest.fixture
def images(chair: Path) -> Path:
    """A folder of three images."""
    folder = chair.parent / "images"
    (folder / "below").mkdir(parents=True)
    for name in ("chair.png", "table.png", "below/chair.png"):
        (folder / name).write_bytes(chair.read_bytes())
    return folder


def test_a_batch_is_planned_carried_out_and_not_done_twice(
    command: Command, ready: Any, images: Path, tmp_path: Path, json_lines: Any
) -> None:
    before = charges(ready)
    output = tmp_path / "models"
    argv = ("batch", images, "--output", output, *SMALL, "--json")
    assert command(*argv, "--dry-run") == DONE
    (plan,) = json_lines()
    assert (plan["event"], plan["items"], plan["missing"], plan["cost"]) == ("plan", 3, 3, 90)
    assert not output.exists() and charges(ready) == before

    assert command(*argv) == DONE
    lines = json_lines()
    done = [line for line in lines if line["event"] == "item" and line["state"] == "done"]
    assert sorted(line["file"] for line in done) == sorted(path.name for path in output.glob("*.glb"))
    assert len(done) == 3 and {line["total"] for line in done} == {3}
    end = lines[-1]
    assert (end["event"], end["done"], end["left"], end["cost"], end["code"]) == ("end", 3, 0, 90, 0)
    assert Path(end["contact_sheet"]) == output / "contact_sheet.html"
    assert len(list((output / "thumbnails").glob("*.png"))) == 3
    assert charges(ready) == before + 3

    assert command(*argv, "--no-contact-sheet") == DONE
    end = json_lines()[-1]
    assert (end["done"], end["skipped"], end["cost"]) == (0, 3, 0)
    assert charges(ready) == before + 3


def test_a_list_sets_parameters_and_another_format_leaves_no_datablock_behind(
    command: Command, ready: Any, images: Path, tmp_path: Path
) -> None:
    table = tmp_path / "list.csv"
    table.write_text("image,name,mesh_scale\nimages/chair.png,Large,2\nimages/table.png,Usual,\n", encoding="utf-8")
    output = tmp_path / "models"
    argv = ("batch", table, "--output", output, "--format", "blend", "--no-contact-sheet", *SMALL)
    assert command(*argv, "--mesh-scale", "0.5") == DONE
    assert not (bpy.data.objects or bpy.data.meshes or bpy.data.images or bpy.data.materials)
    for name, side in (("Large", 2.0), ("Usual", 0.5)):
        (obj,) = open_model_file(output / f"{name}.blend")
        assert max(obj.dimensions) == pytest.approx(side, rel=0.01)
        assert color_of(obj).packed_file


def test_a_batch_with_a_limit_stops_before_it_and_says_what_is_left(
    command: Command, ready: Any, images: Path, tmp_path: Path, json_lines: Any
) -> None:
    before = charges(ready)
    argv = ("batch", images, "--output", tmp_path / "models", "--max-cu", "70", "--no-contact-sheet", *SMALL)
    assert command(*argv, "--json") == SOME_FAILED
    end = json_lines()[-1]
    assert (end["done"], end["left"], end["cost"], end["code"]) == (2, 1, 60, 1)
    assert charges(ready) == before + 2


def test_a_model_that_is_there_in_another_format_or_of_no_row_any_more_is_told_of(
    command: Command, ready: Any, images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], json_lines: Any
) -> None:
    before = charges(ready)
    output = tmp_path / "models"
    argv = ("batch", images, "--output", output, "--no-contact-sheet", *SMALL)
    assert command(*argv) == DONE
    capfd.readouterr()
    assert command(*argv, "--format", "blend") == DONE
    assert "3 of the models are there in another format" in capfd.readouterr().err
    (images / "table.png").unlink()
    lines = (output / "manifest.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if '"name":"table"' not in line or '"state":"done"' not in line]
    (output / "manifest.jsonl").write_text("".join(kept), encoding="utf-8")
    assert command(*argv) == DONE
    assert "Paid for by an earlier run" in capfd.readouterr().err
    assert command(*argv, "--json") == DONE
    (job,) = json_lines()[-1]["stray_jobs"]
    assert command("fetch", job, "--output", tmp_path / "stray.glb") == DONE
    assert charges(ready) == before + 3


def test_a_batch_writes_over_nothing_that_is_not_its_own(
    command: Command, ready: Any, images: Path, tmp_path: Path
) -> None:
    output = tmp_path / "models"
    output.mkdir()
    (output / "chair.mtl").write_text("mine", encoding="utf-8")
    (output / "table_textures").mkdir()
    assert command("batch", images, "--output", output, "--format", "obj", "--no-contact-sheet", *SMALL) == DONE
    assert (output / "chair.mtl").read_text(encoding="utf-8") == "mine"
    assert list((output / "table_textures").iterdir()) == []
    assert len(list(output.glob("chair-*.obj"))) == 2 and len(list(output.glob("table-*.obj"))) == 1


@pytest.mark.parametrize("kind", ["pipe", "disk"])
def test_what_can_no_longer_be_said_ends_the_command_without_a_traceback(
    command: Command, ready: Any, chair: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    assert command("generate", chair, "--output", chair.with_name("m.glb"), *SMALL) == DONE
    if kind == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open("/dev/full", os.O_WRONLY)
    kept = os.dup(1)
    os.dup2(writer, 1)
    os.close(writer)
    try:
        assert command("jobs", "--json") == SOME_FAILED
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    assert "The output can't be written" in capfd.readouterr().err


def test_failed_items_are_told_with_their_reasons_and_paid_for_again_only_if_asked(
    command: Command, ready: Any, images: Path, tmp_path: Path, json_lines: Any
) -> None:
    argv = ("batch", images, "--output", tmp_path / "models", "--no-contact-sheet", *SMALL, "--json")
    ready.set_options(job_outcome="failure")
    assert command(*argv) == SOME_FAILED
    end = json_lines()[-1]
    assert end["failed"] == 3 and sum(end["reasons"].values()) == 3
    ready.set_options(job_outcome="success")
    before = charges(ready)
    assert command(*argv) == SOME_FAILED
    assert charges(ready) == before
    assert command(*argv, "--retry-failed") == DONE
    assert charges(ready) == before + 3


def test_parts_of_a_list_together_are_the_list(
    command: Command, ready: Any, images: Path, tmp_path: Path, json_lines: Any
) -> None:
    before = charges(ready)
    output = tmp_path / "models"
    argv = ("batch", images, "--output", output, "--no-contact-sheet", *SMALL, "--json")
    assert command(*argv, "--chunk", "1/2") == DONE
    assert json_lines()[-1]["done"] == 2
    assert command(*argv, "--chunk", "2/2") == DONE
    assert json_lines()[-1]["done"] == 1
    assert len(list(output.glob("*.glb"))) == charges(ready) - before == 3


def test_an_interrupted_batch_is_gone_on_with_by_the_same_command(
    command: Command, ready: Any, images: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready.set_options(job_seconds=2.0)
    before = charges(ready)
    argv = ("batch", images, "--output", tmp_path / "models", "--no-contact-sheet", "--concurrency", "2", *SMALL)

    def interrupt() -> None:
        while charges(ready) < before + 2:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert command(*argv) == INTERRUPTED
    thread.join()
    assert "The same command goes on" in capfd.readouterr().err
    assert command(*argv) == DONE
    assert len(list((tmp_path / "models").glob("*.glb"))) == charges(ready) - before == 3


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("nowhere", "--output", "models"), "nowhere"),
        (("images", "--output", "images"), "another folder"),
        (("images", "--output", "chair.png"), "is not a folder"),
        (("images", "--output", "models", "--chunk", "3/2"), "K/N"),
        (("images", "--output", "models", "--format", "stl"), "invalid choice"),
        (("images", "--output", "models", "--concurrency", "0"), "whole number from 1 to 64"),
        (("images", "--output", ""), "it is empty"),
        (("images", "--output", "chair.png/models"), "chair.png is not a folder"),
        (("list.csv", "--output", "models"), "list.csv"),
    ],
)
def test_wrong_use_of_batch_sends_and_writes_nothing(
    command: Command,
    ready: Any,
    images: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_text("image,mesh_scale\nimages/chair.png,9\n", encoding="utf-8")
    assert command("batch", *argv) == WRONG_USE
    assert said in capfd.readouterr().err
    assert ready.requests() == []
    assert not (tmp_path / "models").exists()


def test_nothing_of_it_is_imported_before_it_is_called(addon: Any) -> None:
    code = """
import sys, bpy, addon_utils
bpy.context.preferences.extensions.repos.new(name="dev", module="dev", custom_directory=sys.argv[1], source="USER")
addon_utils.enable("bl_ext.dev.pixal3d_addon", default_set=True)
ours = "bl_ext.dev.pixal3d_addon"
print("FOUND", [name for name in sys.modules if name.startswith((f"{ours}.cli.", f"{ours}.batch"))])
addon_utils.disable("bl_ext.dev.pixal3d_addon", default_set=True)
"""
    project = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code, project], capture_output=True, text=True, check=True)
    assert "FOUND []" in done.stdout.splitlines(), done.stdout
