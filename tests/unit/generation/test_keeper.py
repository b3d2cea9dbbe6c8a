# SPDX-License-Identifier: GPL-3.0-or-later
"""What was interrupted is gone on with by itself: after an outage, with a new key, after another Blender's death."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Generation, Manager, Settings, State, Store, limits
from pixal3d_addon.scenario import Connection, Credentials
from tests.support.standin import StandIn

from .images import (
    a_generation,
    an_image,
    on_disk,
    paid_requests,
    state_of,
    until,
    until_ended,
    until_state,
)
from .processes import QUICK, a_process, generating, kill

pytestmark = pytest.mark.usefixtures("quick")

POLL = {"method": "GET", "path": "/v1/jobs/"}
FOR_EVER = 100_000


def begun(manager: Manager, connection: Connection) -> Generation:
    """A generation that has a job."""
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until(lambda: manager.get(generation.id).generation.job_id, "a job")  # type: ignore[union-attr]
    return generation


@pytest.mark.parametrize(
    "trouble",
    [
        {"action": "status", "status": 503},
        {"action": "html", "status": 200},
        {"action": "close"},
        {"action": "status", "status": 418},
    ],
    ids=["503", "a login page", "no answer", "some refusal"],
)
def test_an_outage_that_is_longer_than_a_runs_patience_is_gone_on_with_by_itself(
    manager: Manager, service: Any, connection: Connection, trouble: dict[str, Any]
) -> None:
    charges = len(service.charges())
    service.set_faults([{**POLL, "times": FOR_EVER, **trouble}])
    generation = begun(manager, connection)
    until(lambda: manager.get(generation.id).generation.error, "the end of its patience")  # type: ignore[union-attr]
    assert state_of(manager, generation) is State.RUNNING
    until(lambda: manager.is_retried(generation.id) or manager.is_running(generation.id), "the plan to go on")
    service.clear_faults()
    until_state(manager, State.READY, generation)
    assert on_disk(manager, generation).error == "" and len(service.charges()) == charges + 1
    until_ended(manager, generation)
    assert not manager.is_retried(generation.id)


@pytest.fixture
def own() -> Iterator[Any]:
    with StandIn.started("--model-cache", "--job-seconds", "0.3") as service:
        yield service


def test_a_service_that_nobody_listens_for_is_an_outage_too(manager: Manager, own: Any) -> None:
    connection = Connection(Credentials(own.key, own.secret), own.base_url)
    own.set_faults([{**POLL, "action": "refuse", "seconds": 8.0}])
    generation = begun(manager, connection)
    until_state(manager, State.READY, generation)
    until_ended(manager, generation)
    assert len(own.charges()) == 1 and on_disk(manager, generation).error == ""


def test_a_rejected_key_is_not_tried_again_and_a_new_one_goes_on_at_once(
    manager: Manager, service: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    charges = len(service.charges())
    service.set_faults([{**POLL, "times": FOR_EVER, "action": "status", "status": 401}])
    generation = begun(manager, connection)
    until_ended(manager, generation)
    assert state_of(manager, generation) is State.RUNNING and not manager.is_retried(generation.id)
    asked = len(service.requests())
    time.sleep(1.0)  # many times the pause between two runs
    assert len(service.requests()) == asked and not manager.is_running(generation.id)
    service.clear_faults()
    manager.configure(Settings(), connection)
    time.sleep(0.5)
    assert len(service.requests()) == asked, "nothing has changed"
    manager.configure(Settings(), dataclasses.replace(connection, project_id="proj_standin"))
    until_state(manager, State.READY, generation)
    assert len(service.charges()) == charges + 1


def test_a_click_with_a_new_key_goes_on_with_what_waits_for_one(
    manager: Manager, service: Any, connection: Connection
) -> None:
    """The click comes before anybody has told the manager of the key."""
    service.set_faults([{**POLL, "times": FOR_EVER, "action": "status", "status": 401}])
    generation = begun(manager, connection)
    until_ended(manager, generation)
    service.clear_faults()
    manager.start(a_generation("another"), an_image(), dataclasses.replace(connection, project_id="proj_standin"))
    until_state(manager, State.READY, generation)


def test_a_key_that_changes_while_the_old_one_is_being_rejected_is_not_missed(
    manager: Manager, service: Any, connection: Connection
) -> None:
    service.set_faults([{**POLL, "action": "slow", "seconds": 1.0}, {**POLL, "action": "status", "status": 401}])
    generation = begun(manager, connection)
    manager.configure(Settings(), dataclasses.replace(connection, project_id="proj_standin"))
    until_state(manager, State.READY, generation)


def test_without_a_network_everything_pauses_and_goes_on_when_there_is_one(
    manager: Manager, service: Any, connection: Connection
) -> None:
    """Online access is switched off: no artist's stop, so nothing is given up and nothing fails."""
    service.set_options(job_seconds=1.5)
    charges = len(service.charges())
    manager.configure(Settings(concurrency=1), connection)
    running, queued = begun(manager, connection), a_generation("queued")
    manager.start(queued, an_image(), connection)
    until(lambda: manager.get(queued.id).is_queued, "the queue")  # type: ignore[union-attr]
    manager.configure(Settings(concurrency=1), None)
    until_ended(manager, running, queued)
    assert (state_of(manager, running), state_of(manager, queued)) == (State.RUNNING, State.PREPARED)
    time.sleep(0.3)
    asked = len(service.requests())
    time.sleep(0.6)
    assert len(service.requests()) == asked
    manager.configure(Settings(concurrency=1), connection)
    until_state(manager, State.READY, running, queued)
    assert len(service.charges()) == charges + 2


