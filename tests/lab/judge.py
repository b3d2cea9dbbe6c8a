# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run kept the promise: at most one charge for a click, and a mesh for every job that the service finished.

The service's own books are what counts, not what the add-on says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab.cases import Case
from tests.lab.troubles import Trouble

_FAULT_IN_OUTPUT = re.compile(r"Traceback|A fault in the add-on|^Error: Python|Segmentation fault|Fatal Python", re.M)


@dataclass(frozen=True, slots=True)
class Books:
    """What the stand-in says of the images of one run."""

    charges: Sequence[Mapping[str, Any]]
    jobs: Sequence[Mapping[str, Any]]
    requests: Sequence[Mapping[str, Any]]

    def charges_of(self, name: str) -> int:
        return sum(title(charge["image_name"]) == name for charge in self.charges)

    def jobs_of(self, name: str) -> list[Mapping[str, Any]]:
        return [job for job in self.jobs if title(job["image_name"]) == name]

    @property
    def faults_met(self) -> int:
        return sum(request["fault"] is not None for request in self.requests)


@dataclass(slots=True)
class Run:
    """What happened in one run, on both sides."""

    case: Case
    books: Books
    result: Mapping[str, Any] | None
    """The last Blender's; ``None`` if it gave none."""
    kills: int = 0
    output: str = ""
    trouble_outside: str = ""
    """What went wrong with the lab itself, or with Blender."""
    problems: list[str] = field(default_factory=list)

    @property
    def meshes(self) -> int:
        return sum((self.result or {}).get("meshes", {}).values())

    @property
    def finished_jobs(self) -> int:
        return sum(job["status"] == "success" for job in self.books.jobs)

    @property
    def ending(self) -> str:
        """In a word, for the table."""
        states = sorted({g["state"] for g in (self.result or {}).get("generations", ())})
        acts = sorted({act.split()[0] for act in (self.result or {}).get("acts", ())})
        return "+".join(states or ["nothing"]) + (f" after {'+'.join(acts)}" if acts else "")


def judge(run: Run) -> list[str]:
    """What is wrong, in sentences; empty if nothing is."""
    if run.trouble_outside:
        return [run.trouble_outside]
    assert run.result is not None
    if "error" in run.result:
        return [f"the lab's script failed: {run.result['error']}"]
    found = [*_money(run), *_results(run), *_words(run), *_by_itself(run), *_lab(run)]
    if _FAULT_IN_OUTPUT.search(run.output):
        found.append("Blender's output speaks of a fault in Python")
    return found


def _money(run: Run) -> list[str]:
    return [
        f"{count} charges for the one click on {name}"
        for name in run.case.names
        if (count := run.books.charges_of(name)) > 1
    ]


def _results(run: Run) -> list[str]:
    assert run.result is not None
    meshes = dict(run.result["meshes"])
    found = []
    for job in run.books.jobs:
        count = meshes.pop(job["id"], 0)
        expected = 1 if job["status"] == "success" else 0
        if count != expected:
            found.append(f"{count} meshes of the job {job['id']} ({job['status']}) of {job['image_name']}")
    found += [f"a mesh of a job that is not of this run: {job}" for job in meshes]
    return found + mixed_up(run.result["generations"], run.books.jobs)


