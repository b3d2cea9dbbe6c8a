# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a list of images, CSV or JSONL, read one by one and checked column by column."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from ..files import open_file
from ..parameters import SETTINGS, Kind, Parameter, ParameterError, Value, complete
from . import limits
from .errors import ListError

_SEPARATED: Final = (".csv", ".tsv")
_OBJECTS: Final = (".jsonl", ".ndjson")
LIST_EXTENSIONS: Final = (*_SEPARATED, *_OBJECTS)

_IMAGE_COLUMNS: Final = ("image", "path", "file")
_BY_NAME: Final = {name: p for p in SETTINGS for name in (p.identifier, p.name)}
_COLUMNS: Final = {
    **dict.fromkeys(_IMAGE_COLUMNS, "image"),
    "name": "name",
    **{name: p.identifier for name, p in _BY_NAME.items()},
}
"""What each name of a column means."""
_ALLOWED: Final = f"image (or path, file), name, {', '.join(p.identifier for p in SETTINGS)}"

_SWITCH: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row that can be used."""

    number: int
    """Of the line in the file, from 1; 0 where there are no lines."""
    image: str
    """As it was written."""
    name: str = ""
    parameters: Mapping[str, Value] | None = None
    """Those that it sets, by identifier, checked."""


@dataclass(frozen=True, slots=True)
class WrongRow:
    """One that can't, and why."""

    number: int
    column: str
    """Empty if it is about the whole row."""
    why: str


def read_rows(file: Path) -> Iterator[Row | WrongRow]:
    """The rows of the list `file`.

    :raises ListError: none of it can be used.
    """
    try:
        # Excel writes a mark before UTF-8, and goes by it when it reads.
        with io.TextIOWrapper(open_file(file), encoding="utf-8-sig", newline="") as text:
            lines = _lines(file, text)
            yield from _objects(lines) if file.suffix.lower() in _OBJECTS else _separated(file, lines)
    except UnicodeDecodeError:
        raise ListError(f"{file} is not UTF-8. Save it as “CSV UTF-8” or as plain UTF-8 text.") from None
    except OSError as error:
        raise ListError(f"{file} can't be read: {error.strerror}.") from None


def _lines(file: Path, text: TextIO) -> Iterator[str]:
    """
    :raises ListError: one is far too long, as in a file that is something else.
    """
    number = 0
    while line := text.readline(limits.ROW_CHARACTERS):
        number += 1
        if len(line) == limits.ROW_CHARACTERS and not line.endswith("\n"):
            raise ListError(f"{file.name}:{number}: the line is too long for a list. The rest can't be read.")
        if "\0" in line:
            raise ListError(f"{file.name}:{number}: there are NUL characters in it. Save it as plain UTF-8 text.")
        yield line


def _separated(file: Path, lines: Iterable[str]) -> Iterator[Row | WrongRow]:
    first, lines = _first(lines)
    reader = csv.reader(lines, delimiter=max(",;\t", key=first.count), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        while header and not header[-1]:  # spreadsheets leave empty columns behind
            header.pop()
        _check_columns(file, header)
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if not any(values):
                continue
            if any(values[len(header) :]):
                yield WrongRow(
                    reader.line_num, "", f"it has {len(values)} cells, and the first line names {len(header)}"
                )
            else:
                yield _row(reader.line_num, {c: v for c, v in zip(header, values, strict=False) if v})
    except csv.Error as error:
        raise ListError(f"{file.name}:{reader.line_num}: {error}. The rest of the list can't be read.") from None


def _first(lines: Iterable[str]) -> tuple[str, Iterator[str]]:
    iterator = iter(lines)
    first = next(iterator, "")

    def whole() -> Iterator[str]:
        yield first
        yield from iterator

    return first, whole()


def _check_columns(file: Path, header: list[str]) -> None:
    problems = [f"there is no column “{name}”" for name in header if name not in _COLUMNS]
    meanings = [_COLUMNS[name] for name in header if name in _COLUMNS]
    problems += [f"two columns mean {m}" for m in dict.fromkeys(meanings) if meanings.count(m) > 1]
    if "image" not in meanings:
        problems.append("no column is called image")
    if problems:
        problem = "; ".join(problems)
        raise ListError(f"{file.name}:1: {problem}. The first line names the columns: {_ALLOWED}.")


def _objects(lines: Iterable[str]) -> Iterator[Row | WrongRow]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = getattr(error, "msg", "nested too deep, or a number too long")
            yield WrongRow(number, "", f"it is not JSON ({why})")
            continue
        if not isinstance(values, dict):
            yield WrongRow(number, "", 'it is not an object, such as {"image": "chair.png"}')
            continue
        unknown = next((name for name in values if name not in _COLUMNS), None)
        meanings = [_COLUMNS[name] for name in values if name in _COLUMNS]
        if unknown is not None:
            yield WrongRow(number, unknown, f"there is no such key; there are {_ALLOWED}")
        elif len(set(meanings)) < len(meanings):
            yield WrongRow(number, "", f"two keys mean {next(m for m in meanings if meanings.count(m) > 1)}")
        else:
            yield _row(number, {name: value for name, value in values.items() if value is not None})


def _row(number: int, cells: Mapping[str, object]) -> Row | WrongRow:
    """From what is not empty, by the name of the column."""
    texts = {"image": "", "name": ""}
    given: dict[str, object] = {}
    for column, value in cells.items():
        meaning = _COLUMNS[column]
        if meaning in texts:
            if not (isinstance(value, str) and _is_name(value)):
                return WrongRow(number, column, f"it must be text, not {value!r}")
            texts[meaning] = value
        else:
            given[column] = _value(_BY_NAME[column], value)
    if not texts["image"]:
        return WrongRow(number, "image", "it names no image")
    try:
        checked = complete({_COLUMNS[column]: value for column, value in given.items()}) if given else {}
    except ParameterError:
        return _wrong_value(number, given)
    return Row(number, texts["image"], texts["name"], {i: checked[i] for i in (_COLUMNS[c] for c in given)})


def _is_name(text: str) -> bool:
    """Whether a file may be called so."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:  # half of a pair of surrogates, as JSON can say it
        return False


def _value(parameter: Parameter, value: object) -> object:
    """What a cell's text means; what it can't mean stays text, for :func:`complete` to refuse."""
    if not isinstance(value, str):
        return value
    if parameter.kind is Kind.SWITCH:
        return _SWITCH.get(value.lower(), value)
    if parameter.kind is Kind.SEED and value == "-1":
        return -1
    return value


def _wrong_value(number: int, given: Mapping[str, object]) -> WrongRow:
    for column, value in given.items():
        try:
            complete({_COLUMNS[column]: value})
        except ParameterError as error:
            return WrongRow(number, column, str(error))
    raise AssertionError("each value is fine, and all of them are not")
