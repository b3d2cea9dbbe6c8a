# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon threads of a manager."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .errors import GenerationError

_log = logging.getLogger(__name__)


class Threads:
    """Starts them, and knows when they have ended. Any thread."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[], None]) -> None:
        """`work` in a thread called `name`, :func:`guarded`."""
        thread = threading.Thread(target=guarded, args=(work,), name=name, daemon=True)
        with self._lock:
            # One that was not started yet has no number, and is not alive either.
            self._threads = [other for other in self._threads if other.ident is None or other.is_alive()]
            self._threads.append(thread)
        thread.start()

    def join(self, seconds: float | None) -> bool:
        """Wait for all to end, for so long at most; whether they have. ``None`` waits for as long as it takes."""
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._lock:
            threads = [thread for thread in self._threads if thread.ident is not None]
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)


def guarded(work: Callable[[], None]) -> None:
    """The border of a thread: what goes wrong is noted, and the thread goes on."""
    try:
        work()
    except GenerationError as error:
        _log.warning("%s", error)
    except Exception:
        _log.exception("A fault in the add-on")
