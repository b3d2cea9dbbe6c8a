# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab has run, as tables. The runs come from several processes, each of which appends lines to one file."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab.judge import Run
from tests.lab.troubles import FAULTS, KILL_POINTS, STEPS, trouble

LINES = "runs.jsonl"
SUMMARY = "summary.txt"
"""``scripts/test.py`` prints this file of a leg's output folder."""

Line = Mapping[str, Any]


def note(folder: Path, run: Run, seconds: float) -> None:
    """Append a run. One short write, so that several processes may do it at a time."""
    line = {
        "id": run.case.id,
        "kind": run.case.kind,
        "cells": run.case.cells,
        "points": run.case.points,
        "arrival": run.case.arrival,
        "ok": not run.problems,
        "problems": run.problems,
        "kills": run.kills,
        "clicks": run.case.crowd,
        "charges": len(run.books.charges),
        "finished": run.finished_jobs,
        "meshes": run.meshes,
        "ending": run.ending,
        "seconds": round(seconds, 1),
    }
    append(folder, line)


def append(folder: Path, line: Line) -> None:
    """A line that was not made by :func:`note`."""
    with (folder / LINES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read(folder: Path) -> list[Line]:
    """All that was noted."""
    path = folder / LINES
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def text(lines: Sequence[Line], title: str) -> str:
    """The tables, and a line of totals."""
    parts = [title, _faults(lines), _kills(lines), _kinds(lines), _endings(lines), _totals(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(runs: Iterable[Line]) -> str:
    """How many runs, and how many of them were good if not all."""
    found = list(runs)
    good = sum(line["ok"] for line in found)
    return str(good) if good == len(found) else f"{good}/{len(found)}"


def _faults(lines: Sequence[Line]) -> str:
    by_cell: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        for fault, step in line["cells"]:
            by_cell[fault, step].append(line)
    if not by_cell:
        return ""
    rows = [["fault", *(step.name for step in STEPS)]]
    for fault in FAULTS:
        cells = []
        for step in STEPS:
            runs = by_cell.get((fault, step.name), [])
            cells.append(_cell(runs) if runs else ("-" if trouble(fault, step) else ""))
        rows.append([fault, *cells])
    return "Runs with a fault at a step (pairs count in both; - not drawn; blank: makes no sense there)\n" + _grid(rows)


def _kills(lines: Sequence[Line]) -> str:
    by_point: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        for point in line["points"]:
            by_point[point].append(line)
    if not by_point:
        return ""
    rows = [["Blender is killed", "runs", "SIGKILLs", "charges", "meshes"]]
    for name in [point.name for point in KILL_POINTS]:
        if runs := by_point.get(name):
            rows.append([name, _cell(runs), *(str(sum(line[key] for line in runs)) for key in _COUNTS)])
    return "Runs with a kill (with two kills, they count at both points)\n" + _grid(rows)


_COUNTS = ("kills", "charges", "meshes")


def _kinds(lines: Sequence[Line]) -> str:
    rows = [["kind", "runs", "SIGKILLs", "charges", "meshes", "seconds"]]
    for kind in dict.fromkeys(line["kind"] for line in lines):
        runs = [line for line in lines if line["kind"] == kind]
        seconds = f"{sum(line['seconds'] for line in runs):.0f}"
        rows.append([kind, _cell(runs), *(str(sum(line[key] for line in runs)) for key in _COUNTS), seconds])
    return _grid(rows)


def _endings(lines: Sequence[Line]) -> str:
    counts = Counter(line["ending"] for line in lines)
    return "Ends\n" + _grid([[ending, str(count)] for ending, count in counts.most_common()])


def _totals(lines: Sequence[Line]) -> str:
    names = ("kills", "clicks", "charges", "finished", "meshes")
    kills, clicks, charges, finished, meshes = (sum(line[name] for line in lines) for name in names)
    bad = [line["id"] for line in lines if not line["ok"]]
    verdict = f"{len(bad)} BAD: {', '.join(bad)}" if bad else "all good"
    return (
        f"{len(lines)} runs, {kills} SIGKILLs of a real Blender, {clicks} clicks, {charges} charges, "
        f"{finished} jobs finished by the service, {meshes} meshes in a scene: {verdict}"
    )


def _grid(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
