# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: every fault at every step, a kill at every point, and pairs drawn by a seeded random. Nothing by hand.

The same seed makes the same cases with the same names, so a failure is repeated by its name.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab.troubles import FAULTS, KILL_POINTS, STEPS, KillPoint, Play, Step, Strike, Trouble, trouble

SEED = 20261125

FAULT_PAIRS = 150
KILLS_WITH_FAULT = 110
KILL_PAIRS = 40
SHORT = {"fault": 16, "kill": 9, "fault+fault": 4, "kill+fault": 3, "kill+kill": 1}
"""How many of each kind the short form draws."""

ARRIVALS = ("ANY", "ANY", "ANY", "FILE", "FILE", "ASK")
SAVED_BEFORE = 0.3
"""Share of the kills after which the next Blender opens the file of the click."""
OLD_CLICK_SECONDS = 0.0
FRESH_CLICK_SECONDS = 3600.0
UNPAID_STATES = ("prepared", "uploading")


@dataclass(frozen=True, slots=True)
class Case:
    """One run: what goes wrong between a click and its mesh."""

    id: str
    kind: str
    arrival: str
    cells: tuple[tuple[str, str], ...] = ()
    """(fault, step), for the table."""
    points: tuple[str, ...] = ()
    """Kill points, for the table."""
    troubles: tuple[Trouble, ...] = ()
    kills: tuple[Strike, ...] = ()
    """One for each Blender that is to die."""
    plays: tuple[Play, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    in_parts: bool = False
    crowd: int = 1
    concurrency: int = 3
    saves: bool = False
    """The file is saved when the mesh is in it."""
    saved_before: bool = False
    """The file is saved before the click."""
    intent_seconds: float = FRESH_CLICK_SECONDS

    @property
    def names(self) -> list[str]:
        """Of the images, one for each click."""
        return [f"{self.id}-of-{number}" for number in range(1, self.crowd + 1)]

    @property
    def must_meet(self) -> bool:
        """Whether what goes wrong is met for certain: with two, the first may keep the second from happening."""
        return len(self.cells) + len(self.points) == 1


def short_form(seed: int = SEED) -> list[Case]:
    """A few of each kind."""
    chance = random.Random(seed)
    everything = long_form(seed)
    return [
        case
        for kind, count in SHORT.items()
        for case in chance.sample([case for case in everything if case.kind == kind], count)
    ]


def long_form(seed: int = SEED) -> list[Case]:
    """All of it, in an order that mixes the kinds."""
    chance = random.Random(seed)
    cases = [*_faults(chance), *_kills(chance), *_pairs(chance)]
    chance.shuffle(cases)
    return cases


def _cells() -> list[tuple[str, Step]]:
    return [(fault, step) for fault in FAULTS for step in STEPS if trouble(fault, step) is not None]


def _faults(chance: random.Random) -> Iterator[Case]:
    for fault, step in _cells():
        found = trouble(fault, step)
        assert found is not None
        yield Case(
            f"{step.name}.{fault}",
            "fault",
            chance.choice(ARRIVALS),
            cells=((fault, step.name),),
            troubles=(found,),
            in_parts=bool(step.in_parts),
        )


def _kills(chance: random.Random) -> Iterator[Case]:
    for point in KILL_POINTS:
        yield _killed(f"kill.{point.name}", "kill", (point,), chance)
        if point.strike.state in UNPAID_STATES:
            fresh = _killed(f"kill.{point.name}.old-click", "kill", (point,), chance)
            yield dataclasses.replace(fresh, intent_seconds=OLD_CLICK_SECONDS)


def _killed(name: str, kind: str, points: Sequence[KillPoint], chance: random.Random) -> Case:
    return Case(
        name,
        kind,
        chance.choice(ARRIVALS),
        points=tuple(point.name for point in points),
        kills=tuple(point.strike for point in points),
        plays=tuple(play for point in points for play in point.plays),
        options={name: value for point in points for name, value in point.options.items()},
        in_parts=any(point.in_parts for point in points),
        crowd=max(point.crowd for point in points),
        concurrency=min(point.concurrency for point in points),
        saves=any(point.saves for point in points),
        saved_before=chance.random() < SAVED_BEFORE and not any(point.saves for point in points),
    )


def _pairs(chance: random.Random) -> Iterator[Case]:
    for number in range(FAULT_PAIRS):
        yield _fault_pair(number, chance)
    for number in range(KILLS_WITH_FAULT):
        yield _kill_with_fault(number, chance)
    for number in range(KILL_PAIRS):
        yield _kill_pair(number, chance)


def _fault_pair(number: int, chance: random.Random) -> Case:
    while True:
        (first, at), (second, also_at) = chance.sample(_cells(), 2)
        if _fit(at.in_parts, also_at.in_parts):
            break
    both = (trouble(first, at), trouble(second, also_at))
    return Case(
        f"pair-{number}.{at.name}.{first}+{also_at.name}.{second}",
        "fault+fault",
        chance.choice(ARRIVALS),
        cells=((first, at.name), (second, also_at.name)),
        troubles=tuple(found for found in both if found),
        in_parts=_in_parts(at.in_parts, also_at.in_parts, chance),
    )


def _kill_with_fault(number: int, chance: random.Random) -> Case:
    while True:
        point, (fault, step) = chance.choice(KILL_POINTS), chance.choice(_cells())
        if _fit(point.in_parts, step.in_parts):
            break
    case = _killed(f"kill-{number}.{point.name}+{step.name}.{fault}", "kill+fault", (point,), chance)
    found = trouble(fault, step)
    assert found is not None
    in_parts = _in_parts(point.in_parts, step.in_parts, chance)
    return dataclasses.replace(case, cells=((fault, step.name),), troubles=(found,), in_parts=in_parts)


def _kill_pair(number: int, chance: random.Random) -> Case:
    """The second Blender dies too, while it makes up for the first."""
    while True:
        first, second = chance.choice(KILL_POINTS), chance.choice(KILL_POINTS)
        comes_later = KILL_POINTS.index(second) > KILL_POINTS.index(first)
        if comes_later and _fit(first.in_parts, second.in_parts):
            return _killed(f"kills-{number}.{first.name}+{second.name}", "kill+kill", (first, second), chance)


def _fit(one: bool | None, other: bool | None) -> bool:
    """The image takes one way only."""
    return one is None or other is None or one == other


def _in_parts(one: bool | None, other: bool | None, chance: random.Random) -> bool:
    asked = one if one is not None else other
    return chance.random() < 0.3 if asked is None else asked
