# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be made: a folder of images, or a list of them with parameters for each.

Everything is streamed. A wrong row does not end the reading: all are told at its end, in one :class:`ListError`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..generation.source import TAKEN_EXTENSIONS
from ..parameters import SETTINGS, ParameterError, Value, complete
from . import limits
from .errors import ListError
from .manifest import MANIFEST_NAME
from .rows import LIST_EXTENSIONS, Row, WrongRow, read_rows
from .scratch import scratch


@dataclass(frozen=True, slots=True)
class Item:
    """One image that is to become one model."""

    key: str
    """The same for the same row of the same list, whatever stands before and after it."""
    image: Path
    name: str
    """What the result is to be called: the name in the list, or the image's without its extension. It may not be
    possible as the name of a file, and others may have it too: see :mod:`.names`."""
    parameters: Mapping[str, Value]
    """All of them, by identifier, as :func:`..parameters.complete` returns them."""


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """An item, and the line of the list that it stands in; 0 in a folder."""

    item: Item
    row: int


def read_items(
    source: Path, defaults: Mapping[str, object] = {}, *, chunk: tuple[int, int] | None = None
) -> Iterator[Item]:
    """The items of a list, in its order.

    - A folder: the images in it and in the folders below, by name. Hidden ones are left out (a dot before the name),
      and folders that are the output of a batch.
    - ``.csv``: the first line names the columns: ``image`` (or ``path``, ``file``), ``name``, and parameters by
      identifier or by the service's name. An empty cell is as if it were not there. Separated by comma, semicolon or
      tab; UTF-8.
    - ``.jsonl``: one object a line, with the same names.

    Paths in a list are relative to the folder that the list is in.

    :param defaults: parameters, by identifier, of the rows that say nothing else.
    :param chunk: ``(k, n)``: only each n-th item, beginning with the k-th, 1 <= k <= n.
    :raises ListError: after the last item: the list can't be used, or these rows of it. Nothing may be generated from
        a list before its end is reached.
    """
    return (placed.item for placed in placed_items(source, defaults, chunk=chunk))


def placed_items(
    source: Path, defaults: Mapping[str, object], *, chunk: tuple[int, int] | None = None
) -> Iterator[PlacedItem]:
    """The same, with their places."""
    try:
        usual = complete(defaults)
    except ParameterError as error:
        raise ListError(str(error)) from None
    part, parts = chunk or (1, 1)
    if not 1 <= part <= parts:
        raise ListError(f"There is no part {part} of {parts}: parts are numbered from 1.")
    problems, count = Problems(source), 0
    folder = source if os.path.isdir(source) else source.parent
    with contextlib.closing(_Keys(folder)) as keys:
        for row in _rows(source):
            count += 1
            if isinstance(row, WrongRow):
                problems.add(row)
                continue
            parameters = {**usual, **(row.parameters or {})}
            name = row.name or Path(row.image).stem
            key = keys.key(row.image, name, parameters)
            if (count - 1) % parts == part - 1:
                yield PlacedItem(Item(key, folder / row.image, name, parameters), row.number)
    problems.check()
    if not count:
        what = f"no images ({', '.join(sorted(TAKEN_EXTENSIONS))})" if os.path.isdir(source) else "no rows"
        raise ListError(f"There are {what} in {source}.")


class Problems:
    """The wrong rows of a list, the first of them in words."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._told: list[str] = []
        self._count = 0

    def add(self, row: WrongRow) -> None:
        self._count += 1
        if self._count <= limits.PROBLEMS_TOLD:
            column = f", column {row.column}" if row.column else ""
            place = f"{self._source.name}:{row.number}{column}: " if row.number else ""
            self._told.append(f"{place}{row.why}")

    def check(self) -> None:
        """
        :raises ListError: there are some.
        """
        if not self._count:
            return
        rest = [f"… and {self._count - len(self._told)} more"] if self._count > len(self._told) else []
        what = "image" if os.path.isdir(self._source) else "row"
        rows = f"One {what}" if self._count == 1 else f"{self._count} {what}s"
        lines = "\n".join(f"  {problem}" for problem in (*self._told, *rest))
        raise ListError(f"{rows} of {self._source} can't be used. Nothing was sent.\n{lines}", self._told)


def _rows(source: Path) -> Iterator[Row | WrongRow]:
    if os.path.isdir(source):
        return (Row(0, path) for path in _images(source))
    if not os.path.exists(source):
        raise ListError(f"There is no list and no folder {source}.")
    if source.suffix.lower() not in LIST_EXTENSIONS:
        raise ListError(f"{source} is neither a folder nor a list ({', '.join(LIST_EXTENSIONS)}).")
    return read_rows(source)


def _images(root: Path) -> Iterator[str]:
    """In the order of their names, folder by folder; paths relative to the root."""
    open_ = [(Path(), iter(_entries(root)))]
    while open_:
        folder, entries = open_[-1]
        name, is_folder = next(entries, ("", False))
        if not name:
            open_.pop()
        elif is_folder:
            below = _entries(root / folder / name)
            if (MANIFEST_NAME, False) not in below:
                open_.append((folder / name, iter(below)))
        elif os.path.splitext(name)[1].lower() in TAKEN_EXTENSIONS:
            yield (folder / name).as_posix()


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Name, and whether it is a folder. Links to folders are not followed: they may lead in a circle."""
    try:
        with os.scandir(folder) as found:
            return sorted((e.name, e.is_dir(follow_symlinks=False)) for e in found if not e.name.startswith("."))
    except OSError as error:
        raise ListError(f"The folder {folder} can't be read: {error.strerror}.") from None


class _Keys:
    """Makes the keys of a list's rows, and tells rows that are the same apart by which of them they are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = scratch("CREATE TABLE seen (digest BLOB PRIMARY KEY, count INTEGER) WITHOUT ROWID")

    def key(self, image: str, name: str, parameters: Mapping[str, Value]) -> str:
        """Of the parameters those that differ from the defaults count: with a further one in the table of parameters
        the keys of earlier batches stay as they are."""
        row = [_relative(image, self._folder), name, differing(parameters)]
        digest = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).digest()
        ((count,),) = self._seen.execute(_COUNT, (digest[:16],)).fetchall()
        return hashlib.sha256(digest + str(count).encode()).hexdigest()[: limits.KEY_DIGITS]

    def close(self) -> None:
        self._seen.close()


_COUNT = "INSERT INTO seen VALUES (?, 1) ON CONFLICT (digest) DO UPDATE SET count = count + 1 RETURNING count"


def differing(parameters: Mapping[str, Value]) -> dict[str, Value]:
    """Those that are not the defaults."""
    return {p.identifier: parameters[p.identifier] for p in SETTINGS if parameters[p.identifier] != p.default}


def _relative(image: str, folder: Path) -> str:
    """The same after the list was moved: with its images, or away from those that have absolute paths."""
    path = os.path.join(folder, image)
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive
        relative = os.path.abspath(path)
    if os.path.isabs(image) and relative.startswith(os.pardir):
        relative = os.path.normpath(image)
    return relative.replace(os.sep, "/")
