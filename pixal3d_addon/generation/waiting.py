# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting in the calling thread for what workers do, and telling how far it is. For scripts; any thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import limits
from .manager import Manager
from .record import Snapshot
from .state import State


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a generation is, at one moment."""

    index: int
    """Which of those that were asked for together, from 0."""
    name: str
    """The image's, without its file extension."""
    status: State
    """Ours. It is a text, too: ``"running"``."""
    service_status: str
    """The service's own word for it: ``queued``, ``in-progress`` …; empty before there is a job."""
    fraction: float | None
    """0 to 1 within the present status, ``None`` when nobody knows. Never goes on to 1 by guessing."""
    is_queued: bool
    """Waits for one of the others to end."""
    notice: str
    """A passing difficulty, such as the network being away; else empty."""
    job_id: str
    """The service's job; empty before there is one. From here on the model is paid for, and can be fetched by it."""
    cost: float | None
    """Creative units, once the service has said."""

    @classmethod
    def of(cls, snapshot: Snapshot, index: int = 0) -> Progress:
        generation = snapshot.generation
        return cls(
            index,
            generation.name,
            generation.state,
            generation.service_status,
            1.0 if generation.state in {State.READY, State.IMPORTED} else snapshot.shown_progress,
            snapshot.is_queued,
            snapshot.notice,
            generation.job_id,
            generation.cost,
        )


def wait(
    manager: Manager,
    generation_ids: Sequence[str],
    timeout: float | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> bool:
    """Block until no worker is at any of them, for `timeout` seconds at most; whether none is.

    If something ends the waiting (the interrupt key, an exception in `on_progress`), the runs end too, as
    :meth:`Manager.pause` says: nothing is lost, and nothing more is paid for.

    :param on_progress: called in this thread when something has changed, at least once for each.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    told: dict[str, Progress] = {}
    try:
        while True:
            is_busy = any(map(manager.is_running, generation_ids))
            if on_progress is not None:
                for index, generation_id in enumerate(generation_ids):
                    snapshot = manager.get(generation_id)
                    progress = Progress.of(snapshot, index) if snapshot else None
                    if progress is not None and progress != told.get(generation_id):
                        told[generation_id] = progress
                        on_progress(progress)
            left = limits.WAIT_LOOK_SECONDS if deadline is None else deadline - time.monotonic()
            if not is_busy or left <= 0:
                return not is_busy
            time.sleep(min(left, limits.WAIT_LOOK_SECONDS))
    except BaseException:
        for generation_id in generation_ids:
            manager.pause(generation_id)
        raise
