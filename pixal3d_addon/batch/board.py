# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list and the manifest say together, for the decision what is next. In a scratch database, not in memory."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from ..parameters import Value, readable
from .entry import Entry, EntryState
from .items import Item, PlacedItem, differing
from .names import folded
from .scratch import scratch

_TABLES: Final = """
CREATE TABLE items (
    key TEXT PRIMARY KEY,
    position INTEGER, row INTEGER, image BLOB, wished TEXT, settings TEXT, priced TEXT,
    standing TEXT NOT NULL DEFAULT 'new', start INTEGER, owner TEXT, name TEXT, job_id TEXT, cost REAL, made_of TEXT,
    is_over INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX by_position ON items (position) WHERE position IS NOT NULL;
CREATE INDEX by_name ON items (name) WHERE name IS NOT NULL;
CREATE INDEX by_job ON items (job_id) WHERE job_id <> '';
CREATE INDEX by_claim ON items (owner) WHERE standing = 'begun';
CREATE TABLE prices (priced TEXT PRIMARY KEY, cost REAL);
"""


class Standing(StrEnum):
    """What is to be done with an item, as far as the manifest tells."""

    NEW = "new"
    """Nobody has begun it."""
    BEGUN = "begun"
    """There is no job yet."""
    FAILED = "failed"
    """Before there was a job."""
    OWED = "owed"
    """Paid for, or about to be."""
    UNCERTAIN = "uncertain"
    LOST = "lost"
    """Its job failed."""
    BROKEN = "broken"
    """Its job was a success, and the model can't be read. It can be fetched again."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Listed:
    """An item of our list, and how it stands."""

    position: int
    item: Item
    priced: str
    """What decides the price: the settings without the seed."""
    standing: Standing
    start: int | None
    """Where its newest line begins in the manifest."""
    owner: str


class Board:
    """Any thread, one at a time.

    :ivar counts: how many items of the list stand how.
    :ivar in_other_formats: how many of them are done, and their result does not end with `suffix`.
    :ivar spent: creative units, by all lines of the manifest; of items that were begun, what they will cost.
    """

    def __init__(self, suffix: str) -> None:
        self.counts: Counter[Standing] = Counter()
        self.in_other_formats = 0
        self.spent = 0.0
        self._suffix = suffix
        self._database = scratch(_TABLES)

    def close(self) -> None:
        self._database.close()

    # What is told.

    def add(self, position: int, placed: PlacedItem) -> None:
        """An item of the list. Before anything of the manifest."""
        item = placed.item
        settings = differing(item.parameters)
        priced = {name: value for name, value in settings.items() if name != "seed"}
        self._database.execute(
            "INSERT INTO items (key, position, row, image, wished, settings, priced) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                item.key,
                position,
                placed.row,
                os.fsencode(item.image),
                item.name.encode(errors="surrogateescape"),
                json.dumps(settings),
                json.dumps(priced),
            ),
        )
        self.counts[Standing.NEW] += 1

    def note(self, start: int, entry: Entry) -> None:
        """A line of the manifest."""
        standing, cost = _standing(entry), _spent(entry)
        query = "SELECT position, standing, cost, image FROM items WHERE key = ?"
        row = self._database.execute(query, (entry.key,)).fetchone()
        position, before, cost_before, image = row or (None, None, None, None)
        self.spent += cost - (cost_before or 0.0)
        made_of = None
        if position is not None:
            self.counts[Standing(before or Standing.NEW)] -= 1
            self.counts[standing] += 1
            self.in_other_formats += standing is Standing.DONE and not entry.file.endswith(self._suffix)
            if standing in _PAID and (path := os.fsencode(entry.image)) != image:
                made_of = path
        values = (standing, start, entry.owner, folded(entry.name), entry.job_id, cost, made_of)
        self._database.execute(
            "INSERT INTO items (key, standing, start, owner, name, job_id, cost, made_of) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (key) DO UPDATE SET "
            "standing = ?2, start = ?3, owner = ?4, name = ?5, job_id = ?6, cost = ?7, made_of = ?8",
            (entry.key, *values),
        )

    def set_over(self, key: str) -> None:
        """It is not to be :meth:`waiting` any more."""
        self._database.execute("UPDATE items SET is_over = 1 WHERE key = ?", (key,))

    def set_price(self, priced: str, cost: float) -> None:
        self._database.execute("INSERT OR REPLACE INTO prices VALUES (?, ?)", (priced, cost))

    # What is asked.

    @property
    def items(self) -> int:
        """How many the list has."""
        return sum(self.counts.values())

    def waiting(self, position: int, *, with_new: bool) -> Iterator[Listed]:
        """The items from that position on that are not done and not over, in the list's order."""
        new = "" if with_new else "AND standing <> 'new'"
        query = (
            "SELECT position, key, image, wished, settings, priced, standing, start, owner FROM items "
            f"WHERE position >= ? AND standing <> 'done' AND NOT is_over {new} ORDER BY position"
        )
        for position_, key, image, wished, settings, priced, standing, start, owner in self._database.execute(
            query, (position,)
        ):
            parameters = _parameters(settings)
            name = wished.decode(errors="surrogateescape")
            item = Item(key, Path(os.fsdecode(image)), name, parameters)
            yield Listed(position_, item, priced, Standing(standing), start, owner or "")

    def start(self, key: str) -> int | None:
        """Where the newest line of the item begins in the manifest."""
        row = self._database.execute("SELECT start FROM items WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def owner(self, key: str) -> str:
        row = self._database.execute("SELECT owner FROM items WHERE key = ?", (key,)).fetchone()
        return (row[0] if row else None) or ""

    def is_done(self, key: str) -> bool:
        query = "SELECT 1 FROM items WHERE key = ? AND standing = 'done'"
        return self._database.execute(query, (key,)).fetchone() is not None

    def is_taken(self, name: str, key: str) -> bool:
        """Whether another item has that name, or one that a file system may take for it."""
        query = "SELECT 1 FROM items WHERE name = ? AND key <> ?"
        return self._database.execute(query, (folded(name), key)).fetchone() is not None

    def has_job(self, job_id: str, key: str) -> bool:
        """Whether another item has that job."""
        query = "SELECT 1 FROM items WHERE job_id = ? AND job_id <> '' AND key <> ?"
        return self._database.execute(query, (job_id, key)).fetchone() is not None

    def strays(self) -> list[tuple[str, str]]:
        """Of the items that are not in the list and whose job is under way or not fetched: the job, and the owner."""
        query = "SELECT job_id, owner FROM items WHERE position IS NULL AND standing = 'owed' AND job_id <> ''"
        return self._database.execute(query).fetchall()

    def others(self) -> Iterator[tuple[int, Path, Path]]:
        """The row and the image of each item that is paid for, and the other path that its image had then."""
        query = "SELECT row, image, made_of FROM items WHERE made_of IS NOT NULL ORDER BY position"
        for row, image, made_of in self._database.execute(query):
            yield row, Path(os.fsdecode(image)), Path(os.fsdecode(made_of))

    def claims(self) -> list[tuple[str, float]]:
        """Of the items that were begun and are not paid for: whose they are, and what they will cost."""
        query = "SELECT owner, total(cost) FROM items WHERE standing = 'begun' AND cost > 0 GROUP BY owner"
        return self._database.execute(query).fetchall()

    def price(self, priced: str) -> float | None:
        row = self._database.execute("SELECT cost FROM prices WHERE priced = ?", (priced,)).fetchone()
        return row[0] if row else None

    def price_of(self, key: str) -> float | None:
        row = self._database.execute("SELECT priced FROM items WHERE key = ?", (key,)).fetchone()
        return self.price(row[0]) if row else None

    def lowest_price(self) -> float:
        (price,) = self._database.execute("SELECT min(cost) FROM prices").fetchone()
        return price or 0.0

    def priced(self, standings: frozenset[Standing]) -> list[tuple[str, int, Path, Mapping[str, Value]]]:
        """For each sort of settings among the items that stand so: what decides the price, how many there are, the
        first one's image, and its parameters."""
        marks = ", ".join("?" * len(standings))
        rows = self._database.execute(
            f"SELECT priced, count(*), image, min(position) FROM items "
            f"WHERE position IS NOT NULL AND standing IN ({marks}) GROUP BY priced ORDER BY min(position)",
            tuple(standings),
        )
        return [(priced, count, Path(os.fsdecode(image)), _parameters(priced)) for priced, count, image, _ in rows]

    def images(self, standings: frozenset[Standing]) -> Iterator[tuple[int, Path]]:
        """The row and the image of each item of the list that stands so."""
        marks = ", ".join("?" * len(standings))
        query = f"SELECT row, image FROM items WHERE position IS NOT NULL AND standing IN ({marks}) ORDER BY position"
        for row, image in self._database.execute(query, tuple(standings)):
            yield row, Path(os.fsdecode(image))


_PAID: Final = frozenset({Standing.OWED, Standing.UNCERTAIN, Standing.BROKEN, Standing.DONE})


def _parameters(settings: str) -> Mapping[str, Value]:
    return readable(json.loads(settings))


def _standing(entry: Entry) -> Standing:
    match entry.state:
        case EntryState.CLAIMED:
            return Standing.BEGUN
        case EntryState.SUBMITTING | EntryState.RUNNING | EntryState.READY:
            return Standing.OWED
        case EntryState.UNCERTAIN:
            return Standing.UNCERTAIN
        case EntryState.DONE:
            return Standing.DONE
        case EntryState.FAILED if not entry.job_id:
            return Standing.FAILED
        case EntryState.FAILED:
            return Standing.BROKEN if entry.service_status == "success" else Standing.LOST


def _spent(entry: Entry) -> float:
    """Scenario gives back what a failed job has cost."""
    return 0.0 if _standing(entry) is Standing.LOST or entry.cost is None else entry.cost
