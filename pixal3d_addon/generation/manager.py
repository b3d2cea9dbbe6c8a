# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations under way in this process: their threads, and what can be seen of them from the main thread.

The manager keeps the newest :class:`Snapshot` of each generation in memory. Reading it waits for nothing, so
``draw`` and ``poll`` may. Everything that touches the disk or the network runs in a named daemon thread for each
generation; nothing here touches bpy.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..scenario import Connection, ScenarioError
from . import limits
from .errors import GenerationError
from .record import Generation, Snapshot, State
from .source import SourceImage
from .store import Store
from .worker import Stop, run

_log = logging.getLogger(__name__)

_RESUMABLE = frozenset({State.SUBMITTING, State.UNCERTAIN, State.RUNNING, State.DOWNLOADING})
_UNFINISHED = _RESUMABLE | {State.PREPARED, State.UPLOADING, State.READY, State.ABANDONED}
_CLOSED_BEFORE = "Blender was closed before the model was asked for. Nothing was charged; generate it again."


class Manager:
    """Starts generations and knows how far they are. All methods return at once unless they say otherwise."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self._snapshots: dict[str, Snapshot] = {}
        self._stops: dict[str, Stop] = {}
        self._threads: list[threading.Thread] = []
        self._left_to_artist: set[str] = set()
        """Whose models are placed by a click only."""
        self._is_resuming = False
        self._is_closed = False
        self._lock = threading.Lock()
        """Around what several threads begin; never held while anything waits."""

    def snapshots(self) -> tuple[Snapshot, ...]:
        """The generations of this process, oldest first. Main thread; memory only."""
        return tuple(self._snapshots.values())

    def get(self, generation_id: str) -> Snapshot | None:
        """Main thread; memory only."""
        return self._snapshots.get(generation_id)

    def is_running(self, generation_id: str) -> bool:
        """Whether a worker is at it right now."""
        return generation_id in self._stops

    @property
    def is_busy(self) -> bool:
        """Whether any worker is at work, or a model is to be placed."""
        return bool(self._stops) or self._is_resuming or any(self.is_awaited(s.generation) for s in self.snapshots())

    def is_awaited(self, generation: Generation) -> bool:
        """Whether its model is ready and to be placed by itself.

        That of a generation that was taken over is not: another file may be open by now, so the artist decides. Nor is
        one that could not be placed: it would be tried again for ever.
        """
        return generation.state is State.READY and generation.id not in self._left_to_artist

    def is_double_click(self, generation: Generation) -> bool:
        """Whether the same image with the same settings is on its way since a moment ago, or not yet paid for."""
        return any(
            (other.name, other.parameters) == (generation.name, generation.parameters)
            and self.is_running(other.id)
            and (
                other.state in (State.PREPARED, State.UPLOADING, State.SUBMITTING)
                or generation.created_at - other.created_at < limits.DOUBLE_CLICK_SECONDS
            )
            for other in (snapshot.generation for snapshot in self.snapshots())
        )

    def resume(self, connection: Connection | None) -> None:
        """Take over what a Blender that has ended left unfinished, in the background; returns at once.

        Jobs are waited for again, downloads go on, models that are ready are shown. What had not been paid for is not
        begun anew: that is for the artist to decide.

        :param connection: ``None`` if there is no key or no network; then the records are shown, to be fetched later.
        """

        def work() -> None:
            try:
                found = self.store.take_over(_UNFINISHED)
                for generation in found:
                    if generation.state in (State.PREPARED, State.UPLOADING):
                        generation = self.store.save(generation.changed(state=State.FAILED, error=_CLOSED_BEFORE))
                    self._left_to_artist.add(generation.id)
                    self._keep(Snapshot(generation))
                    if connection is not None and generation.state in _RESUMABLE:
                        self.start(generation, None, connection)
            except GenerationError as error:
                _log.warning("The unfinished generations could not be taken over: %s", error)
            finally:
                self._is_resuming = False

        self._is_resuming = True
        self._in_background("pixal3d-resume", work)

    def start(self, generation: Generation, source: SourceImage | None, connection: Connection) -> None:
        """Carry `generation` on in a background thread. Its end is seen in :meth:`snapshots`."""
        stop = self._enter(generation)

        def work() -> None:
            # What went wrong is in the newest snapshot already.
            with contextlib.suppress(ScenarioError, GenerationError):
                self._run(generation, source, connection, stop)

        self._in_background(f"pixal3d-{generation.id[:8]}", work)

    def run(self, generation: Generation, source: SourceImage | None, connection: Connection) -> Generation:
        """The same in the calling thread: blocks until the model is ``ready``, and returns the generation.

        :raises ScenarioError, GenerationError: the model could not be had; the record says how far it came.
        """
        return self._run(generation, source, connection, self._enter(generation))

    def stop(self, generation_id: str) -> None:
        """The artist no longer waits."""
        if stop := self._stops.get(generation_id):
            stop.request()

    def mark_imported(self, generation_id: str) -> None:
        """The model stands in the scene."""
        self._mark(generation_id, state=State.IMPORTED, error="")

    def mark_import_failed(self, generation_id: str, error: str) -> None:
        """Blender could not place the model. It stays ready, for the artist to try again."""
        self._left_to_artist.add(generation_id)
        self._mark(generation_id, error=error)

    def forget(self, generation_id: str) -> None:
        """Take a generation that has ended off the list, for good. Its record and its files stay on disk."""
        if generation_id in self._stops or generation_id not in self._snapshots:
            return
        self._mark(generation_id, is_dismissed=True)
        del self._snapshots[generation_id]

    def close(self) -> None:
        """End all threads. Waits for :data:`limits.CLOSE_PATIENCE_SECONDS` at most: a thread that hangs in the
        network is a daemon, ends by itself at its timeout, and holds nothing that Blender needs.
        """
        with self._lock:
            self._is_closed = True
            stops = tuple(self._stops.values())
        for stop in stops:
            stop.request(is_closing=True)
        deadline = time.monotonic() + limits.CLOSE_PATIENCE_SECONDS
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        if not any(thread.is_alive() for thread in self._threads):
            self.store.release()

    def _enter(self, generation: Generation) -> Stop:
        with self._lock:
            if self._is_closed or generation.id in self._stops:
                raise GenerationError("This generation is already under way.")
            stop = self._stops[generation.id] = Stop()
        self._keep(Snapshot(dataclasses.replace(generation, error="")))
        return stop

    def _run(
        self, generation: Generation, source: SourceImage | None, connection: Connection, stop: Stop
    ) -> Generation:
        try:
            return run(generation, source, store=self.store, connection=connection, stop=stop, report=self._keep)
        finally:
            del self._stops[generation.id]

    def _keep(self, snapshot: Snapshot) -> None:
        self._snapshots[snapshot.generation.id] = snapshot

    def _mark(self, generation_id: str, **changes: object) -> None:
        """At once in memory; on disk soon, since the main thread must not wait for the disk."""
        generation = self._snapshots[generation_id].generation.changed(**changes)
        self._keep(Snapshot(generation))
        self._in_background(f"pixal3d-note-{generation_id[:8]}", lambda: self._save(generation))

    def _save(self, generation: Generation) -> None:
        try:
            self.store.save(generation)
        except GenerationError as error:
            _log.warning("The record of %s could not be written: %s", generation.name, error)

    def _in_background(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        with self._lock:
            self._threads = [other for other in self._threads if other.is_alive()]
            thread.start()
            self._threads.append(thread)
