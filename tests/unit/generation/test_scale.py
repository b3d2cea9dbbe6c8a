# SPDX-License-Identifier: GPL-3.0-or-later
"""``meshScale`` is applied exactly once, whoever applies it."""

from __future__ import annotations

import pytest

from pixal3d_addon.generation.scale import AppliedBy, import_scale


def box(side: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    return (-side / 2, -0.1, -0.1), (side / 2, 0.1, 0.1)


@pytest.mark.parametrize("unit_side", [0.9, 1.0])
@pytest.mark.parametrize("mesh_scale", [0.1, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0])
@pytest.mark.parametrize("is_applied_by_service", [True, False])
def test_the_model_ends_mesh_scale_times_as_large(
    unit_side: float, mesh_scale: float, is_applied_by_service: bool
) -> None:
    delivered = unit_side * mesh_scale if is_applied_by_service else unit_side
    factor, _ = import_scale(mesh_scale, box(delivered), AppliedBy.AUTO)
    assert delivered * factor == pytest.approx(unit_side * mesh_scale)


def test_the_artists_choice_goes_before_what_the_size_shows() -> None:
    assert import_scale(2.0, box(2.0), AppliedBy.IMPORT) == (2.0, AppliedBy.IMPORT)
    assert import_scale(2.0, box(1.0), AppliedBy.SERVICE) == (1.0, AppliedBy.SERVICE)


def test_a_size_that_is_not_known_is_left_alone() -> None:
    assert import_scale(2.0, None, AppliedBy.AUTO) == (1.0, AppliedBy.SERVICE)
    assert import_scale(2.0, box(0.0), AppliedBy.AUTO)[0] in (1.0, 2.0)
