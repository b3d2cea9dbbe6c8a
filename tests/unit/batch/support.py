# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches for tests: small images, small models, and other processes at the same folders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pixal3d_addon.batch import Batch, EntryState, read_manifest
from pixal3d_addon.scenario import Connection, Credentials
from tests.unit.generation.images import a_png
from tests.unit.generation.processes import QUICK

PROJECT = Path(__file__).resolve().parents[3]
SMALL: dict[str, object] = {"decimation_target": 5000, "resolution": 1024, "seed": 7}

_SCRIPT = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {project!r})
from pixal3d_addon.batch import Batch
from pixal3d_addon.batch import limits as batch_limits
from pixal3d_addon.batch.manifest import Manifest
from pixal3d_addon.generation import limits
from pixal3d_addon.scenario import Connection, Credentials

for name, value in {limits!r}.items():
    setattr(limits, name, value)
batch_limits.OTHERS_SECONDS = 0.2
source, output, url, key, secret = sys.argv[1:]
append = Manifest.append
wanted = {when!r}

def killing(self, entry, *, sync):
    if wanted == f"before {{entry.state}}":
        os.kill(os.getpid(), signal.SIGKILL)
    append(self, entry, sync=sync)
    if wanted == f"after {{entry.state}}":
        os.kill(os.getpid(), signal.SIGKILL)

Manifest.append = killing
batch = Batch(Path(source), Path(output), Connection(Credentials(key, secret), url), defaults={small!r},
              concurrency={concurrency})
print(batch.run(lambda event: print("EVENT", event.entry.state, flush=True)))
"""


class Service:
    """The stand-in that all tests share, with a ledger and a list of requests that begin now."""

    def __init__(self, standin: Any) -> None:
        self._standin = standin
        standin.clear_requests()
        self.before: dict[str, Any] = standin.ledger()

    def charges(self) -> list[dict[str, Any]]:
        charges: list[dict[str, Any]] = self._standin.charges()
        return charges[len(self.before["charges"]) :]

    @property
    def spent(self) -> float:
        return float(self._standin.ledger()["spent"] - self.before["spent"])

    @property
    def quotes(self) -> int:
        return int(self._standin.ledger()["quotes"] - self.before["quotes"])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._standin, name)


def images(folder: Path, *names: str) -> Path:
    """A folder with these images."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(a_png())
    return folder


def way_to(service: Any) -> Connection:
    return Connection(Credentials(service.key, service.secret), service.base_url)


def a_batch(source: Path, output: Path, service: Any, **options: Any) -> Batch:
    return Batch(source, output, way_to(service), defaults=SMALL, **options)


def a_process(
    source: Path, output: Path, service: Any, *, killed: str = "", concurrency: int = 2
) -> subprocess.Popen[str]:
    """The same batch in another process.

    :param killed: ``before`` or ``after`` and a state: it kills itself when it writes the first line with that.
    """
    script = _SCRIPT.format(project=str(PROJECT), limits=QUICK, when=killed, small=SMALL, concurrency=concurrency)
    return subprocess.Popen(
        [sys.executable, "-c", script, source, output, service.base_url, service.key, service.secret],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def ended(process: subprocess.Popen[str]) -> int:
    """Its exit code, when it has ended."""
    process.communicate()
    return process.returncode


def charged(service: Any) -> Counter[str]:
    """How often each image was paid for, by the name under which it was sent."""
    return Counter(charge["image_name"] for charge in service.charges())


def states(output: Path) -> dict[str, EntryState]:
    """By the result's name."""
    return {entry.name: entry.state for entry in read_manifest(output)}


def models(output: Path) -> list[str]:
    return sorted(path.name for path in output.glob("*.glb"))
