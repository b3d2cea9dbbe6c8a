# SPDX-License-Identifier: GPL-3.0-or-later
"""What was spent since a moment, as far as the records tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .record import Generation, Snapshot
from .state import UNPAID, State

_PENDING = UNPAID | {State.SUBMITTING, State.UNCERTAIN}


class Spending:
    """Counts the generations that were asked for since `since` (seconds since the epoch). One thread; memory only."""

    def __init__(self, since: float) -> None:
        self._since = since
        self._submitted: dict[str, float] = {}
        """By the generation's id, so that one that was removed from the list is still counted."""
        self._pending = 0.0

    @property
    def total(self) -> float:
        """Creative units: the cost of what the service took, and the expected cost of what is on its way there."""
        return sum(self._submitted.values()) + self._pending

    def note(self, snapshots: Iterable[Snapshot], expected: Callable[[Generation], float | None]) -> None:
        """Look at the records anew.

        :param expected: the price of one whose cost the service has not told, ``None`` if it is not known.
        """
        self._pending = 0.0
        for generation in (snapshot.generation for snapshot in snapshots):
            if generation.submitted_at >= self._since:
                # A job that was begun elsewhere and fetched by its ID has no image here.
                if generation.source_file or generation.id in self._submitted:
                    self._submitted[generation.id] = _cost(generation, expected)
            elif generation.created_at >= self._since and generation.state in _PENDING:
                self._pending += expected(generation) or 0.0


def _cost(generation: Generation, expected: Callable[[Generation], float | None]) -> float:
    if generation.has_failed_job:  # refunded, says the service's reference; the job still shows the original charge
        return 0.0
    return (expected(generation) or 0.0) if generation.cost is None else generation.cost
