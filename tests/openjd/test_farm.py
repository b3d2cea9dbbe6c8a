# SPDX-License-Identifier: GPL-3.0-or-later
"""The template on this machine: an engine's tasks side by side, each a real Blender, on one list and one folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from scripts.farm_template import TEMPLATE
from tests.support.blender_process import LOOPBACK_ONLY, Blender, profile_environment
from tests.support.standin import PROJECT, StandIn

PATIENCE_SECONDS = 180
# A Blender in a chroot (.ci/blender-in-chroot) is not reached by SIGTERM: what starts it there ignores it.
HANDS_ON_SIGTERM = """
import os, pathlib, signal, subprocess, sys

def descendants(pid):
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition(" (")[2].rpartition(") ")
        except OSError:
            continue
        if int(rest.split()[1]) == pid:
            yield int(stat.parent.name), name
            yield from descendants(int(stat.parent.name))

def hand_on(number, frame):
    for pid, name in descendants(os.getpid()):
        if name == "blender":
            os.kill(pid, number)

blender = subprocess.Popen([{blender!r}, *sys.argv[1:]])
signal.signal(signal.SIGTERM, hand_on)
sys.exit(blender.wait())
"""

CHEAP = ("DecimationTarget=5000", "Resolution=1024")


@dataclass(frozen=True)
class Task:
    """A task that an engine runs, on a worker of its own."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill_its_worker(self) -> None:
        """As a power cut would: the engine's process, Blender and all between and below."""
        for pid in (self.process.pid, *_descendants(self.process.pid)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def cancel(self) -> int:
        """As the engine does it when somebody cancels the job; the engine's exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def end(self) -> int:
        """The exit code."""
        return self.process.wait(PATIENCE_SECONDS)

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Farm:
    """One job on this machine. Each of its tasks is started by itself, as on workers of their own."""

    openjd: Path
    command: Path
    environment: dict[str, str]
    images: Path
    output: Path
    logs: Path

    def begin(self, step: str, *parameters: str, chunk: int | None = None) -> Task:
        given = (f"Images={self.images}", f"Output={self.output}", f"BlenderCommand={self.command}", *parameters)
        command: list[str | Path] = [self.openjd, "run", TEMPLATE, "--step", step, "--no-run-dependencies"]
        for parameter in (*CHEAP, *given):
            command += ["--job-param", parameter]
        if chunk is not None:
            command += ["--task-param", f"Chunk={chunk}"]
        log = self.logs / f"{step}-{chunk}-{time.monotonic_ns()}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Task(process, log)

    def states(self) -> dict[str, str]:
        """By name, as the manifest has them now."""
        try:
            lines = (self.output / "manifest.jsonl").read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return {}
        entries: list[dict[str, Any]] = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return {entry["name"]: entry["state"] for entry in entries}

    def wait_until_paid_for(self, names: list[str], task: Task) -> None:
        """Until the service is at work for one of these."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not {self.states().get(name) for name in names} & {"running", "ready", "done"}:
            assert task.process.poll() is None, task.text
            assert time.monotonic() < deadline, task.text
            time.sleep(0.05)


@pytest.fixture
def farm(openjd: Path, blender: Blender, installed_profile: Path, standin: StandIn, tmp_path: Path) -> Iterator[Farm]:
    """Without images yet. All workers share the profile that the zip is installed in, as they may on a farm."""
    standin.clear_faults()
    standin.set_options(job_seconds=3.0, model_cache=True)
    environment = {**os.environ, **LOOPBACK_ONLY, **profile_environment(installed_profile), **standin.environment()}
    for name in ("images", "logs"):
        (tmp_path / name).mkdir()
    command = tmp_path / "blender"
    command.write_text(f"#!{sys.executable}\n{HANDS_ON_SIGTERM.format(blender=str(blender.path))}")
    command.chmod(0o755)
    made = Farm(openjd, command, environment, tmp_path / "images", tmp_path / "output", tmp_path / "logs")
    yield made
    for log in made.logs.iterdir():
        for secret in (standin.key, standin.secret):
            assert secret not in log.read_text(encoding="utf-8", errors="replace")


def draw_images(folder: Path, count: int) -> list[str]:
    """Disks of different sizes; their names, in order."""
    names = [f"disk {number:02}" for number in range(count)]
    for number, name in enumerate(names):
        image = Image.new("RGBA", (96, 96))
        radius = 20 + number
        ImageDraw.Draw(image).ellipse((48 - radius, 48 - radius, 48 + radius, 48 + radius), (200, 20 * number, 40))
        image.save(folder / f"{name}.png")
    return names


def test_of_tasks_side_by_side_one_is_killed_and_one_canceled_and_every_image_is_made_once(
    farm: Farm, standin: StandIn
) -> None:
    names = draw_images(farm.images, 12)
    before = len(standin.charges())
    tasks = [farm.begin("Generate", "Chunks=3", "Concurrency=2", chunk=chunk) for chunk in (1, 2, 3)]
    survivor, killed, canceled = tasks
    farm.wait_until_paid_for(names[1::3], killed)
    killed.kill_its_worker()
    farm.wait_until_paid_for(names[2::3], canceled)
    assert canceled.cancel() != 0
    assert "Interrupted. The same command goes on" in canceled.text
    assert survivor.end() == 0, survivor.text
    assert "openjd_progress: 100.0" in survivor.text
    assert len(standin.charges()) - before < 12, "nothing was left for the second step"

    finish = farm.begin("Finish", "Chunks=3")
    assert finish.end() == 0, finish.text
    assert "openjd_status: 12 of 12 done" in finish.text
    charges = standin.charges()[before:]
    assert len(charges) == len({charge["image"] for charge in charges}) == 12
    assert farm.states() == dict.fromkeys(names, "done")
    assert sorted(path.stem for path in farm.output.glob("*.glb")) == names
    assert sorted(path.stem for path in (farm.output / "thumbnails").glob("*.png")) == names
    assert (farm.output / "contact_sheet.png").exists()
    page = (farm.output / "contact_sheet.html").read_text(encoding="utf-8")
    assert page.count("<img ") == 12


def test_the_limit_is_that_of_the_whole_job_however_often_its_tasks_run(farm: Farm, standin: StandIn) -> None:
    draw_images(farm.images, 6)
    before = len(standin.charges())
    parts = [farm.begin("Generate", "Chunks=2", "MaxCu=100", chunk=chunk) for chunk in (1, 2)]
    for part in parts:
        assert part.end() == 0, part.text  # the step that tells what is left depends on it
    for _ in range(2):
        finish = farm.begin("Finish", "Chunks=2", "MaxCu=100")
        assert finish.end() == 1, finish.text
    assert [charge["creative_units"] for charge in standin.charges()[before:]] == [30, 30, 30]
    assert list(farm.states().values()) == ["done"] * 3


def _descendants(pid: int) -> list[int]:
    """Of a process of this machine, children before their own."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(children.get(pid, ()))
    for child in found:
        found += children.get(child, ())
    return found
