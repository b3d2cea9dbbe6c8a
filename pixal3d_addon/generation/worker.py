# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of one generation from its state to the next, until the checked GLB is on disk.

:func:`run` may be called from any thread, and blocks. In Blender's window it runs in a background thread, in
background mode and in plain Python it runs in the caller's. It never touches bpy.

Money. The paid request leaves from one place, :meth:`_Run.submit`, which has just written the state ``submitting``. A
record that is *found* in that state was left there by a run that ended in between, so its outcome is unknown and it
becomes ``uncertain``. What leads out of ``uncertain`` is a job in the service's own list that was made from our
uploaded image and that no other record has; never a second request. While a request waits for its time, whatever for,
the record is in an earlier state, so that nobody who finds it has to wonder.

What an error does depends on whether there is a job. Before, it fails the generation: nothing was charged. After,
the mesh is paid for, so the state stays as it is, the error is noted, and another run goes on from there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from ..parameters import request_body
from ..scenario import (
    CanceledError,
    Connection,
    Gate,
    GlbInfo,
    InvalidRequestError,
    NotFoundError,
    Pace,
    ProtocolError,
    RateLimitedError,
    ScenarioClient,
    ScenarioError,
    ServerError,
    Submission,
    SubmissionUncertainError,
    TransportError,
    UnreadableModelError,
    inspect_glb,
    job_failure,
)
from ..scenario.errors import ModelFileError
from . import limits
from .errors import GenerationError, NotFinishedError, SourceImageError, UnexpectedError
from .lookup import adopted, find_job, told
from .places import Places
from .record import Generation
from .snapshots import Snapshots
from .source import KeptImage, Source, SourceImage, write_source
from .state import UNPAID, State
from .steering import Steering

_PASSING_ERRORS: Final = (TransportError, ServerError, RateLimitedError, ProtocolError)
"""Troubles that end by themselves, the login page of a hotel's network included."""

_HURRIED: Final = Pace(connect_seconds=2.0, read_seconds=5.0, wait_scale=0.2)
"""For the cancel that is refused anyhow, as far as is known: the artist has stopped waiting."""

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


def run(
    generation_id: str,
    source: Source | None,
    *,
    snapshots: Snapshots,
    connection: Connection,
    steering: Steering,
    on_prepared: Callable[[], None] | None = None,
    results: Path | None = None,
    gate: Gate | None = None,
    places: Places | None = None,
    expect: Callable[[Generation], float | None] | None = None,
) -> Generation:
    """Carry a generation on from its state until it is ``ready``, and return it.

    :param source: the image, for a new generation; ``None`` for one that the store knows.
    :param snapshots: has its newest record, and gets each that follows.
    :param on_prepared: called when the image and the first record are on disk.
    :param results: the folder in which the generation gets one for its image and its GLB; else it is the store's.
    :param gate: the pace that is kept to together with other runs.
    :param places: where a generation without a job waits for its turn.
    :param expect: in how many seconds its job may be done at the earliest, as far as is known. Before, the service is
        not asked after it, and nothing is heard of its progress.
    :raises ScenarioError, GenerationError: as said above; the last record is in `snapshots`, and in the store unless
        the store is what failed.
    """
    gate = gate or Gate()
    with ScenarioClient(connection, cancel=steering.event, gate=gate) as client:
        this = _Run(generation_id, snapshots, connection, client, steering, gate, results, expect)
        try:
            if source is not None:
                this.prepare(source)
                if on_prepared is not None:
                    on_prepared()
            # A job that runs already is not held up by those that wait for their turn.
            on_wait = this.on_wait if this.generation.state in UNPAID else None
            with (places or Places()).taken(this.generation.created_at, steering, on_wait):
                this.carry_on()
        except (ScenarioError, GenerationError) as error:
            this.note(error)
            if isinstance(error, CanceledError):
                raise NotFinishedError("Stopped waiting for the model.", this.generation.trouble) from None
            raise
        except Exception as error:  # a fault of ours must not end in silence, least of all with a job that is paid for
            _log.exception("A fault in the add-on, at %s", this.generation.state)
            fault = UnexpectedError(f"Something went wrong inside the add-on ({error!r}).", "Please report it.")
            this.note(fault)
            raise fault from error
        return this.generation


