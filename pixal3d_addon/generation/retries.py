# SPDX-License-Identifier: GPL-3.0-or-later
"""When an interrupted run of a mesh that is owed is begun again, by itself."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace

from ..scenario import (
    ConfigurationError,
    KeyRejectedError,
    NoModelError,
    NotFoundError,
    PlanRequiredError,
    ScenarioError,
)
from . import limits
from .errors import GenerationError, NotFinishedError
from .record import Generation
from .state import OWED, State


@dataclass(frozen=True, slots=True)
class _Retry:
    attempt: int
    due: float
    """By ``time.monotonic``; infinite if it was begun, or only another key helps."""
    is_begun: bool = False
    """Its time has come, and how it ends is not known yet."""


class Retries:
    """Any thread; memory only."""

    def __init__(self) -> None:
        self._retries: dict[str, _Retry] = {}
        self._lock = threading.Lock()

    def is_planned(self, generation_id: str) -> bool:
        """Whether a time is set for it, or has just come."""
        retry = self._retries.get(generation_id)
        return retry is not None and (retry.is_begun or retry.due != math.inf)

    def forget(self, generation_id: str) -> None:
        """It has ended well, or the artist has decided."""
        with self._lock:
            self._retries.pop(generation_id, None)

    def note(
        self, generation: Generation, error: ScenarioError | GenerationError, *, is_outdated: bool = False
    ) -> None:
        """A run has ended with `error`, and left `generation` behind.

        With another key it is begun again at once (:meth:`hurry`), else after a pause that grows. What is not at the
        service after the last pause won't be: that is left to the artist.

        :param is_outdated: there is another key by now.
        """
        with self._lock:
            retry = self._retries.get(generation.id, _Retry(0, 0.0))
            if generation.state not in OWED or isinstance(error, NotFinishedError):
                self._retries.pop(generation.id, None)
                return
            pauses = limits.RETRY_PAUSES_SECONDS
            is_absent = generation.state is State.UNCERTAIN or isinstance(error, NotFoundError | NoModelError)
            is_hopeless = is_absent and retry.attempt >= len(pauses)
            if is_outdated:
                due = 0.0
            elif is_hopeless or isinstance(error, ConfigurationError | KeyRejectedError | PlanRequiredError):
                due = math.inf
            else:
                due = time.monotonic() + pauses[min(retry.attempt, len(pauses) - 1)]
            self._retries[generation.id] = _Retry(retry.attempt + 1, due)

    def begin(self, generation_id: str) -> None:
        """It was taken over: its time has come."""
        with self._lock:
            self._retries[generation_id] = _Retry(0, 0.0)

    def hurry(self) -> None:
        """Something has changed that may help all of them."""
        with self._lock:
            self._retries = {generation_id: _Retry(0, 0.0) for generation_id in self._retries}

    def take_due(self) -> list[str]:
        """Those whose time has come. Each is told once."""
        now = time.monotonic()
        with self._lock:
            due = [generation_id for generation_id, retry in self._retries.items() if retry.due <= now]
            for generation_id in due:
                self._retries[generation_id] = replace(self._retries[generation_id], due=math.inf, is_begun=True)
        return due
