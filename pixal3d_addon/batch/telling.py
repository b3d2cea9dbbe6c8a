# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells whoever looks on of what changes while a batch runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ..generation import Snapshot
from .board import Standing
from .claims import Claims
from .entry import Entry
from .finishing import Finisher
from .outcome import Event
from .records import entry_of


class Told:
    """Tells of each change once. In the thread that runs the batch."""

    def __init__(self, claims: Claims, finisher: Finisher, on_event: Callable[[Event], None] | None) -> None:
        self._claims = claims
        self._finisher = finisher
        self._on_event = on_event
        self._seen: dict[str, Snapshot] = {}

    def tell(self, entry: Entry, progress: float | None = None, notice: str = "") -> None:
        if self._on_event is None:
            return
        counts = self._claims.board.counts
        failed = failures(counts) + self._finisher.failures
        status = entry.service_status
        event = Event(entry, progress, status, notice, counts[Standing.DONE], failed, self._claims.board.items)
        self._on_event(event)

    def tell_of(self, snapshots: tuple[Snapshot, ...]) -> None:
        seen, self._seen = self._seen, {snapshot.generation.id: snapshot for snapshot in snapshots}
        for key, snapshot in self._seen.items():
            if snapshot is not seen.get(key) and (entry := self._claims.find(key)):
                self.tell(entry_of(snapshot.generation, entry), snapshot.shown_progress, snapshot.notice)


def failures(counts: Counter[Standing]) -> int:
    """How many items have failed."""
    return counts[Standing.FAILED] + counts[Standing.LOST] + counts[Standing.BROKEN]
