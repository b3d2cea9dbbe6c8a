# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge sees what it is there for. A lab that finds nothing must not be one that looks at nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.cases import Case
from tests.lab.judge import Books, Run, judge
from tests.lab.troubles import KILL_POINT, STEP, trouble

CASE = Case("x", "fault", "ANY")
NAME = CASE.names[0]
JOB = {"id": "job_1", "status": "success", "image_name": f"{NAME}.png"}
FAILED_JOB = {**JOB, "status": "failure"}


def run(
    case: Case = CASE,
    *,
    charges: int = 1,
    jobs: tuple[Any, ...] = (JOB,),
    kills: int = 0,
    output: str = "",
    **result: Any,
) -> Run:
    books = Books([{"image_name": f"{NAME}.png"}] * charges, jobs, [{"fault": "hang"}])
    record = {"name": NAME, "job_id": "job_1", "state": "imported", "error": "", "hint": "", "is_running": False}
    generation = {**record, **result.pop("record", {})}
    told = {"generations": [generation], "meshes": {"job_1": 1}, "acts": [], "struck": [], **result}
    return Run(case, books, told, kills, output)


FAILED = {"state": "failed", "error": "It could not be had.", "hint": "Try again."}
UNCERTAIN = {**FAILED, "state": "uncertain"}


def test_what_is_good_is_called_good() -> None:
    assert judge(run()) == []
    assert judge(run(charges=0, jobs=(), meshes={}, record=FAILED)) == []
    assert judge(run(charges=0, jobs=(), meshes={}, record=UNCERTAIN)) == []
    assert judge(run(jobs=(FAILED_JOB,), meshes={}, record=FAILED)) == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (run(charges=2), "2 charges"),
        (run(meshes={}), "0 meshes"),
        (run(meshes={"job_1": 2}), "2 meshes"),
        (run(meshes={"job_1": 1, "job_2": 1}), "not of this run"),
        (run(jobs=(FAILED_JOB,)), "1 meshes"),
        (run(jobs=(FAILED_JOB,), meshes={}, record={**FAILED, "hint": ""}), "without a sentence and a hint"),
        (run(record=UNCERTAIN), "in the service's list"),
        (run(record={**FAILED, "state": "running"}), "ended running"),
        (
            run(jobs=(JOB, {**JOB, "id": "job_2", "image_name": "y.png"}), record={"job_id": "job_2"}),
            "has the job of y",
        ),
        (run(generations=[]), "has a job and no record"),
        (run(charges=0, jobs=(), meshes={}, generations=[]), "has no record"),
        (run(acts=[f"fetch {NAME}"]), "a click was needed"),
        (run(acts=[f"import {NAME}"]), "not placed by itself"),
        (run(Case("x", "fault", "ASK")), "without a click"),
        (run(Case("x", "kill", "FILE", kills=(KILL_POINT["after-ready"].strike,)), kills=1), "without a click"),
        (
            run(Case("x", "kill", "ANY", points=("after-ready",), kills=(KILL_POINT["after-ready"].strike,))),
            "not reached",
        ),
        (run(output="Traceback (most recent call last):"), "fault in Python"),
    ],
)
def test_what_is_bad_is_seen(bad: Run, said: str) -> None:
    assert any(said in problem for problem in judge(bad)), judge(bad)


def test_a_brief_trouble_before_the_paid_request_must_be_outlasted() -> None:
    found = trouble("hang", STEP["POST-assets"])
    assert found is not None
    case = Case("x", "fault", "ANY", cells=(("hang", "POST-assets"),), troubles=(found,))
    assert judge(run(case)) == []
    assert "could have been outlasted" in judge(run(case, charges=0, jobs=(), meshes={}, record=FAILED))[0]


def test_a_fault_that_no_request_met_says_nothing() -> None:
    found = trouble("hang", STEP["GET-cdn"])
    assert found is not None
    case = Case("x", "fault", "ANY", cells=(("hang", "GET-cdn"),), troubles=(found,))
    unmet = run(case)
    unmet.books = Books(unmet.books.charges, unmet.books.jobs, [{"fault": None}])
    assert "no request met the fault" in judge(unmet)