def test_what_the_artist_stops_is_not_gone_on_with(manager: Manager, service: Any, connection: Connection) -> None:
    service.set_options(job_seconds=600.0)
    generation = begun(manager, connection)
    manager.stop(generation.id)
    until_ended(manager, generation)
    assert state_of(manager, generation) is State.ABANDONED and not manager.is_retried(generation.id)
    time.sleep(0.8)
    assert state_of(manager, generation) is State.ABANDONED


def test_a_job_that_is_never_found_is_looked_for_less_and_less_and_then_left_to_the_artist(
    manager: Manager, service: Any, connection: Connection
) -> None:
    before = paid_requests(service)
    service.set_faults([{"method": "POST", "path": "/generate/", "action": "close"}])
    looked = sum(r["path"] == "/v1/jobs" for r in service.requests())
    generation = a_generation()
    manager.start(generation, an_image(), connection)

    def is_given_up() -> bool:
        # In this order: while it is retried, it may run or not from one moment to the next.
        is_at_it = manager.is_retried(generation.id) or manager.is_running(generation.id)
        return not is_at_it and state_of(manager, generation) is State.UNCERTAIN

    until(is_given_up, "the last look")
    looks = sum(r["path"] == "/v1/jobs" for r in service.requests()) - looked
    runs = len(limits.RETRY_PAUSES_SECONDS) + 1
    assert looks == runs * len(limits.LOOKUP_PAUSES_SECONDS)
    time.sleep(1.0)
    assert is_given_up() and "may have been charged" in on_disk(manager, generation).error
    assert paid_requests(service) == before + 1
    manager.start(manager.get(generation.id).generation, None, connection)  # type: ignore[union-attr]
    until_ended(manager, generation)
    assert state_of(manager, generation) is State.UNCERTAIN and paid_requests(service) == before + 1


