# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process that has ended left behind is gone on with, by one other process, and never paid for again."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Generation, Manager, Settings, SourceImage, State, Store, StoreError
from pixal3d_addon.generation.ownership import Owner, is_alive
from pixal3d_addon.parameters import complete
from pixal3d_addon.scenario import Connection

from .images import a_png, until
from .processes import generating, kill

pytestmark = pytest.mark.usefixtures("quick")

SETTINGS = complete({"decimation_target": 5000, "resolution": 1024, "seed": 7})


@pytest.mark.parametrize("at", [State.UPLOADING, State.SUBMITTING, State.RUNNING, State.DOWNLOADING, State.READY])
def test_a_process_that_is_killed_costs_nothing_twice_and_loses_nothing(
    tmp_path: Path, service: Any, connection: Connection, at: State
) -> None:
    slow = {
        State.UPLOADING: {"method": "POST", "path": "/v1/assets$"},
        State.SUBMITTING: {"method": "POST", "path": "/generate/"},
        State.RUNNING: {"method": "GET", "path": "/v1/jobs/"},
        State.DOWNLOADING: {"method": "GET", "path": "/cdn/"},
    }.get(at)
    if slow:
        service.set_faults([{**slow, "times": 1, "action": "hang", "seconds": 60.0}])
    charges = len(service.charges())
    folder = tmp_path / "generations"
    process = generating(folder, service)
    store = Store(folder)
    until(lambda: any(g.state is at for g in store.all()) if store.exists else False, f"the state {at}")
    kill(process)
    service.clear_faults()
    (record,) = store.all()

    manager = Manager(folder)
    try:
        manager.configure(Settings(), connection)
        manager.resume()
        until(lambda: not manager.is_busy, "the end of what was taken over")
        (snapshot,) = manager.snapshots()
        state = snapshot.generation.state
        if at is State.SUBMITTING:  # the stand-in hung without doing the work, so there is no job to be found
            assert state is State.UNCERTAIN
            assert len(service.charges()) == charges
        else:  # a click of a moment ago is carried out, a job is waited for, a model is shown
            assert state is State.READY and snapshot.generation.job_id == service.charges()[-1]["job_id"]
            assert record.job_id in ("", snapshot.generation.job_id)
            assert manager.arrived() == [snapshot.generation] and manager.is_inherited(record.id)
            assert len(service.charges()) == charges + 1
    finally:
        manager.close()


def test_what_a_living_process_is_at_is_left_to_it(tmp_path: Path, service: Any, connection: Connection) -> None:
    service.set_options(job_seconds=60.0)
    folder = tmp_path / "generations"
    process = generating(folder, service)
    try:
        store = Store(folder)
        until(lambda: any(g.state is State.RUNNING for g in store.all()) if store.exists else False, "a job")
        assert store.take_over() == []
        (record,) = store.all()
        with pytest.raises(StoreError, match="another Blender"):
            store.save(record.changed(state=State.FAILED))
        assert store.get(record.id) == record
    finally:
        kill(process)
    assert [g.id for g in store.take_over()] == [record.id]


