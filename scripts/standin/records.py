# SPDX-License-Identifier: GPL-3.0-or-later
"""Assets, uploads and jobs as the stand-in keeps them, and the JSON the service shows of them (scenario-sdk 2.4.0).

A job's status is a pure function of the time, its length, and when its model was made: nothing has to tick.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from . import limits

AUTHOR_ID: Final = "apiu_standin"
MODEL_ID: Final = "model_pixal3d"
RUNNING: Final = frozenset({"queued", "warming-up", "in-progress", "finalizing"})


def new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_urlsafe(16).replace('-', 'a').replace('_', 'b')}"


def iso(at: float) -> str:
    """Milliseconds and Z, as in the SDK's examples."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Asset:
    id: str
    data: bytes
    mime_type: str
    kind: str
    source: str
    owner_id: str
    created: float
    properties: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    thumbnail_id: str | None = None
    tags: tuple[str, ...] = ()
    collection_ids: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the client gave it (`name` of POST /assets, `fileName` of POST /uploads); the service's own have none."""
        return str(self.metadata.get("name", ""))

    @property
    def extension(self) -> str:
        return {"model/gltf-binary": "glb", "image/jpeg": "jpg"}.get(self.mime_type, self.mime_type.split("/")[-1])

    def as_json(self, url: str, thumbnail_url: str | None = None) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.id, "url": url, "mimeType": self.mime_type, "kind": self.kind, "source": self.source,
            "status": "success", "privacy": "private", "ownerId": self.owner_id, "authorId": AUTHOR_ID,
            "createdAt": iso(self.created), "updatedAt": iso(self.created), "tags": list(self.tags),
            "collectionIds": list(self.collection_ids), "editCapabilities": [],
            "metadata": {"kind": self.kind, "type": self.source, "size": len(self.data), **self.metadata},
            "properties": {"size": len(self.data), **self.properties}}
        if thumbnail_url:
            shown["thumbnail"] = {"assetId": self.thumbnail_id, "url": thumbnail_url}
        return shown


@dataclass(slots=True)
class Upload:
    """`completed` is when the client said so; `problem` is then known, and `asset_id` if there is none."""

    id: str
    job_id: str
    owner_id: str
    file_name: str
    content_type: str
    kind: str
    file_size: int
    parts_count: int
    created: float
    seconds: float
    parts: dict[int, bytes] = field(default_factory=dict)
    completed: float | None = None
    problem: str | None = None
    asset_id: str | None = None

    def history(self, now: float) -> list[tuple[str, float]]:
        steps = [("pending", self.created)]
        if self.completed is not None:
            steps.append(("validating", self.completed))
            if self.problem:
                steps.append(("failed", self.completed + self.seconds / 2))
            else:
                steps += [("validated", self.completed + self.seconds / 2), ("imported", self.completed + self.seconds)]
        return [step for step in steps if step[1] <= now]

    def as_json(self, now: float) -> dict[str, Any]:
        status, since = self.history(now)[-1]
        shown: dict[str, Any] = {
            "id": self.id, "status": status, "kind": self.kind, "source": "multipart", "jobId": self.job_id,
            "fileName": self.id, "originalFileName": self.file_name, "contentType": self.content_type,
            "fileSize": self.file_size, "partsCount": self.parts_count, "authorId": AUTHOR_ID,
            "ownerId": self.owner_id, "createdAt": iso(self.created), "updatedAt": iso(since)}
        if status == "imported":
            shown["entityId"] = self.asset_id
        if status == "failed":
            shown["errorMessage"] = self.problem
        return shown

    def job_json(self, now: float) -> dict[str, Any]:
        """The upload as a job of type "upload"; `metadata.output.entityId` is its asset (seen live by a plugin)."""
        names = {"pending": "pending", "validating": "in-progress", "validated": "finalizing",
                 "imported": "success", "failed": "failure"}
        history = [(names[status], at) for status, at in self.history(now)]
        metadata: dict[str, Any] = {"input": {"uploadId": self.id, "kind": self.kind}}
        if history[-1][0] == "success":
            metadata["output"] = {"entityId": self.asset_id}
        elif history[-1][0] == "failure":
            metadata["error"] = self.problem
        return _job_json(self.job_id, "upload", self.owner_id, self.created, history,
                         1.0 if history[-1][0] == "success" else 0.0, metadata)


@dataclass(slots=True)
class Job:
    """A custom job. `made` is when the model was ready or failed; `asset_ids`, `error` and `hint` are then known."""

    id: str
    owner_id: str
    input: dict[str, Any]
    cost: float
    created: float
    seconds: float
    made: float | None = None
    asset_ids: tuple[str, ...] = ()
    error: str | None = None
    hint: str | None = None

    def history(self, now: float) -> list[tuple[str, float]]:
        start, length = self.created, self.seconds
        steps = [("queued", start), ("warming-up", start + limits.QUEUED_UNTIL * length),
                 ("in-progress", start + limits.WARMING_UP_UNTIL * length)]
        if self.made is not None and self.error:
            steps.append(("failure", max(self.made, steps[-1][1])))
        elif self.made is not None:
            finalizing = max(self.made, start + limits.IN_PROGRESS_UNTIL * length)
            steps += [("finalizing", finalizing), ("success", finalizing + (1 - limits.IN_PROGRESS_UNTIL) * length)]
        return [step for step in steps if step[1] <= now]

    def status(self, now: float) -> str:
        return self.history(now)[-1][0]

    def progress(self, now: float) -> float:
        status = self.status(now)
        if status in ("queued", "warming-up"):
            return 0.0
        if status == "success":
            return 1.0
        begin = self.created + limits.WARMING_UP_UNTIL * self.seconds
        length = (limits.IN_PROGRESS_UNTIL - limits.WARMING_UP_UNTIL) * self.seconds
        until = now if status != "failure" else min(now, self.made or now)
        return round(min(limits.PROGRESS_HELD_AT, max(0.0, until - begin) / length if length else 1.0), 3)

    def job_json(self, now: float) -> dict[str, Any]:
        history = self.history(now)
        status = history[-1][0]
        metadata: dict[str, Any] = {"input": dict(self.input)}
        if status == "success":
            metadata["assetIds"] = list(self.asset_ids)
        elif status == "failure":
            metadata.update(error=self.error, hint=self.hint)
        shown = _job_json(self.id, "custom", self.owner_id, self.created, history, self.progress(now), metadata)
        shown["billing"] = {"cuCost": self.cost, "cuDiscount": 0}
        if status in RUNNING:
            shown["updatedAt"] = iso(now)
        return shown


def _job_json(job_id: str, job_type: str, owner_id: str, created: float, history: list[tuple[str, float]],
              progress: float, metadata: dict[str, Any]) -> dict[str, Any]:
    return {"jobId": job_id, "jobType": job_type, "status": history[-1][0], "progress": progress,
            "statusHistory": [{"status": status, "date": iso(at)} for status, at in history],
            "metadata": metadata, "authorId": AUTHOR_ID, "ownerId": owner_id,
            "createdAt": iso(created), "updatedAt": iso(history[-1][1])}


def now() -> float:
    return time.time()
