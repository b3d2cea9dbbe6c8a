# SPDX-License-Identifier: GPL-3.0-or-later
"""No more at the service at once than the artist wants; of those that wait the oldest first; no running job waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Generation, Manager, Settings, State
from pixal3d_addon.scenario import Connection
from tests.support.standin import StandIn

from .images import a_generation, an_image, on_disk, paid_requests, state_of, until, until_ended, until_state
from .processes import generating, kill

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    """One of our own: what it is at is what we began."""
    with StandIn.started("--model-cache") as service:
        yield service


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "generations", Settings(concurrency=2))
    yield manager
    manager.close()


def running(service: Any) -> int:
    return sum(job["status"] not in ("success", "failure") for job in service.jobs())


def several(count: int) -> list[Generation]:
    return [a_generation(f"disk {number}") for number in range(count)]


def test_no_more_than_the_artist_wants_are_at_the_service(
    manager: Manager, service: Any, connection: Connection
) -> None:
    service.set_options(job_seconds=1.0)
    generations = several(6)
    for generation in generations:
        manager.start(generation, an_image(), connection)
    most = 0
    while any(manager.is_running(generation.id) for generation in generations):
        most = max(most, running(service))
        assert most <= 2
        time.sleep(0.03)
    assert most == 2
    assert {state_of(manager, generation) for generation in generations} == {State.READY}


def test_one_at_a_time_keeps_the_order_of_the_clicks_whoever_was_ready_first(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    manager = Manager(tmp_path, Settings(concurrency=1))
    before = len(service.jobs())
    generations = several(5)
    manager.start(generations[0], an_image(), connection)
    until_state(manager, State.RUNNING, generations[0])
    for generation in reversed(generations[1:]):
        manager.start(generation, an_image(), connection)
        until(lambda g=generation: manager.get(g.id).is_queued, "its place in the queue")  # type: ignore[misc]
        assert manager.is_running(generation.id) and on_disk(manager, generation).state is State.PREPARED
    until_ended(manager, *generations)
    assert [job["image_name"] for job in service.jobs()[before:]] == [f"disk {n}.png" for n in range(5)]
    manager.close()


def test_stopped_while_it_waits_for_its_turn_it_costs_nothing_and_uploads_nothing(
    manager: Manager, service: Any, connection: Connection
) -> None:
    service.set_options(job_seconds=3.0)
    charges, requests = len(service.charges()), len(service.requests())
    generations = several(4)
    for generation in generations[:2]:
        manager.start(generation, an_image(), connection)
    until(lambda: running(service) == 2, "two jobs")
    for generation in generations[2:]:
        manager.start(generation, an_image(), connection)
    until(lambda: manager.get(generations[3].id).is_queued, "the queue")  # type: ignore[union-attr]
    manager.stop(generations[3].id)
    until_ended(manager, generations[3])
    assert state_of(manager, generations[3]) is State.FAILED
    assert "Nothing was charged" in on_disk(manager, generations[3]).error
    until_ended(manager, *generations)
    assert {state_of(manager, generation) for generation in generations[:3]} == {State.READY}
    assert len(service.charges()) == charges + 3
    uploads = [r for r in service.requests()[requests:] if r["path"] == "/v1/assets"]
    assert len(uploads) == 3


def test_more_places_let_those_that_wait_begin_and_fewer_let_the_running_ones_end(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    service.set_options(job_seconds=4.0)
    manager = Manager(tmp_path, Settings(concurrency=1))
    generations = several(4)
    for generation in generations:
        manager.start(generation, an_image(), connection)
    until(lambda: running(service) == 1, "one job")
    time.sleep(0.6)
    assert running(service) == 1
    manager.configure(Settings(concurrency=3), connection)
    until(lambda: running(service) == 3, "three jobs")
    manager.configure(Settings(concurrency=1), connection)
    time.sleep(0.8)
    assert running(service) == 3, "nobody is sent away"
    service.set_options(job_seconds=0.5)
    until_ended(manager, *generations)
    assert {state_of(manager, generation) for generation in generations} == {State.READY}
    manager.close()


def test_jobs_that_run_when_they_are_taken_over_do_not_wait_for_a_place(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    """Eight jobs of one that died, and one place: all eight are fetched at once, and the new click waits."""
    service.set_options(job_seconds=2.0)
    process = generating(tmp_path, service, count=8)
    heir = Manager(tmp_path, Settings(concurrency=1))
    until(lambda: sum(g.state is State.RUNNING for g in heir.store.all()) == 8 if heir.store.exists else 0, "jobs")
    kill(process)
    service.set_options(job_seconds=60.0)
    heir.configure(Settings(concurrency=1), connection)
    heir.resume()
    until(lambda: len(heir.snapshots()) == 8, "what was taken over")
    paid = paid_requests(service)
    until(lambda: len(heir.arrived()) == 8, "eight models")
    assert paid_requests(service) == paid
    heir.close()


def test_a_queued_click_survives_the_death_of_its_blender_and_goes_on_waiting_in_the_next_one(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    charges = len(service.charges())
    service.set_options(job_seconds=1.0)
    process = generating(tmp_path, service, count=4, concurrency=1)
    heir = Manager(tmp_path)
    until(lambda: len(heir.store.all()) == 4 and running(service) == 1 if heir.store.exists else 0, "one job")
    kill(process)
    heir.configure(Settings(concurrency=1), connection)
    heir.resume()
    until(lambda: len(heir.snapshots()) == 4, "what was taken over")
    while not len(heir.arrived()) == 4:
        assert running(service) <= 2, "the one that ran, and one that waited"
        time.sleep(0.05)
    names = [charge["image_name"] for charge in service.charges()[charges:]]
    assert sorted(names) == [f"disk {number}.png" for number in range(4)]
    heir.close()
