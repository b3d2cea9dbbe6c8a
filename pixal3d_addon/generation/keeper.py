# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes on with what was interrupted: by an outage, for want of a key, or by the death of another Blender that uses the
same store.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ..scenario import Connection, ScenarioError
from . import limits
from .errors import GenerationError, StoreError
from .record import Generation
from .retries import Retries
from .snapshots import StoredSnapshots
from .state import OWED, UNPAID, State
from .steering import Steering
from .threads import guarded

_log = logging.getLogger(__name__)

_CLOSED_BEFORE = "Blender was closed before the model was asked for. Nothing was charged."
_CLOSED_BEFORE_HINT = "Generate it now, or remove it."


class Keeper:
    """Memory only, from any thread, but for :meth:`look_after`.

    :param begin: starts a run of a generation that is known here, unless it runs or is done with. Called in the thread
        of :meth:`look_after`.
    :param note_disk_use: called there now and then.
    :param learn: told there of the generations of earlier sessions, oldest first.
    :ivar connection: the way to the service, ``None`` if there is no key or no network.
    :ivar has_looked: whether all that a Blender had left behind was taken over.
    :ivar inherited: what was taken over, and not asked for here since.
    """

    def __init__(
        self,
        snapshots: StoredSnapshots,
        begin: Callable[[str, Connection], None],
        note_disk_use: Callable[[], None],
        learn: Callable[[Iterable[Generation]], None],
    ) -> None:
        self.connection: Connection | None = None
        self.has_looked = False
        self.inherited: set[str] = set()
        self._snapshots = snapshots
        self._begin = begin
        self._note_disk_use = note_disk_use
        self._learn = learn
        self._retries = Retries()
        self._wakes = threading.Event()
        self._has_listed = False
        self._told = ""
        """Why the disk can't be used; empty since it can."""
        self._is_closed = False

    def close(self) -> None:
        """:meth:`look_after` returns soon."""
        self._is_closed = True
        self._wakes.set()

    def use(self, connection: Connection | None) -> None:
        """With a way that has changed, everything that was interrupted is gone on with at once."""
        if connection == self.connection:
            return
        self.connection = connection
        if connection is not None:
            self._retries.hurry()
            self._wakes.set()

    def is_retried(self, generation_id: str) -> bool:
        """Whether its next run will begin by itself."""
        return self._retries.is_planned(generation_id)

    def forget(self, generation_id: str) -> None:
        """It has ended well, or the artist has decided."""
        self._retries.forget(generation_id)

    def note_end(
        self,
        generation: Generation,
        problem: ScenarioError | GenerationError | None,
        connection: Connection,
        steering: Steering,
    ) -> None:
        """A run over `connection` has ended, and left `generation` behind."""
        if problem is None:
            self._retries.forget(generation.id)
        elif steering.goes_on_later:
            self._retries.begin(generation.id)
        else:
            is_outdated = self.connection not in (None, connection)
            self._retries.note(generation, problem, is_outdated=is_outdated)

    def look_after(self) -> None:
        """Blocks until :meth:`close`. Takes over at once and then now and then, and begins runs again in between."""
        next_look = 0.0
        while not self._is_closed:
            is_time = time.monotonic() >= next_look
            troubles = list[StoreError]()
            if is_time:
                troubles += self._troubles_of(self._take_over, self._snapshots.write, self._note_disk_use)
                next_look = time.monotonic() + limits.TAKE_OVER_SECONDS
            guarded(self._begin_again)
            if is_time:
                troubles += [] if self._has_listed else self._troubles_of(self._look_back)
                self._tell(troubles)
            self.has_looked = True
            self._wakes.wait(limits.KEEPER_SECONDS)
            self._wakes.clear()

    def _troubles_of(self, *works: Callable[[], None]) -> list[StoreError]:
        """Do each of them, and say what the disk has refused."""
        troubles = list[StoreError]()

        def note(work: Callable[[], None]) -> None:
            try:
                work()
            except StoreError as error:
                troubles.append(error)

        for work in works:
            guarded(functools.partial(note, work))
        return troubles

    def _tell(self, troubles: list[StoreError]) -> None:
        """Once, until it goes well again: a disk may be full for days."""
        store = self._snapshots.store
        if troubles and not self._told:
            self._told = str(troubles[0])
            store.notice = store.notice or self._told
            _log.warning("%s", self._told)
        elif not troubles and self._told:
            if store.notice == self._told:
                store.notice = ""
            self._told = ""

    def _take_over(self) -> None:
        """What a Blender that has died left behind is this one's from now on."""
        if not self._snapshots.store.exists:
            return
        for generation in self._snapshots.store.take_over():
            changes: dict[str, object] = {}
            state = generation.state
            if state is State.IMPORTED:  # into a scene that was not saved before Blender died
                state = State.READY
                changes = {"state": state, "error": "", "hint": ""}
            if state is State.READY and not Path(generation.glb_file).is_file():
                state = State.DOWNLOADING
                changes = {"state": state, "error": "", "hint": ""}
            is_fresh_click = generation.is_click and time.time() - generation.created_at <= limits.INTENT_SECONDS
            if state in UNPAID and not is_fresh_click:
                changes = {"error": _CLOSED_BEFORE, "hint": _CLOSED_BEFORE_HINT}
            self.inherited.add(generation.id)
            self._snapshots.put(generation)
            if changes:
                self._snapshots.note(generation.id, **changes)
            if state in OWED or (state in UNPAID and is_fresh_click):
                self._retries.begin(generation.id)

    def _look_back(self) -> None:
        """What has ended in earlier sessions is listed too."""
        generations = self._snapshots.store.all()[::-1] if self._snapshots.store.exists else []
        self._snapshots.put_past(generation for generation in generations if not generation.is_open)
        self._learn(generations)
        self._has_listed = True

    def _begin_again(self) -> None:
        connection = self.connection
        if connection is not None:
            for generation_id in self._retries.take_due():
                self._begin(generation_id, connection)