def test_a_job_that_turns_up_late_is_found_by_a_later_look(
    manager: Manager, service: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.set_options(list_lag_seconds=2.0)
    monkeypatch.setattr(limits, "RETRY_PAUSES_SECONDS", (0.5, 0.5, 1.0, 2.0))
    charges = len(service.charges())
    service.set_faults([{"method": "POST", "path": "/generate/", "action": "accept_then_close"}])
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until_state(manager, State.READY, generation)
    assert len(service.charges()) == charges + 1


def test_a_service_that_does_not_know_its_newest_job_yet_is_given_time(
    manager: Manager, service: Any, connection: Connection
) -> None:
    service.set_options(job_lag_seconds=1.2)
    ready = manager.run(a_generation(), an_image(), connection)
    assert ready.state is State.READY and ready.error == ""


def test_a_job_that_has_vanished_ends_in_an_error_and_can_be_asked_for_again(
    manager: Manager, service: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UNKNOWN_JOB_PATIENCE_SECONDS", 0.3)
    service.set_faults([{**POLL, "times": FOR_EVER, "action": "status", "status": 404, "body": {"reason": "gone"}}])
    generation = begun(manager, connection)

    def is_given_up() -> bool:
        return not manager.is_running(generation.id) and not manager.is_retried(generation.id)

    until(is_given_up, "the last try")
    record = on_disk(manager, generation)
    assert record.state is State.RUNNING and record.job_id and "gone" in record.error and record.hint
    service.clear_faults()
    manager.start(record, None, connection)
    until_state(manager, State.READY, generation)


def test_when_the_other_blender_dies_this_one_finishes_its_jobs_and_its_clicks(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    """Both were open; each mesh is charged once."""
    service.set_options(job_seconds=2.0)
    charges = len(service.charges())
    alive = Manager(tmp_path)
    own = a_generation("own")
    alive.start(own, an_image(), connection)
    process = generating(tmp_path, service, count=4, concurrency=2)
    until(lambda: sum(g.state is State.RUNNING for g in alive.store.all() if g.id != own.id) == 2, "two jobs")
    assert [s.generation.id for s in alive.snapshots()] == [own.id]
    kill(process)
    until(lambda: len(alive.snapshots()) == 5, "what was taken over")
    until(lambda: len(alive.arrived()) == 5, "five models")
    assert len(service.charges()) == charges + 5
    images = [charge["image"] for charge in service.charges()[charges:]]
    assert len(set(images)) == 5, "each of another image"
    assert not alive.is_inherited(own.id)
    assert sum(alive.is_inherited(s.generation.id) for s in alive.snapshots()) == 4
    alive.close()


def test_two_that_inherit_at_once_share_what_there_is_and_nothing_is_made_twice(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    service.set_options(job_seconds=2.0)
    charges = len(service.charges())
    process = generating(tmp_path, service, count=6, concurrency=3)
    store = Store(tmp_path)
    until(lambda: len(store.all()) == 6 and sum(g.state is State.RUNNING for g in store.all()) == 3, "three jobs")
    heirs = [Manager(tmp_path) for _ in range(2)]
    for heir in heirs:
        heir.configure(Settings(), connection)
        heir.resume()
    kill(process)
    until(lambda: sum(len(heir.arrived()) for heir in heirs) == 6, "six models")
    ids = [snapshot.generation.id for heir in heirs for snapshot in heir.snapshots()]
    assert len(ids) == len(set(ids)) == 6
    assert len(service.charges()) == charges + 6
    for heir in heirs:
        heir.close()


def test_a_chain_of_deaths_costs_each_mesh_once(tmp_path: Path, service: Any, connection: Connection) -> None:
    """Each heir is killed in its turn, wherever it is."""
    service.set_options(job_seconds=0.8)
    charges = len(service.charges())
    script = """
manager = Manager(folder)
manager.configure(Settings(), connection)
manager.resume()
"""
    kill_after = iter((0.0, 0.3, 0.6, 0.9))
    process = generating(tmp_path, service, count=4, concurrency=1)
    store = Store(tmp_path)
    until(lambda: len(store.all()) == 4 if store.exists else False, "four records")
    for seconds in kill_after:
        time.sleep(seconds)
        kill(process)
        process = a_process(script, tmp_path, service)
    until(lambda: all(g.state in (State.READY, State.UNCERTAIN) for g in store.all()), "the end of all")
    kill(process)
    made = service.charges()[charges:]
    assert len({charge["image"] for charge in made}) == len(made), "no image was paid for twice"
    assert sorted(g.job_id for g in store.all() if g.job_id) == sorted(charge["job_id"] for charge in made)
    assert len(made) + sum(not g.job_id for g in store.all()) == 4


def test_a_model_whose_file_has_gone_is_fetched_again_by_the_next_blender(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    first = Manager(tmp_path)
    ready = first.run(a_generation(), an_image(), connection)
    first.close()
    Path(ready.glb_file).unlink()
    charges = len(service.charges())
    heir = Manager(tmp_path)
    heir.resume()
    until(lambda: heir.snapshots(), "what was taken over")
    assert heir.arrived() == [], "nothing that could be placed"
    heir.configure(Settings(), connection)
    until(lambda: heir.arrived(), "the model")
    assert Path(heir.arrived()[0].glb_file).is_file() and len(service.charges()) == charges
    heir.close()


IMPORTS = """
manager = Manager(folder)
generation = manager.run(Generation("disk", PARAMETERS), SourceImage("disk", a_png()), connection)
manager.mark_imported(generation.id)
if KEPT:
    manager.mark_kept([generation.id])
until(lambda: manager.store.get(generation.id).state is State.IMPORTED, "the note")
until(lambda: manager.store.get(generation.id).is_kept == KEPT, "the note")
"""


@pytest.mark.parametrize("is_kept", [False, True], ids=["not saved", "saved"])
def test_a_mesh_in_a_scene_that_was_never_saved_comes_again_after_a_crash_and_a_saved_one_does_not(
    tmp_path: Path, service: Any, connection: Connection, is_kept: bool
) -> None:
    process = a_process(f"KEPT = {is_kept}{IMPORTS}", tmp_path, service)
    kill(process)
    charges = len(service.charges())
    heir = Manager(tmp_path)
    heir.configure(Settings(), connection)
    heir.resume()
    until(lambda: not heir.is_busy, "the look at the store")
    if is_kept:
        assert heir.snapshots() == ()
    else:
        (generation,) = heir.arrived()
        assert heir.is_inherited(generation.id)
        until(lambda: on_disk(heir, generation).state is State.READY, "the note on disk")
        heir.mark_imported(generation.id)
        heir.mark_kept([generation.id])
        assert not heir.is_inherited(generation.id)
    heir.close()
    third = Manager(tmp_path)
    third.resume()
    until(lambda: not third.is_busy, "the look at the store")
    assert third.snapshots() == () and len(service.charges()) == charges
    third.close()


def test_a_blender_that_is_ended_in_order_does_not_leave_its_meshes_to_the_next_one(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    """Whoever quits without saving has been asked."""
    first = Manager(tmp_path)
    generation = first.run(a_generation(), an_image(), connection)
    first.mark_imported(generation.id)
    first.close()
    record = Store(tmp_path).get(generation.id)
    assert record and record.state is State.IMPORTED and record.is_kept
    assert Store(tmp_path).take_over() == []


def test_a_record_that_cannot_be_changed_is_shown_all_the_same(
    tmp_path: Path, service: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full while an heir takes over: what it has taken must be in its list."""
    first = Manager(tmp_path)
    made = [first.run(a_generation(name), an_image(), connection) for name in ("one", "two")]
    for generation in made:
        first.store.save(generation.changed(state=State.IMPORTED))
    first.store.release()
    heir = Manager(tmp_path)

    def save(*_: object) -> Generation:
        from pixal3d_addon.generation import StoreError

        raise StoreError("The disk is full.", "Make space.")

    monkeypatch.setattr(Store, "save", save)
    heir.resume()
    until(lambda: len(heir.arrived()) == 2, "both models")
    monkeypatch.undo()
    for name, value in QUICK.items():
        monkeypatch.setattr(limits, name, value)
    until(lambda: {on_disk(heir, g).state for g in made} == {State.READY}, "the notes on disk")
    heir.close()
