# SPDX-License-Identifier: GPL-3.0-or-later
"""What has ended in earlier sessions is listed again, can be used again, and needs nobody's care meanwhile."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Generation, Manager, State, Store, limits
from pixal3d_addon.generation.errors import TakenError
from pixal3d_addon.scenario import Connection

from .images import PARAMETERS, a_generation, an_image, on_disk, state_of, until, until_ended, until_state

pytestmark = pytest.mark.usefixtures("quick")


def ended(store: Store, number: int, state: State = State.IMPORTED, **changes: Any) -> Generation:
    """One of an earlier session, with a model on disk."""
    generation = Generation(f"chair {number}", PARAMETERS, created_at=float(number), job_id=f"job_{number}")
    folder = store.make_folder(generation)
    (folder / "model.glb").write_bytes(b"glTF")
    files = {"folder": str(folder), "glb_file": str(folder / "model.glb"), "bytes_on_disk": 4}
    return store.save(generation.changed(state=state, is_kept=state is State.IMPORTED, **files, **changes))


def looked_back(folder: Path) -> Manager:
    manager = Manager(folder)
    manager.resume()
    until(lambda: not manager.is_busy, "the first look")
    return manager


@pytest.fixture
def managers() -> Iterator[list[Manager]]:
    managers: list[Manager] = []
    yield managers
    for manager in managers:
        manager.close()


def test_the_newest_of_earlier_sessions_are_listed_and_concern_nobody(
    tmp_path: Path, managers: list[Manager], monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = Store(tmp_path)
    past = [ended(earlier, number, State.FAILED if number % 2 else State.IMPORTED) for number in range(limits.HISTORY)]
    too_old = ended(earlier, -1)
    left = ended(earlier, 900, State.READY)
    earlier.release()
    written: list[Generation] = []
    monkeypatch.setattr(Store, "save", lambda self, generation: written.append(generation))
    manager = looked_back(tmp_path)
    managers.append(manager)
    assert [s.generation for s in manager.history()] == [*past[1:], left]
    assert manager.get(too_old.id) is None
    assert [s.generation.id for s in manager.snapshots()] == [left.id], "what is open was taken over"
    assert manager.arrived() == [left]
    manager.mark_kept(s.generation.id for s in manager.history())
    manager.close()
    assert written == [], "nothing is written about what has ended"


def test_without_earlier_records_nothing_is_made_and_the_tuples_stay_the_same(tmp_path: Path) -> None:
    manager = looked_back(tmp_path / "generations")
    assert manager.history() == manager.snapshots() == ()
    assert manager.history() is manager.history()
    manager.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_seen_is_the_same_object_until_something_changes(manager: Manager) -> None:
    manager._snapshots.put_past([a_generation("old", state=State.FAILED)])
    history, own = manager.history(), manager.snapshots()
    assert manager.history() is history and manager.snapshots() is own == ()
    new = a_generation("new", state=State.READY)
    manager._snapshots.put(new)
    assert [s.generation.name for s in manager.history()] == ["old", "new"]
    history = manager.history()
    manager._snapshots.report(new.id, progress=0.5)
    assert manager.history() is not history and manager.history()[1].progress == 0.5


def test_one_that_is_imported_again_is_this_sessions_and_safe_once_it_is_saved(
    tmp_path: Path, managers: list[Manager]
) -> None:
    earlier = Store(tmp_path)
    past = ended(earlier, 1)
    earlier.release()
    manager = looked_back(tmp_path)
    managers.append(manager)
    manager.mark_imported(past.id)
    assert [s.generation.id for s in manager.snapshots()] == [past.id]
    until(lambda: on_disk(manager, past).is_open, "the note that it is not safe")
    assert Store(tmp_path).take_over() == [], "it is at work here"
    manager.mark_kept([past.id])
    until(lambda: not on_disk(manager, past).is_open, "the note that it is safe")


def test_one_that_is_removed_is_gone_with_its_files(tmp_path: Path, managers: list[Manager]) -> None:
    earlier = Store(tmp_path)
    past, stays = ended(earlier, 1), ended(earlier, 2)
    earlier.release()
    manager = looked_back(tmp_path)
    managers.append(manager)
    manager.remove(past.id)
    assert [s.generation.id for s in manager.history()] == [stays.id]
    until(lambda: not Path(past.folder).exists(), "its end")
    assert manager.store.all() == [stays]


def test_of_an_emptied_one_the_account_stays(tmp_path: Path, managers: list[Manager]) -> None:
    earlier = Store(tmp_path)
    past = ended(earlier, 1)
    earlier.release()
    manager = looked_back(tmp_path)
    managers.append(manager)
    manager.clear()
    until(lambda: not Path(past.folder).exists(), "its files' end")
    until(lambda: [s.generation.glb_file for s in manager.history()] == [""], "an account of it")
    assert manager.snapshots() == (), "it still concerns nobody"


def test_a_model_whose_files_are_gone_is_fetched_again_without_a_charge(
    tmp_path: Path, managers: list[Manager], service: Any, connection: Connection
) -> None:
    first = Manager(tmp_path)
    made = first.run(a_generation(), an_image(), connection)
    first.mark_imported(made.id)
    first.mark_kept([made.id])
    first.close()
    charges = len(service.charges())
    manager = looked_back(tmp_path)
    managers.append(manager)
    manager.clear()
    until(lambda: on_disk(manager, made).glb_file == "", "its files' end")
    manager.adopt(made.job_id, made.placement, connection)
    until_state(manager, State.READY, made)
    assert Path(manager.history()[0].generation.glb_file).is_file()
    assert len(manager.history()) == 1 and len(service.charges()) == charges


def test_two_blenders_list_the_same_and_only_one_at_a_time_works_on_it(
    tmp_path: Path, managers: list[Manager], service: Any, connection: Connection
) -> None:
    """Both have it in memory as ended. Whoever begins first has it; the other is told so, and overwrites nothing."""
    service.set_options(job_seconds=60.0)
    first = Manager(tmp_path)
    made = a_generation()
    first.start(made, an_image(), connection)
    until_state(first, State.RUNNING, made)
    first.stop(made.id)
    until_ended(first, made)
    first._note(made.id, state=State.FAILED)
    until(lambda: not on_disk(first, made).is_open, "its end")
    first.close()
    one, other = looked_back(tmp_path), looked_back(tmp_path)
    managers += [one, other]
    assert len(one.history()) == len(other.history()) == 1
    one.start(one.history()[0].generation, None, connection)
    until(lambda: on_disk(one, made).state is State.RUNNING, "the first one's work")
    with pytest.raises(TakenError):
        other.store.save(other.history()[0].generation)
    other.mark_imported(made.id)
    other.remove(made.id)
    until(lambda: not any(t.name.startswith("pixal3d-note") for t in threading.enumerate()), "the notes")
    assert on_disk(one, made).state is State.RUNNING and state_of(one, made) is State.RUNNING


def test_a_note_about_one_that_another_blender_has_is_not_tried_for_ever(
    tmp_path: Path, managers: list[Manager]
) -> None:
    earlier = Store(tmp_path)
    past = ended(earlier, 1)
    earlier.release()
    one, other = looked_back(tmp_path), looked_back(tmp_path)
    managers += [one, other]
    one.mark_imported(past.id)
    until(lambda: on_disk(one, past).is_open, "the first one's note")
    other.mark_imported(past.id)
    other._snapshots.write()
    assert other._snapshots._unwritten == set()
    with closing(sqlite3.connect(tmp_path / "generations.sqlite3")) as database:
        (owner,) = database.execute("SELECT owner FROM generations").fetchone()
    assert owner == one.store._owner.token
