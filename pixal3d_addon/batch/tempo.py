# SPDX-License-Identifier: GPL-3.0-or-later
"""When a job is asked after first, from how long others of the same quality took. So a batch asks once or a few times
for each model, and not every few seconds for minutes.

Unlike the time left that an artist is shown (:mod:`..generation.time_left`), the time in the service's queue counts: in
a batch the next job waits about as long as the last one did.
"""

from __future__ import annotations

import datetime
import threading
import time
from typing import Final

from ..generation import Generation
from ..generation import limits as generation_limits
from ..generation.time_left import Quality, quality

_MARGIN_SECONDS: Final = 0.1
"""A job that ends now is over for the service a moment later."""


class Tempo:
    """Memory only, any thread."""

    def __init__(self) -> None:
        self._times: dict[Quality, list[float]] = {}
        self._lock = threading.Lock()

    def learn(self, generation: Generation) -> None:
        """Its job was a success, by the service's own dates."""
        history = generation.status_history
        if len(history) < 2 or history[-1][0] != "success":
            return
        try:
            first, last = (datetime.datetime.fromisoformat(date) for _, date in (history[0], history[-1]))
            seconds = (last - first).total_seconds()
        except (ValueError, TypeError):
            return
        with self._lock:
            kind = quality(generation.parameters)
            if kind not in self._times and len(self._times) >= _KINDS:
                self._times.clear()
            self._times[kind] = [*self._times.get(kind, []), seconds][-generation_limits.TIMES_KEPT :]

    def seconds_left(self, generation: Generation) -> float | None:
        """Until a quarter of the last jobs like it were over; ``None`` if there were too few."""
        times = sorted(self._times.get(quality(generation.parameters), ()))
        if len(times) < generation_limits.TIMES_NEEDED or not generation.submitted_at:
            return None
        return generation.submitted_at + times[len(times) // 4] + _MARGIN_SECONDS - time.time()


_KINDS: Final = 200
"""Qualities of which the times are kept. A list may have a new one in each row."""
