# SPDX-License-Identifier: GPL-3.0-or-later
"""A store that an older version of the add-on wrote is brought up to date; one of a newer version is left alone."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import State, Store, StoreError
from pixal3d_addon.parameters import complete

from .processes import PROJECT

VERSION_1 = """
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS generations (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    created_at REAL NOT NULL,
    owner TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS generations_by_state ON generations (state);
PRAGMA user_version = 1;
COMMIT;
"""


def a_record(folder: Path, id_: str, state: State, **changes: Any) -> dict[str, Any]:
    """All that version 1 wrote of a generation."""
    return {
        "name": "chair",
        "parameters": complete({"seed": 7}),
        "placement": {"scene": "Scene", "collection": "Props", "location": [1.0, 2.0, 3.0]},
        "id": id_,
        "created_at": 1000.0 + len(id_),
        "updated_at": 2000.5,
        "state": state.value,
        "source_file": str(folder / id_ / "source.png"),
        "source_mime": "image/png",
        "source_sha256": "00",
        "account": "0123456789abcdef",
        "asset_id": "asset_1",
        "job_id": f"job_{id_}",
        "service_status": "success",
        "status_history": [["queued", "2026-01-01T00:00:00Z"]],
        "cost": 42.0,
        "seed": 7,
        "glb_file": str(folder / id_ / "model.glb"),
        "glb_sha256": "11",
        "bounds": [[-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]],
        "is_dismissed": False,
        "error": "It broke. Mend it.",
        **changes,
    }


def write_version_1(folder: Path, *records: dict[str, Any] | str) -> Path:
    """As version 1 did. A text is the record as it is."""
    folder.mkdir(exist_ok=True)
    file = folder / "generations.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(VERSION_1)
        with database:
            for number, record in enumerate(records):
                data: Any = {} if isinstance(record, str) else record
                columns = (data.get("id", f"damaged {number}"), data.get("state", "ready"), data.get("created_at", 5.0))
                text = record if isinstance(record, str) else json.dumps(record, separators=(",", ":"))
                database.execute("INSERT INTO generations VALUES (?, ?, ?, ?, ?)", (*columns, "dead", text))
    return file


def rows(file: Path) -> dict[str, tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as database:
        found = database.execute("SELECT id, owner, created_at, is_open, job_id, bytes_on_disk FROM generations")
        return {id_: tuple(columns) for id_, *columns in found}


def test_every_record_of_version_1_comes_along_with_all_that_it_said(tmp_path: Path) -> None:
    states = [State.READY, State.IMPORTED, State.FAILED, State.ABANDONED, State.RUNNING, State.UNCERTAIN]
    records = [a_record(tmp_path, f"g{number}" + "x" * number, state) for number, state in enumerate(states)]
    for name, content in (("source.png", b"12345"), ("model.glb", b"1234567")):
        (tmp_path / "g0").mkdir(exist_ok=True)
        (tmp_path / "g0" / name).write_bytes(content)
    file = write_version_1(tmp_path, *records)
    store = Store(tmp_path)
    for record, state in zip(records, states, strict=True):
        generation = store.get(record["id"])
        assert generation and generation.state is state
        assert (generation.error, generation.hint) == ("It broke. Mend it.", "")
        assert generation.placement.location == (1.0, 2.0, 3.0) and generation.placement.blend_file == ""
        assert generation.updated_at == 2000.5 and generation.cost == 42.0 and generation.is_kept
        assert generation.folder == str(tmp_path / record["id"])
        assert generation.bounds == ((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5))
    columns = rows(file)
    assert columns["g0"] == ("dead", 1002.0, 1, "job_g0", 12)
    assert [columns[record["id"]][2] for record in records] == [1, 0, 0, 1, 1, 1], "what concerns the artist still"
    assert {g.id for g in store.take_over()} == {r["id"] for r in records if r["state"] not in ("imported", "failed")}
    assert store.bytes_on_disk() == 12
    store.release()


def test_what_the_artist_took_off_the_list_in_version_1_is_kept_and_not_offered(tmp_path: Path) -> None:
    states = [State.READY, State.RUNNING, State.ABANDONED, State.UNCERTAIN]
    write_version_1(tmp_path, *(a_record(tmp_path, f"g_{state}", state, is_dismissed=True) for state in states))
    store = Store(tmp_path)
    assert store.take_over() == []
    assert len(store.all()) == len(states)


@pytest.mark.parametrize("damaged", ["{", "null", "[]", '{"state": "ready"}', '{"state": 7, "name": ""}', "\u0000"])
def test_a_damaged_record_of_version_1_does_not_keep_the_others_from_the_artist(tmp_path: Path, damaged: str) -> None:
    file = write_version_1(tmp_path, a_record(tmp_path, "good", State.READY), damaged)
    store = Store(tmp_path)
    assert [g.id for g in store.all()] == ["good"]
    assert rows(file)["damaged 1"][2] == 0
    with closing(sqlite3.connect(file)) as database:
        (text,) = database.execute("SELECT record FROM generations WHERE id = 'damaged 1'").fetchone()
    assert text == damaged, "somebody may want to look at it"


def test_many_processes_that_migrate_at_once_do_it_once_and_lose_nothing(tmp_path: Path) -> None:
    count = 300
    write_version_1(tmp_path, *(a_record(tmp_path, f"g{number}", State.ABANDONED) for number in range(count)))
    script = """
import sys
from pathlib import Path
from pixal3d_addon.generation import Generation, Store
from pixal3d_addon.parameters import complete
store = Store(Path(sys.argv[1]))
print("READY", flush=True)
sys.stdin.readline()
store.save(Generation("mine", complete({}), id=sys.argv[2]))
print(len(store.all(limit=1000)), store.notice, flush=True)
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, tmp_path, f"new{number}"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "READY\n"
    seen = [process.communicate("go\n")[0].split(" ", 1) for process in processes]
    assert all(count < int(number) <= count + 4 and notice == "\n" for number, notice in seen)
    store = Store(tmp_path)
    ids = {g.id for g in store.all(limit=1000)}
    assert ids == {f"g{number}" for number in range(count)} | {f"new{number}" for number in range(4)}


def test_a_migration_that_is_interrupted_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pixal3d_addon.generation import schema

    file = write_version_1(tmp_path, a_record(tmp_path, "good", State.READY))
    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(schema, "_row_of_version_1", lambda *_: 1 / 0)
        Store(tmp_path).all()
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert database.execute("SELECT state FROM generations").fetchall() == [("ready",)]
    assert [g.id for g in Store(tmp_path).all()] == ["good"]


def test_a_store_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "generations.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.executescript("CREATE TABLE of_tomorrow (id); PRAGMA user_version = 3;")
    before = file.read_bytes()
    store = Store(tmp_path)
    for ask in (store.all, store.take_over, store.bytes_on_disk, lambda: store.make_room(0)):
        with pytest.raises(StoreError, match=r"newer version of the add-on.*Update the add-on"):
            ask()
    assert file.read_bytes() == before and store.notice == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["generations.sqlite3", "owners"]
    store.release()
