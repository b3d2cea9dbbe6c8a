# SPDX-License-Identifier: GPL-3.0-or-later
"""A store that can't be read any more is set aside, with what can be saved of it; one that is only busy is not."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pixal3d_addon.generation import Generation, Manager, State, Store, StoreError, limits
from pixal3d_addon.parameters import complete

from .processes import PROJECT

PARAMETERS = complete({})
NOBODY = "65534"
PAGE = 4096


def filled(folder: Path, count: int = 60) -> tuple[Path, list[str]]:
    """A store of one whose Blender has ended: the file, and the ids in it, the oldest first."""
    store = Store(folder)
    ids = [f"g{number:03}" for number in range(count)]
    for number, id_ in enumerate(ids):
        store.save(Generation("chair", PARAMETERS, id=id_, created_at=float(number), state=State.ABANDONED))
    store.release()
    return folder / "generations.sqlite3", ids


def set_aside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if ".unreadable-" in path.name)


def overwrite_middle(file: Path) -> None:
    """A page of the table, the one with the records of the middle."""
    data = bytearray(file.read_bytes())
    at = data.index(b'"id":"g030"') // PAGE * PAGE
    data[at : at + PAGE] = os.urandom(PAGE)
    file.write_bytes(data)


def make_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "what.txt").write_text("somebody's")


def drop_table(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript("DROP TABLE generations")


def other_table(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript("DROP TABLE generations; CREATE TABLE generations (id, owner, is_open);")


DAMAGES: dict[str, tuple[Callable[[Path], object], int]] = {
    "garbage": (lambda file: file.write_bytes(os.urandom(100_000)), 0),
    "a text": (lambda file: file.write_text("this is no database, and never was one " * 99), 0),
    "the header": (lambda file: file.write_bytes(bytes(100) + file.read_bytes()[100:]), 0),
    "cut in half": (lambda file: os.truncate(file, file.stat().st_size // 2 // PAGE * PAGE), 1),
    "cut in the middle of a page": (lambda file: os.truncate(file, file.stat().st_size // 2 + 77), 1),
    "cut after a few bytes": (lambda file: os.truncate(file, 77), 0),
    "a page in the middle": (overwrite_middle, 40),
    "a directory": (make_directory, 0),
    "no table": (drop_table, 0),
    "another table": (other_table, 0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_read_is_set_aside_and_what_can_be_saved_of_it_comes_along(tmp_path: Path, damage: str) -> None:
    file, ids = filled(tmp_path)
    spoil, saved = DAMAGES[damage]
    spoil(file)
    store = Store(tmp_path)
    store.save(Generation("new", PARAMETERS, id="new", created_at=1000.0))
    found = [g.id for g in store.all()]
    assert found[0] == "new" and set(found[1:]) <= set(ids) and len(found) > saved
    (name,) = set_aside(tmp_path)
    # The new one may have gone to a good page of the damaged file, and come along.
    assert name in store.notice and any(f" {len(found) - n} of its entries" in store.notice for n in (0, 1))
    assert {g.id for g in store.take_over()} == set(found[1:]), "and can be gone on with"
    assert len(Store(tmp_path).all()) == len(found) and set_aside(tmp_path) == [name], "the new one is good"
    store.release()


def test_the_newest_records_are_saved_too_when_a_page_before_them_is_damaged(tmp_path: Path) -> None:
    file, ids = filled(tmp_path)
    overwrite_middle(file)
    found = {g.id for g in Store(tmp_path).all()}
    assert {ids[0], ids[1], ids[-1], ids[-2]} <= found < set(ids)


def test_an_empty_file_is_a_store_without_records(tmp_path: Path) -> None:
    (tmp_path / "generations.sqlite3").touch()
    store = Store(tmp_path)
    assert store.all() == [] and store.notice == "" and set_aside(tmp_path) == []


def test_a_record_with_a_flipped_bit_does_not_keep_the_others_from_the_artist(tmp_path: Path) -> None:
    file, ids = filled(tmp_path, 3)
    data = file.read_bytes()
    at = data.index(b'"id":"g001"') + 6
    file.write_bytes(data[:at] + bytes([data[at] | 0x80]) + data[at + 1 :])
    store = Store(tmp_path)
    assert {ids[0], ids[2]} <= {g.id for g in store.all()} and store.notice == ""
    assert {ids[0], ids[2]} <= {g.id for g in store.take_over()}
    store.release()


def test_threads_that_find_it_at_once_set_it_aside_once_and_lose_nothing(tmp_path: Path) -> None:
    file, ids = filled(tmp_path)
    overwrite_middle(file)
    stores = [Store(tmp_path) for _ in range(3)]
    together = threading.Barrier(6)
    errors: list[Exception] = []

    def write(number: int) -> None:
        together.wait()
        try:
            for n in range(5):
                stores[number % 3].save(Generation("new", PARAMETERS, id=f"new {number} {n}"))
                stores[number % 3].all()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = {g.id for g in stores[0].all()}
    assert {f"new {number} {n}" for number in range(6) for n in range(5)} <= found
    assert {ids[0], ids[-1]} <= found
    assert len(set_aside(tmp_path)) == 1 and sum(store.notice != "" for store in stores) == 1
    for store in stores:
        store.release()


WRITES = """
import os, sqlite3, sys
from pathlib import Path
from pixal3d_addon.generation import Generation, Store
from pixal3d_addon.parameters import complete
store = Store(Path(sys.argv[1]))
print("READY", flush=True)
sys.stdin.readline()
if sys.argv[3:]:  # all must be imported by now, for the other user may not read it
    import fcntl
    os.seteuid(int(sys.argv[3]))
