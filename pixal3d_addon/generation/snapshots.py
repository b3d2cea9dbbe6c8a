# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest of each generation of this process: in memory for those who look on, and on disk.

A record is changed from two sides: by its worker, and by the artist, who moves it to another file meanwhile. So nobody
writes a record as he last saw it. Each change is made to the newest one, and what is written last is the newest: an
older one over the note that the paid request is about to leave would let the next Blender send it again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from .errors import StoreError, TakenError
from .record import Generation, Snapshot
from .state import UNPAID, State
from .store import Store


class Records(Protocol):
    """What a run needs of the place where the records are kept. The :class:`Store` is one."""

    def save(self, generation: Generation) -> Generation:
        """See :meth:`Store.save`."""

    def get(self, generation_id: str) -> Generation | None:
        """See :meth:`Store.get`."""

    def make_folder(self, generation: Generation, results: Path | None = None) -> Path:
        """See :meth:`Store.make_folder`."""

    def claim_job(self, generation_id: str, job_id: str) -> bool:
        """See :meth:`Store.claim_job`."""


class Snapshots:
    """What the main thread calls is memory only, and takes a lock that is held for a moment only."""

    def __init__(self, store: Records) -> None:
        self.store = store
        self._newest: dict[str, Snapshot] = {}
        self._past: set[str] = set()
        """Which of them were closed when they were read, and untouched here since."""
        self._sorted: dict[bool, tuple[Snapshot, ...]] = {}
        """What :meth:`all` returns, without the past and with it, until something changes."""
        self._unwritten: set[str] = set()
        """Whose newest record is not on disk."""
        self._troubles: dict[str, str] = {}
        """Why it could not be written."""
        self._is_noted = False
        self._memory = threading.Lock()
        self._disk = threading.Lock()
        """Held while the disk is written, so never taken on the main thread. Taken before the other one."""

    # Main thread too.

    def all(self, *, with_past: bool = False) -> tuple[Snapshot, ...]:
        """Oldest first. The very same tuple until something changes.

        :param with_past: those too that only :meth:`put_past` has made known.
        """
        found = self._sorted.get(with_past)
        if found is None:
            with self._memory:
                known = self._newest.values()
                chosen = known if with_past else (s for s in known if s.generation.id not in self._past)
                found = tuple(sorted(chosen, key=lambda snapshot: snapshot.generation.created_at))
                self._sorted[with_past] = found
        return found

    def get(self, generation_id: str) -> Snapshot | None:
        """``None`` if it is not known here."""
        return self._newest.get(generation_id)

    def put(self, generation: Generation) -> None:
        """It is known from now on, as it is."""
        with self._memory:
            self._past.discard(generation.id)
            self._set(generation.id, Snapshot(generation))

    def put_past(self, generations: Iterable[Generation]) -> None:
        """They are known from now on, unless they are already. They have ended, and need nobody's care."""
        with self._memory:
            for generation in generations:
                if generation.id not in self._newest:
                    self._past.add(generation.id)
                    self._set(generation.id, Snapshot(generation))

    def report(
        self, generation_id: str, *, progress: float | None = None, notice: str = "", is_queued: bool = False
    ) -> None:
        """How it is going: see :class:`Snapshot`. Not stored."""
        with self._memory:
            if known := self._newest.get(generation_id):
                notice = notice or self._troubles.get(generation_id, "")
                self._set(generation_id, Snapshot(known.generation, progress, notice, is_queued))

    def note(self, generation_id: str, **changes: object) -> bool:
        """Change the record in memory now; :meth:`write` brings it to the disk. Does nothing if it is not known.

        :returns: whether :meth:`write` is to be called for it: not if a call for an earlier note has not begun yet.
        """
        with self._memory:
            if known := self._newest.get(generation_id):
                self._past.discard(generation_id)
                self._set(generation_id, Snapshot(known.generation.changed(**changes)))
                self._unwritten.add(generation_id)
            is_first, self._is_noted = not self._is_noted, True
        return is_first

    def drop(self, generation_id: str) -> Generation | None:
        """Not to be known any more."""
        with self._memory:
            self._unwritten.discard(generation_id)
            self._past.discard(generation_id)
            known = self._newest.pop(generation_id, None)
            self._sorted.clear()
        return known.generation if known else None

    def _set(self, generation_id: str, snapshot: Snapshot) -> None:
        """With the lock held."""
        self._newest[generation_id] = snapshot
        self._sorted.clear()

    # Workers.

    def save(self, generation_id: str, **changes: object) -> None:
        """On return the changed record is on disk.

        Once the paid request may be out, a disk that can't be written must not keep the mesh from the artist: then the
        change is made in memory, and is on disk as soon as :meth:`write` succeeds.

        :raises StoreError: it can't be written, and nothing was charged yet. Nothing was changed then.
        """
        with self._disk:
            before = self._newest[generation_id].generation
            changed = before.changed(**changes)
            trouble = ""
            try:
                self.store.save(changed)
            except StoreError as error:
                if changed.state in UNPAID or changed.state is State.SUBMITTING:
                    raise
                trouble = str(error)
            with self._memory:
                newest = self._newest[generation_id].generation
                if newest is not before:  # something was noted meanwhile
                    changed = newest.changed(**changes)
                self._set(generation_id, Snapshot(changed, notice=trouble))
                self._note_trouble(generation_id, trouble)
                if trouble or newest is not before:
                    self._unwritten.add(generation_id)
                else:
                    self._unwritten.discard(generation_id)

    def write(self) -> None:
        """Bring to the disk what is in memory only.

        :raises StoreError: not all could be; the rest is for the next call.
        """
        trouble: StoreError | None = None
        with self._disk:
            with self._memory:
                self._is_noted = False
                todo = [self._newest[generation_id].generation for generation_id in self._unwritten]
            for generation in todo:
                try:
                    self.store.save(generation)
                except TakenError:
                    pass  # the other Blender's account of it counts; trying again would change nothing
                except StoreError as error:
                    trouble = error
                    continue
                with self._memory:
                    self._note_trouble(generation.id, "")
                    newest = self._newest.get(generation.id)
                    if newest is None or newest.generation is generation:
                        self._unwritten.discard(generation.id)
        if trouble:
            raise trouble

    def _note_trouble(self, generation_id: str, trouble: str) -> None:
        if trouble:
            self._troubles[generation_id] = trouble
        else:
            self._troubles.pop(generation_id, None)


class StoredSnapshots(Snapshots):
    """Those of a store that keeps the files too."""

    store: Store

    def __init__(self, store: Store) -> None:
        super().__init__(store)

    def remove(self, generation: Generation) -> None:
        """Delete the record and the files of one that was dropped.

        :raises StoreError: see :meth:`Store.remove`.
        """
        with self._disk:
            self.store.remove(generation)

    def make_room(self, most_bytes: int) -> None:
        """See :meth:`Store.make_room`."""
        with self._disk:
            for emptied in self.store.make_room(most_bytes):
                with self._memory:
                    if known := self._newest.get(emptied.id):
                        self._set(emptied.id, Snapshot(known.generation.without_files()))
