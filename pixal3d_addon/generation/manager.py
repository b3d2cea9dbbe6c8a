# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations under way in this process: what can be seen of them from the main thread, and what can be done.

Everything that touches the disk or the network runs in a named daemon thread for each generation (:mod:`.worker`);
nothing here touches bpy. What can be seen is in memory (:mod:`.snapshots`). What was interrupted is gone on with by a
further thread (:mod:`.keeper`).
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..parameters import complete
from ..scenario import Connection, Gate, ScenarioError
from . import limits
from .errors import GenerationError
from .keeper import Keeper
from .places import Places
from .record import Generation, Placement, Snapshot
from .snapshots import StoredSnapshots
from .source import Source
from .state import OWED, UNPAID, State
from .steering import Steering
from .store import Store
from .threads import Threads, guarded
from .time_left import Experience
from .worker import STOPPED_AFTER, STOPPED_AFTER_HINT, run


@dataclass(frozen=True, slots=True)
class Settings:
    """What the artist may set."""

    concurrency: int = limits.CONCURRENCY
    """Generations at the service at once."""
    results: Path | None = None
    """Where new images and models are kept; ``None`` for the store's own folder."""
    most_bytes: int | None = None
    """What images and models may take on disk; ``None`` for as much as there is."""
    takes_over: bool = True
    """Whether starting a generation also begins to go on by itself with what was interrupted, here and by the death of
    another process. :meth:`Manager.resume` does so in any case."""


