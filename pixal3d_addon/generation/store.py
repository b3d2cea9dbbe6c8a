# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations on disk: one SQLite file, and a folder for each generation's image and GLB.

Any thread may call, but not Blender's main thread: each call waits for the disk. A connection is opened for each
call (0.1 ms), so that no lock and no connection is shared between threads, and several Blenders can use one store
(SQLite's own locks, write-ahead log).
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import StoreError
from .ownership import Owner, is_alive
from .record import Generation, State

if TYPE_CHECKING:
    import sqlite3

_DATABASE_NAME = "generations.sqlite3"
_BUSY_TIMEOUT_SECONDS = 5.0
_BUSY_PAUSE_SECONDS = 0.02
_SCHEMA_VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS generations (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    created_at REAL NOT NULL,
    owner TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS generations_by_state ON generations (state);
PRAGMA user_version = {_SCHEMA_VERSION};
COMMIT;
"""


_log = logging.getLogger(__name__)


class Store:
    """Reads and writes records under one folder, which is made when the first record is.

    A record belongs to the process that wrote it first, or that took it over from a dead one; no other may write it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._owners = folder / "owners"
        self._owner = Owner(self._owners)

    @property
    def exists(self) -> bool:
        """Whether there ever was a record. One look at the disk."""
        return (self.folder / _DATABASE_NAME).exists()

    def release(self) -> None:
        """This process is done with its records: they may be taken over."""
        self._owner.release()

    def folder_of(self, generation: Generation) -> Path:
        """The folder for the generation's own files, made if need be.

        :raises StoreError: it can't be made.
        """
        folder = self.folder / generation.id
        with self._as_store_error():
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def save(self, generation: Generation) -> Generation:
        """Write the record; on return it is on disk.

        :raises StoreError: it can't be written, or belongs to another Blender.
        """
        with self._database() as database:
            written = database.execute(
                "INSERT INTO generations (id, state, created_at, owner, record) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, record = excluded.record "
                "WHERE owner = excluded.owner",
                (
                    generation.id,
                    generation.state.value,
                    generation.created_at,
                    self._owner.token,
                    generation.to_json(),
                ),
            ).rowcount
        if written != 1:
            raise StoreError(f"{generation.name} is in the hands of another Blender.", "Look there for the model.")
        return generation

    def take_over(self, states: Iterable[State]) -> list[Generation]:
        """The records in one of `states` whose owner is dead, oldest first. From now on they are this process's.

        :raises StoreError: the store can't be read or written.
        """
        names = [state.value for state in states]
        with self._database() as database:
            rows = database.execute(
                f"SELECT id, owner, record FROM generations WHERE state IN ({', '.join('?' * len(names))}) "
                "AND owner <> ? ORDER BY created_at",
                (*names, self._owner.token),
            ).fetchall()
        dead = {owner for owner in {owner for _, owner, _ in rows} if not is_alive(self._owners, owner)}
        taken: list[tuple[str]] = []
        with self._database() as database:
            for id_, owner, record in rows:
                # Another Blender may have been quicker: then the owner is no longer the dead one.
                if (
                    owner in dead
                    and database.execute(
                        "UPDATE generations SET owner = ? WHERE id = ? AND owner = ?", (self._owner.token, id_, owner)
                    ).rowcount
                ):
                    taken.append((record,))
        return [generation for generation in _read(taken) if not generation.is_dismissed]

    def get(self, generation_id: str) -> Generation | None:
        """The record, or ``None`` if there is none of that id.

        :raises StoreError: the store can't be read.
        """
        with self._database() as database:
            row = database.execute("SELECT record FROM generations WHERE id = ?", (generation_id,)).fetchone()
        return next(_read([row]), None) if row else None

    def all(self, *, limit: int = 200) -> list[Generation]:
        """The newest records, newest first.

        :raises StoreError: the store can't be read.
        """
        with self._database() as database:
            rows = database.execute(
                "SELECT record FROM generations ORDER BY created_at DESC, rowid DESC LIMIT ?", (limit,)
            ).fetchall()
        return list(_read(rows))

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """A connection inside one transaction, committed if all went well, and closed."""
        import sqlite3

        with self._as_store_error():
            self.folder.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.folder / _DATABASE_NAME, timeout=_BUSY_TIMEOUT_SECONDS)
            try:
                # FULL: a record is written before money is spent on it, so it must survive a power cut.
                database.execute("PRAGMA synchronous = FULL")
                version = database.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    self._initialize(database)
                elif version > _SCHEMA_VERSION:
                    raise StoreError(
                        "The generations on this computer were written by a newer version of the add-on.",
                        "Update the add-on, or choose another folder.",
                    )
                with database:
                    yield database
            finally:
                database.close()

    def _initialize(self, database: sqlite3.Connection) -> None:
        """Make the tables. Several threads and Blenders may come to it at the same moment, and SQLite does not wait for
        a lock when it changes the journal mode (seen with eight threads: "database is locked" at once)."""
        import sqlite3

        deadline = time.monotonic() + _BUSY_TIMEOUT_SECONDS
        while True:
            try:
                database.execute("PRAGMA journal_mode = WAL")
                database.executescript(_SCHEMA)
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_BUSY_PAUSE_SECONDS)

    @contextlib.contextmanager
    def _as_store_error(self) -> Iterator[None]:
        import sqlite3

        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"The folder of the generations can't be used: {error}.",
                f"Check that there is space on the disk and that you may write to {self.folder}.",
            ) from error


def _read(rows: Iterable[tuple[str]]) -> Iterator[Generation]:
    """The records that can be read. One that can't must not keep the others from the artist."""
    for (record,) in rows:
        try:
            yield Generation.from_json(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("A record of a generation can't be read and is left out: %r", error)