for number in range(5):
    store.save(Generation("mine", complete({}), id=f"{sys.argv[2]} {number}"))
print(store.notice, flush=True)
"""


def test_processes_that_find_it_at_once_set_it_aside_once_and_lose_nothing(tmp_path: Path) -> None:
    file, _ = filled(tmp_path)
    file.write_bytes(os.urandom(50_000))
    processes = [writer(tmp_path, str(number)) for number in range(4)]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "READY\n"
    said = [process.communicate("go\n")[0] for process in processes]
    assert all(process.returncode == 0 for process in processes)
    assert {g.id for g in Store(tmp_path).all()} == {f"{n} {m}" for n in range(4) for m in range(5)}
    (name,) = set_aside(tmp_path)
    assert sorted(name in text for text in said) == [False, False, False, True]


def writer(folder: Path, name: str, *user: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITES, folder, name, *user],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name == "nt", reason="file permissions are those of POSIX")
def test_a_file_that_may_only_be_read_is_set_aside_with_all_that_is_in_it(open_to_all: Path) -> None:
    """As after Blender was started once as another user."""
    file, ids = filled(open_to_all)
    file.chmod(0o444)
    (open_to_all / "owners").chmod(0o777)
    for path in (open_to_all / "owners").iterdir():
        path.chmod(0o666)
    is_root = os.geteuid() == 0  # who may write everything: the store is used by one who may not
    process = writer(open_to_all, "new", *([NOBODY] if is_root else []))
    notice, _ = process.communicate("go\n")
    assert process.returncode == 0
    (name,) = [name for name in set_aside(open_to_all) if not name.endswith(("-wal", "-shm"))]
    assert name in notice and " 60 of its entries" in notice
    found = {g.id for g in Store(open_to_all).all()}
    assert set(ids) <= found and len(found) == len(ids) + 5


def test_a_busy_store_is_waited_for_and_not_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_BUSY_SECONDS", 0.2)
    file, _ = filled(tmp_path, 3)
    store = Store(tmp_path)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            store.save(Generation("new", PARAMETERS))
        assert len(store.all()) == 3, "reading waits for nobody"
    store.save(Generation("new", PARAMETERS))
    assert len(store.all()) == 4 and store.notice == "" and set_aside(tmp_path) == []
    store.release()


FULL = """
import resource, signal, sys
from pathlib import Path
from pixal3d_addon.generation import Generation, Store, StoreError
from pixal3d_addon.parameters import complete
folder = Path(sys.argv[1])
store = Store(folder)
store.save(Generation("first", complete({}), id="first"))
store.all()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
free = resource.getrlimit(resource.RLIMIT_FSIZE)
for most in (0, 100, 5000, 40000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, free[1]))
    for number in range(20):
        try:
            store.save(Generation("full", complete({}), id=f"full {most} {number}"))
        except StoreError as error:
            assert "space on the disk" in error.remedy, error
            break
    else:
        assert most > 5000, "the disk was not full"
    resource.setrlimit(resource.RLIMIT_FSIZE, free)
    assert store.notice == "", store.notice
    store.save(Generation("after", complete({}), id=f"after {most}"))
print(*(g.id for g in store.all()), sep=",")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of the file size stands for a full disk")
def test_on_a_full_disk_nothing_is_lost_set_aside_or_half_written(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ids = set(done.stdout.strip().split(","))
    assert {"first", "after 0", "after 100", "after 5000", "after 40000"} <= ids
    assert set_aside(tmp_path) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "generations.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_on_a_full_disk_a_damaged_store_stays_until_there_is_room_for_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what could be saved of it would be lost between the two."""
    from pixal3d_addon.generation import schema

    file, _ = filled(tmp_path)
    overwrite_middle(file)
    damaged = file.read_bytes()
    real = schema.connect

    def connect(path: Path) -> sqlite3.Connection:
        if path.name.endswith(".new"):
            raise sqlite3.OperationalError("unable to open database file")
        return real(path)

    store = Store(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(StoreError):
        patch.setattr(schema, "connect", connect)
        store.all()
    assert file.read_bytes() == damaged and set_aside(tmp_path) == [] and store.notice == ""
    assert len(store.all()) > 40 and store.notice
    store.release()


def test_the_manager_tells_it_until_the_artist_has_read_it(tmp_path: Path) -> None:
    file, _ = filled(tmp_path)
    file.write_bytes(b"garbage " * 1000)
    manager = Manager(tmp_path)
    assert manager.notice == ""
    manager.store.all()
    assert "set aside" in manager.notice and "job ID" in manager.notice
    manager.dismiss_notice()
    assert manager.notice == ""
    manager.close()
