# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the service's jobs is ours, and what it was made from."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..parameters import from_request
from ..scenario import MODEL_ID, Job, NotFoundError, ScenarioClient
from ..scenario.answers import number
from ..scenario.paths import is_id
from . import limits
from .record import Generation
from .source import SourceImage


def told(job: Job) -> dict[str, object]:
    """What the service says of the job, as changes of the record."""
    changes: dict[str, object] = {"service_status": job.status, "status_history": job.status_history}
    if job.cost is not None:
        changes["cost"] = job.cost
    seed = number(job.input.get("seed"))
    if seed is not None and abs(seed) < limits.TOO_LARGE:
        changes["seed"] = int(seed)
    return changes


def find_job(client: ScenarioClient, generation: Generation, claim: Callable[[str, str], bool]) -> Job | None:
    """The job that was made from the generation's uploaded image, if the service's list has one.

    :param claim: see :meth:`Store.claim_job`: a job that another record has is not ours.
    :raises ScenarioError, StoreError: the list can't be had, or no job be claimed.
    """
    # A clock that has lost its battery says 1970, and Windows knows no time before.
    since = max(0.0, generation.created_at - limits.LOOKUP_MARGIN_SECONDS)
    for job in client.jobs(updated_after=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))):
        is_ours = _is_pixal3d(job) and job.input.get("image") == generation.asset_id
        if is_ours and claim(generation.id, job.id):
            return job
    return None


def adopted(client: ScenarioClient, generation: Generation) -> dict[str, object]:
    """What is to be known of a job that was not begun by this record, as changes of the record.

    :raises ScenarioError: it can't be had, or is of another model (:class:`NotFoundError`).
    """
    if not is_id(generation.job_id):
        raise NotFoundError("This is not the ID of a job.", "Copy it from the job in your Scenario project.")
    job = client.job(generation.job_id)
    if not _is_pixal3d(job):
        raise NotFoundError("This is not a job of Pixal3D.", "Look for its ID in your Scenario project.")
    image = job.input.get("image")
    asset_id = image if isinstance(image, str) else ""
    try:
        name = client.asset(asset_id).name if asset_id else ""
    except NotFoundError:
        name = ""  # the image was deleted; the model is there all the same
    return {
        "name": SourceImage(name, b"").title if name else generation.name,
        "asset_id": asset_id or generation.job_id,  # not empty: it is adopted
        "parameters": from_request(job.input),
        "submitted_at": generation.submitted_at or time.time(),
        "account": client.connection.fingerprint(),
        **told(job),
    }


def _is_pixal3d(job: Job) -> bool:
    return job.input.get("modelId") == MODEL_ID
