# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service says, as values of our own. Fields: scenario-sdk 2.4.0 types.

Reading is lenient, as a missing detail must not cost the artist a paid model: only an id is insisted on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from . import limits
from .errors import ProtocolError
from .paths import is_id

_SUCCEEDED: Final = frozenset({"success"})
# docs.scenario.com speaks of "failed" in places; the spec has failure and canceled.
_FAILED: Final = frozenset({"failure", "failed", "canceled", "cancelled"})


@dataclass(frozen=True, slots=True)
class Project:
    """Who the key belongs to. A field that the service does not tell is ``""``."""

    id: str = ""
    name: str = ""
    team: str = ""
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """A price in creative units. `cost` is what :meth:`~.client.ScenarioClient.generate` would be charged."""

    cost: float
    discount: float = 0.0
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A job at the moment of asking. `status` is the service's own word, `progress` 0 to 1 or unknown."""

    id: str
    status: str = ""
    progress: float | None = None
    asset_ids: tuple[str, ...] = ()
    error: str = ""
    hint: str = ""
    cost: float | None = None
    created_at: str = ""
    updated_at: str = ""
    input: Mapping[str, object] = field(default_factory=dict)
    status_history: tuple[tuple[str, str], ...] = ()

    @property
    def succeeded(self) -> bool:
        """Ended with a result."""
        return self.status in _SUCCEEDED

    @property
    def failed(self) -> bool:
        """Ended without one."""
        return self.status in _FAILED

    @property
    def finished(self) -> bool:
        """Ended. A status that we don't know counts as still running."""
        return self.succeeded or self.failed


@dataclass(frozen=True, slots=True)
class Submission:
    """The service has taken a paid job. `cost` in creative units, ``None`` if it did not say."""

    job: Job
    cost: float | None


@dataclass(frozen=True, slots=True)
class Asset:
    """A file at the service. `url` is signed and expires, and grants access to whoever has it: the repr hides it."""

    id: str
    url: str = field(default="", repr=False)
    mime_type: str = ""
    kind: str = ""
    status: str = ""
    size: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A GLB on disk, whole."""

    path: Path
    size: int
    sha256: str
    asset_id: str


def read_job(fields: object, clean: Callable[[str], str]) -> Job:
    """A job out of ``{"jobId", "status", "metadata", ...}``; `clean` bounds and redacts the service's words.

    :raises ProtocolError: it has no id, or none that can stand in a path.
    """
    data = mapping(fields)
    metadata, billing = mapping(data.get("metadata")), mapping(data.get("billing"))
    job_id = short(data.get("jobId")) or short(data.get("id"))
    if not is_id(job_id):  # it could not be asked after
        raise ProtocolError("Scenario's answer names no job.")
    progress = number(data.get("progress"))
    return Job(
        id=job_id,
        status=short(data.get("status")),
        progress=None if progress is None else min(1.0, max(0.0, progress)),
        asset_ids=tuple(i for i in listing(metadata.get("assetIds")) if isinstance(i, str) and is_id(i))[
            : limits.JOB_ASSETS
        ],
        error=clean(words(metadata.get("error"))),
        hint=clean(words(metadata.get("hint"))),
        cost=price(billing.get("cuCost")),
        created_at=short(data.get("createdAt")),
        updated_at=short(data.get("updatedAt")),
        input=mapping(metadata.get("input")),
        status_history=tuple(
            (short(mapping(step).get("status")), short(mapping(step).get("date")))
            for step in listing(data.get("statusHistory"))[: limits.JOB_STATUSES]
        ),
    )


def read_asset(fields: object) -> Asset:
    """An asset out of ``{"id", "url", "mimeType", "kind", ...}``.

    :raises ProtocolError: it has no id.
    """
    data = mapping(fields)
    asset_id = short(data.get("id"))
    if not asset_id:
        raise ProtocolError("Scenario's answer names no asset.")
    metadata = mapping(data.get("metadata"))
    size = number(mapping(data.get("properties")).get("size"))
    return Asset(
        id=asset_id,
        url=string(data.get("url")),
        mime_type=short(data.get("mimeType")).partition(";")[0].strip().lower(),
        kind=short(data.get("kind")) or short(metadata.get("kind")),
        status=short(data.get("status")),
        size=int(size) if size is not None and size >= 0 else None,
        name=short(metadata.get("name")) or short(data.get("name")),
    )


def read_quote(fields: Mapping[str, object]) -> Quote:
    """A price out of the answer to a dry run.

    :raises ProtocolError: it has none; or it has a job, which a dry run must not start.
    """
    if fields.get("job"):
        raise ProtocolError(
            "Scenario was asked for the price only, but says that it started a job.",
            "Look at the jobs in your Scenario project: it may be charged.",
            reason=short(mapping(fields["job"]).get("jobId"))[:100],
        )
    cost = price(fields.get("creativeUnitsCost"))
    if cost is None:
        raise ProtocolError("Scenario's answer names no price.", "Try again in a moment.")
    details = {key: n for key, v in mapping(fields.get("costDetails")).items() if (n := number(v)) is not None}
    return Quote(cost, number(fields.get("creativeUnitsDiscount")) or 0.0, details)


def read_project(fields: Mapping[str, object], project_id: str) -> Project:
    """The project `project_id`, or the first one, out of ``{"teams": [{"projects": [...]}]}``."""
    found = Project(id=project_id)
    for team in map(mapping, listing(fields.get("teams"))):
        for project in map(mapping, listing(team.get("projects"))):
            if not project_id or project.get("id") == project_id:
                return Project(short(project.get("id")), short(project.get("name")), *_team(team))
        if found.team == found.plan == "":
            found = Project(project_id, "", *_team(team))
    return found


def _team(team: Mapping[str, object]) -> tuple[str, str]:
    return short(team.get("name")), short(team.get("plan"))


def mapping(value: object) -> Mapping[str, object]:
    """`value`, or an empty one if it is something else."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[object]:
    """`value`, or an empty one if it is something else."""
    return value if isinstance(value, list) else []


def string(value: object) -> str:
    """`value`, or ``""`` if it is something else."""
    return value if isinstance(value, str) else ""


def short(value: object) -> str:
    """:func:`string` for a record or a label: printable, on one line, of bounded length."""
    text = string(value)[: limits.REASON_CHARACTERS]
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def number(value: object) -> float | None:
    """`value` as a finite float, or ``None``. Also from a string such as a header's."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def price(value: object) -> float | None:
    """:func:`number`, if one may be asked to pay it: nobody is paid for a job."""
    found = number(value)
    return found if found is not None and found >= 0 else None


def words(value: object, depth: int = 3) -> str:
    """Text out of a string, a list, or an object that has it under one of the usual names."""
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (words(item, depth - 1) for item in value[:10])))
    data = mapping(value)
    for name in ("reason", "message", "error", "detail"):
        if found := words(data.get(name), depth - 1):
            return found
    return ""
