# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run is ended from outside."""

from __future__ import annotations

import threading


class Steering:
    """One for each run. Any thread; waits for nothing.

    :ivar event: set when the run is to end.
    :ivar goes_on_later: it ends because Blender closes or the network may not be used, and not because the artist no
        longer waits: the record stays as it is, to be gone on with.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.goes_on_later = False

    def stop(self) -> None:
        """The artist no longer waits."""
        self.goes_on_later = False
        self.event.set()

    def pause(self) -> None:
        """To be gone on with later. Does not take back a stop."""
        if not self.event.is_set():
            self.goes_on_later = True
            self.event.set()
