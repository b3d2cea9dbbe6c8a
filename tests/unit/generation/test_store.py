# SPDX-License-Identifier: GPL-3.0-or-later
"""Records on disk."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from pixal3d_addon.generation import Generation, Placement, State, Store, StoreError
from pixal3d_addon.parameters import complete


def a_generation(**changes: object) -> Generation:
    return Generation(
        name="Stuhl", parameters=complete({"mesh_scale": 2.0}), placement=Placement("Scene", "Props", (1.0, 2.0, 3.0))
    ).changed(**changes)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    generation = a_generation(
        state=State.READY,
        status_history=(("queued", "2026-01-01T00:00:00Z"), ("success", "2026-01-01T00:01:00Z")),
        bounds=((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)),
        cost=12.5,
        seed=7,
        error="Größer — 大",
    )
    Store(tmp_path / "deep" / "folder").save(generation)
    assert Store(tmp_path / "deep" / "folder").get(generation.id) == generation


def test_a_record_of_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    data = json.loads(a_generation().to_json())
    data["something_new"] = 1
    assert Generation.from_json(json.dumps(data)).name == "Stuhl"


def test_nothing_is_made_on_disk_before_the_first_record(tmp_path: Path) -> None:
    Store(tmp_path / "generations")
    assert list(tmp_path.iterdir()) == []


def test_saving_again_replaces_and_the_newest_come_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.save(a_generation(created_at=1.0))
    second = store.save(a_generation(created_at=2.0))
    store.save(first.changed(state=State.FAILED))
    assert [(g.id, g.state) for g in store.all()] == [(second.id, State.PREPARED), (first.id, State.FAILED)]
    assert store.get("unknown") is None


def test_many_threads_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    store = Store(tmp_path)
    generations = [a_generation() for _ in range(40)]

    def write(mine: list[Generation]) -> None:
        for generation in mine:
            store.save(store.save(generation).changed(state=State.UPLOADING))

    threads = [threading.Thread(target=write, args=(generations[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {g.id for g in store.all() if g.state is State.UPLOADING} == {g.id for g in generations}


def test_a_folder_that_cannot_be_used_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"can't be used.*space on the disk.*file"):
        Store(tmp_path / "file").save(a_generation())


def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(a_generation())
    with sqlite3.connect(tmp_path / "generations.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="newer version"):
        store.save(a_generation())
