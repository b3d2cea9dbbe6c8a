# SPDX-License-Identifier: GPL-3.0-or-later
"""In a real window: one click from a fresh file, a placeholder that is dragged, and a model that takes its place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gui.conftest import Window


@pytest.fixture
def service(standin: Any) -> Any:
    standin.clear_faults()
    standin.set_options(job_seconds=25.0, mesh_scale="honoured", texture_format="webp")
    return standin


def test_the_model_takes_the_place_to_which_its_placeholder_was_dragged(window: Window, service: Any) -> None:
    seen = window.play("placeholder", service.environment()).recorded
    assert seen["placeholder"] == ["IMAGE", [2.0, 0.0, 0.0], 1.0]
    assert seen["dragged_to"] == pytest.approx([4.0, 0.0, 0.0])
    assert not seen["placeholders_left"]
    place, size = seen["model"]
    assert place == pytest.approx([4.0, 0.0, 0.0], abs=0.05)
    assert size == pytest.approx(2.0, rel=0.01)
    assert seen["raised_to"] == pytest.approx([4.0, 0.0, 3.0], abs=0.05)
    assert seen["models_after_f9"] == 1
    assert seen["after_undo"] == [pytest.approx([4.0, 0.0, 0.0]), pytest.approx([2.0, 2.0, 2.0])]
