# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in as it is when nothing goes wrong, seen as if it had just been started; and short pauses."""

from __future__ import annotations

from typing import Any

import pytest

from pixal3d_addon.batch import limits as batch_limits
from pixal3d_addon.generation import limits
from pixal3d_addon.scenario import limits as scenario_limits
from tests.unit.generation.processes import QUICK

from .support import Service


@pytest.fixture
def service(standin: Any) -> Service:
    standin.clear_faults()
    standin.set_options(
        job_seconds=0.4,
        variant="normal",
        mesh_scale="honoured",
        job_outcome="success",
        creative_units=None,
        model_cache=True,
        list_lag_seconds=0.0,
        job_lag_seconds=0.0,
        parallel_jobs=None,
    )
    return Service(standin)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is minutes for the artist is moments here."""
    for name, value in QUICK.items():
        monkeypatch.setattr(limits, name, value)
    monkeypatch.setattr(scenario_limits, "BACKOFF_FIRST_SECONDS", 0.02)
    monkeypatch.setattr(batch_limits, "OTHERS_SECONDS", 0.2)
    monkeypatch.setattr(batch_limits, "EVENT_SECONDS", 0.05)
    monkeypatch.setattr(batch_limits, "OUTAGE_PAUSES_SECONDS", (0.1, 0.1, 0.1))