@dataclasses.dataclass(slots=True)
class _Run:
    """One run of a generation."""

    generation_id: str
    snapshots: Snapshots
    connection: Connection
    client: ScenarioClient
    steering: Steering
    gate: Gate
    results: Path | None
    expect: Callable[[Generation], float | None] | None

    @property
    def generation(self) -> Generation:
        """The newest record."""
        snapshot = self.snapshots.get(self.generation_id)
        assert snapshot is not None, "nobody drops what is run"
        return snapshot.generation

    def carry_on(self) -> None:
        """The step that the state asks for, and those after it."""
        state = self.generation.state
        if state is State.SUBMITTING:
            self.save(state=State.UNCERTAIN)
        if state in UNPAID:
            self.upload()
            self.submit()
        if self.generation.state is State.UNCERTAIN:
            self.look_for_job()
        if self.generation.job_id and state in (State.ABANDONED, State.FAILED, State.READY, State.IMPORTED):
            self.save(state=State.RUNNING, error="", hint="")
        if self.generation.state is State.RUNNING:
            if not self.generation.asset_id:
                self.adopt()
            self.wait()
        if self.generation.state is State.DOWNLOADING:
            self.download()

    def save(self, **changes: object) -> None:
        """See :meth:`Snapshots.save`."""
        self.snapshots.save(self.generation_id, **changes)

    def report(self, *, progress: float | None = None, notice: str = "", is_queued: bool = False) -> None:
        """See :meth:`Snapshots.report`."""
        self.snapshots.report(self.generation_id, progress=progress, notice=notice, is_queued=is_queued)

    def pause(self, seconds: float, what: str) -> None:
        """
        :raises CanceledError: stopped meanwhile, or before; `what` was to be done next.
        """
        if self.steering.event.wait(max(0.0, seconds)):
            raise CanceledError(f"Stopped before {what}.")

    def prepare(self, source: Source) -> None:
        """The image that will be sent, and the record of it, on disk."""
        if isinstance(source, KeptImage):
            source = self.kept_image(source.generation_id)
        folder = self.snapshots.store.make_folder(self.generation, self.results)
        try:
            file = write_source(source, folder, self.steering.event)
        except GenerationError:
            with contextlib.suppress(OSError):
                folder.rmdir()  # nothing is in it
            raise
        self.save(
            state=State.PREPARED,
            folder=str(folder),
            bytes_on_disk=file.size,
            source_file=str(file.path),
            source_mime=file.mime,
            source_sha256=file.sha256,
            account=self.connection.fingerprint(),
        )

    def kept_image(self, generation_id: str) -> SourceImage:
        """
        :raises SourceImageError: it is not kept any more.
        """
        earlier = self.snapshots.store.get(generation_id)
        if earlier is None or not Path(earlier.source_file).is_file():
            raise SourceImageError("The image that was sent is not kept any more.", "Select it and generate.")
        return SourceImage(earlier.name, Path(earlier.source_file))

    def upload(self) -> None:
        """The image to the service, unless it is in this account since an earlier run."""
        account = self.connection.fingerprint()
        self.save(state=State.UPLOADING, error="", hint="")
        if self.generation.asset_id and self.generation.account == account:
            return
        path = Path(self.generation.source_file)
        name, mime = f"{self.generation.name}{path.suffix}", self.generation.source_mime
        asset_id = self.patiently(lambda: self.client.upload_image(name, path, mime, on_progress=self.on_progress))
        self.save(asset_id=asset_id, account=account)

    def submit(self) -> None:
        """The one place from which the paid request leaves, after the record says so."""
        body = request_body(self.generation.parameters, self.generation.asset_id)
        try:
            submission = self.patiently(lambda: self.submit_once(body))
        except SubmissionUncertainError as error:
            self.save(state=State.UNCERTAIN, error=error.message, hint=error.remedy)
            return
        cost = {} if submission.cost is None else {"cost": submission.cost}
        self.save(
            state=State.RUNNING,
            job_id=submission.job.id,
            submitted_at=time.time(),
            **{**told(submission.job), **cost},
        )

    def submit_once(self, body: Mapping[str, object]) -> Submission:
        """
        :raises RateLimitedError, CanceledError: nothing was accepted, and the record is back in the state before.
        """
        self.take_turn("the model was asked for")
        self.save(state=State.SUBMITTING)
        try:
            return self.client.generate(body)
        except (RateLimitedError, CanceledError):
            self.save(state=State.UPLOADING)
            raise

    def patiently(self, ask: Callable[[], _T]) -> _T:
        """What `ask` returns, once the service no longer asks to slow down."""
        while True:
            try:
                return ask()
            except RateLimitedError as error:
                self.report(notice=f"{error.message} It is asked again by itself.")
                self.pause(error.seconds or limits.BUSY_PAUSE_SECONDS, "the model was asked for")

    def look_for_job(self) -> None:
        """Find out whether the request without an answer became a job, and go on with that job.

        :raises SubmissionUncertainError: the list does not show one, or can't be had. It may have been charged.
        """
        trouble = ""
        for pause in limits.LOOKUP_PAUSES_SECONDS:
            self.report(notice=trouble)
            self.pause(pause, "the job was found")
            try:
                job = find_job(self.client, self.generation, self.snapshots.store.claim_job)
            except _PASSING_ERRORS as error:
                trouble = error.message
                continue
            if job is not None:
                self.save(state=State.RUNNING, job_id=job.id, submitted_at=time.time(), error="", hint="", **told(job))
                return
        raise SubmissionUncertainError()

    def adopt(self) -> None:
        """Learn of a job that was not begun by this record: what it was made from, and how.

        :raises ScenarioError: it can't be had. What is no job of ours, or of Pixal3D, is not asked after again.
        """
        try:
            self.save(**adopted(self.client, self.generation))
        except (NotFoundError, InvalidRequestError) as error:
            self.save(state=State.FAILED, error=error.message, hint=error.remedy)
            raise

    def wait(self) -> None:
        """Ask after the job until it has ended. The network may come and go meanwhile."""
        interval = limits.POLL_FIRST_SECONDS
        away_since: float | None = None
        self.pause(self.seconds_expected(), "the model was there")
        while True:
            self.take_turn("the model was there")
            try:
                job = self.client.job(self.generation.job_id)
            except (*_PASSING_ERRORS, NotFoundError) as trouble:
                is_unknown = isinstance(trouble, NotFoundError)
                patience = limits.UNKNOWN_JOB_PATIENCE_SECONDS if is_unknown else limits.OUTAGE_PATIENCE_SECONDS
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > patience:
                    raise
                self.report(notice=trouble.message)
                interval = max(interval, getattr(trouble, "seconds", None) or 0.0)
            else:
                if away_since is not None:
                    away_since, interval = None, limits.POLL_FIRST_SECONDS
                if job.status != self.generation.service_status:
                    self.save(**told(job))
                self.report(progress=job.progress)
                if job.succeeded:
                    self.save(state=State.DOWNLOADING, model_asset_ids=job.asset_ids, error="", hint="")
                    return
                if job.failed:
                    error = job_failure(job)
                    self.save(state=State.FAILED, error=error.message, hint=error.remedy)
                    raise error
            self.pause(self.seconds_expected() or interval * random.uniform(0.9, 1.0), "the model was there")
            interval = min(interval * limits.POLL_GROWTH, limits.POLL_LAST_SECONDS)

    def seconds_expected(self) -> float:
        """Until it makes sense to ask after the job; 0 if that is not known, or now."""
        seconds = self.expect(self.generation) if self.expect else None
        return min(max(seconds or 0.0, 0.0), limits.EXPECTED_MOST_SECONDS)

    def take_turn(self, what: str) -> None:
        """Wait until the service may be asked, as one of many. If the gate has closed meanwhile, for another turn: else
        all would come together when it opens.

        :raises CanceledError: see :meth:`pause`.
        """
        while True:
            self.pause(self.gate.turn_seconds(), what)
            if self.gate.seconds_left() <= 0:
                return

    def download(self) -> None:
        """The GLB, checked, on disk: only then is the generation ``ready``."""
        asset_ids = self.generation.model_asset_ids or self.client.job(self.generation.job_id).asset_ids
        folder = self.snapshots.store.make_folder(self.generation, self.results)
        download = self.client.download_model(asset_ids, folder / limits.MODEL_NAME, on_progress=self.on_progress)
        source = Path(self.generation.source_file)
        self.save(
            folder=str(folder),
            bytes_on_disk=download.size + (source.stat().st_size if source.is_file() else 0),
            glb_file=str(download.path),
            glb_sha256=download.sha256,
        )
        info = _inspected(download.path)
        bounds = (info.bounds_min, info.bounds_max)
        self.save(state=State.READY, ready_at=time.time(), bounds=bounds, triangles=info.triangles, error="", hint="")

    def on_wait(self) -> None:
        self.report(is_queued=True)

    def on_progress(self, done: int, total: int) -> None:
        self.report(progress=min(1.0, done / total) if total > 0 else None)

    def note(self, error: ScenarioError | GenerationError) -> None:
        """Write down what went wrong, in the state that it leads to."""
        has_job = bool(self.generation.job_id)
        is_stopped = isinstance(error, CanceledError | NotFinishedError)
        if is_stopped and self.steering.goes_on_later and (has_job or self.generation.source_file):
            return
        words: dict[str, object] = {"error": error.message, "hint": error.remedy}
        if self.generation.state is State.SUBMITTING and isinstance(error, UnexpectedError):
            self.save(state=State.UNCERTAIN, **words)
        elif self.generation.state is State.UNCERTAIN:
            uncertain = SubmissionUncertainError()
            self.save(**({"error": uncertain.message, "hint": uncertain.remedy} if is_stopped else words))
        elif is_stopped:
            if not has_job:
                self.save(state=State.FAILED, error=_STOPPED_BEFORE, hint="")
            else:
                self.save(state=State.ABANDONED, error=STOPPED_AFTER, hint=STOPPED_AFTER_HINT)
                if self.generation.source_file:  # else it is a job that somebody else began
                    self._cancel_at_service()
        elif not has_job or (isinstance(error, UnreadableModelError) and not isinstance(error, ModelFileError)):
            self.save(state=State.FAILED, **words)
        else:
            self.save(**words)

    def _cancel_at_service(self) -> None:
        """Try to spare the artist the charge. The service refuses it for this kind of job, as far as is known."""
        try:
            with ScenarioClient(self.connection, pace=_HURRIED) as client:
                job = client.cancel_job(self.generation.job_id)
        except ScenarioError:
            return
        if job.failed:
            self.save(state=State.FAILED, error="The service canceled the job.", hint="", **told(job))


def _inspected(glb: Path) -> GlbInfo:
    """
    :raises UnreadableModelError: Blender could not import it. It is paid for, so the error says where it is.
    :raises ModelFileError: the disk does not give it, so it is fetched once more by itself.
    """
    try:
        return inspect_glb(glb)
    except ModelFileError:
        raise
    except UnreadableModelError as error:
        _log.warning("The model %s is refused: %s (%s)", glb, error.message, error.reason)
        remedy = f"Fetch it again; if it stays so, download it from your Scenario project. What came is kept: {glb}"
        raise UnreadableModelError(error.message, remedy, reason=error.reason) from None


_STOPPED_BEFORE: Final = "Stopped before the model was asked for. Nothing was charged."
STOPPED_AFTER: Final = "Stopped waiting. The service goes on with the job and charges for it."
STOPPED_AFTER_HINT: Final = "Fetch Again brings the model."
