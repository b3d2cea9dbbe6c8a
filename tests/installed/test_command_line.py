# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender --command pixal3d`` as it is typed, with the built zip installed: output, exit codes and signals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.support.blender_process import LOOPBACK_ONLY, Blender, profile_environment
from tests.support.gltf_validator import glb_errors
from tests.support.standin import PROJECT, StandIn

SMALL = ("--decimation-target", "5000", "--resolution", "1024")
TIMEOUT_SECONDS = 120
DONE, SOME_FAILED, WRONG_USE, NOT_ALLOWED, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
COMMANDS = ("generate", "quote", "jobs", "fetch", "batch", "check")


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def lines(self) -> list[dict[str, Any]]:
        """What ``--json`` printed: nothing else may be on standard output."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Terminal:
    """From which a Blender with the add-on is called."""

    blender: Blender
    profile: Path
    service: Mapping[str, str]

    @contextlib.contextmanager
    def started(self, *argv: object, online: bool = True) -> Iterator[subprocess.Popen[str]]:
        """Leads a process group, which is killed at the end of the block."""
        process = subprocess.Popen(
            [self.blender.path, *(["--online-mode"] if online else []), "--command", "pixal3d", *map(str, argv)],
            cwd=PROJECT,
            env={**os.environ, **LOOPBACK_ONLY, **profile_environment(self.profile), **self.service},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def run(self, *argv: object, online: bool = True) -> Ended:
        with self.started(*argv, online=online) as process:
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert "Traceback" not in err, err
        return Ended(process.returncode, out, err)


@pytest.fixture
def terminal(blender: Blender, installed_profile: Path, standin: StandIn) -> Terminal:
    """One profile for all, as a user has one: a command leaves nothing behind that another one minds."""
    standin.clear_faults()
    standin.set_options(job_seconds=0.0, upload_seconds=0.0, model_cache=True, job_outcome="success")
    return Terminal(blender, installed_profile, standin.environment())


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A picture of something."""
    path = tmp_path / "chair.png"
    picture = Image.new("RGBA", (256, 256))
    ImageDraw.Draw(picture).ellipse((40, 40, 200, 220), fill=(200, 80, 30, 255))
    picture.save(path)
    return path


