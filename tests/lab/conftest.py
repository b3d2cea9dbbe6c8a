# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault lab: a click, something that goes wrong, and the service's books afterwards.

``--lab short`` (the default) draws a few cases of each kind, ``--lab long`` plays the whole matrix; ``--lab-seed``
draws other pairs. The cases are in ``cases.py``, what makes a run good in ``judge.py``. The tables come at the end, and
are kept as ``summary.txt`` in ``PIXAL3D_TEST_OUTPUT``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import table
from tests.lab.bench import HEIGHT, WIDTH, Bench, Lab
from tests.lab.cases import SEED, Case, long_form, short_form
from tests.support.blender_process import Blender, virtual_display
from tests.support.standin import StandIn

OUTPUT = Path(os.environ.get("PIXAL3D_TEST_OUTPUT") or "build/test/lab").absolute()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fault lab")
    group.addoption("--lab", choices=("short", "long"), default="short")
    group.addoption("--lab-seed", type=int, default=SEED)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # once, before pytest-xdist starts its workers
        shutil.rmtree(OUTPUT, ignore_errors=True)
        OUTPUT.mkdir(parents=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_long = metafunc.config.option.lab == "long"
    if "finished_before_the_kill" in metafunc.fixturenames:
        metafunc.parametrize("finished_before_the_kill", range(6) if is_long else [3])
    if "case" in metafunc.fixturenames:
        form = long_form if is_long else short_form
        cases = form(metafunc.config.option.lab_seed)
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = table.read(OUTPUT)
    if lines:
        title = f"Fault lab, {config.option.lab} form, seed {config.option.lab_seed}"
        text = table.text(lines, title)
        (OUTPUT / table.SUMMARY).write_text(text, encoding="utf-8")
        terminalreporter.write(f"\n{text}")


@pytest.fixture(scope="session")
def output() -> Path:
    """Where runs are noted, and Blender's output is kept."""
    return OUTPUT


@pytest.fixture(scope="session")
def display() -> Iterator[dict[str, str]]:
    with virtual_display(WIDTH, HEIGHT) as variables:
        yield variables


@pytest.fixture(scope="session")
def lab(
    blender: Blender, installed_profile: Path, display: dict[str, str], standin: StandIn, output: Path
) -> Iterator[Lab]:
    """One for each test process. Its Blender lives from case to case, as long as it is not killed."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "main")
    bench = Bench(blender, installed_profile, display, output, name)
    lab = Lab(bench, standin, output / name)
    # The stand-in makes the model once: while it does, no fault's patience runs out.
    calm = lab.run(Case("a-good-day", "calm", "ANY"))
    assert not calm.problems, f"{calm.problems}\n{calm.output}"
    yield lab
    bench.quit()
