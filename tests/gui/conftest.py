# SPDX-License-Identifier: GPL-3.0-or-later
"""The host side of the window tests: a virtual display, a Blender on it, a scenario inside.

A test asks for ``window`` and plays a script of ``tests/gui/scenarios``::

    def test_a_click_makes_a_model(window, standin):
        result = window.play("generate", standin.environment())
        assert result.recorded["objects"] == 4

The add-on is installed from the built zip and enabled. Pictures and result files are kept below ``PIXAL3D_TEST_OUTPUT``
(``scripts/test.py``: ``build/test/gui-NAME/``). How a scenario is written: ``tests/gui/driver.py``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.blender_process import Blender, virtual_display

SCENARIOS = Path(__file__).parent / "scenarios"
WIDTH, HEIGHT = 1600, 900
SCENARIO_TIMEOUT_SECONDS = 150.0
BLENDER_START_TIMEOUT_SECONDS = 90.0
"""On top of the scenario's: loading Blender and drawing the first window without a graphics card."""


@dataclass(frozen=True)
class Result:
    """What a scenario recorded, and its pictures by name."""

    recorded: dict[str, Any]
    pictures: dict[str, Path]
    output: str


@dataclass(frozen=True)
class Window:
    """A Blender, a profile with the add-on, and a display to show it on."""

    blender: Blender
    profile: Path
    display: dict[str, str]
    results: Path

    def play(
        self,
        scenario: str,
        environment: Mapping[str, str] | None = None,
        *,
        arguments: tuple[str, ...] = (),
        timeout: float = SCENARIO_TIMEOUT_SECONDS,
    ) -> Result:
        """Starts Blender, plays ``scenarios/NAME.py`` in it and waits for its end. A failure in it fails the test.

        ``arguments`` are Blender's, for instance a .blend file. May be called several times: the profile stays.
        """
        report = self.results / "result.json"
        report.unlink(missing_ok=True)
        run = self.blender.run(
            *("--enable-event-simulate", "--window-geometry", "0", "0", str(WIDTH), str(HEIGHT)),
            *arguments,
            *("--python-exit-code", "9", "--python", SCENARIOS / f"{scenario}.py"),
            profile=self.profile,
            environment={
                **self.display,
                "PIXAL3D_GUI_RESULTS": str(self.results),
                "PIXAL3D_GUI_TIMEOUT_SECONDS": str(timeout),
                **(environment or {}),
            },
            timeout=timeout + BLENDER_START_TIMEOUT_SECONDS,
        )
        (self.results / f"{scenario}.log").write_text(run.output, encoding="utf-8")
        if not report.exists():
            pytest.fail(f"Blender ended with {run.returncode} before the scenario did:\n{run.output}")
        result = json.loads(report.read_text(encoding="utf-8"))
        pictures = {name: Path(path) for name, path in result["pictures"].items()}
        if result["error"]:
            pytest.fail(f"{result['error']}\npictures: {pictures}\nBlender's output:\n{run.output}")
        run.check()
        return Result(result["recorded"], pictures, run.output)


@pytest.fixture(scope="session")
def display() -> Iterator[dict[str, str]]:
    with virtual_display(WIDTH, HEIGHT) as variables:
        yield variables


@pytest.fixture
def window(
    blender: Blender, profile: Path, display: dict[str, str], request: pytest.FixtureRequest, tmp_path: Path
) -> Window:
    """A new profile for each test; its results folder is emptied first."""
    kept = os.environ.get("PIXAL3D_TEST_OUTPUT")
    results = (Path(kept) if kept else tmp_path) / request.node.name.replace("/", "-")
    if results.exists():
        shutil.rmtree(results)
    results.mkdir(parents=True)
    return Window(blender, profile, display, results)
