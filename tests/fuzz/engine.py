# SPDX-License-Identifier: GPL-3.0-or-later
"""Many trials, in several processes that are watched: each trial has a second of the processor and half a gigabyte.

What ends a process, or holds it up for a minute, is found as well: its seed is noted, and another process goes on
behind it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

SECONDS_A_TRIAL = 1.0
"""Of the processor, so that a machine under load is no fault of ours."""
MEMORY_BYTES = 512 * 1024**2
"""More than what the process had after its imports. What would be more fails, and that is a fault."""
HANGING_SECONDS = 60.0
ROUND = 250
MOST_FAULTS = 20
"""After so many, no process is started anew."""


@dataclass(slots=True)
class Report:
    """What came of the trials of a kind."""

    kind: str
    first_seed: int
    trials: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, 0)
    """CPU seconds, seed."""
    peak_bytes: int = 0
    """More than after the imports, of one process."""
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def text(self) -> str:
        lines = [
            f"{self.trials} damaged {self.kind}, seeds from {self.first_seed}, in {self.seconds:.0f} s: "
            f"{len(self.faults)} faults",
            f"  slowest {1000 * self.slowest[0]:.0f} ms of CPU (seed {self.slowest[1]}; the limit is "
            f"{1000 * SECONDS_A_TRIAL:.0f}), peak {self.peak_bytes / 1e6:.0f} MB more than idle (the limit is "
            f"{MEMORY_BYTES / 1e6:.0f})",
            "  " + ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common()),
        ]
        return "\n".join([*lines, *(f"  FAULT {fault}" for fault in self.faults)])


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Pipe
    place: Any
    """The seed that it is at."""
    end: int
    moved_at: float = 0.0
    seen: int = -1


def run(kind: str, first_seed: int, count: int, workers: int) -> Report:
    """`count` trials of a kind (:data:`.trials.TRIALS`)."""
    report, began = Report(kind, first_seed), time.monotonic()
    share = -(-count // workers)
    ends = [(first_seed + n * share, min(first_seed + (n + 1) * share, first_seed + count)) for n in range(workers)]
    running = [_start(kind, start, end) for start, end in ends if start < end]
    while running:
        for worker in list(running):
            _collect(worker, report)
            place = worker.place.value
            if place != worker.seen:
                worker.seen, worker.moved_at = place, time.monotonic()
            is_hanging = time.monotonic() - worker.moved_at > HANGING_SECONDS
            if worker.process.is_alive() and not is_hanging:
                continue
            worker.process.kill()
            worker.process.join()
            _collect(worker, report)
            running.remove(worker)
            if worker.place.value < worker.end:
                how = "hangs" if is_hanging else f"ended its process with {worker.process.exitcode}"
                report.faults.append(f"seed {worker.place.value}: {how}")
                report.trials += 1
                if worker.place.value + 1 < worker.end and len(report.faults) < MOST_FAULTS:
                    running.append(_start(kind, worker.place.value + 1, worker.end))
        time.sleep(0.05)
    report.seconds = time.monotonic() - began
    return report


def _start(kind: str, start: int, end: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    place = context.Value("q", start)
    process = context.Process(target=_work, args=(kind, start, end, place, sender), daemon=True)
    process.start()
    sender.close()
    return _Worker(process, receiver, place, end, time.monotonic())


def _collect(worker: _Worker, report: Report) -> None:
    try:
        while worker.pipe.poll():
            outcomes, slowest, peak, faults = worker.pipe.recv()
            report.trials += sum(outcomes.values())
            report.outcomes += outcomes
            report.slowest = max(report.slowest, slowest)
            report.peak_bytes = max(report.peak_bytes, peak)
            report.faults += faults
    except (EOFError, OSError):
        pass


def _work(kind: str, start: int, end: int, place: Any, pipe: Pipe) -> None:
    """A process's part."""
    import numpy
    import requests

    from tests.fuzz.trials import TRIALS

    assert numpy and requests
    take, trial = TRIALS[kind]
    with tempfile.TemporaryDirectory(prefix="pixal3d-fuzz-") as name:
        folder = Path(name)
        for seed in range(20):  # what is imported late; whether it is good is looked at below
            with contextlib.suppress(Exception):
                trial(seed, take(seed), folder)
        idle = _memory("VmRSS:")
        resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize:") + MEMORY_BYTES,) * 2)
        for first in range(start, end, ROUND):
            outcomes: Counter[str] = Counter()
            slowest, faults = (0.0, 0), []
            for seed in range(first, min(first + ROUND, end)):
                place.value = seed
                taken = take(seed)
                began = time.process_time()
                try:
                    outcomes[trial(seed, taken, folder)] += 1
                except Exception:
                    outcomes["FAULT"] += 1
                    faults.append(f"seed {seed}: {traceback.format_exc(limit=-4)[-1500:]}")
                seconds = time.process_time() - began
                slowest = max(slowest, (seconds, seed))
                if seconds > SECONDS_A_TRIAL:
                    faults.append(f"seed {seed}: {seconds:.1f} s of CPU")
            pipe.send((outcomes, slowest, _memory("VmHWM:") - idle, faults))
        place.value = end


def _memory(line: str) -> int:
    """Bytes, as ``/proc`` counts them."""
    for each in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if each.startswith(line):
            return int(each.split()[1]) * 1024
    raise AssertionError(line)