def test_two_that_come_at_the_same_moment_do_not_both_get_a_record(tmp_path: Path, service: Any) -> None:
    service.set_options(job_seconds=60.0)
    folder = tmp_path / "generations"
    process = generating(folder, service, count=8)
    store = Store(folder)
    until(lambda: sum(g.state is State.RUNNING for g in store.all()) == 8 if store.exists else False, "eight jobs")
    kill(process)
    heirs = [Store(folder) for _ in range(4)]
    taken: list[list[Generation]] = [[] for _ in heirs]
    together = threading.Barrier(len(heirs))

    def take(number: int) -> None:
        together.wait()
        taken[number] = heirs[number].take_over()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(len(heirs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = heirs[0].take_over()  # a lock that was tried at the same moment looks held: then nobody got it yet
    ids = [g.id for found in (*taken, left) for g in found]
    assert len(ids) == len(set(ids)) == 8


def test_closing_hands_over_at_once_in_the_same_process(tmp_path: Path, service: Any, connection: Connection) -> None:
    """As when the add-on is disabled and enabled again."""
    service.set_options(job_seconds=3.0)
    charges = len(service.charges())
    first = Manager(tmp_path)
    generation = Generation(name="disk", parameters=SETTINGS)
    first.start(generation, SourceImage("disk", a_png()), connection)
    until(lambda: first.get(generation.id).generation.state is State.RUNNING, "a job")  # type: ignore[union-attr]
    first.close()
    second = Manager(tmp_path)
    second.configure(Settings(), connection)
    second.resume()
    until(lambda: not second.is_busy, "the end of what was taken over")
    assert second.get(generation.id).generation.state is State.READY  # type: ignore[union-attr]
    assert len(service.charges()) == charges + 1
    second.close()


def test_without_a_key_what_was_left_is_shown_and_can_be_fetched_later(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    before = Manager(tmp_path)
    ready = before.run(Generation(name="disk", parameters=SETTINGS), SourceImage("disk", a_png()), connection)
    before.store.save(ready.changed(state=State.RUNNING))
    before.close()
    manager = Manager(tmp_path)
    manager.resume()
    until(lambda: not manager.is_busy, "the look at the store")
    (snapshot,) = manager.snapshots()
    assert snapshot.generation.state is State.RUNNING and not manager.is_running(ready.id)
    manager.start(snapshot.generation, None, connection)
    until(lambda: not manager.is_running(ready.id), "the fetching")
    assert manager.get(ready.id).generation.state is State.READY  # type: ignore[union-attr]
    manager.close()


def test_one_damaged_record_does_not_keep_the_others_from_the_artist(tmp_path: Path) -> None:
    before = Store(tmp_path)
    good, bad = (
        before.save(Generation(name=name, parameters=SETTINGS).changed(state=State.ABANDONED)) for name in "ab"
    )
    database = sqlite3.connect(tmp_path / "generations.sqlite3")
    with database:
        database.execute("UPDATE generations SET record = '{\"state\": 7}' WHERE id = ?", (bad.id,))
    database.close()
    before.release()
    after = Store(tmp_path)
    assert [g.id for g in after.take_over()] == [good.id]
    assert [g.id for g in after.all()] == [good.id] and after.get(bad.id) is None
    after.release()


@pytest.mark.parametrize("state", [State.READY, State.ABANDONED])
def test_what_the_artist_took_off_the_list_does_not_come_back(tmp_path: Path, state: State) -> None:
    first = Manager(tmp_path)
    for name in ("kept", "dismissed"):
        first.store.save(Generation(name=name, parameters=SETTINGS).changed(state=state))
    first.close()
    second = Manager(tmp_path)
    second.resume()
    until(lambda: len(second.snapshots()) == 2, "both in the list")
    second.remove(next(s.generation.id for s in second.snapshots() if s.generation.name == "dismissed"))
    until(lambda: [g.name for g in second.store.all()] == ["kept"], "the deletion on disk")
    second.close()
    third = Manager(tmp_path)
    third.resume()
    until(lambda: not third.is_busy, "the look at the store")
    assert [s.generation.name for s in third.snapshots()] == ["kept"]
    third.close()


def test_an_owner_is_dead_when_it_lets_go_and_its_lock_file_is_gone(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    token = owner.token
    assert is_alive(tmp_path, token) and owner.token == token
    owner.release()
    assert not is_alive(tmp_path, token)
    assert list(tmp_path.iterdir()) == []
    assert owner.token != token
    owner.release()


def test_many_threads_of_one_process_are_one_owner(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(owner.token)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 16 and len(set(tokens)) == 1 and os.listdir(tmp_path) == [f"{tokens[0]}.lock"]
    owner.release()
