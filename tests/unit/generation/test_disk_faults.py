# SPDX-License-Identifier: GPL-3.0-or-later
"""Each single step on the disk fails once, in a generation that is carried from the image to the model.

Whatever fails: nothing is charged without a record of it, nothing is called ready without its file, and the next start
goes on to the model, which is charged once.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.errors import Pixal3DError
from pixal3d_addon.generation import Generation, Manager, Settings, State, Store, limits
from pixal3d_addon.generation import source as source_module
from pixal3d_addon.scenario import Connection, download, inspect_glb

from .images import a_generation, an_image, on_disk, paid_requests, state_of, until, until_ended

pytestmark = pytest.mark.usefixtures("quick")

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE, errno.EACCES, errno.ESTALE)


class Disk:
    """Counts the steps that change something under `folder`, or open it, and fails some of them."""

    def __init__(self, folder: Path, fails: Callable[[int], int]) -> None:
        """:param fails: the error of the n-th step, from 1; 0 if it goes well."""
        self.steps = 0
        self.names: list[str] = []
        self._folder = os.fspath(folder)
        self._fails = fails
        self._lock = threading.Lock()

    def step(self, name: str, path: object) -> None:
        with self._lock:
            self.steps += 1
            self.names.append(f"{name} {path}")
            error = self._fails(self.steps)
        if error:
            raise OSError(error, os.strerror(error), str(path))

    def is_here(self, path: object) -> bool:
        return isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self._folder)


_disk: list[Disk] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Of Python's audit events those of files: an error that is raised here is the caller's."""
    if _disk and event in ("open", "os.rename", "os.mkdir", "sqlite3.connect"):
        disk = _disk[0]
        if disk.is_here(arguments[0]):
            disk.step(event, arguments[0])


sys.addaudithook(_hook)


class Written:
    """A file whose writes are steps."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        if _disk:
            _disk[0].step("write", self._file.name)
        return int(self._file.write(data))

    def __enter__(self) -> Written:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Disk], contextlib.AbstractContextManager[Disk]]]:
    for module in (source_module, download):
        create: Any = module.create_file  # type: ignore[attr-defined]
        monkeypatch.setattr(module, "create_file", lambda path, create=create: Written(create(path)))
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        if _disk:
            _disk[0].step("fsync", descriptor)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    @contextlib.contextmanager
    def used(disk: Disk) -> Iterator[Disk]:
        _disk.append(disk)
        try:
            yield disk
        finally:
            _disk.clear()

    yield used
    _disk.clear()


@pytest.fixture
def swift(service: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    service.set_options(job_seconds=0.0)
    monkeypatch.setattr(limits, "POLL_FIRST_SECONDS", 0.01)
    monkeypatch.setattr(limits, "POLL_LAST_SECONDS", 0.05)
    return service


def run_once(folder: Path, generation: Generation, connection: Connection) -> Generation | None:
    """As in a Blender that ends right after; ``None`` if it ended in one of our errors."""
    manager = Manager(folder / "store", Settings(results=folder / "results"))
    try:
        return manager.run(generation, an_image(), connection)
    except Pixal3DError:
        return None
    finally:
        manager.close()
        manager.store.release()


def test_whichever_step_on_the_disk_fails_nothing_is_charged_twice_or_lost(
    tmp_path: Path, swift: Any, connection: Connection, disks: Any
) -> None:
    ends = set()
    for number in itertools.count(1):
        folder = tmp_path / str(number)
        folder.mkdir()
        error = ERRORS[number % len(ERRORS)]
        stays = number % 3 == 0
        charges, generation = len(swift.charges()), a_generation(f"disk {number}")
        with disks(Disk(folder, lambda n, at=number, e=error, s=stays: e if n == at or (s and n > at) else 0)) as disk:  # type: ignore[misc]
            done = run_once(folder, generation, connection)
        if disk.steps < number:
            break
        what = f"step {number}, {disk.names[number - 1]}, {errno.errorcode[error]}{' and all after it' * stays}"
        charged = len(swift.charges()) - charges
        known = Store(folder / "store").get(generation.id)
        assert charged <= 1, what
        if charged:
            assert known and known.state not in (State.PREPARED, State.UPLOADING, State.FAILED), what
        if done is not None:
            assert done.state is State.READY and inspect_glb(Path(done.glb_file)), what
        if known is not None and known.state is State.READY:
            assert inspect_glb(Path(known.glb_file)), what
        ends.add(known.state if known else None)
        if known is None:
            continue
        if known.state is State.FAILED:
            assert not charged and known.error, what
            continue
        next_start = Manager(folder / "store")
        ready = next_start.run(next_start.store.take(known.id), None, connection)  # type: ignore[arg-type]
        next_start.close()
        assert ready.state is State.READY and inspect_glb(Path(ready.glb_file)), what
        assert len(swift.charges()) == charges + 1, what
        assert sorted(os.listdir(ready.folder)) == ["model.glb", "source.png"], what
    assert number > 30 and {None, State.FAILED, State.DOWNLOADING, State.READY} <= ends


def test_a_part_that_another_program_deletes_is_fetched_again(
    tmp_path: Path, swift: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cleaners of disks and scanners for viruses do so."""
    replace, deleted = os.replace, list[str]()

    def deleting(source: Any, target: Any) -> None:
        if str(source).endswith("model.glb.part") and not deleted:
            deleted.append(str(source))
            os.unlink(source)
        replace(source, target)

    monkeypatch.setattr(os, "replace", deleting)
    manager = Manager(tmp_path)
    charges, generation = len(swift.charges()), a_generation()
    manager.start(generation, an_image(), connection)
    until(lambda: state_of(manager, generation) is State.READY, "the model")
    assert deleted and len(swift.charges()) == charges + 1
    manager.close()


def test_a_store_that_is_deleted_while_a_job_runs_is_written_again(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    service.set_options(job_seconds=1.5)
    manager = Manager(tmp_path / "store", Settings(results=tmp_path / "results"))
    charges, generation = len(service.charges()), a_generation()
    manager.start(generation, an_image(), connection)
    until(lambda: state_of(manager, generation) is State.RUNNING, "the job")
    shutil.rmtree(tmp_path / "store")
    shutil.rmtree(tmp_path / "results")
    until_ended(manager, generation)
    ready = on_disk(manager, generation)
    assert ready.state is State.READY and inspect_glb(Path(ready.glb_file))
    assert len(service.charges()) == charges + 1
    manager.close()


def test_a_clock_that_goes_backwards_changes_nothing(
    tmp_path: Path, swift: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To 1970 in the end, as without a battery; the list of jobs is asked for what was made since then."""
    clock = itertools.chain((2_000_000_000.0, 1_000_000_000.0, 5.0), itertools.repeat(1.0))
    monkeypatch.setattr("time.time", lambda: next(clock))
    swift.set_faults([{"method": "POST", "path": "/generate/", "action": "accept_then_close"}])
    manager = Manager(tmp_path)
    paid = paid_requests(swift)
    ready = manager.run(a_generation(created_at=3.0), an_image(), connection)
    assert ready.state is State.READY and paid_requests(swift) == paid + 1
    assert Store(tmp_path).get(ready.id) == ready
    manager.close()
