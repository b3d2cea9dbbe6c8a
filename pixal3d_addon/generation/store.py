# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations on disk: one SQLite file, and a folder for each generation's image and GLB.

Any thread may call, but not Blender's main thread: each call waits for the disk. A connection is opened for each
call (0.1 ms), so that no lock and no connection is shared between threads, and several Blenders can use one store
(SQLite's own locks, write-ahead log).
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from . import limits, schema
from .errors import StoreError, TakenError
from .found_models import models_but_for
from .ownership import Owner, is_alive, locked
from .record import FOLDER_NAME, Generation

if TYPE_CHECKING:
    import sqlite3

_DATABASE_NAME = "generations.sqlite3"
_READ = f"SELECT {schema.READ} FROM generations"

Columns = tuple[str, str, str, int]
"""Those of :data:`schema.READ`."""

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class Store:
    """Reads and writes records under one folder, which is made when the first record is.

    An open record belongs to the process that wrote it first, or that took it over from a dead one; no other may write
    it. Nobody is at work on a closed one (:attr:`Generation.is_open`): it belongs to whoever writes it next.
    A file that can't be read any more is set aside, what can be read of it is taken along, and :attr:`notice` says so.

    :ivar notice: what the artist must be told of the store; empty if all is well.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notice = ""
        self._file = folder / _DATABASE_NAME
        self._owners = folder / "owners"
        self._owner = Owner(self._owners)
        self._in_use = self._owners / "in-use.lock"
        """Shared by all who are at the file, so that it is set aside while nobody is."""

    @property
    def exists(self) -> bool:
        """Whether there ever was a record. One look at the disk.

        :raises StoreError: that can't be seen.
        """
        with self._as_store_error(self.folder):
            try:
                self._file.stat()
            except (FileNotFoundError, NotADirectoryError):
                return False
        return True

    def release(self) -> None:
        """This process is done with its records: they may be taken over."""
        self._owner.release()

    def make_folder(self, generation: Generation, results: Path | None = None) -> Path:
        """The folder for the generation's own files: the one it has, or a new one in `results` or in the store's.

        :raises StoreError: it can't be made.
        """
        folder = Path(generation.folder) if generation.folder else (results or self.folder) / generation.id
        with self._as_store_error(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def save(self, generation: Generation) -> Generation:
        """Write the record; on return it is on disk.

        :raises TakenError: it belongs to another Blender.
        :raises StoreError: it can't be written.
        """
        token = self._token()

        def write(database: sqlite3.Connection) -> int:
            row = schema.row(generation, token)
            return database.execute(
                f"{schema.INSERT} ON CONFLICT (id) DO UPDATE SET "
                f"{', '.join(f'{name} = excluded.{name}' for name in schema.COLUMNS if name != 'id')} "
                "WHERE owner = excluded.owner OR NOT is_open",
                row,
            ).rowcount

        if self._do(write) != 1:
            raise TakenError(f"{generation.name} is in the hands of another Blender.", "Look there for the model.")
        return generation

    def take_over(self) -> list[Generation]:
        """The open records whose owner is dead, oldest first. From now on they are this process's.

        :raises StoreError: the store can't be read or written.
        """
        token = self._token()

        def strangers(database: sqlite3.Connection) -> list[str]:
            query = "SELECT DISTINCT owner FROM generations WHERE is_open AND owner <> ?"
            return [owner for (owner,) in database.execute(query, (token,))]

        dead = [owner for owner in self._do(strangers) if not is_alive(self._owners, str(owner))]

        def take(database: sqlite3.Connection) -> list[Generation]:
            # Another Blender may have been quicker: then the owner is no longer the dead one.
            taken: list[Columns] = []
            for owner in dead:
                query = f"UPDATE generations SET owner = ? WHERE is_open AND owner = ? RETURNING {schema.READ}"
                taken += database.execute(query, (token, owner)).fetchall()
            return list(_read(taken))

        return sorted(self._do(take), key=lambda generation: generation.created_at) if dead else []

    def take(self, generation_id: str) -> Generation | None:
        """That record, if there is one; it is this process's from now on.

        :raises TakenError: it is open, and belongs to another process that is alive.
        :raises StoreError: the store can't be read or written.
        :raises ValueError: the record can't be read.
        """
        token = self._token()
        found = self._do(
            lambda database: database.execute(
                "SELECT owner, is_open, record FROM generations WHERE id = ?", (generation_id,)
            ).fetchone()
        )
        if found is None:
            return None
        owner, is_open, record = found
        generation = Generation.from_json(record)
        if not is_open:
            return generation
        query = "UPDATE generations SET owner = ? WHERE id = ? AND owner = ? RETURNING record"
        is_free = owner == token or not is_alive(self._owners, str(owner))
        # Another process may have been quicker: then the owner is no longer the dead one.
        if is_free and (
            taken := self._do(lambda database: database.execute(query, (token, generation_id, owner)).fetchone())
        ):
            return Generation.from_json(taken[0])
        raise TakenError(f"{generation.name} is in the hands of another Blender.", "Look there for the model.")

    def claim_job(self, generation_id: str, job_id: str) -> bool:
        """Whether the job is this record's from now on: not if another record has it.

        :raises StoreError: the store can't be written.
        """
        values = {"job": job_id, "id": generation_id, "owner": self._token()}
        # The last words tell SQLite that it may use the index of those that have a job (10,000 records: 57 ms without).
        others = (
            "SELECT 1 FROM generations AS other WHERE other.job_id = :job AND other.id <> :id AND other.job_id <> ''"
        )

        def claim(database: sqlite3.Connection) -> bool:
            database.execute(
                f"UPDATE generations SET job_id = :job WHERE id = :id AND owner = :owner AND NOT EXISTS ({others})",
                values,
            )
            return database.execute(others, values).fetchone() is None

        return self._do(claim)

    def get(self, generation_id: str) -> Generation | None:
        """The record, or ``None`` if there is none of that id.

        :raises StoreError: the store can't be read.
        """
        row = self._do(lambda database: database.execute(f"{_READ} WHERE id = ?", (generation_id,)).fetchone())
        return schema.read(*row) if row else None

    def all(self, *, limit: int = limits.HISTORY) -> list[Generation]:
        """The newest records, newest first.

        :raises StoreError: the store can't be read.
        """
        query = f"{_READ} ORDER BY created_at DESC, rowid DESC LIMIT ?"
        return list(_read(self._do(lambda database: database.execute(query, (limit,)).fetchall())))

    def bytes_on_disk(self) -> int:
        """What the images and models of all records take.

        :raises StoreError: the store can't be read.
        """
        # Who has written something else than a number has not told how many they are.
        query = "SELECT total(bytes_on_disk) FROM generations WHERE typeof(bytes_on_disk) = 'integer'"
        return int(self._do(lambda database: database.execute(query).fetchone())[0])

    def make_room(self, most_bytes: int) -> list[Generation]:
        """Delete the files of expendable generations, the oldest first, until the rest is no more than `most_bytes`.

        :attr:`Generation.is_expendable` says which they are. The records stay, as an account of what was made.

        :returns: those that lost their files, as they were.
        :raises StoreError: the store can't be used.
        """
        query = f"{_READ} WHERE NOT is_open AND bytes_on_disk > 0 ORDER BY created_at"
        used, emptied = self.bytes_on_disk(), list[Generation]()
        if used <= most_bytes:
            return emptied
        for generation in _read(self._do(lambda database: database.execute(query).fetchall())):
            if used <= most_bytes:
                break
            if generation.is_expendable and self.empty(generation):
                used -= generation.bytes_on_disk
                emptied.append(generation)
        return emptied

    def remove(self, generation: Generation) -> None:
        """Delete the record and its files, whatever they are: the artist's own wish. If another Blender is at it, they
        stay.

        :raises StoreError: the store can't be used.
        """
        token = self._token()
        query = "DELETE FROM generations WHERE id = ? AND (owner = ? OR NOT is_open)"
        if self._do(lambda database: database.execute(query, (generation.id, token)).rowcount):
            self._delete_folder(generation)

    def empty(self, generation: Generation) -> bool:
        """Delete the files of one that is not open, and keep the record; whether it was done.

        Whoever's it is: nobody is at work on what is not open. In one transaction, as another Blender may just now have
        begun to fetch its model again.

        :raises StoreError: the store can't be used.
        """
        emptied = generation.without_files().to_json()

        def write(database: sqlite3.Connection) -> int:
            query = "UPDATE generations SET bytes_on_disk = 0, record = ? WHERE id = ? AND NOT is_open"
            return database.execute(query, (emptied, generation.id)).rowcount

        if not self._do(write):
            return False
        self._delete_folder(generation)
        return True

    def _delete_folder(self, generation: Generation) -> None:
        """Only a folder that we made: it is called after the generation, as no other is."""
        if FOLDER_NAME.fullmatch(generation.id) and Path(generation.folder).name == generation.id:
            shutil.rmtree(generation.folder, ignore_errors=True)

    def _token(self) -> str:
        with self._as_store_error(self.folder):
            return self._owner.token

    def _do(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """`work` in one transaction. A file that can't be read is set aside, and `work` done with a new one."""
        with self._as_store_error(self.folder):
            try:
                with locked(self._in_use, shared=True):
                    return self._transaction(self._file, work)
            except Exception as error:
                if not schema.is_unreadable(error):
                    raise
            with locked(self._in_use):
                try:
                    return self._transaction(self._file, work)  # another one may have been quicker
                except Exception as error:
                    if not schema.is_unreadable(error):
                        raise
                    _log.warning("The store %s can't be read: %s", self._file, error)
                self._set_aside()
                return self._transaction(self._file, work)

    def _transaction(self, file: Path, work: Callable[[sqlite3.Connection], _T]) -> _T:
        self.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(schema.connect(file)) as database:
            # FULL: a record is written before money is spent on it, so it must survive a power cut.
            database.execute("PRAGMA synchronous = FULL")
            schema.prepare(database)
            with database:
                return work(database)

    def _set_aside(self) -> None:
        """Put a new file in the place of one that can't be read, while nobody else is at it.

        The new one is whole before the old one goes: on a full disk nothing changes.
        """
        rows = schema.readable_rows(self._file)
        models = list(models_but_for({columns[0] for columns in rows}, self.folder))
        new = self._file.with_name(f"{_DATABASE_NAME}.new")
        for companion in _companions(new):
            companion.unlink(missing_ok=True)
        found = [*rows, *(schema.row(model, "") for model in models)]
        self._transaction(new, lambda database: database.executemany(schema.INSERT, found))
        broken = self._free_name(time.strftime(f"{_DATABASE_NAME}.unreadable-%Y%m%d-%H%M%S"))
        for old, aside in zip(_companions(self._file), _companions(broken), strict=True):
            with contextlib.suppress(FileNotFoundError):
                old.replace(aside)
        new.replace(self._file)
        self.notice = (
            f"The list of generations could not be read any more. It was set aside as {broken.name}; "
            f"{len(rows)} of its entries could be taken along. A job that is missing can be fetched by its job ID."
        )
        if models:
            more = f"{len(models)} more models were found in their folders, and are among the earlier ones."
            self.notice = f"{self.notice} {more}"

    def _free_name(self, name: str) -> Path:
        """For a file beside the store's: two may be set aside within a second, and clocks go back."""
        names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        return next(path for path in map(self._file.with_name, names) if not os.path.lexists(path))

    @contextlib.contextmanager
    def _as_store_error(self, folder: Path) -> Iterator[None]:
        import sqlite3

        try:
            yield
        except (OSError, sqlite3.Error, UnicodeError) as error:  # a half surrogate is no text for SQLite
            raise StoreError(
                f"The folder of the generations can't be used: {error}.",
                f"Check that there is space on the disk and that you may write to {folder}.",
            ) from error


def _companions(file: Path) -> tuple[Path, ...]:
    """What SQLite keeps beside the file belongs to it."""
    return tuple(file.with_name(file.name + ending) for ending in ("", "-wal", "-shm"))


def _read(rows: Iterable[Columns]) -> Iterator[Generation]:
    """The records that can be read. One that can't must not keep the others from the artist."""
    return (generation for columns in rows if (generation := schema.read(*columns)))
