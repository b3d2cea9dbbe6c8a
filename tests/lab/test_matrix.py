# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix is whole: what the lab plays is made from the tables, and large enough."""

from __future__ import annotations

from collections import Counter

from pixal3d_addon.generation import State
from tests.lab.cases import SHORT, long_form, short_form
from tests.lab.troubles import FAULTS, KILL_POINTS, STEPS, trouble


def test_the_long_form_has_500_runs_and_100_kills() -> None:
    cases = long_form()
    assert len(cases) >= 500
    assert sum(bool(case.kills) for case in cases) >= 100
    assert len({case.id for case in cases}) == len(cases)


def test_every_fault_is_played_alone_at_every_step_where_it_makes_sense() -> None:
    played = Counter(cell for case in long_form() if case.kind == "fault" for cell in case.cells)
    sensible = [(fault, step.name) for fault in FAULTS for step in STEPS if trouble(fault, step)]
    assert played == Counter(sensible)
    assert {fault for fault, _ in sensible} == set(FAULTS)
    assert {step for _, step in sensible} == {step.name for step in STEPS}


def test_blender_is_killed_before_and_after_every_state_on_the_way_to_a_mesh() -> None:
    way = set(State) - {State.FAILED, State.ABANDONED}
    struck = {(point.strike.moment, point.strike.state) for point in KILL_POINTS}
    assert struck >= {(moment, state.value) for moment in ("before", "after") for state in way}
    played = {point for case in long_form() if case.kind == "kill" for point in case.points}
    assert played == {point.name for point in KILL_POINTS}


def test_the_same_seed_plays_the_same_and_another_one_other_pairs() -> None:
    assert long_form(7) == long_form(7)
    ids = [{case.id for case in long_form(seed)} for seed in (7, 8)]
    assert len(ids[0] - ids[1]) > 250


def test_the_short_form_is_a_part_of_the_long_one_with_ten_kills() -> None:
    cases = short_form(7)
    assert Counter(case.kind for case in cases) == SHORT
    assert {case.id for case in cases} <= {case.id for case in long_form(7)}
    assert sum(len(case.kills) for case in cases) >= 10
