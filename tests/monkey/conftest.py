# SPDX-License-Identifier: GPL-3.0-or-later
"""The monkey: a real window in which random things are done with Blender and with Pixal3D while models arrive.

``--monkey short`` (the default) is one life of a few actions, ``--monkey long`` many; ``--monkey-seed`` draws others.
Each life notes its actions in ``life-SEED.NUMBER/actions.jsonl`` below ``PIXAL3D_TEST_OUTPUT``, beside Blender's output
and some pictures; ``--monkey-replay FILE`` does these again in a new profile, and lines may be taken out of the file to
see which of them it takes. What can be done is in ``inside/blenders.py`` and ``inside/ours.py``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monkey.lives import HEIGHT, WIDTH
from tests.support.blender_process import virtual_display

OUTPUT = Path(os.environ.get("PIXAL3D_TEST_OUTPUT") or "build/test/monkey").absolute()
SEED = 7
LONG_SEEDS = 4


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("monkey")
    group.addoption("--monkey", choices=("short", "long"), default="short")
    group.addoption("--monkey-seed", type=int, default=SEED)
    group.addoption("--monkey-replay", default="", metavar="FILE")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.option.monkey_seed
        is_long = metafunc.config.option.monkey == "long" and not metafunc.config.option.monkey_replay
        metafunc.parametrize("seed", range(first, first + (LONG_SEEDS if is_long else 1)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stories = sorted(OUTPUT.glob("*/figures.json"))
    if stories:
        text = "The monkey\n" + "".join(f"{file.parent.name}: {json.loads(file.read_text())}\n" for file in stories)
        (OUTPUT / "summary.txt").write_text(text, encoding="utf-8")
        terminalreporter.write(f"\n{text}")


@pytest.fixture(scope="session")
def display() -> Iterator[dict[str, str]]:
    with virtual_display(WIDTH, HEIGHT) as variables:
        yield variables
