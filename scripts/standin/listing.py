# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /jobs: filters and pages, with the rules of scenario-sdk 2.4.0 (types/job_list_params.py)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from . import limits
from .errors import ApiRefusal

_STATUSES: Final = ("pending", "queued", "warming-up", "in-progress", "finalizing", "success", "failure", "canceled")
_SORTED_BY_UPDATE: Final = ("status", "type", "types", "workflowId")


def job_page(jobs: Iterable[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page, newest first. Raises `ApiRefusal` 400 where the query breaks a rule."""
    by_update = [name for name in _SORTED_BY_UPDATE if name in query]
    if "createdAfter" in query and by_update:
        raise ApiRefusal(400, f'"createdAfter" is not allowed with "{by_update[0]}". Use "updatedAfter" instead')
    if "updatedAfter" in query and not by_update:
        raise ApiRefusal(400, '"updatedAfter" is only allowed with one of status, type, types, workflowId')
    if "status" in query and query["status"] not in _STATUSES:
        raise ApiRefusal(400, f'"status" must be one of [{", ".join(_STATUSES)}]')
    if "type" in query and "types" in query:
        raise ApiRefusal(400, '"type" and "types" must not be given together')
    size, start = page_size(query), _start(query.get("paginationToken"))
    types = set((query.get("types") or query.get("type") or "").split(",")) - {""}
    chosen = [
        job for job in jobs
        if (not types or job["jobType"] in types)
        and query.get("status", job["status"]) == job["status"]
        and query.get("authorId", job["authorId"]) == job["authorId"]
        and "workflowId" not in query
        and _later(job["createdAt"], query.get("createdAfter"), "createdAfter")
        and _later(job["updatedAt"], query.get("updatedAfter"), "updatedAfter")]
    # The token names the last job of the page before, so that a job started meanwhile moves nothing.
    chosen.sort(key=lambda job: (job["createdAt"], job["jobId"]), reverse=True)
    if start is not None:
        chosen = [job for job in chosen if (job["createdAt"], job["jobId"]) < start]
    page: dict[str, Any] = {"jobs": chosen[:size]}
    if len(chosen) > size:
        last = page["jobs"][-1]
        page["nextPaginationToken"] = base64.urlsafe_b64encode(f"{last['createdAt']} {last['jobId']}".encode()).decode()
    return page


def page_size(query: Mapping[str, str]) -> int:
    """1 to 100, usually 50. Raises `ApiRefusal` 400."""
    text = query.get("pageSize", str(limits.PAGE_SIZE_DEFAULT))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= limits.PAGE_SIZE_MAX:
        raise ApiRefusal(400, f'"pageSize" must be between 1 and {limits.PAGE_SIZE_MAX}')
    return int(text)


def _start(token: str | None) -> tuple[str, str] | None:
    if token is None:
        return None
    try:
        created, job_id = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
    except (binascii.Error, ValueError) as error:
        raise ApiRefusal(400, '"paginationToken" is not valid') from error
    return created, job_id


def _later(date: str, after: str | None, name: str) -> bool:
    if after is None:
        return True
    try:
        limit = datetime.fromisoformat(after)
    except ValueError as error:
        raise ApiRefusal(400, f'"{name}" must be an ISO 8601 date') from error
    if limit.tzinfo is None:
        limit = limit.replace(tzinfo=UTC)
    return datetime.fromisoformat(date) > limit
