# SPDX-License-Identifier: GPL-3.0-or-later
"""How much longer a job takes, from what earlier ones of the same quality took. Unknown is ``None``, never a guess.

What counts is the time the service worked on a job, by its own dates: from ``in-progress`` on. How long a job waits
for its turn and for a machine to warm up says nothing about the next one; and when its model was here depends on when
Blender was open.
"""

from __future__ import annotations

import datetime
import math
import threading
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from ..parameters import Value
from . import limits
from .state import State

if TYPE_CHECKING:
    from .record import Generation

Quality = tuple[Value, ...]

_EXACTLY: Final = (
    "generation_resolution",
    "resolution",
    "remesh",
    "ss_sampling_steps",
    "shape_slat_sampling_steps",
    "tex_slat_sampling_steps",
)
_ROUGHLY: Final = ("decimation_target", "max_num_tokens")
_AT_WORK: Final = frozenset({"in-progress", "finalizing"})


def quality(parameters: Mapping[str, Value]) -> Quality:
    """What decides how much there is to compute. Of vertices and tokens the nearest power of two: a slider that was
    moved a little does not make all earlier jobs strangers. Guidance, scale and seed change what comes out only."""
    rough = (round(math.log2(max(1.0, float(parameters.get(name) or 1)))) for name in _ROUGHLY)
    return (*(parameters.get(name) for name in _EXACTLY), *rough)


def work_began(generation: Generation) -> float | None:
    """When the service began to work on it, in seconds since the epoch; ``None`` if it does not, or did not say. A job
    that was put back into the queue began when it was taken from there again."""
    began: float | None = None
    for status, date in generation.status_history:
        if status == "success":
            break
        if status not in _AT_WORK:
            began = None
        elif began is None:
            began = _seconds(date)
    return began


def seconds_worked(generation: Generation) -> float | None:
    """How long the service worked on a job that was a success; ``None`` if it did not say."""
    began = work_began(generation)
    ended = next((_seconds(date) for status, date in generation.status_history if status == "success"), None)
    return ended - began if began is not None and ended is not None and ended >= began else None


def seconds_left(generation: Generation, earlier: Collection[float], now: float) -> float | None:
    """How much longer it takes if it takes as long as the earlier ones, by their median.

    :param earlier: seconds that each of them took.
    :param now: seconds since the epoch, by this machine's clock. One that is wrong makes this wrong by as much.
    """
    began = work_began(generation)
    if generation.state is not State.RUNNING or began is None or len(earlier) < limits.TIMES_NEEDED or now < began:
        return None
    import statistics  # and with it decimal and fractions: not at Blender's start

    left = began + statistics.median(earlier) - now
    return left if left > 0 else None


class Experience:
    """How long the last jobs of each quality took. Memory only, any thread."""

    def __init__(self) -> None:
        self._times: dict[Quality, dict[str, float]] = {}
        self._lock = threading.Lock()

    def learn(self, generations: Iterable[Generation]) -> None:
        """Those of them that have ended well count from now on, in this order."""
        for generation in generations:
            seconds = seconds_worked(generation)
            if seconds is None:
                continue
            kind = quality(generation.parameters)
            with self._lock:
                times = {**self._times.get(kind, {}), generation.id: seconds}
                self._times[kind] = dict(list(times.items())[-limits.TIMES_KEPT :])

    def seconds_left(self, generation: Generation, now: float) -> float | None:
        """See :func:`seconds_left`."""
        return seconds_left(generation, self._times.get(quality(generation.parameters), {}).values(), now)


def _seconds(date: str) -> float | None:
    """Of an ISO date; one without a time zone is meant as UTC."""
    try:
        found = datetime.datetime.fromisoformat(date)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()
