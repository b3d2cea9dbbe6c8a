# SPDX-License-Identifier: GPL-3.0-or-later
"""The Scenario API, as far as Pixal3D needs it: one method for each thing that it can be asked."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from . import limits
from .answers import (
    Asset,
    Download,
    Job,
    Project,
    Quote,
    Submission,
    listing,
    price,
    read_asset,
    read_job,
    read_project,
    read_quote,
    string,
)
from .body import Body, MakeBody, Progress, json_body
from .connection import MODEL_ID, Connection
from .download import download_model
from .errors import (
    CancelNotPermitted,
    InvalidRequestError,
    KeyRejectedError,
    PlanRequiredError,
    ProtocolError,
    ScenarioError,
    SubmissionUncertainError,
)
from .gate import Gate
from .paths import segment
from .reply import Reply
from .retry import Call, delay_seconds
from .transport import Transport
from .upload import upload_image

_GENERATE: Final = f"/generate/custom/{MODEL_ID}"


class ScenarioClient:
    """Talks to the service; every method blocks, so never on Blender's main thread in a window.

    Any thread, one at a time. All methods raise :class:`~.errors.ScenarioError` and nothing else.

    :param cancel: once set, waits and transfers end with :class:`~.errors.CanceledError`, and nothing new is sent.
        A connection that is silent ends with its timeout only.
    :param pace: timeouts and pauses.
    :param gate: shared by the clients that are to keep to one pace together.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        cancel: threading.Event | None = None,
        pace: limits.Pace = limits.Pace(),  # noqa: B008  # frozen
        gate: Gate | None = None,
    ) -> None:
        self.connection = connection
        self._transport = Transport(connection, cancel, pace, gate)

    def __enter__(self) -> ScenarioClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back. Any number of times."""
        self._transport.close()

    def check_key(self) -> Project:
        """The project that the key belongs to. Free.

        ``GET /teams``; a key that may not ask it is tried at ``GET /models``, which tells nothing but that it is good.

        :raises KeyRejectedError: the key is not good.
        """
        try:
            return read_project(self._transport.call("GET", "/teams"), self.connection.project_id)
        except (KeyRejectedError, PlanRequiredError) as error:
            if error.status != 403:
                raise
        self._transport.call("GET", "/models", {"pageSize": "1", "privacy": "public"})
        return Project(id=self.connection.project_id)

    def upload_image(self, name: str, image: bytes | Path, mime: str, *, on_progress: Progress | None = None) -> str:
        """Bring an image to the service, and return its asset id. Free.

        Up to 3.5 MB it goes as base64 in one request, above in parts to the storage.

        :param on_progress: called often, in this thread, with bytes done and in all.
        """
        return upload_image(self._transport, name, image, mime, on_progress)

    def quote(self, body: Mapping[str, object]) -> Quote:
        """What :meth:`generate` with this `body` would cost. Free.

        ``dryRun`` stands in the query. In the body it is ignored by the service, and a paid job starts.
        """
        answer = self._transport.call("POST", _GENERATE, {"dryRun": "true"}, _generate_body(body))
        return read_quote(answer)

    def generate(self, body: Mapping[str, object]) -> Submission:
        """Start a job. **This is paid for**, so the request goes out a second time only where the first one never left:
        no connection came about.

        :raises SubmissionUncertainError: it went out and there is no clear answer.
        :raises RateLimitedError: not now. Nothing was accepted, so it may be asked again.
        :raises ApiError: it was refused, nothing was charged. Any other error says the same.
        """
        make_body = _generate_body(body)
        attempt = 0
        while True:
            attempt += 1
            reply = self._submit(make_body)
            if reply.is_good:
                return self._submission(reply)
            status = reply.outcome.status
            is_refused = status is not None and 400 <= status < 500 and status not in (408, 409)
            if not is_refused and reply.outcome.sent:
                raise self._uncertain(reply)
            delay = delay_seconds(Call.PAID, attempt, reply.outcome, random.random())
            if delay is None:
                raise self._transport.failure(reply)
            self._transport.wait(delay)

    def job(self, job_id: str) -> Job:
        """A job as it is now. ``GET /jobs/{id}``."""
        answer = self._transport.call("GET", f"/jobs/{segment(job_id)}")
        return read_job(answer.get("job"), self._transport.clean)

    def jobs(self, *, updated_after: str = "", page_size: int = 50) -> Iterator[Job]:
        """The project's custom jobs, each one once, page after page. ``GET /jobs``.

        :param updated_after: ISO 8601, e.g. ``2026-11-01T00:00:00Z``.
        :raises ProtocolError: the pages have no end. What was not found then may exist all the same.
        """
        query = {"pageSize": str(min(max(page_size, 1), 100)), "types": "custom"}
        if updated_after:
            query["updatedAfter"] = updated_after
        seen_tokens, seen_jobs = set[str](), set[str]()
        for _ in range(limits.PAGES):
            answer = self._transport.call("GET", "/jobs", query)
            if not isinstance(answer.get("jobs"), list):
                raise ProtocolError("Scenario's answer has no list of jobs.", "Try again in a moment.")
            for fields in listing(answer["jobs"]):
                job = read_job(fields, self._transport.clean)
                if job.id not in seen_jobs:
                    seen_jobs.add(job.id)
                    yield job
            token = string(answer.get("nextPaginationToken"))
            if not token:
                return
            if token in seen_tokens:
                break
            seen_tokens.add(token)
            query["paginationToken"] = token
        raise ProtocolError("Scenario's list of jobs has no end.", "Look at the jobs in your Scenario project.")

    def cancel_job(self, job_id: str) -> Job:
        """Ask the service to stop a job. For this model's jobs it is known to refuse.

        A client whose cancel event is set asks nothing any more; take a new one.

        :raises CancelNotPermitted: it refuses; the job runs on and is charged.
        """
        path = f"/jobs/{segment(job_id)}/action"
        try:
            answer = self._transport.call("POST", path, body=json_body({"action": "cancel"}))
        except InvalidRequestError as error:
            refused = CancelNotPermitted(status=error.status, reason=error.reason, trace_id=error.trace_id)
        else:
            return read_job(answer.get("job"), self._transport.clean)
        raise refused

    def asset(self, asset_id: str) -> Asset:
        """A file at the service, with a freshly signed URL. ``GET /assets/{id}``."""
        return read_asset(self._transport.call("GET", f"/assets/{segment(asset_id)}").get("asset"))

    def assets(self, asset_ids: Sequence[str]) -> tuple[Asset, ...]:
        """Those of `asset_ids` that exist, in that order. ``POST /assets/get-bulk``."""
        found: dict[str, Asset] = {}
        for start in range(0, len(asset_ids), limits.BULK_ASSETS):
            group = list(asset_ids[start : start + limits.BULK_ASSETS])
            answer = self._transport.call("POST", "/assets/get-bulk", body=json_body({"assetIds": group}))
            found.update((asset.id, asset) for asset in map(read_asset, listing(answer.get("assets"))))
        return tuple(found[asset_id] for asset_id in dict.fromkeys(asset_ids) if asset_id in found)

    def download_model(
        self, asset_ids: Sequence[str], destination: Path, *, on_progress: Progress | None = None
    ) -> Download:
        """Put the GLB among a job's assets at `destination`, whole or not at all.

        Until it is complete it is beside it, as ``.glb.part``.

        :param on_progress: called often, in this thread, with bytes done and in all (0 if not known).
        :raises NoModelError: there is no GLB among them.
        :raises DownloadError: it could not be had, or not be written.
        """
        return download_model(self._transport, self.assets(asset_ids), self.asset, destination, on_progress)

    def _submit(self, make_body: MakeBody) -> Reply:
        """One attempt at the paid POST."""
        bodies: list[Body] = []

        def make_noted(cancel: threading.Event) -> Body:
            bodies.append(make_body(cancel))
            return bodies[-1]

        try:
            return self._transport.ask("POST", _GENERATE, None, make_noted, is_submission=True)
        except ScenarioError:  # stopped, or not configured: before the body was complete
            raise
        except Exception:
            # A bug of ours or of a library. Where money may have gone, it must not look like a clean failure.
            if not bodies or not bodies[-1].started:
                raise
        raise SubmissionUncertainError()

    def _submission(self, reply: Reply) -> Submission:
        try:
            job = read_job(reply.fields.get("job"), self._transport.clean)
        except ProtocolError:
            pass
        else:
            cost = price(reply.fields.get("creativeUnitsCost"))
            return Submission(job, job.cost if cost is None else cost)
        raise self._uncertain(reply)

    def _uncertain(self, reply: Reply) -> SubmissionUncertainError:
        cause = self._transport.failure(reply)
        reason = cause.reason or cause.message
        return SubmissionUncertainError(status=reply.outcome.status, reason=reason, trace_id=cause.trace_id)


def _generate_body(body: Mapping[str, object]) -> MakeBody:
    if "dryRun" in body:
        raise InvalidRequestError("dryRun is not a parameter of the model.", "Ask for a quote instead.")
    return json_body(body)
