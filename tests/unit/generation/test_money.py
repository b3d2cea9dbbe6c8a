# SPDX-License-Identifier: GPL-3.0-or-later
"""The paid request goes out when the service wants it, once, and nobody who finds the record has to wonder."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import (
    Manager,
    NotFinishedError,
    Placement,
    Settings,
    SourceImage,
    State,
    Store,
    StoreError,
    limits,
)
from pixal3d_addon.generation.snapshots import Snapshots
from pixal3d_addon.generation.steering import Steering
from pixal3d_addon.generation.worker import run
from pixal3d_addon.parameters import request_body
from pixal3d_addon.scenario import Connection, Credentials, ScenarioClient, SubmissionUncertainError
from tests.support.standin import StandIn

from .images import (
    PARAMETERS,
    a_generation,
    a_png,
    an_image,
    on_disk,
    paid_requests,
    state_of,
    until,
    until_ended,
    until_state,
)
from .processes import a_process, generating, kill

pytestmark = pytest.mark.usefixtures("quick")

GENERATE = {"method": "POST", "path": "/generate/"}
COOLDOWNS: dict[str, dict[str, Any]] = {
    "with seconds": {"body": {"reason": "cooldown", "remainingSeconds": 1.5}},
    "with a header": {"headers": {"Retry-After": "2"}},
    "without": {"body": {"reason": "slow down"}},
    "parallel limit": {"body": {"reason": "limit", "details": {"actionName": "custom", "actionLimit": 1}}},
}


@pytest.mark.parametrize("kind", COOLDOWNS)
def test_a_429_is_waited_out_in_a_state_in_which_nothing_is_on_its_way(
    manager: Manager, service: Any, connection: Connection, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BUSY_PAUSE_SECONDS", 1.5)
    service.set_faults([{**GENERATE, "action": "status", "status": 429, **COOLDOWNS[kind]}])
    before, charges = paid_requests(service), len(service.charges())
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until(lambda: not service.faults_left(), "the 429")
    until_state(manager, State.UPLOADING, generation)
    answered = time.monotonic()
    while time.monotonic() - answered < 0.8:
        assert on_disk(manager, generation).state is State.UPLOADING
        assert "asked again by itself" in manager.get(generation.id).notice  # type: ignore[union-attr]
        time.sleep(0.05)
    assert paid_requests(service) == before + 1
    until_ended(manager, generation)
    assert state_of(manager, generation) is State.READY
    assert paid_requests(service) == before + 2 and len(service.charges()) == charges + 1


def test_while_the_gate_is_closed_no_record_says_that_a_request_is_on_its_way(
    manager: Manager, service: Any, connection: Connection, tmp_path: Path
) -> None:
    """Others, whose images are there already, come to the gate that the first one's 429 has closed."""
    image = tmp_path / "image.png"
    image.write_bytes(a_png())
    with ScenarioClient(connection) as client:
        asset_ids = [client.upload_image("disk.png", image, "image/png") for _ in range(2)]
    there = {"account": connection.fingerprint(), "source_file": str(image), "source_mime": "image/png"}
    first, *others = [a_generation(), *(a_generation(asset_id=asset_id, **there) for asset_id in asset_ids)]
    service.set_faults([{**GENERATE, "action": "status", "status": 429, "body": {"remainingSeconds": 2.0}}])
    manager.start(first, an_image(), connection)
    until(lambda: not service.faults_left(), "the 429")
    until_state(manager, State.UPLOADING, first)
    answered = time.monotonic()
    for generation in others:
        manager.start(generation, None, connection)
    while time.monotonic() - answered < 1.5:
        assert {g.state for g in manager.store.all()} <= {State.PREPARED, State.UPLOADING}
        time.sleep(0.05)
    until_ended(manager, first, *others)
    assert {state_of(manager, g) for g in (first, *others)} == {State.READY}


@pytest.fixture
def narrow() -> Iterator[Any]:
    """A service that runs one job at a time."""
    with StandIn.started("--parallel-jobs", "1", "--job-seconds", "0.6", "--model-cache") as service:
        yield service


def test_more_clicks_than_the_plan_allows_at_once_are_all_made_one_after_the_other(
    manager: Manager, narrow: Any
) -> None:
    connection = Connection(Credentials(narrow.key, narrow.secret), narrow.base_url)
    generations = [a_generation(f"disk {number}") for number in range(3)]
    for generation in generations:
        manager.start(generation, an_image(), connection)
    until_ended(manager, *generations)
    assert {state_of(manager, g) for g in generations} == {State.READY}
    assert len(narrow.charges()) == 3 < paid_requests(narrow)


