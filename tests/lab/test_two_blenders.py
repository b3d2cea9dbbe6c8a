# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real Blenders on one store, twenty clicks, one of the two killed: twenty charges, twenty meshes, none twice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab import table
from tests.lab.bench import HEIGHT, WIDTH, Bench, order_for
from tests.lab.cases import Case
from tests.lab.inside.control import CALM
from tests.lab.judge import mixed_up, title
from tests.lab.troubles import LOST_REPLY
from tests.support.blender_process import Blender, virtual_display
from tests.support.standin import StandIn

KIND = "two Blenders"
CLICKS_EACH = 10
CONCURRENCY = 2
JOB_SECONDS = 1.5
LOST_REPLIES = 4
"""Of the twenty paid requests: both Blenders look into the same list of jobs, each for its own."""
START_SECONDS = 60.0
ORDER_SECONDS = 180.0

Start = Callable[[str], Bench]


@pytest.fixture
def start(blender: Blender, profile: Path, standin: StandIn, output: Path) -> Iterator[Start]:
    """Starts a Blender of that name, on a display of its own, all of them on one profile and so on one store."""
    benches: list[Bench] = []
    displays = []

    def started(name: str) -> Bench:
        display = virtual_display(WIDTH, HEIGHT)
        displays.append(display)
        folder = output / os.environ.get("PYTEST_XDIST_WORKER", "main")
        benches.append(Bench(blender, profile, display.__enter__(), folder, name))
        benches[-1].start(standin.environment())
        return benches[-1]

    yield started
    for bench in benches:
        bench.kill()
    for display in displays:
        display.__exit__(None, None, None)


def test_twenty_clicks_are_twenty_charges_and_twenty_meshes(
    start: Start, standin: StandIn, output: Path, finished_before_the_kill: int
) -> None:
    began = time.monotonic()
    standin.clear_faults()
    standin.set_options(**{**CALM, "job_seconds": JOB_SECONDS})
    standin.set_faults([{**LOST_REPLY, "times": LOST_REPLIES, "skip": 2}])
    survivor, victim = start("survivor"), start("victim")
    ours, theirs = (
        Case(f"two-{finished_before_the_kill}-{name}", KIND, "ANY", crowd=CLICKS_EACH, concurrency=CONCURRENCY)
        for name in ("survivor", "victim")
    )
    both = [*ours.names, *theirs.names]
    clicked = survivor.send(order_for(ours, ()))
    victims_order = victim.send(order_for(theirs, ()))

    def jobs(names: list[str]) -> list[str]:
        """The states of the jobs of those images."""
        return [job["status"] for job in standin.jobs() if title(job["image_name"]) in names]

    def is_time() -> Any:
        """Some of the victim's are in its scene, some run, and some wait for their turn."""
        begun = jobs(theirs.names)
        return (
            victim.has_clicked(victims_order)
            and begun.count("success") >= finished_before_the_kill
            and set(begun) - {"success"}
        )

    deadline = time.monotonic() + START_SECONDS
    while not is_time():
        assert time.monotonic() < deadline, f"the victim's jobs: {jobs(theirs.names)}"
        time.sleep(0.02)
    victim.kill()
    begun = jobs(theirs.names)
    assert len(begun) < CLICKS_EACH, f"too late for the kill: {begun}"

    survivor.answer(clicked, ORDER_SECONDS)
    result = survivor.ask({**order_for(ours, ()), "names": both, "is_click": False}, ORDER_SECONDS)

    charges = [charge for charge in standin.charges() if title(charge["image_name"]) in both]
    finished = [job for job in standin.jobs() if title(job["image_name"]) in both]
    problems = mixed_up(result.get("generations", ()), finished)
    if len({charge["image_name"] for charge in charges}) != 2 * CLICKS_EACH or len(charges) != 2 * CLICKS_EACH:
        problems.append(f"{len(charges)} charges of {2 * CLICKS_EACH} clicks")
    if result.get("meshes") != {job["id"]: 1 for job in finished}:
        problems.append(f"meshes {result.get('meshes')} of the jobs {finished}")
    if acts := result.get("acts"):
        problems.append(f"clicks were needed: {acts}")
    for bench in (survivor, victim):
        if "Traceback" in bench.output_since(0):
            problems.append(f"a fault in Python:\n{bench.output_since(0)}")
    meshes = sum(result.get("meshes", {}).values())
    line = {"id": ours.id, "kind": KIND, "cells": (), "points": (), "ok": not problems, "kills": 1}
    table.append(
        output,
        {
            **line,
            "clicks": len(both),
            "charges": len(charges),
            "finished": len(finished),
            "meshes": meshes,
            "ending": f"{len(begun)} of the victim's {CLICKS_EACH} begun, {begun.count('success')} of them finished",
            "seconds": round(time.monotonic() - began, 1),
        },
    )
    assert not problems, "\n".join([*problems, json.dumps(result, indent=1)])
