# SPDX-License-Identifier: GPL-3.0-or-later
"""Who does what, with several processes at one list. Each decision is made and noted under the manifest's lock.

A line with an owner says that this process is at the item. When the process ends, however it ends, its lock on a file
of its own ends with it (:mod:`..generation.ownership`), and whoever comes goes on from the state in the line.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from ..generation.ownership import Owner, is_alive
from . import limits
from .board import Board, Listed, Standing
from .entry import Entry, EntryState
from .errors import OutputError
from .items import Item, PlacedItem, differing
from .manifest import Manifest, unusable
from .names import candidates


@dataclass(frozen=True, slots=True)
class Claim:
    """An item that this process is at from now on."""

    item: Item
    standing: Standing
    """How it stood before."""


class Idle(Enum):
    """Why there is no claim."""

    WAIT = auto()
    """Other processes are at what is left. If one of them dies, there is something to do."""
    END = auto()
    """Nothing is left that may be done."""


class Claims:
    """Any thread; waits for the disk and for other processes.

    :param beside: endings of what is written beside a result, after its name.
    :param most_cost: nothing is begun with which more would be spent, all lines of the manifest counted.
    :ivar charged: creative units that the service took meanwhile and did not give back, as far as it said.
    """

    def __init__(
        self,
        folder: Path,
        suffix: str,
        *,
        most_cost: float | None,
        retries_failed: bool,
        beside: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.charged = 0.0
        self.board = Board(suffix)
        self._suffix = suffix
        self._beside = beside
        self._most_cost = most_cost
        self._retries_failed = retries_failed
        self._manifest = Manifest(folder)
        self._owners = self._manifest.work / "owners"
        self._owner = Owner(self._owners)
        self._mine: dict[str, Entry] = {}
        """The newest line of each item that this process is at."""
        self._position = 0
        """All before it were looked at."""
        self._begun_at: int | None = None
        """Where the manifest ended when this run began: what fails later is for the next run."""
        self._has_others = False
        """Whether other processes are at items of our list, as of the last look."""
        self._lock = threading.RLock()
        self._depth = 0

    def load(self, items: Iterable[PlacedItem]) -> None:
        """Read the list, and what the manifest says. Takes no lock and writes nothing.

        :raises ListError, OutputError: they can't be used.
        """
        with self._lock:
            for position, placed in enumerate(items):
                self.board.add(position, placed)
            self._manifest.read_on(self.board.note)

    def close(self) -> None:
        """Let go of what this process is still at."""
        with self._lock:
            self._owner.release()
            self.board.close()

    # What is next.

    def next(self) -> Claim | Idle:
        """Claim the next item.

        :raises OutputError: the manifest can't be read or written.
        """
        with self._locked():
            if self._begun_at is None:
                self._begun_at = self._manifest.end
            alive: dict[str, bool] = {}
            self._has_others = False
            chosen = self._choose(alive)
            if chosen is None:  # from the start again: others may have left something behind
                self._position = 0
                chosen = self._choose(alive)
            if chosen is None:
                return Idle.WAIT if self._has_others else Idle.END
            self._take(chosen)
            return Claim(chosen.item, chosen.standing)

    def _choose(self, alive: dict[str, bool]) -> Listed | None:
        """The first item from the position on that may be taken. Fills in which owners live."""
        left = self._left(alive)
        for listed in self.board.waiting(self._position, with_new=left >= self.board.lowest_price()):
            self._position = listed.position + 1
            if not self._may_take(listed, alive):
                continue
            if self._may_cost(listed.standing) and (self.board.price(listed.priced) or 0.0) > left:
                continue
            return listed
        return None

    def _may_take(self, listed: Listed, alive: dict[str, bool]) -> bool:
        if listed.standing in (Standing.LOST, Standing.BROKEN) and not self._retries_failed:
            return False
        if listed.owner:
            is_others = self._is_alive(listed.owner, alive)
            self._has_others |= is_others
            return not is_others
        # What somebody has failed with since this run began is for the next one.
        return listed.start is None or listed.start < (self._begun_at or 0) or listed.standing is Standing.OWED

    def _may_cost(self, standing: Standing) -> bool:
        if standing is Standing.UNCERTAIN:
            return self._retries_failed
        return standing in (Standing.NEW, Standing.BEGUN, Standing.FAILED, Standing.LOST)

    def _left(self, alive: dict[str, bool]) -> float:
        """Creative units that may be spent. What the dead had begun and not paid for is not spent."""
        if self._most_cost is None:
            return math.inf
        begun = sum(cost for owner, cost in self.board.claims() if not self._is_alive(owner, alive))
        return self._most_cost - (self.board.spent - begun) + _ROUNDING

    def _is_alive(self, owner: str, alive: dict[str, bool]) -> bool:
        if owner not in alive:
            alive[owner] = is_alive(self._owners, owner)
        return alive[owner]

    def _take(self, listed: Listed) -> None:
        item = listed.item
        fresh = Entry(item.key, "", str(item.image), EntryState.CLAIMED, parameters=differing(item.parameters))
        known = None if listed.start is None else self._manifest.entry_at(listed.start)
        match listed.standing:
            case Standing.OWED | Standing.UNCERTAIN if known:
                entry = known
            case Standing.BROKEN if known:
                entry = known.changed(state=EntryState.RUNNING, error="", hint="")
            case _:
                entry = fresh.changed(name=known.name if known else "", cost=self.board.price(listed.priced))
        name = entry.name or self._free_name(item.name, item.key)
        self._append(entry.changed(name=name, owner=self._token(), at=round(time.time(), 3)), sync=False)
        self.board.set_over(item.key)

    def _free_name(self, wished: str, key: str) -> str:
        """One that no other item has, and no file that is there."""
        return next(name for name in candidates(wished, key) if self._is_free(name, key))

    def _is_free(self, name: str, key: str) -> bool:
        is_there = any(os.path.lexists(self.folder / f"{name}{suffix}") for suffix in (self._suffix, *self._beside))
        return not is_there and not self.board.is_taken(name, key)

    # What this process is at.

    def entry(self, key: str) -> Entry:
        """The newest line of an item that this process is at.

        :raises LostClaimError: another process has it by now.
        """
        if entry := self._mine.get(key):
            return entry
        raise LostClaimError(f"Another process is at the item {key} by now.")

    def find(self, key: str) -> Entry | None:
        """The same, if it is."""
        return self._mine.get(key)

    def target(self, name: str) -> Path:
        """The result's file."""
        return self.folder / f"{name}{self._suffix}"

    def folder_of(self, key: str) -> Path:
        """Where the item's image and its model are until it is done."""
        return self._manifest.work / key

    def write(self, key: str, *, sync: bool = False, **changes: Any) -> Entry:
        """Write down how far an item is.

        :param changes: ``owner=""`` lets go of it.
        :param sync: see :meth:`.Manifest.append`.
        :raises LostClaimError: another process has it by now.
        :raises OutputError: it can't be written.
        """
        with self._locked():
            entry = self.entry(key).changed(at=round(time.time(), 3), **changes)
            if self.board.owner(key) != self._token():
                del self._mine[key]
                raise LostClaimError(f"Another process has taken over {entry.name}, as this one was taken for dead.")
            self._append(entry, sync=sync)
            return entry

    def note_charge(self, cost: float) -> None:
        """The service has taken so many creative units, or given them back."""
        with self._lock:
            self.charged += cost

    def rename(self, key: str) -> Entry:
        """The item gets another name, since a file of its name has come meanwhile."""
        with self._locked():
            return self.write(key, name=self._free_name(self.entry(key).name, key))

    def price_of(self, key: str) -> float | None:
        """What it will cost, if that was asked."""
        with self._lock:
            return self.board.price_of(key)

    def has_other_job(self, job_id: str, key: str) -> bool:
        """Whether another item has that job."""
        with self._locked():
            return self.board.has_job(job_id, key)

    def check_output(self) -> None:
        """
        :raises OutputError: nothing can be kept in the output.
        """
        self._manifest.begin()
        try:
            probe = self._manifest.work / f"probe-{self._token()}"
            probe.write_bytes(bytes(_PROBE_BYTES))
            probe.unlink()
        except OSError as error:
            raise unusable(self.folder, error) from error
        self.check_space()

    def check_space(self) -> None:
        """
        :raises OutputError: what is paid for now may find no place on the disk.
        """
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise unusable(self.folder, error) from error
        if free < limits.FREE_BYTES:
            raise OutputError(
                f"The disk of {self.folder} is almost full ({free / 1e6:.0f} MB are free). Make room, and start again: "
                "nothing is lost."
            )

    def stray_jobs(self) -> tuple[str, ...]:
        """Jobs that are paid for, that nobody is at, and whose items are not in our list. As of the last look."""
        with self._lock:
            alive: dict[str, bool] = {}
            strays = self.board.strays()
            return tuple(job for job, owner in strays if not (owner and self._is_alive(owner, alive)))

    def clean_up(self) -> None:
        """Delete what a process that died has left of items that are done."""
        with self._lock, contextlib.suppress(OSError):
            for path in self._manifest.work.iterdir():
                if self.board.is_done(path.name):
                    shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone, and with all lines read. May be entered again."""
        with self._lock:
            if self._depth:
                yield
                return
            with self._manifest.locked():
                self._depth += 1
                try:
                    self._manifest.read_on(self.board.note)
                    yield
                finally:
                    self._depth -= 1

    def _append(self, entry: Entry, *, sync: bool) -> None:
        self._manifest.append(entry, sync=sync)
        self._manifest.read_on(self.board.note)
        if entry.owner:
            self._mine[entry.key] = entry
        else:
            self._mine.pop(entry.key, None)

    def _token(self) -> str:
        try:
            return self._owner.token
        except OSError as error:
            raise unusable(self.folder, error) from error


class LostClaimError(OutputError):
    """Another process has the item by now: only where locks were lost, as when a file server restarts."""


_ROUNDING = 1e-6
_PROBE_BYTES = 4096
