# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README prints for technical directors, run as it is printed, in a real Blender with the zip installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.support.blender_process import LOOPBACK_ONLY, Blender, profile_environment
from tests.support.snippets import Snippet, snippets
from tests.support.standin import PROJECT, StandIn

TIMEOUT_SECONDS = 300
DOORS = "Scripts, command line, farms"
PYTHON = [snippet for snippet in snippets("README.md") if snippet.heading == DOORS]
SHELL = [snippet for snippet in snippets("README.md", "sh") if snippet.heading == DOORS]


@pytest.fixture
def place(tmp_path: Path, standin: StandIn) -> Path:
    """A folder with the images that the README speaks of."""
    standin.clear_faults()
    standin.set_options(job_seconds=0.2, upload_seconds=0.0, model_cache=True, job_outcome="success")
    for name in ("chair.png", "lamp.png", "images/cup.png", "images/vase.png"):
        picture = Image.new("RGBA", (128, 128))
        ImageDraw.Draw(picture).ellipse((20, 30, 108, 100), fill=(200, 40 + 20 * len(name), 30, 255))
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture.save(tmp_path / name)
    return tmp_path


def run(command: list[str | Path], place: Path, blender: Blender, profile: Path, standin: StandIn) -> str:
    """In `place`, with ``blender`` on PATH."""
    programs = place / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "blender").write_text(f'#!/bin/sh\nexec {blender.path} "$@"\n')
    (programs / "blender").chmod(0o755)
    environment = {**os.environ, **LOOPBACK_ONLY, **profile_environment(profile), **standin.environment()}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0 and "Traceback" not in output, output
    return output


@pytest.mark.parametrize("snippet", PYTHON, ids=str)
def test_each_python_door_makes_models(
    blender: Blender, profile: Path, place: Path, standin: StandIn, snippet: Snippet
) -> None:
    script = place / "door.py"
    script.write_text(snippet.code)
    charges = len(standin.charges())
    if "bpy" in snippet.code or "bl_ext" in snippet.code:
        command = ["blender", "--background", "--online-mode", "--python-exit-code", "9", "--python", script.name]
        output = run(command, place, blender, profile, standin)
    else:  # the door without Blender
        script.write_text(f"import sys\nsys.path.insert(0, {str(PROJECT)!r})\n{snippet.code}")
        output = run([sys.executable, script.name], place, blender, profile, standin)
    made = len(standin.charges()) - charges
    assert made == (2 if "lamp" in snippet.code else 1)
    assert len(re.findall(r"\bjob_\w+", output)) == made, output


@pytest.mark.parametrize("snippet", SHELL, ids=str)
def test_the_command_lines_check_quote_generate_and_run_a_batch_once(
    blender: Blender, profile: Path, place: Path, standin: StandIn, snippet: Snippet
) -> None:
    charges = len(standin.charges())
    output = run(["sh", "-e", "-c", snippet.code], place, blender, profile, standin)
    assert len(standin.charges()) - charges == 3, output
    assert (place / "chair.blend").stat().st_size > 10_000
    assert sorted(path.name for path in (place / "models").glob("*.glb")) == ["cup.glb", "vase.glb"]
    for secret in (standin.key, standin.secret):
        assert secret not in output


def test_five_lines_are_enough_for_each_door() -> None:
    assert len(PYTHON) == 3 and len(SHELL) == 1
    assert max(len(snippet.code.splitlines()) for snippet in (*PYTHON, *SHELL)) <= 5
