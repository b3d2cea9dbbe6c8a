# SPDX-License-Identifier: GPL-3.0-or-later
"""The built zip in a real Blender in the background, installed as an artist's Blender installs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.blender_process import ADDON, Blender, Run
from tests.support.standin import StandIn

INSIDE = Path(__file__).parent / "inside"


def result_of(run: Run) -> Any:
    lines = [line for line in run.check().output.splitlines() if line.startswith("RESULT ")]
    assert len(lines) == 1, run.output
    return json.loads(lines[0].removeprefix("RESULT "))


def script(blender: Blender, name: str, profile: Path, *arguments: str, **environment: str) -> Run:
    command = ("--background", "--python-exit-code", "9", "--python", INSIDE / f"{name}.py", "--", *arguments)
    return blender.run(*command, profile=profile, environment=environment)


def test_the_installed_add_on_is_enabled_at_the_next_start_and_leaves_nothing_behind(
    blender: Blender, profile: Path
) -> None:
    run = script(blender, "lifecycle", profile, ADDON)
    result = result_of(run)
    assert result["enabled_at_start"]
    assert result["traces_enabled"]["types"], "the add-on registers nothing"
    assert result["enabled_again"]
    for moment in ("traces_disabled", "traces_disabled_again"):
        assert {kind: left for kind, left in result[moment].items() if left} == {}, moment
    assert result["traces_enabled_again"] == result["traces_enabled"]
    assert "Traceback" not in run.output, run.output


def test_blender_lists_the_add_on_by_its_name_and_version(blender: Blender, profile: Path) -> None:
    run = blender.run("--background", "--command", "extension", "list", profile=profile).check()
    assert "pixal3d_addon" in run.output, run.output
    assert "Pixal3D" in run.output, run.output


def test_an_image_becomes_the_active_selected_mesh(blender: Blender, profile: Path, standin: StandIn) -> None:
    standin.clear_faults()
    run = script(blender, "generate", profile, **standin.environment())
    result = result_of(run)
    assert result["outcome"] == ["FINISHED"]
    assert result["active"] in result["new"]
    assert result["selected"] == [result["active"]]
    assert result["vertices"] > 100
    assert result["largest_side"] == pytest.approx(2.0, rel=0.01), "mesh_scale is applied exactly once"
    assert result["materials"] >= 1
    assert "Traceback" not in run.output, run.output
    for word in (standin.key, standin.secret):
        assert word not in run.output


def test_without_online_access_nothing_is_asked_of_the_service(
    blender: Blender, profile: Path, standin: StandIn
) -> None:
    before = len(standin.requests())
    expression = "import bpy; bpy.data.images.new('Test Image', 8, 8); bpy.ops.pixal3d.generate(image='Test Image')"
    command = ("--background", "--offline-mode", "--python-exit-code", "9", "--python-expr", expression)
    run = blender.run(*command, profile=profile, environment=standin.environment())
    assert run.returncode == 9, run.output
    assert len(standin.requests()) == before