def test_killed_while_it_waits_out_a_429_it_is_carried_on_by_the_next_one(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    service.set_faults([{**GENERATE, "action": "status", "status": 429, "body": {"remainingSeconds": 600.0}}])
    charges = len(service.charges())
    process = generating(tmp_path, service)
    until(lambda: not service.faults_left(), "the 429")
    time.sleep(0.3)
    kill(process)
    (record,) = Store(tmp_path).all()
    assert record.state is State.UPLOADING
    heir = Manager(tmp_path)
    heir.configure(Settings(), connection)
    heir.resume()
    until(lambda: not heir.is_busy, "the end of what was taken over")
    assert state_of(heir, record) is State.READY and len(service.charges()) == charges + 1
    heir.close()


def test_stopped_while_it_waits_out_a_429_it_costs_nothing(
    manager: Manager, service: Any, connection: Connection
) -> None:
    service.set_faults([{**GENERATE, "action": "status", "status": 429, "body": {"remainingSeconds": 600.0}}])
    before, charges = paid_requests(service), len(service.charges())
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until(lambda: paid_requests(service) > before, "the request")
    until_state(manager, State.UPLOADING, generation)
    manager.stop(generation.id)
    until_ended(manager, generation)
    assert state_of(manager, generation) is State.FAILED and len(service.charges()) == charges
    assert "Nothing was charged" in on_disk(manager, generation).error


def test_an_upload_that_is_asked_to_slow_down_goes_on_by_itself(
    manager: Manager, service: Any, connection: Connection
) -> None:
    limit = {"status": 429, "body": {"details": {"actionLimit": 1}}}
    service.set_faults([{"method": "POST", "path": "/v1/assets$", "action": "status", "times": 2, **limit}])
    assert manager.run(a_generation(), an_image(), connection).state is State.READY


def test_a_pause_in_the_last_moment_leaves_a_record_that_says_that_nothing_left(
    manager: Manager, service: Any, connection: Connection
) -> None:
    """Blender closes, or the network may no longer be used, after the note and before the request."""
    steering = Steering()

    class Pausing(Snapshots):
        def save(self, generation_id: str, **changes: object) -> None:
            super().save(generation_id, **changes)
            if changes.get("state") is State.SUBMITTING:
                steering.pause()

    before = paid_requests(service)
    generation = a_generation()
    snapshots = Pausing(manager.store)
    snapshots.put(generation)
    with pytest.raises(NotFinishedError):
        run(generation.id, an_image(), snapshots=snapshots, connection=connection, steering=steering)
    assert on_disk(manager, generation).state is State.UPLOADING and paid_requests(service) == before


def test_a_lost_reply_is_found_behind_many_other_jobs_in_a_list_that_lags(
    manager: Manager, service: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOOKUP_PAUSES_SECONDS", (0.0, *[0.3] * 100))
    service.set_options(list_lag_seconds=1000.0)
    service.set_faults([{**GENERATE, "action": "accept_then_close"}])
    before = paid_requests(service)
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until_state(manager, State.UNCERTAIN, generation)
    ours = service.charges()[-1]["job_id"]
    with ScenarioClient(connection) as client:
        asset_id = client.upload_image("other.png", a_png(), "image/png")
        for _ in range(120):
            client.generate(request_body(PARAMETERS, asset_id))
    service.set_options(list_lag_seconds=0.0)
    until_ended(manager, generation)
    assert state_of(manager, generation) is State.READY
    assert on_disk(manager, generation).job_id == ours
    pages = [r for r in service.requests() if r["path"] == "/v1/jobs" and "paginationToken" in str(r["query"])]
    assert len(pages) >= 2, "it was on the third page"
    assert paid_requests(service) == before + 1 + 120


def test_a_job_that_another_record_has_is_never_adopted(manager: Manager, service: Any, connection: Connection) -> None:
    """A service might give the same image the same asset id again."""
    made = manager.run(a_generation(), an_image(), connection)
    again = a_generation(asset_id=made.asset_id, state=State.UNCERTAIN)
    with pytest.raises(SubmissionUncertainError):
        manager.run(again, None, connection)
    assert on_disk(manager, again).state is State.UNCERTAIN
    assert on_disk(manager, made).job_id == made.job_id


def test_of_many_that_look_for_the_same_job_at_once_one_gets_it(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    with ScenarioClient(connection) as client:
        asset_id = client.upload_image("disk.png", a_png(), "image/png")
        job = client.generate(request_body(PARAMETERS, asset_id)).job
    managers = [Manager(tmp_path, Settings(concurrency=4)) for _ in range(2)]
    lost = [[a_generation(asset_id=asset_id, state=State.UNCERTAIN) for _ in range(4)] for _ in managers]
    for manager, generations in zip(managers, lost, strict=True):
        for generation in generations:
            manager.start(manager.store.save(generation), None, connection)
    found = []
    for manager, generations in zip(managers, lost, strict=True):
        for generation in generations:
            until(lambda m=manager, g=generation: state_of(m, g) is State.READY or m.get(g.id).generation.error, "end")  # type: ignore[misc]
            found += [on_disk(manager, generation)] if state_of(manager, generation) is State.READY else []
        manager.close()
    assert [generation.job_id for generation in found] == [job.id]


def test_what_the_artist_moves_while_the_request_is_out_is_still_a_record_of_a_request_that_is_out(
    manager: Manager, service: Any, connection: Connection
) -> None:
    """An older record over the note that it leaves would let the next Blender send it again."""
    service.set_faults([{**GENERATE, "action": "slow", "seconds": 1.5}])
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until_state(manager, State.SUBMITTING, generation)
    for number in range(20):
        manager.move(generation.id, Placement(scene=f"Scene {number}"))
        time.sleep(0.02)
    until(lambda: on_disk(manager, generation).placement.scene == "Scene 19", "the move on disk")
    assert on_disk(manager, generation).state is State.SUBMITTING
    until_ended(manager, generation)
    assert on_disk(manager, generation).state is State.READY
    assert on_disk(manager, generation).placement.scene == "Scene 19"


def test_a_note_in_the_moment_in_which_a_worker_writes_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = Snapshots(Store(tmp_path))
    generation = a_generation()
    snapshots.put(generation)
    real = Store.save

    def save(store: Store, written: Any) -> Any:
        if written.state is State.UPLOADING:
            snapshots.note(generation.id, placement=Placement(scene="Elsewhere"))
        return real(store, written)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "save", save)
        snapshots.save(generation.id, state=State.UPLOADING)
    snapshot = snapshots.get(generation.id)
    assert snapshot and snapshot.generation.state is State.UPLOADING
    assert snapshot.generation.placement.scene == "Elsewhere"
    snapshots.write()
    assert snapshots.store.get(generation.id) == snapshot.generation
    snapshots.store.release()


def test_a_claim_that_was_refused_does_not_stand_in_the_way_of_the_one_that_was_not(tmp_path: Path) -> None:
    """The one that has it may be killed before it has noted it, and claim it again."""
    store = Store(tmp_path)
    one, other = store.save(a_generation("one")), store.save(a_generation("other"))
    assert store.claim_job(one.id, "job_1")
    assert not store.claim_job(other.id, "job_1")
    assert store.claim_job(one.id, "job_1") and store.claim_job(other.id, "job_2")
    store.release()


def test_moves_all_along_the_way_never_set_a_record_back(
    manager: Manager, service: Any, connection: Connection
) -> None:
    generations = [a_generation(f"disk {number}") for number in range(3)]
    over = threading.Event()
    order = list(State)
    seen: dict[str, list[State]] = {generation.id: [] for generation in generations}

    def watch() -> None:
        while not over.is_set():
            for record in manager.store.all():
                seen[record.id].append(record.state)

    watcher = threading.Thread(target=watch, daemon=True)
    for generation in generations:
        manager.start(generation, an_image(), connection)
    watcher.start()
    moves = 0
    while any(manager.is_running(generation.id) for generation in generations):
        moves += 1
        for generation in generations:
            manager.move(generation.id, Placement(scene=str(moves)))
        time.sleep(0.005)
    until(lambda: {r.placement.scene for r in manager.store.all()} == {str(moves)}, "the last move on disk")
    over.set()
    watcher.join()
    for states in seen.values():
        assert states == sorted(states, key=order.index) and states[-1] is State.READY


def test_a_job_that_could_not_be_noted_is_noted_as_soon_as_the_disk_allows(
    tmp_path: Path, service: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full while the answer to the paid request comes."""
    service.set_options(job_seconds=600.0)
    manager = Manager(tmp_path)
    real, is_full = Store.save, threading.Event()

    def save(store: Store, generation: Any) -> Any:
        if generation.state is State.RUNNING and is_full.is_set():
            raise StoreError("The disk is full.", "Make space on the disk.")
        return real(store, generation)

    monkeypatch.setattr(Store, "save", save)
    is_full.set()
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until_state(manager, State.RUNNING, generation)
    assert on_disk(manager, generation).state is State.SUBMITTING
    time.sleep(0.5)
    is_full.clear()
    until(lambda: on_disk(manager, generation).state is State.RUNNING, "the note, though nothing else changes")
    assert on_disk(manager, generation).job_id == service.charges()[-1]["job_id"]
    manager.close()


def test_a_click_that_failed_on_a_full_disk_is_not_carried_out_behind_the_artists_back(
    tmp_path: Path, service: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told to have failed, and the artist has clicked again: the next Blender must not pay for it too."""
    manager = Manager(tmp_path)
    real, is_full = Store.save, threading.Event()

    def save(store: Store, generation: Any) -> Any:
        if is_full.is_set():
            raise StoreError("The disk is full.", "Make space on the disk.")
        written = real(store, generation)
        if generation.state is State.UPLOADING:
            is_full.set()
        return written

    monkeypatch.setattr(Store, "save", save)
    charges = len(service.charges())
    generation = a_generation()
    manager.start(generation, an_image(), connection)
    until_ended(manager, generation)
    assert state_of(manager, generation) is State.FAILED and on_disk(manager, generation).state is State.UPLOADING
    monkeypatch.setattr(Store, "save", real)
    until(lambda: on_disk(manager, generation).state is State.FAILED, "the note on disk")
    manager.close()
    heir = Manager(tmp_path)
    heir.configure(Settings(), connection)
    heir.resume()
    until(lambda: not heir.is_busy, "the look at the store")
    assert heir.snapshots() == () and len(service.charges()) == charges
    heir.close()


def test_an_old_click_and_a_killed_script_are_left_to_the_artist_and_a_new_click_is_carried_out(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    before = Manager(tmp_path)
    image = tmp_path / "image.png"
    image.write_bytes(a_png())
    kept = {"source_file": str(image), "source_mime": "image/png"}
    old = a_generation("old", created_at=time.time() - limits.INTENT_SECONDS - 60, **kept)
    new = a_generation("new", created_at=time.time() - limits.INTENT_SECONDS + 60, state=State.UPLOADING, **kept)
    typed = a_generation("typed", is_click=False, **kept)
    for generation in (old, new, typed):
        before.store.save(generation)
    before.close()
    charges = len(service.charges())
    heir = Manager(tmp_path)
    heir.configure(Settings(), connection)
    heir.resume()
    until(lambda: not heir.is_busy, "the end of what was taken over")
    assert state_of(heir, new) is State.READY and len(service.charges()) == charges + 1
    for left in (old, typed):
        assert state_of(heir, left) is State.PREPARED and not heir.is_retried(left.id)
        assert "Nothing was charged" in heir.get(left.id).generation.error  # type: ignore[union-attr]
    heir.start(heir.get(old.id).generation, None, connection)  # type: ignore[union-attr]
    until_ended(heir, old)
    assert state_of(heir, old) is State.READY and on_disk(heir, old).error == ""
    assert len(service.charges()) == charges + 2
    heir.close()


def test_an_image_that_is_in_another_account_is_sent_again(
    manager: Manager, service: Any, connection: Connection, tmp_path: Path
) -> None:
    image = tmp_path / "image.png"
    image.write_bytes(a_png())
    there = a_generation(asset_id="asset_elsewhere", account="another", source_file=str(image), source_mime="image/png")
    ready = manager.run(there, None, connection)
    assert ready.state is State.READY and ready.account == connection.fingerprint()
    assert service.charges()[-1]["image"] == ready.asset_id != "asset_elsewhere"


CLOSES = """
manager = Manager(folder)
manager.start(Generation("disk", PARAMETERS), SourceImage("disk", a_png()), connection)
until(lambda: manager.snapshots()[0].generation.state is State.SUBMITTING, "the request")
time.sleep(1.5)  # now it is written down; a moment later it is out, and the service takes four seconds
started = time.monotonic()
manager.close()
assert time.monotonic() - started < 1.5
"""


def test_a_reply_that_comes_after_closing_is_still_noted(tmp_path: Path, service: Any, connection: Connection) -> None:
    """The add-on is disabled in the moment of the click, and enabled again."""
    service.set_faults([{**GENERATE, "action": "slow", "seconds": 6.0}])
    before, charges = paid_requests(service), len(service.charges())
    process = a_process(CLOSES, tmp_path, service)
    heir = Manager(tmp_path)
    try:
        assert heir.store.take_over() == [], "a thread of it is still waiting for the reply"
        heir.configure(Settings(), connection)
        heir.resume()
        until(lambda: heir.arrived(), "the model")
        assert len(service.charges()) == charges + 1 and paid_requests(service) == before + 1
    finally:
        kill(process)
        heir.close()


def test_parameters_that_are_no_longer_valid_never_look_like_a_request_that_left(
    manager: Manager, service: Any, connection: Connection
) -> None:
    before = paid_requests(service)
    generation = dataclasses.replace(a_generation(), parameters={**PARAMETERS, "resolution": 7})
    with pytest.raises(Exception, match="inside the add-on"):
        manager.run(generation, SourceImage("disk", a_png()), connection)
    assert on_disk(manager, generation).state is State.FAILED and paid_requests(service) == before
