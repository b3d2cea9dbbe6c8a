# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged models and answers, in thousands. ``--fuzz long`` tries a hundred thousand, ``--fuzz-seed`` other ones.

Figures are added to ``summary.txt`` in ``PIXAL3D_TEST_OUTPUT``; models with which something is wrong are kept there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

OUTPUT = Path(os.environ.get("PIXAL3D_TEST_OUTPUT") or "build/test/fuzz").absolute()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fuzz")
    group.addoption("--fuzz", choices=("short", "long"), default="short")
    group.addoption("--fuzz-seed", type=int, default=0)


@pytest.fixture(scope="session")
def is_long(pytestconfig: pytest.Config) -> bool:
    return bool(pytestconfig.option.fuzz == "long")


@pytest.fixture(scope="session")
def first_seed(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.option.fuzz_seed)


@pytest.fixture
def kept() -> Path:
    """Where what is wrong is kept."""
    folder = OUTPUT / "faults"
    shutil.rmtree(folder, ignore_errors=True)
    return folder


@pytest.fixture
def say() -> Callable[[str], None]:
    """Into the summary."""

    def add(text: str) -> None:
        OUTPUT.mkdir(parents=True, exist_ok=True)
        print(text)
        with (OUTPUT / "summary.txt").open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    return add
