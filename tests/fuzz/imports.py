# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged models that our check has passed, imported by Blender in another process; if that dies, or hangs, the model
that it was at is kept, and another process goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pixal3d_addon.scenario import UnreadableModelError, inspect_glb
from tests.fuzz import corpus, heavy, trials

SECONDS_A_MODEL = 120.0
"""The heaviest take seconds, and some times that on a machine under load; what is stuck takes longer."""
MEMORY_BYTES = 4 * 1024**3
"""Blender's, at its highest."""
SCRIPT = Path(__file__).with_name("in_blender.py")


@dataclass(slots=True)
class Report:
    """What came of it."""

    blender: str
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    peak: tuple[int, str] = (0, "")
    faults: list[str] = field(default_factory=list)
    processes: int = 0
    seconds: float = 0.0

    @property
    def imported(self) -> int:
        return self.outcomes["imported"]

    def text(self) -> str:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common())
        lines = [
            f"{self.outcomes.total()} damaged models that the check passed, in Blender {self.blender}: {counts}; "
            f"{len(self.faults)} faults ({self.processes} processes, {self.seconds:.0f} s)",
            f"  slowest {self.slowest[0]:.1f} s ({self.slowest[1]}), most memory {self.peak[0] / 1e9:.2f} GB "
            f"({self.peak[1]}; the limit is {MEMORY_BYTES / 1e9:.1f})",
        ]
        return "\n".join([*lines, *(f"  FAULT {fault}" for fault in self.faults)])


def survivors(folder: Path, first_seed: int, count: int) -> list[Path]:
    """`count` damaged models that our check passes, and the corpus as it is."""
    found = []
    for name, data in corpus.models().items():
        path = folder / f"{name.removesuffix('.glb')}.glb"
        path.write_bytes(data)
        found += [path] if is_passed(path) else []
    seed, end = first_seed, len(found) + count
    while len(found) < end:
        data, done = trials.damaged_model(seed)
        path = folder / f"{seed}-{'-'.join(done)}.glb"
        path.write_bytes(data)
        if is_passed(path):
            found.append(path)
        else:
            path.unlink()
        seed += 1
    return found


def heaviest(folder: Path) -> list[Path]:
    """A model at each of the check's limits."""
    found = [folder / f"heavy-{make.__name__}.glb" for make in heavy.HEAVY]
    for path, make in zip(found, heavy.HEAVY, strict=True):
        path.write_bytes(make(0).packed())
        assert is_passed(path), path.name
    return found


def is_passed(path: Path) -> bool:
    try:
        inspect_glb(path)
    except UnreadableModelError:
        return False
    return True


def run(files: list[Path], folder: Path, kept: Path, blender: str) -> Report:
    """Import them all, with the bpy of this Python.

    :param kept: the folder for models with which something is wrong.
    """
    report, began, left = Report(blender), time.monotonic(), [str(path) for path in files]
    notes = folder / "notes.txt"
    while left:
        report.processes += 1
        notes.write_text("", encoding="utf-8")
        names = folder / "names.txt"
        names.write_text("\n".join(left), encoding="utf-8")
        ending = _watched([sys.executable, str(SCRIPT), str(names), str(notes)], notes, folder / "output.txt")
        lines = [line.split("\t") for line in notes.read_text(encoding="utf-8").splitlines()]
        left = left[sum(line[0] == "begin" for line in lines) :]
        for outcome, name, seconds, peak in (line for line in lines if line[0] != "begin"):
            report.outcomes[outcome.split()[0]] += 1
            short = Path(name).name
            report.slowest = max(report.slowest, (float(seconds), short))
            report.peak = max(report.peak, (int(peak), short))
            if outcome.startswith("FAULT") or int(peak) > MEMORY_BYTES:
                _keep(report, kept, name, f"{outcome} ({int(peak) / 1e9:.1f} GB)")
        if lines and lines[-1][0] == "begin":
            report.outcomes["FAULT"] += 1
            _keep(report, kept, lines[-1][1], ending)
        elif not lines:
            report.faults.append(
                f"Blender did not start: {(folder / 'output.txt').read_text(errors='replace')[-2000:]}"
            )
            break
    report.seconds = time.monotonic() - began
    return report


def _watched(command: list[str], notes: Path, output: Path) -> str:
    """How it ended."""
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        size, moved_at = 0, time.monotonic()
        while process.poll() is None:
            time.sleep(0.05)
            if (now := notes.stat().st_size) != size:
                size, moved_at = now, time.monotonic()
            if time.monotonic() - moved_at > SECONDS_A_MODEL:
                process.kill()
                process.wait()
                return "it hung"
    return f"its process ended with {process.returncode}"


def _keep(report: Report, kept: Path, name: str, what: str) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    report.faults.append(f"{shutil.copy(name, kept)}: {what}")