def wait_for_charges(standin: StandIn, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while len(standin.charges()) < count:
        assert time.monotonic() < deadline, "it was never asked for"
        time.sleep(0.05)


def test_help_and_version_are_all_that_is_printed(terminal: Terminal) -> None:
    for argv in ((), *((name,) for name in COMMANDS)):
        ended = terminal.run(*argv, "--help", online=False)
        assert ended.code == DONE
        assert ended.out.startswith(" ".join(["usage: blender --command pixal3d", *argv]))
    version = terminal.run("--version")
    assert version.code == DONE and version.out.startswith("Pixal3D ") and len(version.out.splitlines()) == 1
    assert terminal.run("--nonsense").code == WRONG_USE
    assert terminal.run().code == WRONG_USE


def test_a_fresh_profile_is_offline_and_is_told_what_to_type(terminal: Terminal, image: Path, standin: StandIn) -> None:
    standin.clear_requests()
    ended = terminal.run("generate", image, "--output", image.with_suffix(".glb"), online=False)
    assert ended.code == NOT_ALLOWED
    assert "blender --online-mode --command pixal3d" in ended.err
    assert ended.out == "" and standin.requests() == []


def test_a_service_out_of_reach_and_a_missing_key_have_exit_codes_of_their_own(
    blender: Blender, installed_profile: Path, standin: StandIn
) -> None:
    way = {**standin.environment(), "SCENARIO_BASE_URL": "http://127.0.0.1:9/v1"}
    ended = Terminal(blender, installed_profile, way).run("check", "--json")
    assert ended.code == UNREACHABLE
    (line,) = ended.lines()
    assert line["key_from"] == "environment" and line["service"] == "127.0.0.1:9" and "problem" in line
    for secret in (standin.key, standin.secret):
        assert secret not in ended.out + ended.err
    assert Terminal(blender, installed_profile, {}).run("quote").code == NOT_ALLOWED


def test_every_format_is_written_and_opens_again(
    terminal: Terminal, image: Path, standin: StandIn, tmp_path: Path
) -> None:
    before = len(standin.charges())
    ended = terminal.run("generate", image, "--output", tmp_path / "model.glb", *SMALL, "--json")
    assert ended.code == DONE, ended.err
    (job,) = [line["job"] for line in ended.lines() if line["event"] == "done"]
    written = [tmp_path / "model.glb"]
    report = terminal.run("check", "--json").lines()[0]
    for suffix in report["exporters"].split(", "):
        output = tmp_path / "written" / f"model{suffix}"
        output.parent.mkdir(exist_ok=True)
        ended = terminal.run("fetch", job, "--output", output, "--turn", "90", "--json")
        assert ended.code == DONE, ended.err
        assert ended.lines()[-1]["file"] == str(output)
        written.append(output)
    assert {".blend", ".glb", ".fbx", ".obj"} <= {path.suffix for path in written}
    assert len(standin.charges()) == before + 1
    moved = (tmp_path / "written").rename(tmp_path / "elsewhere")
    files = [written[0], *(moved / path.name for path in written[1:])]
    script = Path(__file__).parent / "inside" / "open_models.py"
    run = terminal.blender.run("--background", "--python", script, "--", *files, profile=tmp_path / "another profile")
    results = [json.loads(line[7:]) for line in run.check().output.splitlines() if line.startswith("RESULT ")]
    assert [result["file"] for result in results] == [path.name for path in files]
    for result in results:
        assert result["meshes"] == 1 and result["images"] >= 1 and result["missing"] == 0, result
        assert result["largest_side"] == pytest.approx(1.0, rel=0.01), result
    for glb in (path for path in files if path.suffix == ".glb"):
        assert glb_errors(glb) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_soon_and_the_job_is_fetched_later(
    terminal: Terminal, image: Path, standin: StandIn, number: signal.Signals
) -> None:
    standin.set_options(job_seconds=4.0)
    before, output = len(standin.charges()), image.with_suffix(".glb")
    with terminal.started("generate", image, "--output", output, *SMALL, "--json") as process:
        wait_for_charges(standin, before + 1)
        time.sleep(0.5)  # for the answer to have arrived
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == INTERRUPTED, err
    interrupted = json.loads(out.splitlines()[-1])
    job = standin.jobs()[-1]["id"]
    assert (interrupted["event"], interrupted["jobs"]) == ("interrupted", [job])
    assert f"pixal3d fetch {job} --output" in err
    assert terminal.run("fetch", job, "--output", output).code == DONE
    assert output.is_file() and len(standin.charges()) == before + 1


def test_what_was_killed_is_listed_and_fetched_and_not_paid_for_again(
    terminal: Terminal, image: Path, standin: StandIn
) -> None:
    standin.set_options(job_seconds=2.0)
    before, output = len(standin.charges()), image.with_suffix(".glb")
    with terminal.started("generate", image, "--output", output, *SMALL) as process:
        wait_for_charges(standin, before + 1)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    job = standin.jobs()[-1]["id"]
    listed = {line["job"]: line for line in terminal.run("jobs", "--json", online=False).lines()}
    assert listed[job]["name"] == "chair" and listed[job]["state"] == "running"
    assert terminal.run("fetch", job, "--output", output).code == DONE
    listed = {line["job"]: line for line in terminal.run("jobs", "--json", online=False).lines()}
    assert listed[job]["state"] == "imported"
    assert len(standin.charges()) == before + 1


def test_a_batch_that_is_killed_and_started_again_pays_for_each_image_once(
    terminal: Terminal, image: Path, standin: StandIn, tmp_path: Path
) -> None:
    standin.set_options(job_seconds=1.5)
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(6):
        (folder / f"chair {number}.png").write_bytes(image.read_bytes())
    output, before = tmp_path / "models", len(standin.charges())
    argv = ("batch", folder, "--output", output, *SMALL, "--concurrency", "3", "--json")
    with terminal.started(*argv) as process:
        wait_for_charges(standin, before + 4)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    ended = terminal.run(*argv)
    assert ended.code == DONE, ended.err
    end = ended.lines()[-1]
    assert end["done"] + end["skipped"] == 6 and end["left"] == 0
    assert len(standin.charges()) == before + 6
    assert sorted(path.stem for path in output.glob("*.glb")) == [f"chair {number}" for number in range(6)]
    assert Path(end["contact_sheet"]).is_file()
