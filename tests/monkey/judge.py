# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a story of the monkey: a crash, a fault in the console, a mesh that is lost or paid twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.monkey.lives import Life, Story

FAULTS = re.compile(
    r"Traceback \(most recent|A fault in the add-on|^Error: Python|ReferenceError|Segmentation fault|Fatal Python|"
    r"EXCEPTION_ACCESS|pixal3d_addon/\S+\.py\"?, line|matches no enum|unknown operator|property not found|"
    r"Exception ignored|was never awaited|ResourceWarning|Writing to ID classes in this context",
    re.MULTILINE,
)
"""What no console may show. Blender's own noise that looks like it is taken out before."""

ALLOWED = (
    # Blender shows a folder with xdg-open, and prints how it fails where there is none, as on this machine.
    r"^Traceback \(most recent call last\):\n(?:.*\n)*?FileNotFoundError: .*'xdg-open'$",
    # An image datablock of a file that is none has no color space, and whoever asks for it is told so.
    r"^.*matches no enum in 'ColorManagedInputColorspaceSettings'.*$",
    # Blender 4.3 asks for a brush of Texture Paint where none is chosen.
    r"^Traceback \(most recent call last\):\n  File \"\S*/bl_ui/properties_paint_common\.py\".*\n(?:    .*\n)*"
    r"AttributeError: 'NoneType' object .*$",
)
"""Blender's own, each with the reason why it is none of our business."""

_GOOD = frozenset({"imported", "ready"})


def judge(story: Story) -> list[str]:
    """Sentences; empty if nothing is wrong."""
    found = [problem for life in story.lives for problem in _of_life(life)]
    if all(life.report for life in story.lives):
        found += _results(story)
        found += _money(story)
    return found


def _of_life(life: Life) -> Iterator[str]:
    for line in console_faults(life.output):
        yield f"life {life.name}: the console says: {line}"
    report = life.report
    if report is None:
        yield f"life {life.name}: Blender ended with {life.returncode} after {life.actions} actions: {life.last_action}"
        return
    if report["error"]:
        yield f"life {life.name}: the monkey stumbled: {report['error']}"
        return
    if life.returncode:
        yield f"life {life.name}: Blender ended with {life.returncode} at the end"
    for problem in report["problems"]:
        yield f"life {life.name}: {problem}"
    for where in report["held"]:
        yield f"life {life.name}: {where} holds a datablock"
    for what in report["unrest"]:
        yield f"life {life.name}: after a minute of rest {what} (waiting: {report['waiting']!r})"
    for generation in report["generations"]:
        if generation["on_disk"] != generation["state"]:
            yield f"life {life.name}: {generation['name']} is {generation['state']}, on disk {generation['on_disk']!r}"


def console_faults(output: str) -> list[str]:
    """The lines that no console may show, with a little of what follows."""
    for pattern in ALLOWED:
        output = re.sub(pattern, "", output, flags=re.MULTILINE)
    lines = output.splitlines()
    return ["\n".join(lines[at : at + 14]) for at, line in enumerate(lines) if FAULTS.search(line)]


def _together(story: Story, name: str) -> dict[str, Any]:
    return {key: value for life in story.lives for key, value in (life.report or {})[name].items()}


def _results(story: Story) -> Iterator[str]:
    """Every job that the service has finished is in the scene, or ready, or it is known why not."""
    records = {record.job_id: record for record in story.records if record.job_id}
    removed = _together(story, "removed")
    let_go = {generation_id for life in story.lives for generation_id in (life.report or {})["let_go"]}
    removed_jobs = {r["job_id"] for r in removed.values()}
    removed_unknown = {r["name"] for r in removed.values() if not r["job_id"]}
    for job in story.jobs:
        name, record = _title(job["image_name"]), records.get(job["id"])
        if record is None:
            if job["id"] not in removed_jobs and name not in removed_unknown:
                yield f"nothing is known of the job {job['id']} ({job['status']}) of {name}"
            continue
        state = record.state.value
        is_fine = state in _GOOD if job["status"] == "success" else state in {"failed", "abandoned"}
        if state == "abandoned" and record.id in let_go:
            is_fine = True
        if not is_fine:
            yield f"{name} has a job ({job['status']}) and is {state}: {record.trouble}"
        if state not in _GOOD and not record.error:
            yield f"{name} is {state}, and nobody says why"


def _money(story: Story) -> Iterator[str]:
    """At most one charge for a model that was asked for, and none for what nobody has asked for."""
    asked = Counter(_together(story, "asked").values())
    charged = Counter(_title(charge["image_name"]) for charge in story.charges)
    for name, count in charged.items():
        if count > asked[name]:
            yield f"{count} charges for {name}, which was asked for {asked[name]} times"
    for job_id, count in Counter(charge["job_id"] for charge in story.charges).items():
        if count > 1:
            yield f"{count} charges for the job {job_id}"


def _title(image_name: str) -> str:
    return image_name.rsplit(".", 1)[0]


def figures(story: Story) -> dict[str, Any]:
    """For the summary."""
    reports = [life.report for life in story.lives if life.report and not life.report["error"]]
    return {
        "lives": len(story.lives),
        "actions": sum(life.actions for life in story.lives),
        "refused": sum(sum(report["refused"].values()) for report in reports),
        "seconds": round(sum(life.seconds for life in story.lives)),
        "asked": len(_together(story, "asked")) if len(reports) == len(story.lives) else None,
        "jobs": len(story.jobs),
        "finished": sum(job["status"] == "success" for job in story.jobs),
        "charges": len(story.charges),
        "states": dict(Counter(record.state.value for record in story.records)),
        "crashes": sum(life.report is None for life in story.lives),
    }
