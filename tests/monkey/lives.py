# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's side: lives of the monkey one after the other, in one profile, against one stand-in."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixal3d_addon.generation import Generation, Store
from tests.lab.bench import generations_folder
from tests.support.blender_process import Blender
from tests.support.standin import StandIn

PLAY = Path(__file__).parent / "inside/monkey.py"
WIDTH, HEIGHT = 800, 520
START_SECONDS = 90.0
MANY = 100_000
ACTION_SECONDS = 6.0
"""Far more than one takes; a Blender that hangs is told from a slow one by the whole."""


@dataclass(slots=True)
class Life:
    """One Blender, from its start to its end."""

    name: str
    returncode: int
    output: str
    report: Mapping[str, Any] | None
    """What the monkey recorded; ``None`` if Blender died before."""
    last_action: str
    actions: int
    seconds: float


@dataclass(slots=True)
class Story:
    """All lives in one profile, and the service's books."""

    lives: list[Life] = field(default_factory=list)
    records: Sequence[Generation] = ()
    """What the last Blender has left on disk."""
    jobs: Sequence[Mapping[str, Any]] = ()
    charges: Sequence[Mapping[str, Any]] = ()


def live(
    blender: Blender,
    profile: Path,
    display: Mapping[str, str],
    standin: StandIn,
    folder: Path,
    *,
    seed: int,
    lives: int,
    actions: int,
    replay: str = "",
) -> Story:
    """Plays so many lives of so many actions, or one that a file tells."""
    story = Story()
    known_jobs = {job["id"] for job in standin.jobs()}
    for number in range(1 if replay else lives):
        name = f"{seed}.{number}"
        results = folder / f"life-{name}"
        results.mkdir(parents=True, exist_ok=True)
        count = len(Path(replay).read_text(encoding="utf-8").splitlines()) if replay else actions
        order = {"seed": seed, "life": number, "name": name, "count": count, "replay": replay}
        timeout = START_SECONDS + count * ACTION_SECONDS
        began = time.monotonic()
        run = blender.run(
            *("--enable-event-simulate", "--window-geometry", "0", "0", str(WIDTH), str(HEIGHT)),
            *("--python-exit-code", "9", "--python", PLAY),
            profile=profile,
            environment={
                **display,
                **standin.environment(),
                "PIXAL3D_GUI_RESULTS": str(results),
                "PIXAL3D_GUI_TIMEOUT_SECONDS": str(timeout),
                "PIXAL3D_MONKEY": json.dumps(order),
            },
            timeout=timeout + START_SECONDS,
        )
        (results / "blender.log").write_text(run.output, encoding="utf-8")
        story.lives.append(_life(name, run.returncode, run.output, results, time.monotonic() - began))
        if story.lives[-1].report is None:
            break
    store = Store(generations_folder(profile))
    story.records = store.all(limit=MANY)
    store.release()
    story.jobs = [job for job in standin.jobs() if job["id"] not in known_jobs]
    story.charges = [charge for charge in standin.charges() if charge["job_id"] not in known_jobs]
    return story


def _life(name: str, returncode: int, output: str, results: Path, seconds: float) -> Life:
    done = (results / "actions.jsonl").read_text(encoding="utf-8").splitlines() if any(results.glob("*.jsonl")) else []
    report_file = results / "result.json"
    report = json.loads(report_file.read_text(encoding="utf-8")) if report_file.exists() else None
    recorded = {**report["recorded"], "error": report["error"]} if report else None
    return Life(name, returncode, output, recorded, done[-1] if done else "", len(done), seconds)
