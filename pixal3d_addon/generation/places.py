# SPDX-License-Identifier: GPL-3.0-or-later
"""How many generations of this process may be at the service at once. The others wait, the oldest first."""

from __future__ import annotations

import bisect
import contextlib
import threading
from collections.abc import Callable, Iterator

from ..scenario import CanceledError
from . import limits
from .steering import Steering


class Places:
    """A place is held from the upload until the model is on disk. Any thread.

    :ivar count: how many there are; may be changed at any time.
    """

    def __init__(self, count: int = limits.CONCURRENCY) -> None:
        self.count = count
        self._taken = 0
        self._queue: list[tuple[float, object]] = []
        """When it was asked for, and whose place it is, in that order."""
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, since: float, steering: Steering, on_wait: Callable[[], None] | None) -> Iterator[None]:
        """One place, for as long as the block lasts.

        :param since: who asked for it earlier is served earlier, whoever was ready to wait first.
        :param on_wait: called if there is none free yet. ``None`` takes a place whether there is one or not: a job that
            the service has begun is not held up by those that wait to begin.
        :raises CanceledError: stopped while waiting.
        """
        with self._changed:
            if on_wait is not None:
                self._wait(since, steering, on_wait)
            self._taken += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify_all()

    def _wait(self, since: float, steering: Steering, on_wait: Callable[[], None]) -> None:
        ticket = (since, object())
        bisect.insort(self._queue, ticket, key=lambda waiting: waiting[0])
        try:
            if not self._is_turn(ticket):
                on_wait()
            while not steering.event.is_set() and not self._is_turn(ticket):
                self._changed.wait(limits.PLACE_CHECK_SECONDS)
            if steering.event.is_set():
                raise CanceledError("Stopped before the model was asked for.")
        finally:
            self._queue.remove(ticket)
            self._changed.notify_all()

    def _is_turn(self, ticket: tuple[float, object]) -> bool:
        return self._queue[0] is ticket and self._taken < self.count
