# SPDX-License-Identifier: GPL-3.0-or-later
"""The threads of a batch. Each claims an item, carries it on until its model is on disk, and claims the next one.

What an error means for the batch is decided here. Some end all of it, since nothing else would work either: no right,
no credits, a full disk. A network that is away is waited for. The rest is the item's own.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..generation import Generation, GenerationError, Snapshot, State, StoreError, TakenError, source_image_from_file
from ..generation import limits as generation_limits
from ..generation.errors import UnexpectedError
from ..generation.snapshots import Snapshots
from ..generation.steering import Steering
from ..generation.worker import run
from ..scenario import (
    ConfigurationError,
    Connection,
    CreditsExhaustedError,
    Gate,
    KeyRejectedError,
    PlanRequiredError,
    ProtocolError,
    RateLimitedError,
    ScenarioClient,
    ScenarioError,
    ServerError,
    TransportError,
    UnreadableModelError,
    inspect_glb,
)
from . import limits
from .board import Standing
from .claims import Claim, Claims, Idle, LostClaimError
from .entry import Entry, EntryState
from .errors import BatchError, OutputError
from .records import Records, generation_of
from .tempo import Tempo

Problem = BatchError | ScenarioError | GenerationError

_HOPELESS: Final = (ConfigurationError, KeyRejectedError, PlanRequiredError, CreditsExhaustedError)
"""It would be so for all others too."""
_PASSING: Final = (TransportError, ServerError, RateLimitedError, ProtocolError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The checked model of an item is on disk."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class Ended:
    """Nobody here is at an item any more, and it is not done."""

    entry: Entry


def _can_be_read(model: Path) -> bool:
    """Of one that an earlier run has left: if it is damaged by now, it is fetched again."""
    try:
        inspect_glb(model)
    except UnreadableModelError:
        return False
    return True


class Crew:
    """
    :ivar messages: for the thread that runs the batch. If it does not read them, the crew waits.
    :ivar problem: what has ended all of it.
    """

    def __init__(self, claims: Claims, connection: Connection, gate: Gate, count: int, *, retries_failed: bool) -> None:
        self.messages: queue.Queue[Arrived | Ended] = queue.Queue(count)
        self.problem: Problem | None = None
        self._claims = claims
        self._connection = connection
        self._gate = gate
        self._retries_failed = retries_failed
        self._snapshots = Snapshots(Records(claims))
        self._tempo = Tempo()
        self._steerings: dict[str, Steering] = {}
        self._stopping = threading.Event()
        self._failures_in_a_row = 0
        self._lock = threading.Lock()
        """Around what several threads begin and end; never held while anything waits."""
        self._threads = [
            threading.Thread(target=self._work, name=f"pixal3d-batch-{number}", daemon=True)
            for number in range(1, count + 1)
        ]

    # The thread that runs the batch.

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def is_at_work(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @property
    def is_stopped(self) -> bool:
        return self._stopping.is_set()

    def snapshots(self) -> tuple[Snapshot, ...]:
        """What is under way."""
        return self._snapshots.all()

    def forget(self, key: str) -> None:
        self._snapshots.drop(key)

    def stop(self) -> None:
        """Any thread. Nothing is begun any more, and what runs is left to be gone on with."""
        self._stopping.set()
        with self._lock:
            steerings = tuple(self._steerings.values())
        for steering in steerings:
            steering.pause()

    def fail(self, problem: Problem) -> None:
        """Any thread. All of it ends."""
        with self._lock:
            self.problem = self.problem or problem
        self.stop()

    def join(self) -> None:
        """Wait for the end of the threads."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    # The crew's threads.

    def _work(self) -> None:
        try:
            while not self.is_stopped:
                self._claims.check_space()
                claim = self._claims.next()
                if claim is Idle.END:
                    return
                if isinstance(claim, Claim):
                    self._carry(claim)
                else:
                    self._stopping.wait(limits.OTHERS_SECONDS)
        except BatchError as error:
            self.fail(error)
        except Exception as error:  # a fault of ours must not end in silence
            _log.exception("A fault in the batch")
            self.fail(UnexpectedError(f"Something went wrong inside the add-on ({error!r}).", "Please report it."))

    def _carry(self, claim: Claim) -> None:
        key = claim.item.key
        steering = Steering()
        with self._lock:
            self._steerings[key] = steering
        if self.is_stopped:
            steering.pause()
        try:
            generation = self._run(claim, steering)
        except LostClaimError as error:
            _log.warning("%s", error)
            generation = None
        finally:
            with self._lock:
                del self._steerings[key]
        if generation is None:
            self.forget(key)
            return
        self._tempo.learn(generation)
        self._failures_in_a_row = 0
        self._post(Arrived(generation))

    def _run(self, claim: Claim, steering: Steering) -> Generation | None:
        """The item with its model on disk; ``None`` if it did not come to that, which is written down then."""
        key = claim.item.key
        entry = self._claims.entry(key)
        folder = self._claims.folder_of(key)
        generation = generation_of(claim, entry, folder)
        model = folder / generation_limits.MODEL_NAME
        if entry.state is EntryState.READY and _can_be_read(model):
            generation = generation.changed(state=State.READY, glb_file=str(model))
            self._snapshots.put(generation)
            return generation
        attempt, began = 0, time.monotonic()
        while True:
            self._snapshots.put(generation)
            is_new = generation.state is State.PREPARED and not generation.source_file
            try:
                return run(
                    key,
                    source_image_from_file(claim.item.image) if is_new else None,
                    snapshots=self._snapshots,
                    connection=self._connection,
                    steering=steering,
                    gate=self._gate,
                    expect=self._tempo.seconds_left,
                )
            except TakenError as error:
                raise LostClaimError(str(error)) from error
            except (ScenarioError, GenerationError) as error:
                snapshot = self._snapshots.get(key)
                assert snapshot is not None, "nobody forgets what is run"
                generation = snapshot.generation
                if steering.event.is_set():
                    return None
                if isinstance(error, _HOPELESS):
                    self.fail(error)
                    return None
                if generation.state is State.UNCERTAIN:
                    if claim.standing is not Standing.UNCERTAIN or not self._retries_failed or attempt:
                        self._let_go(generation, EntryState.UNCERTAIN, error)
                        return None
                    generation = self._begun_anew(claim)
                elif generation.job_id:
                    is_over = generation.state is State.FAILED
                    self._let_go(generation, EntryState.FAILED if is_over else EntryState.RUNNING, error)
                    return None
                elif isinstance(error, _PASSING) and not self._is_its_own(error, attempt, began, steering):
                    generation = generation.changed(state=State.PREPARED, error="", hint="")
                elif steering.event.is_set():
                    return None
                else:
                    self._let_go(generation, EntryState.FAILED, error)
                    return None
                attempt += 1

    def _let_go(self, generation: Generation, state: EntryState, error: ScenarioError | GenerationError) -> None:
        """This is how far it comes in this run."""
        if isinstance(error, StoreError):
            raise OutputError(str(error)) from error
        self._claims.check_output()  # a full disk looks like a bad image or a bad download
        is_free = state is EntryState.FAILED and not generation.job_id
        entry = self._claims.write(
            generation.id,
            state=state,
            owner="",
            error=error.message,
            hint=error.remedy,
            service_status=generation.service_status,
            cost=None if is_free else self._claims.entry(generation.id).cost,
        )
        if state is EntryState.FAILED and generation.has_failed_job and generation.job_id:
            self._claims.note_charge(-(generation.cost or 0.0))  # Scenario gives it back
        if isinstance(error, _PASSING):
            with self._lock:
                self._failures_in_a_row += 1
            if self._failures_in_a_row >= limits.FAILURES_IN_A_ROW:
                self.fail(error)
        self._post(Ended(entry))

    def _post(self, message: Arrived | Ended) -> None:
        """Waits while the other end has enough to do: models that are not finished fill the disk."""
        while True:
            try:
                self.messages.put(message, timeout=limits.EVENT_SECONDS)
            except queue.Full:
                if not self.is_stopped:
                    continue
            return

    def _begun_anew(self, claim: Claim) -> Generation:
        """The artist wants another job, whatever became of the request without an answer."""
        key = claim.item.key
        cost = self._claims.price_of(key)
        entry = self._claims.write(
            key, state=EntryState.CLAIMED, asset_id="", submitted_at=0.0, cost=cost, error="", hint=""
        )
        return generation_of(claim, entry, self._claims.folder_of(key))

    def _is_its_own(self, error: ScenarioError, attempt: int, began: float, steering: Steering) -> bool:
        """Whether the trouble is the item's own, and the service there. Else waits until it may be tried again; if the
        service is away for too long, all ends."""
        pauses = limits.OUTAGE_PAUSES_SECONDS
        if attempt >= len(pauses):
            if self._is_reachable(steering):
                return True
            if time.monotonic() - began > generation_limits.OUTAGE_PATIENCE_SECONDS:
                self.fail(error)
        return steering.event.wait(pauses[min(attempt, len(pauses) - 1)])

    def _is_reachable(self, steering: Steering) -> bool:
        try:
            with ScenarioClient(self._connection, cancel=steering.event, gate=self._gate) as client:
                client.check_key()
        except ScenarioError:
            return False
        return True
