# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the farm's tests: ``openjd``, a farm's engine on this machine, out of the environment ``farm``."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import environments


@pytest.fixture(scope="session")
def openjd() -> Path:
    """The command line of Open Job Description's reference implementation."""
    return environments.python("farm").with_name("openjd")
