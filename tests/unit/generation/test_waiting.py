# SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts need of the manager: waiting, pausing, the error that ended a run, and no taking over by itself."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Manager, Progress, Settings, State, Store, wait
from pixal3d_addon.scenario import Connection, ScenarioError

from .images import a_generation, an_image, on_disk, paid_requests, until, until_ended, until_state

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """As a script's: it takes nothing over."""
    with Manager(tmp_path / "generations", Settings(takes_over=False)) as manager:
        yield manager


def test_waiting_tells_each_change_in_the_calling_thread(manager: Manager, connection: Connection) -> None:
    told: list[Progress] = []

    def on_progress(now: Progress) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.append(now)

    generations = [a_generation("first"), a_generation("second")]
    for generation in generations:
        manager.start(generation, an_image(), connection)
    assert wait(manager, [g.id for g in generations], on_progress=on_progress) is True
    for index, generation in enumerate(generations):
        mine = [now for now in told if now.index == index]
        assert mine[-1].status is State.READY and mine[-1].fraction == 1.0 and mine[-1].cost
        assert {now.name for now in mine} == {generation.name}
        assert all(one != other for one, other in itertools.pairwise(mine)), "only what has changed"


def test_waiting_ends_at_its_timeout_and_the_run_goes_on(manager: Manager, connection: Connection) -> None:
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    assert wait(manager, [generation.id], timeout=0.0) is False and manager.is_running(generation.id)
    assert wait(manager, [generation.id], timeout=60.0) is True
    assert wait(manager, [generation.id, "not known"], on_progress=lambda now: None) is True


def test_what_is_paused_stays_as_it_is_and_is_gone_on_with(
    manager: Manager, service: Any, connection: Connection
) -> None:
    service.set_options(job_seconds=2.0)
    before = paid_requests(service)
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until_state(manager, State.RUNNING, generation)
    manager.pause(generation.id)
    until_ended(manager, generation)
    left = on_disk(manager, generation)
    assert left.state is State.RUNNING and not left.error
    manager.start(left, None, connection)
    wait(manager, [generation.id])
    assert on_disk(manager, generation).state is State.READY and paid_requests(service) == before + 1


def test_the_error_that_ended_a_run_is_told_until_it_goes_on(
    manager: Manager, service: Any, connection: Connection
) -> None:
    service.set_options(job_outcome="failure")
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until_ended(manager, generation)
    first, second = manager.problem(generation.id), manager.problem(generation.id)
    assert isinstance(first, ScenarioError) and first is not second and str(first) == str(second)
    assert "could not make a model" in str(first) and first.__traceback__ is None
    service.set_options(job_outcome="success")
    manager.start(a_generation(id=generation.id), an_image(), connection)
    assert manager.problem(generation.id) is None
    wait(manager, [generation.id])
    assert manager.problem(generation.id) is None


def test_a_script_s_manager_takes_over_nothing_by_itself(
    manager: Manager, service: Any, connection: Connection
) -> None:
    dead = Store(manager.store.folder)
    left = dead.save(a_generation("left", state=State.RUNNING, job_id="job_left_behind"))
    dead.release()
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    wait(manager, [generation.id])
    assert not any(thread.name == "pixal3d-keeper" for thread in threading.enumerate())
    assert manager.get(left.id) is None and not any("job_left_behind" in r["path"] for r in service.requests())
    manager.resume()
    until(lambda: manager.get(left.id), "what was left behind, since it is asked for")


def test_a_manager_is_closed_at_the_end_of_its_block(tmp_path: Path, connection: Connection) -> None:
    with Manager(tmp_path / "generations", Settings(takes_over=False)) as manager:
        generation = a_generation()
        manager.start(generation, an_image(), connection)
        until_state(manager, State.RUNNING, generation)
    until_ended(manager, generation)
    heir = Store(tmp_path / "generations")
    until(lambda: heir.take_over(), "the record, let go")
    heir.release()
