# SPDX-License-Identifier: GPL-3.0-or-later
"""One pace for all clients of a process: the service limits the account, not the connection."""

from __future__ import annotations

import threading
import time

from . import limits
from .retry import Outcome, asked_seconds, is_parallel_limit


class Gate:
    """When the API may be asked next. Any thread; waits for nothing itself.

    :ivar requests: how often it was asked.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._opens_at = 0.0
        self._next_turn = 0.0
        self._lock = threading.Lock()

    def note(self, outcome: Outcome, wait_scale: float = 1.0) -> None:
        """An answer came. After a 429 nobody asks before the time that it names, or before a moment has passed.

        Not after one about the number of jobs at once: that ends when a job does, and asking after those is welcome.

        :param wait_scale: of the asker's :class:`~.limits.Pace`.
        """
        with self._lock:
            self.requests += 1
        if outcome.status != 429 or is_parallel_limit(outcome):
            return
        seconds = min(asked_seconds(outcome) or limits.BACKOFF_FIRST_SECONDS, limits.RETRY_AFTER_CAP_SECONDS)
        with self._lock:
            self._opens_at = max(self._opens_at, time.monotonic() + seconds * wait_scale)

    def seconds_left(self) -> float:
        """Until the API may be asked; 0 or less if it may be now."""
        return self._opens_at - time.monotonic()

    def turn_seconds(self) -> float:
        """Take the next turn among those who ask again and again, and say in how many seconds it is.

        Turns are handed out in the order of asking, :data:`.limits.TURN_SECONDS` apart, so that many jobs are asked
        after one by one, and do not come all together when the gate opens.
        """
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._opens_at, self._next_turn)
            self._next_turn = turn + limits.TURN_SECONDS
        return turn - now
