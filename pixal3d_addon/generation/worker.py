# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of one generation from its state to the next, until the checked GLB is on disk.

:func:`run` may be called from any thread, and blocks. In Blender's window it runs in a background thread, in
background mode and in plain Python it runs in the caller's. It never touches bpy.

Money. The paid request leaves from one place, :func:`_submit`, which only :func:`_upload` leads to: it has just
written the state ``submitting``. A record that is *found* in that state was left there by a run that ended in
between, so its outcome is unknown and it becomes ``uncertain``. What leads out of ``uncertain`` is a job in the
service's own list that was made from our uploaded image, which no other request has; never a second request.

What an error does depends on whether there is a job. Before, it fails the generation: nothing was charged. After,
the mesh is paid for, so the state stays as it is, the error is noted, and another run goes on from there.
"""

from __future__ import annotations

import dataclasses
import datetime
import logging
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ..parameters import request_body
from ..scenario import (
    MODEL_ID,
    CanceledError,
    Connection,
    Job,
    Pace,
    ProtocolError,
    RateLimitedError,
    ScenarioClient,
    ScenarioError,
    ServerError,
    SubmissionUncertainError,
    TransportError,
    UnreadableModelError,
    inspect_glb,
    job_failure,
)
from . import limits
from .errors import GenerationError, NotFinishedError, StoreError, UnexpectedError
from .record import Generation, Snapshot, State
from .source import SourceImage, write_source
from .store import Store

Report = Callable[[Snapshot], None]
"""Called in the worker's thread, often; must not block."""

_PASSING_ERRORS: Final = (TransportError, ServerError, RateLimitedError, ProtocolError)
"""Troubles that end by themselves, the login page of a hotel's network included."""

_HURRIED: Final = Pace(connect_seconds=2.0, read_seconds=5.0, wait_scale=0.2)
"""For the cancel that is refused anyhow, as far as is known: the artist has stopped waiting."""

_log = logging.getLogger(__name__)

_UNPAID: Final = frozenset({State.PREPARED, State.UPLOADING, State.SUBMITTING})
"""As long as one of these can't be written, the paid request does not leave."""


