# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the store, their versions, and what is saved of a file that is damaged.

A record is kept whole, as JSON; the columns beside it are what is asked for.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..parameters import complete
from . import limits
from .errors import StoreError
from .record import Generation

if TYPE_CHECKING:
    import sqlite3

_log = logging.getLogger(__name__)

VERSION: Final = 2
COLUMNS: Final = ("id", "owner", "created_at", "is_open", "job_id", "bytes_on_disk", "record")
INSERT: Final = f"INSERT INTO generations ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"

Row = tuple[str, str, float, bool, str, int, str]

_NOT_OURS: Final = (
    "no such table",
    "no such column",
    "no column named",
    "already exists",
    "unsupported file format",
)
"""SQLite's words for a file whose tables are others than those of its version."""

_DAMAGED: Final = "The record was damaged. The model is fetched anew."

_CREATE: Final = """
CREATE TABLE generations (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    created_at REAL NOT NULL,
    is_open INTEGER NOT NULL,
    job_id TEXT NOT NULL,
    bytes_on_disk INTEGER NOT NULL,
    record TEXT NOT NULL
)
"""
_INDEXES: Final = (
    "CREATE INDEX generations_open ON generations (owner) WHERE is_open",
    "CREATE INDEX generations_by_job ON generations (job_id) WHERE job_id <> ''",
    "CREATE INDEX generations_by_age ON generations (created_at)",
    # Holds the sum of bytes_on_disk, so that no record is read for it.
    "CREATE INDEX generations_on_disk ON generations (is_open, bytes_on_disk)",
)


def row(generation: Generation, owner: str) -> Row:
    """In the order of :data:`COLUMNS`."""
    return (
        generation.id,
        owner,
        generation.created_at,
        generation.is_open,
        generation.job_id,
        generation.bytes_on_disk,
        generation.to_json(),
    )


READ: Final = "record, id, job_id, is_open"
"""What :func:`read` takes."""


def read(record: str, id_: str, job_id: str, is_open: int) -> Generation | None:
    """One record. Of an open one that can't be read the job remains, so that its model is fetched anew; of others,
    which have ended, nothing."""
    try:
        return Generation.from_json(record)
    except ValueError as error:
        _log.warning("The record %.80r can't be read: %s", id_, error)
        if not (is_open and job_id):
            return None
        job = {"name": job_id, "parameters": complete({}), "id": id_, "state": "running", "job_id": job_id}
    try:
        return Generation.from_json(json.dumps({**job, "error": _DAMAGED}))
    except (ValueError, TypeError):  # as damaged as the record
        return None


def connect(file: Path) -> sqlite3.Connection:
    """A connection that can read records in which a bit has flipped: one must not keep the others from the artist.

    :raises sqlite3.Error: it can't be opened, as far as SQLite looks at it now.
    """
    import sqlite3

    database = sqlite3.connect(file, timeout=limits.STORE_BUSY_SECONDS)
    database.text_factory = lambda text: text.decode(errors="replace")
    return database


def prepare(database: sqlite3.Connection) -> None:
    """Make the tables, or bring those of an older version up to date.

    Several threads and Blenders may come to it at the same moment, and SQLite does not wait for a lock when it changes
    the journal mode (seen with eight threads: "database is locked" at once).

    :raises StoreError: the file is of a newer version of the add-on.
    """
    import sqlite3

    deadline = time.monotonic() + limits.STORE_BUSY_SECONDS
    while (version := _version(database)) != VERSION:
        if version > VERSION:
            raise StoreError(
                "The generations on this computer were written by a newer version of the add-on.",
                "Update the add-on.",
            )
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("BEGIN IMMEDIATE")
            with database:
                _bring_up_to_date(database)
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(limits.STORE_BUSY_PAUSE_SECONDS)


def _bring_up_to_date(database: sqlite3.Connection) -> None:
    """Inside a transaction that nobody else is in: all of it happens, or nothing."""
    version = _version(database)
    if version >= VERSION:
        return  # another one was quicker
    old: list[tuple[str, str, float, str]] = []
    if version == 1:
        old = database.execute("SELECT id, owner, created_at, record FROM generations").fetchall()
        database.execute("DROP TABLE generations")
    database.execute(_CREATE)
    for index in _INDEXES:
        database.execute(index)
    database.executemany(INSERT, (_row_of_version_1(*columns) for columns in old))
    database.execute(f"PRAGMA user_version = {VERSION}")


def _row_of_version_1(id_: str, owner: str, created_at: float, record: str) -> Row:
    """Version 1 kept all files below the store, noted no folder, and took every imported mesh for safe.

    It kept what the artist had taken off the list, as this one keeps what has ended: without ever offering it again.
    """
    try:
        generation = Generation.from_json(record)
        is_dismissed = json.loads(record).get("is_dismissed") is True
    except ValueError:
        return (id_, owner, created_at, False, "", 0, record)  # kept as it is; reading leaves it out
    files = [Path(file) for file in (generation.source_file, generation.glb_file) if file]
    size = 0
    for file in files:
        with contextlib.suppress(OSError):
            size += file.stat().st_size
    folder = str(files[0].parent) if files else ""
    # The time of the last change stays as it was.
    changes = {"folder": folder, "bytes_on_disk": size, "is_kept": True, "updated_at": generation.updated_at}
    columns = row(generation.changed(**changes), owner)
    is_open = columns[3] and not is_dismissed
    return (*columns[:3], is_open, *columns[4:])


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def is_unreadable(error: BaseException) -> bool:
    """Whether the file is damaged, no database, or not to be opened; rather than busy, or the disk full."""
    import sqlite3

    if isinstance(error, UnicodeDecodeError):
        return True  # SQLite's message names something in the file that has become no text
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    unreadable = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
    # The upper bits say more about the same thing.
    if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in unreadable:
        return True
    return any(words in str(error) for words in _NOT_OURS)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    import sqlite3

    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def readable_rows(file: Path) -> list[Row]:
    """What can still be read of a damaged file: from both ends, up to the first page that can't."""
    import sqlite3

    found: dict[str, Row] = {}
    for order in ("DESC", "ASC"):
        with contextlib.suppress(sqlite3.Error, OSError, UnicodeError), contextlib.closing(connect(file)) as database:
            database.execute("PRAGMA writable_schema = ON")  # else a file that was cut short is not read at all
            for owner, *columns in database.execute(f"SELECT owner, {READ} FROM generations ORDER BY rowid {order}"):
                if generation := read(*columns):
                    found.setdefault(generation.id, row(generation, str(owner)))
    return sorted(found.values(), key=lambda columns: columns[2])
