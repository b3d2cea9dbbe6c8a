# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that never change: the team, its limits, and the model with its inputs (fields of scenario-sdk 2.4.0)."""

from __future__ import annotations

from typing import Any, Final

from .parameters import IMAGE_INPUT, INPUTS
from .records import MODEL_ID

_DATE: Final = "2026-01-01T00:00:00.000Z"


def teams_json(project_id: str) -> dict[str, Any]:
    project = {"id": project_id, "name": "Stand-in Project", "createdAt": _DATE, "updatedAt": _DATE}
    return {"teams": [{
        "id": "team_standin", "name": "Stand-in Team", "type": "shared", "plan": "cu-pro", "createdAt": _DATE,
        "updatedAt": _DATE, "projects": [project],
        "context": {"invitationsCount": 0, "keysCount": 1, "userRole": "key", "usersCount": 1}}]}


def limits_json(creative_units: float | None, spent: float, parallel_jobs: int | None) -> dict[str, Any]:
    total = 1_000_000 if creative_units is None else creative_units
    names = ("apiKeys", "canvasAssetLayers", "canvasAssets", "collections", "defaultSeats", "downloadAssets",
             "downloadModel", "inferenceBatchSize", "maxTrainingDatasets", "models", "OTPSessions",
             "parallelCustomJobs", "parallelInferences", "parallelTraining", "parallelWorkflowRuns",
             "premiumGenerationSamples", "projects", "scalingFactor", "seats", "snapshotsRetention", "upload")
    parallel = 100 if parallel_jobs is None else parallel_jobs
    return {
        "limits": {**dict.fromkeys(names, 100), "parallelCustomJobs": parallel, "creativeUnits": total,
                   "minCooldown": 0, "maxCooldown": 0},
        "values": {"apiKeys": 1, "canvasAssets": 0, "collections": 0, "creativeUnits": spent, "projects": 1,
                   "seats": 1},
        "oneShotCreativeUnits": [], "plan": "cu-pro", "period": {"start": _DATE, "end": "2036-01-01T00:00:00.000Z"}}


def model_json() -> dict[str, Any]:
    return {
        "id": MODEL_ID, "name": "Pixal3D (stand-in)", "type": "custom", "custom": True, "privacy": "public",
        "source": "other", "status": "trained", "capabilities": ["img23d"], "collectionIds": [],
        "exampleAssetIds": [], "tags": ["3d", "stand-in"], "trainingImagesNumber": 0, "accessRestrictions": 0,
        "createdAt": _DATE, "updatedAt": _DATE,
        "shortDescription": "A stand-in on this machine: it inflates the picture's silhouette. Not Pixal3D's output.",
        "inputs": [IMAGE_INPUT, *(item.described() for item in INPUTS)]}