def mixed_up(generations: Sequence[Mapping[str, Any]], jobs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Records with the job of another image."""
    image_of = {job["id"]: title(job["image_name"]) for job in jobs}
    return [
        f"{g['name']} has the job of {image_of[g['job_id']]}"
        for g in generations
        if g["job_id"] in image_of and image_of[g["job_id"]] != g["name"]
    ]


def _words(run: Run) -> list[str]:
    """How each ended is one that an artist can live with, and is told why and what to do."""
    assert run.result is not None
    found = []
    generations = {g["name"]: g for g in run.result["generations"]}
    if len(generations) < len(run.result["generations"]):
        found.append("a click has two records")
    for name in run.case.names:
        jobs = run.books.jobs_of(name)
        generation = generations.get(name)
        if generation is None:
            is_safe_in_file = run.case.saves and run.meshes  # no business of the next Blender's any more
            died_before_record = run.kills and any(strike.state == "prepared" for strike in run.case.kills)
            failed_before = run.kills and run.case.troubles  # and was told so; the next Blender does not list it
            if jobs and not is_safe_in_file:
                found.append(f"{name} has a job and no record")
            elif not jobs and not died_before_record and not failed_before:
                found.append(f"{name} has no record")
            continue
        state = generation["state"]
        if state == "imported" or (state == "uncertain" and generation["is_running"] and not jobs):
            continue  # there, or looked for once more at this moment
        if not generation["error"] or (state != "abandoned" and not generation["hint"]):
            found.append(f"{name} ended {state} without a sentence and a hint")
        if state == "uncertain" and jobs:
            found.append(f"{name} is uncertain, and its job is in the service's list")
        if state not in ("failed", "uncertain", "prepared", "uploading"):
            found.append(f"{name} ended {state}: {generation['error']}")
    return found


def _by_itself(run: Run) -> list[str]:
    """Nobody has to click for what is only interrupted, and nothing is placed against the artist's choice."""
    assert run.result is not None
    case, acts, found = run.case, run.result["acts"], []
    is_refused = any(trouble.is_refusal or trouble.is_tiring for trouble in case.troubles)
    if not is_refused and (needless := [act for act in acts if act.startswith("fetch") and _has_job(run, act)]):
        found.append(f"a click was needed where it should go on by itself: {needless}")
    if refusals := [act for act in acts if act.startswith("refused")]:
        found.append(f"a button that is offered does not work: {refusals}")
    placed = [g["name"] for g in run.result["generations"] if g["state"] == "imported"]
    clicked = [act.split()[1] for act in acts if act.startswith("import")]
    if case.saves and run.kills:
        return found  # it stands in the file that was opened again, or comes into it
    if comes_by_itself(case, run.kills):
        found += [f"{name} was not placed by itself" for name in placed if name in clicked]
    else:
        found += [f"{name} was placed without a click" for name in placed if name not in clicked]
    return found


def _has_job(run: Run, act: str) -> bool:
    return bool(run.books.jobs_of(act.split()[1]))


def comes_by_itself(case: Case, kills: int) -> bool:
    """Whether a model needs no click, as the artist has set it. After a kill another file is open, unless it was saved
    and is opened again."""
    return case.arrival == "ANY" or (case.arrival == "FILE" and (not kills or case.saves or case.saved_before))


def _lab(run: Run) -> list[str]:
    """What goes wrong was met, or the run says nothing; and what is over soon is outlasted, or the lab would be content
    with an add-on that gives up at once."""
    assert run.result is not None
    case = run.case
    found: list[str] = []
    if not case.must_meet:
        return found
    if run.kills < len(case.kills):
        found.append("the kill point was not reached")
    if any(trouble.plays for trouble in case.troubles) and not run.books.faults_met:
        found.append("no request met the fault")
    if any(trouble.strike for trouble in case.troubles) and not run.result["struck"]:
        found.append("Blender was not put to sleep, or the port not shut")
    is_brief = case.troubles and all(trouble.is_brief for trouble in case.troubles)
    if is_brief and not run.finished_jobs and not any(map(_is_paid_and_not_taken, case.troubles)):
        found.append("a brief trouble ended it, and could have been outlasted")
    return found


def _is_paid_and_not_taken(trouble: Trouble) -> bool:
    """A paid request without a clear answer is not sent again: then there is no job, and that is right."""
    return any("generate" in play["path"] for play in trouble.plays)


def title(image_name: str) -> str:
    """What the artist calls the image that the service has by that name."""
    return image_name.rsplit(".", 1)[0]
