# SPDX-License-Identifier: GPL-3.0-or-later
"""Other processes at the same store, and what tests do with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[3]

_PRELUDE = """
import resource, sys, time
from pathlib import Path
from pixal3d_addon.generation import *
from pixal3d_addon.generation import limits
from pixal3d_addon.parameters import complete
from pixal3d_addon.scenario import Connection, Credentials
sys.path.insert(0, {project!r})
from tests.unit.generation.images import a_png, until

for name, value in {limits!r}.items():
    setattr(limits, name, value)
folder = Path(sys.argv[1])
connection = Connection(Credentials(sys.argv[3], sys.argv[4]), sys.argv[2])
PARAMETERS = complete({{"decimation_target": 5000, "resolution": 1024, "seed": 7}})
"""

_END = """
print("STARTED", flush=True)
sys.stdin.read()
"""

GENERATES = """
manager = Manager(folder, Settings(concurrency=CONCURRENCY))
for number in range(COUNT):
    manager.start(Generation(f"disk {number}", PARAMETERS), SourceImage("disk", a_png()), connection)
"""

QUICK: dict[str, Any] = {
    "POLL_FIRST_SECONDS": 0.2,
    "POLL_LAST_SECONDS": 0.5,
    "LOOKUP_PAUSES_SECONDS": (0.0, 0.2),
    "OUTAGE_PATIENCE_SECONDS": 0.5,
    "UNKNOWN_JOB_PATIENCE_SECONDS": 2.0,
    "BUSY_PAUSE_SECONDS": 0.3,
    "RETRY_PAUSES_SECONDS": (0.2, 0.3, 0.4),
    "KEEPER_SECONDS": 0.05,
    "TAKE_OVER_SECONDS": 0.2,
}
"""What is minutes in the artist's Blender."""


def a_process(script: str, folder: Path, service: Any, **changed_limits: Any) -> subprocess.Popen[str]:
    """A process that has run `script` and does not end by itself. `folder`, `connection` and PARAMETERS are there."""
    prelude = _PRELUDE.format(project=str(PROJECT), limits={**QUICK, **changed_limits})
    process = subprocess.Popen(
        [sys.executable, "-c", prelude + script + _END, folder, service.base_url, service.key, service.secret],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert process.stdout and process.stdout.readline() == "STARTED\n"
    return process


def generating(folder: Path, service: Any, count: int = 1, concurrency: int = 100) -> subprocess.Popen[str]:
    """A process that generates on the store in `folder`."""
    script = f"COUNT, CONCURRENCY = {count}, {concurrency}{GENERATES}"
    return a_process(script, folder, service)


def kill(process: subprocess.Popen[str]) -> None:
    """As a crash does, and the power button."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