class Stop:
    """Ends a run: because the artist no longer waits, or because Blender closes."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.is_closing = False

    def request(self, *, is_closing: bool = False) -> None:
        """Any thread. `is_closing` leaves the record as it is, to be gone on with at the next start."""
        self.is_closing = self.is_closing or is_closing
        self.event.set()


def run(
    generation: Generation,
    source: SourceImage | None,
    *,
    store: Store,
    connection: Connection,
    stop: Stop,
    report: Report = lambda snapshot: None,
) -> Generation:
    """Carry `generation` on from its state until it is ``ready``, and return it.

    :param source: the image, for a new generation; ``None`` for one that the store knows.
    :raises ScenarioError, GenerationError: as said above; the last record was reported, and is in the store unless
        the store is what failed.
    """
    with ScenarioClient(connection, cancel=stop.event) as client:
        this = _Run(generation, store, connection, client, stop, report)
        try:
            if source is not None:
                this.prepare(source)
            this.carry_on()
        except (ScenarioError, GenerationError) as error:
            this.note(error)
            if isinstance(error, CanceledError):
                raise NotFinishedError("Stopped waiting for the model.", this.generation.error) from None
            raise
        except Exception as error:  # a fault of ours must not end in silence, least of all with a job that is paid for
            _log.exception("A fault in the add-on, at %s", this.generation.state)
            fault = UnexpectedError(f"Something went wrong inside the add-on ({error!r}).", "Please report it.")
            this.note(fault)
            raise fault from error
        return this.generation


@dataclasses.dataclass(slots=True)
class _Run:
    """One run, and the newest record of its generation."""

    generation: Generation
    store: Store
    connection: Connection
    client: ScenarioClient
    stop: Stop
    report: Report

    def carry_on(self) -> None:
        """The step that the state asks for, and those after it."""
        state = self.generation.state
        if state is State.SUBMITTING:
            self.save(state=State.UNCERTAIN)
        if state in (State.PREPARED, State.UPLOADING):
            self.upload()
            self.submit()
        if self.generation.state is State.UNCERTAIN:
            self.look_for_job()
        if self.generation.job_id and state in (State.ABANDONED, State.FAILED, State.READY):
            self.save(state=State.RUNNING, error="")
        if self.generation.state is State.RUNNING:
            self.wait()
        if self.generation.state is State.DOWNLOADING:
            self.download()

    def save(self, **changes: object) -> None:
        """On return the changed record is on disk.

        Once the paid request may be out, a disk that can't be written must not keep the mesh from the artist: the run
        goes on, and the record is written at its next change.

        :raises StoreError: it can't be written, and nothing was charged yet.
        """
        changed = self.generation.changed(**changes)
        notice = ""
        try:
            self.store.save(changed)
        except StoreError as error:
            if changed.state in _UNPAID:
                raise
            notice = str(error)
        self.generation = changed
        self.report(Snapshot(changed, notice=notice))

    def prepare(self, source: SourceImage) -> None:
        """The image that will be sent, and the record of it, on disk."""
        self.report(Snapshot(self.generation))
        file = write_source(source, self.store.folder_of(self.generation), self.stop.event)
        self.save(
            state=State.PREPARED,
            source_file=str(file.path),
            source_mime=file.mime,
            source_sha256=file.sha256,
            account=self.connection.fingerprint(),
        )

    def upload(self) -> None:
        self.save(state=State.UPLOADING)
        path = Path(self.generation.source_file)
        asset_id = self.client.upload_image(
            f"{self.generation.name}{path.suffix}", path, self.generation.source_mime, on_progress=self.on_progress
        )
        self.save(state=State.SUBMITTING, asset_id=asset_id)

    def submit(self) -> None:
        """The one place from which the paid request leaves; the record says ``submitting`` since a moment ago."""
        if self.stop.event.is_set():
            raise CanceledError("Stopped before the model was asked for.")
        try:
            submission = self.client.generate(request_body(self.generation.parameters, self.generation.asset_id))
        except SubmissionUncertainError as error:
            return self.save(state=State.UNCERTAIN, error=str(error))
        cost = {} if submission.cost is None else {"cost": submission.cost}
        self.save(state=State.RUNNING, job_id=submission.job.id, **{**_told(submission.job), **cost})

    def look_for_job(self) -> None:
        """Find out whether the request without an answer became a job, and go on with that job.

        :raises SubmissionUncertainError: the list does not show one, or can't be had. It may have been charged.
        """
        since = self.generation.created_at - limits.LOOKUP_MARGIN_SECONDS
        since_iso = datetime.datetime.fromtimestamp(since, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        trouble = ""
        for pause in limits.LOOKUP_PAUSES_SECONDS:
            self.report(Snapshot(self.generation, notice=trouble))
            if self.stop.event.wait(pause):
                raise CanceledError("Stopped looking for the job.")
            try:
                for job in self.client.jobs(updated_after=since_iso):
                    if job.input.get("modelId") == MODEL_ID and job.input.get("image") == self.generation.asset_id:
                        return self.save(state=State.RUNNING, job_id=job.id, error="", **_told(job))
            except _PASSING_ERRORS as error:
                trouble = error.message
        raise SubmissionUncertainError()

    def wait(self) -> None:
        """Ask after the job until it has ended. The network may come and go meanwhile."""
        interval = limits.POLL_FIRST_SECONDS
        away_since: float | None = None
        while True:
            try:
                job = self.client.job(self.generation.job_id)
            except _PASSING_ERRORS as trouble:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > limits.OUTAGE_PATIENCE_SECONDS:
                    raise
                self.report(Snapshot(self.generation, notice=trouble.message))
                interval = max(interval, getattr(trouble, "seconds", None) or limits.POLL_LAST_SECONDS)
            else:
                if away_since is not None:
                    away_since, interval = None, limits.POLL_FIRST_SECONDS
                if job.status != self.generation.service_status:
                    self.save(**_told(job))
                self.report(Snapshot(self.generation, progress=job.progress))
                if job.succeeded:
                    return self.save(state=State.DOWNLOADING)
                if job.failed:
                    error = job_failure(job)
                    self.save(state=State.FAILED, error=str(error))
                    raise error
            if self.stop.event.wait(interval * random.uniform(0.9, 1.0)):
                raise CanceledError("Stopped waiting.")
            interval = min(interval * limits.POLL_GROWTH, limits.POLL_LAST_SECONDS)

    def download(self) -> None:
        """The GLB, checked, on disk: only then is the generation ``ready``."""
        job = self.client.job(self.generation.job_id)
        path = self.store.folder_of(self.generation) / "model.glb"
        download = self.client.download_model(job.asset_ids, path, on_progress=self.on_progress)
        self.save(glb_file=str(download.path), glb_sha256=download.sha256)
        info = inspect_glb(download.path)
        self.save(state=State.READY, bounds=(info.bounds_min, info.bounds_max), error="")

    def on_progress(self, done: int, total: int) -> None:
        self.report(Snapshot(self.generation, progress=min(1.0, done / total) if total > 0 else None))

    def note(self, error: ScenarioError | GenerationError) -> None:
        """Write down what went wrong, in the state that it leads to."""
        has_job = bool(self.generation.job_id)
        is_stopped = isinstance(error, CanceledError | NotFinishedError)
        if is_stopped and self.stop.is_closing:
            return  # the next start goes on from here
        if self.generation.state is State.SUBMITTING and isinstance(error, UnexpectedError):
            self.save(state=State.UNCERTAIN, error=str(error))
        elif self.generation.state is State.UNCERTAIN:
            self.save(error=str(SubmissionUncertainError() if is_stopped else error))
        elif is_stopped:
            if not has_job:
                self.save(state=State.FAILED, error=_STOPPED_BEFORE)
            else:
                self.save(state=State.ABANDONED, error=_STOPPED_AFTER)
                self._cancel_at_service()
        elif not has_job or isinstance(error, UnreadableModelError):
            self.save(state=State.FAILED, error=str(error))
        else:
            self.save(error=str(error))

    def _cancel_at_service(self) -> None:
        """Try to spare the artist the charge. The service refuses it for this kind of job, as far as is known."""
        try:
            with ScenarioClient(self.connection, pace=_HURRIED) as client:
                job = client.cancel_job(self.generation.job_id)
        except ScenarioError:
            return
        if job.failed:
            self.save(state=State.FAILED, error="The service canceled the job.")


_STOPPED_BEFORE: Final = "Stopped before the model was asked for. Nothing was charged."
_STOPPED_AFTER: Final = (
    "Stopped waiting. The service goes on with the job and charges for it; Fetch Again brings the model."
)


def _told(job: Job) -> dict[str, object]:
    """What the service says of the job, as changes of the record."""
    told: dict[str, object] = {"service_status": job.status, "status_history": job.status_history}
    if job.cost is not None:
        told["cost"] = job.cost
    if isinstance(seed := job.input.get("seed"), int | float):
        told["seed"] = int(seed)
    return told
