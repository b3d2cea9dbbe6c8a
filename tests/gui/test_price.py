# SPDX-License-Identifier: GPL-3.0-or-later
"""In a real window, against the stand-in: the price on the button, and the question at the spending limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gui.conftest import Window


@pytest.fixture
def service(standin: Any) -> Iterator[Any]:
    standin.clear_faults()
    standin.set_options(
        job_seconds=6.0,
        mesh_scale="honoured",
        texture_format="webp",
        dry_run_checks_image=False,
        prices=[(1024, 30), (2048, 42.5), (4096, 60)],
    )
    yield standin
    standin.clear_faults()
    standin.set_options(dry_run_checks_image=True, prices=[(1024, 30), (2048, 42), (4096, 42)])


def test_the_price_comes_by_itself_is_old_meanwhile_and_absent_when_it_is_refused(window: Window, service: Any) -> None:
    charges = service.charges()
    seen = window.play("price", service.environment()).recorded
    assert seen["asked_before_the_panel"] == 0 and not seen["threads_before_the_panel"]
    assert seen["price"] == "Generate · 60 CU"
    assert seen["price_meanwhile"] == "Generate · 60 CU?"
    assert seen["price_of_1024"] == "Generate · 30 CU"
    assert seen["asked"] == 2
    assert seen["price_refused"] == "Generate" and seen["trouble"] == ""
    assert seen["price_wished"] == "Generate · 42.5 CU"
    assert service.charges() == charges


@pytest.mark.newest_only
def test_before_the_spending_limit_is_passed_the_artist_is_asked(window: Window, service: Any) -> None:
    before = len(service.charges())
    seen = window.play("limit", service.environment()).recorded
    assert seen["spent"] == 30
    assert (seen["generations_after_escape"], seen["charges_after_escape"]) == (1, 1)
    assert seen["models_while_it_runs"] == 1, "it runs in the background"
    assert seen["settings"] == {"resolution": 1024, "decimation_target": 5000, "seed": 7}
    assert seen["generations"] == 2
    assert seen["spent_at_the_end"] == 60
    assert len(service.charges()) == before + 2
