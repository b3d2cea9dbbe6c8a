# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks for a tab that is not there, so that the harness can be seen to fail."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui.driver import Driver, Steps, play


def scenario(d: Driver) -> Steps:
    yield from d.open_sidebar("No Such Tab")


play(scenario)
