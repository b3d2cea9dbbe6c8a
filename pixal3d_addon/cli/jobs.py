# SPDX-License-Identifier: GPL-3.0-or-later
"""``jobs``: what the store of this computer knows, and what the service knows of the project."""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Any

from ..blender import session
from ..generation import Generation, Store
from ..scenario import MODEL_ID, Job, ScenarioClient
from .console import Console
from .exit_codes import ExitCode
from .interrupts import interrupts, raise_interrupt
from .limits import NAME_COLUMN
from .service import connection


def run(arguments: argparse.Namespace, console: Console) -> ExitCode:
    way = connection() if arguments.service else None
    store = Store(session.folder())
    generations = store.all(limit=arguments.limit) if store.exists else []
    for generation in generations:
        _show(console, **_facts(generation))
    if way is not None:
        known = {generation.job_id for generation in generations}
        with interrupts(raise_interrupt), ScenarioClient(way) as client:
            ours = (job for job in client.jobs() if job.input.get("modelId") == MODEL_ID and job.id not in known)
            for job in itertools.islice(ours, arguments.limit):
                _show(console, **_facts_of_job(job))
    elif not generations:
        console.say("Nothing was generated on this computer yet.")
    return ExitCode.DONE


def _facts(generation: Generation) -> dict[str, Any]:
    return {
        "id": generation.id,
        "job": generation.job_id,
        "name": generation.name,
        "state": generation.state.value,
        "status": generation.service_status,
        "cost": generation.cost,
        "seed": generation.seed,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(generation.created_at)),
        "file": generation.glb_file,
        "error": generation.error,
        "hint": generation.hint,
    }


def _facts_of_job(job: Job) -> dict[str, Any]:
    """Of one that this computer does not know."""
    return {
        "id": "",
        "job": job.id,
        "name": "",
        "state": "",
        "status": job.status,
        "cost": job.cost,
        "seed": job.input.get("seed"),
        "created": job.created_at,
        "file": "",
        "error": job.error,
        "hint": job.hint,
    }


def _show(console: Console, **facts: Any) -> None:
    console.tell("job", **facts)
    how = (
        f"{facts['state']} ({facts['status']})"
        if facts["state"] and facts["status"]
        else facts["state"] or facts["status"]
    )
    cost = "" if facts["cost"] is None else f"{facts['cost']:g} CU"
    name = facts["name"] if len(facts["name"]) <= NAME_COLUMN else f"{facts['name'][: NAME_COLUMN - 1]}…"
    line = f"{facts['job'] or facts['id'][:8]:<28} {name:<{NAME_COLUMN}} {how:<24} {cost:<8} {facts['created'][:16]}"
    console.say(f"{line} {facts['error']}".rstrip())
