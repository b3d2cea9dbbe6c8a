# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in a model file or in an answer of the service, it is read or refused in words: in a second, and
without asking for much memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pixal3d_addon.scenario import UnreadableModelError, inspect_glb
from tests.fuzz import corpus, engine, heavy

COUNTS = {"models": (1_000, 70_000), "answers": (1_000, 50_000)}
"""In the short form and in the long one."""


@pytest.mark.parametrize("kind", COUNTS)
def test_no_damage_is_a_fault(kind: str, is_long: bool, first_seed: int, say: Callable[[str], None]) -> None:
    report = engine.run(kind, first_seed, COUNTS[kind][is_long], workers=2)
    say(report.text())
    assert not report.faults, report.text()
    assert report.trials == COUNTS[kind][is_long]
    good = sum(count for outcome, count in report.outcomes.items() if outcome == "taken" or outcome.endswith(" ok"))
    assert good > report.trials / 10, "else the damage is so large that little is tried"


@pytest.mark.parametrize("make", corpus.MADE)
def test_what_the_damage_begins_with_is_good(make: Callable[[], corpus.Model], tmp_path: Path) -> None:
    path = tmp_path / "model.glb"
    path.write_bytes(make().packed())
    assert inspect_glb(path).triangles > 3


@pytest.mark.parametrize("path", sorted(corpus.FOLDER.glob("*.glb")), ids=lambda path: path.stem)
def test_models_that_once_harmed_blender_are_refused(path: Path) -> None:
    """A lone corner crashes Blender 4.2 and 4.5; joints in a circle fill the memory of each; a thousand properties in
    one place are compared with each other by 4.2, and a hundred thousand took minutes."""
    with pytest.raises(UnreadableModelError):
        inspect_glb(path)


@pytest.mark.parametrize("make", heavy.HEAVY)
def test_the_heaviest_models_are_at_their_limits(make: Callable[[int], corpus.Model], tmp_path: Path) -> None:
    path = tmp_path / "model.glb"
    path.write_bytes(make(0).packed())
    assert inspect_glb(path).triangles > 3
    path.write_bytes(make(1).packed())
    with pytest.raises(UnreadableModelError, match="larger"):
        inspect_glb(path)