class Manager:
    """Starts generations and knows how far they are. All methods return at once unless they say otherwise."""

    def __init__(self, folder: Path, settings: Settings = Settings()) -> None:
        self.store = Store(folder)
        self.settings = settings
        self.bytes_on_disk: int | None = None
        """What images and models take, ``None`` before it is known. Memory only."""
        self._snapshots = StoredSnapshots(self.store)
        self._problems: dict[str, ScenarioError | GenerationError] = {}
        """What ended the last run of each."""
        self._runs: dict[str, Steering] = {}
        self._gate = Gate()
        self._places = Places(settings.concurrency)
        self._threads = Threads()
        self._experience = Experience()
        self._keeper = Keeper(self._snapshots, self._begin_again, self._note_disk_use, self._experience.learn)
        self._has_keeper = False
        self._shown_at: dict[str, float] = {}
        """When the artist could see what a click had begun; in all the future until then."""
        self._refused: set[str] = set()
        """Whose models Blender could not place: the artist decides when it is tried again."""
        self._is_closed = False
        self._lock = threading.Lock()
        """Around what several threads begin and end; never held while anything waits."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """See :meth:`close`."""
        self.close()

    # What can be seen. Main thread; memory only.

    def snapshots(self) -> tuple[Snapshot, ...]:
        """The generations of this process, oldest first. The very same tuple until something changes."""
        return self._snapshots.all()

    def history(self) -> tuple[Snapshot, ...]:
        """Those, and the newest that have ended in earlier sessions and in other Blenders. Oldest first, the very same
        tuple until something changes."""
        return self._snapshots.all(with_past=True)

    def seconds_left(self, generation: Generation) -> float | None:
        """Until the service is done with it, as far as earlier ones tell; ``None`` if they don't."""
        return self._experience.seconds_left(generation, time.time())

    def get(self, generation_id: str) -> Snapshot | None:
        """``None`` if it is not known here."""
        return self._snapshots.get(generation_id)

    def is_running(self, generation_id: str) -> bool:
        """Whether a worker is at it right now, or it waits for its turn."""
        return generation_id in self._runs

    def problem(self, generation_id: str) -> ScenarioError | GenerationError | None:
        """What ended the last run; ``None`` if it went well, or goes on. Each call gives an error of its own, to be
        raised."""
        return copy.copy(self._problems.get(generation_id))

    def is_retried(self, generation_id: str) -> bool:
        """Whether it was interrupted and is gone on with by itself."""
        return self._has_keeper and self._keeper.is_retried(generation_id)

    def is_inherited(self, generation_id: str) -> bool:
        """Whether another Blender left it behind, which may have placed the model without being able to note it."""
        return generation_id in self._keeper.inherited

    @property
    def is_busy(self) -> bool:
        """Whether any worker is at work, or the store is still to be looked at."""
        return bool(self._runs) or (self._has_keeper and not self._keeper.has_looked)

    @property
    def notice(self) -> str:
        """What the artist must be told of the store; empty if all is well."""
        return self.store.notice

    def dismiss_notice(self) -> None:
        """The artist has read it."""
        self.store.notice = ""

    def arrived(self) -> list[Generation]:
        """Those whose model is ready and that Blender has not refused, oldest first."""
        generations = (snapshot.generation for snapshot in self.snapshots())
        return [g for g in generations if g.state is State.READY and g.id not in self._refused]

    def is_double_click(self, generation: Generation) -> bool:
        """Whether the same image with the same settings is on its way since a moment ago, or not yet paid for."""
        return any(
            (other.name, other.parameters) == (generation.name, generation.parameters)
            and self.is_running(other.id)
            and (
                other.state in UNPAID
                or other.state is State.SUBMITTING
                or generation.created_at - self._shown_at.get(other.id, other.created_at) < limits.DOUBLE_CLICK_SECONDS
            )
            for other in (snapshot.generation for snapshot in self.snapshots())
        )

    # What can be done.

    def note_click(self, generation_id: str) -> None:
        """It was begun by a click, which nothing shows yet. A busy Blender may draw seconds later, and hands a second
        click on before the artist has seen the effect of the first."""
        self._shown_at[generation_id] = math.inf

    def note_shown(self, generation_id: str) -> None:
        """Blender has drawn it."""
        self._shown_at[generation_id] = time.time()

    def configure(self, settings: Settings, connection: Connection | None) -> None:
        """What the artist has set by now, and the way to the service, ``None`` if there is no key or no network.

        Without a way nothing is asked any more; with a new one, all that was interrupted is gone on with at once.
        """
        self.settings = settings
        self._places.count = settings.concurrency
        self._keeper.use(connection)
        if connection is None:
            for steering in tuple(self._runs.values()):
                steering.pause()

    def resume(self) -> None:
        """Take over what a Blender that has ended left behind, in the background, now and from now on.

        Jobs are waited for again, downloads go on, models that are ready are shown. A click that had not been paid for
        is carried out if it was made a short while ago; else the artist decides.
        """
        self._start_keeper()

    def start(
        self, generation: Generation, source: Source | None, connection: Connection, *, instead_of: str = ""
    ) -> None:
        """Carry `generation` on in a background thread. Its end is seen in :meth:`snapshots`.

        :param source: the image, for a new generation; ``None`` for one that the store knows.
        :param instead_of: one that has failed, and that is removed as soon as the new one is on disk.
        """
        self._keeper.use(connection)
        steering = self._enter(generation)

        def on_prepared() -> None:
            if instead_of:
                self.remove(instead_of)

        self._run_in_background(generation.id, source, connection, steering, on_prepared)
        if self.settings.takes_over:
            self._start_keeper()

    def adopt(self, job_id: str, placement: Placement, connection: Connection) -> None:
        """Fetch the model of a job of this project, whoever began it. Nothing is charged for it."""
        self.start(self.of_job(job_id, placement), None, connection)

    def of_job(self, job_id: str, placement: Placement) -> Generation:
        """The generation of a job, to be started or run: the one that is known, or a new one. Memory only."""
        job_id = job_id.strip()
        known = next((s.generation for s in self.history() if s.generation.job_id == job_id), None)
        new = Generation(job_id, complete({}), state=State.RUNNING, job_id=job_id)
        return dataclasses.replace(known or new, placement=placement)

    def run(self, generation: Generation, source: Source | None, connection: Connection) -> Generation:
        """The same in the calling thread: blocks until the model is ``ready``, and returns the generation.

        :raises ScenarioError, GenerationError: the model could not be had; the record says how far it came.
        """
        return self._run(generation.id, source, connection, self._enter(generation))

    def stop(self, generation_id: str) -> None:
        """The artist no longer waits."""
        if steering := self._runs.get(generation_id):
            steering.stop()

    def pause(self, generation_id: str) -> None:
        """Its run ends soon, and the record stays as it is, to be gone on with. Nothing is paid for meanwhile that was
        not asked for yet."""
        if steering := self._runs.get(generation_id):
            steering.pause()

    def let_go(self, generation_id: str) -> None:
        """The artist does not want the model in the scene. What is on disk stays there, what is paid can be fetched."""
        with self._lock:
            if steering := self._runs.get(generation_id):
                steering.stop()
                return
        snapshot = self.get(generation_id)
        state = snapshot.generation.state if snapshot else None
        if state is State.READY:
            self._note(generation_id, state=State.IMPORTED, is_kept=True)
        elif state in OWED:
            self._keeper.forget(generation_id)
            self._note(generation_id, state=State.ABANDONED, error=STOPPED_AFTER, hint=STOPPED_AFTER_HINT)

    def mark_imported(self, generation_id: str) -> None:
        """The model stands in the scene."""
        self._refused.discard(generation_id)
        self._keeper.inherited.discard(generation_id)
        self._note(generation_id, state=State.IMPORTED, is_kept=False, error="", hint="")

    def mark_kept(self, generation_ids: Iterable[str]) -> None:
        """Their models are in a .blend file that was saved, or were let go knowingly."""
        for generation_id in generation_ids:
            snapshot = self.get(generation_id)
            if snapshot and snapshot.generation.state is State.IMPORTED and not snapshot.generation.is_kept:
                self._note(generation_id, is_kept=True)

    def mark_import_failed(self, generation_id: str, error: GenerationError) -> None:
        """Blender could not place the model. It stays ready, for the artist to try again."""
        self._refused.add(generation_id)
        self._note(generation_id, error=error.message, hint=error.remedy)

    def move(self, generation_id: str, placement: Placement) -> None:
        """It is to land elsewhere, or the file it is to land in has another name now."""
        self._note(generation_id, placement=placement)

    def note_file(self, generation_id: str, size: int) -> None:
        """A file of so many bytes was added to its folder. Any thread."""
        if snapshot := self.get(generation_id):
            self._note(generation_id, bytes_on_disk=snapshot.generation.bytes_on_disk + size)

    def remove(self, generation_id: str) -> None:
        """Forget a generation that no worker is at, with its record and its files: the artist's wish."""
        with self._lock:
            if generation_id in self._runs or (generation := self._snapshots.drop(generation_id)) is None:
                return
            self._keeper.forget(generation_id)
            self._refused.discard(generation_id)
            self._problems.pop(generation_id, None)

        def work() -> None:
            self._snapshots.remove(generation)
            self._note_disk_use()

        self._threads.start(f"pixal3d-note-{generation_id[:8]}", work)

    def clear(self) -> None:
        """Delete the files of all generations that are expendable. Their records stay."""

        def work() -> None:
            self._snapshots.make_room(0)
            self._note_disk_use()

        self._threads.start("pixal3d-clear", work)

    def close(self) -> None:
        """End all threads. Waits for :data:`limits.CLOSE_PATIENCE_SECONDS` at most: a thread that hangs in the
        network is a daemon, ends by itself at its timeout, and holds nothing that Blender needs. Until then its
        records stay this process's.

        What stands in a scene now is the artist's to save or not: the next Blender does not offer it again.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            runs = tuple(self._runs.values())
        for steering in runs:
            steering.pause()
        self._keeper.close()
        self.mark_kept([snapshot.generation.id for snapshot in self.snapshots()])
        self._threads.start("pixal3d-note", self._snapshots.write)
        if self._threads.join(limits.CLOSE_PATIENCE_SECONDS):
            self.store.release()
        else:
            threading.Thread(target=self._release_later, name="pixal3d-close", daemon=True).start()

    def _release_later(self) -> None:
        self._threads.join(None)
        self.store.release()

    # One run.

    def _enter(self, generation: Generation) -> Steering:
        with self._lock:
            if self._is_closed or generation.id in self._runs:
                raise GenerationError("This generation is already under way.")
            steering = self._runs[generation.id] = Steering()
            self._refused.discard(generation.id)
            self._keeper.inherited.discard(generation.id)
            self._problems.pop(generation.id, None)
            is_click = self.settings.takes_over
            self._snapshots.put(dataclasses.replace(generation, is_click=is_click, error="", hint=""))
        return steering

    def _begin_again(self, generation_id: str, connection: Connection) -> None:
        """For the keeper. What has ended meanwhile, or was begun by the artist, is left alone."""
        with self._lock:
            snapshot = self.get(generation_id)
            if self._is_closed or generation_id in self._runs or snapshot is None:
                return
            if snapshot.generation.state not in OWED | UNPAID:
                self._keeper.forget(generation_id)
                return
            steering = self._runs[generation_id] = Steering()
            self._problems.pop(generation_id, None)
            self._snapshots.note(generation_id, error="", hint="")
        self._run_in_background(generation_id, None, connection, steering)

    def _run_in_background(
        self,
        generation_id: str,
        source: Source | None,
        connection: Connection,
        steering: Steering,
        on_prepared: Callable[[], None] | None = None,
    ) -> None:
        def work() -> None:
            # What went wrong is in the newest snapshot already.
            with contextlib.suppress(ScenarioError, GenerationError):
                self._run(generation_id, source, connection, steering, on_prepared)

        self._threads.start(f"pixal3d-{generation_id[:8]}", work)

    def _run(
        self,
        generation_id: str,
        source: Source | None,
        connection: Connection,
        steering: Steering,
        on_prepared: Callable[[], None] | None = None,
    ) -> Generation:
        problem: ScenarioError | GenerationError | None = None
        try:
            return run(
                generation_id,
                source,
                snapshots=self._snapshots,
                connection=connection,
                steering=steering,
                on_prepared=on_prepared,
                results=self.settings.results,
                gate=self._gate,
                places=self._places,
            )
        except (ScenarioError, GenerationError) as error:
            problem = error
            raise
        finally:
            with self._lock:
                try:
                    if problem is not None:
                        # A copy: the traceback would keep the image's pixels in memory.
                        self._problems[generation_id] = copy.copy(problem)
                    if snapshot := self.get(generation_id):
                        self._experience.learn([snapshot.generation])
                        self._keeper.note_end(snapshot.generation, problem, connection, steering)
                finally:
                    # Last: whoever sees that it does not run, without a lock, sees too how it goes on.
                    del self._runs[generation_id]
            guarded(self._keep_to_disk_limit)

    def _keep_to_disk_limit(self) -> None:
        if self.settings.most_bytes is not None:
            self._snapshots.make_room(self.settings.most_bytes)
        self._note_disk_use()

    def _note_disk_use(self) -> None:
        if self.store.exists:
            self.bytes_on_disk = self.store.bytes_on_disk()

    # Notes and threads.

    def _start_keeper(self) -> None:
        with self._lock:
            if self._has_keeper or self._is_closed:
                return
            self._has_keeper = True
        self._threads.start("pixal3d-keeper", self._keeper.look_after)

    def _note(self, generation_id: str, **changes: object) -> None:
        """At once in memory; on disk soon, since the main thread must not wait for the disk."""
        if self._snapshots.note(generation_id, **changes):
            self._threads.start("pixal3d-note", self._snapshots.write)
