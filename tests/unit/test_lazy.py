# SPDX-License-Identifier: GPL-3.0-or-later
"""Rooms whose modules are loaded when they are first used, with a room on disk."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pixal3d_addon import lazy

_numbers = itertools.count()

SLOW = """
import time
from . import {other}
runs = 0
def before():
    return after()  # a name that is not there until the module was run
time.sleep(0.2)
runs += 1
def after():
    return runs
"""
MUTUAL = """
from . import {other}
VALUE = 1
def of_the_other():
    return {other}.VALUE
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A package whose modules lie on disk, under a name that no other test has used."""
    name = f"room_{next(_numbers)}"
    folder = tmp_path / name
    folder.mkdir()
    source = "from pixal3d_addon.lazy import modules\n__getattr__ = modules(__name__)\n"
    (folder / "__init__.py").write_text(source, encoding="utf-8")
    (folder / "slow.py").write_text(SLOW.format(other="one"), encoding="utf-8")
    (folder / "one.py").write_text(MUTUAL.format(other="two"), encoding="utf-8")
    (folder / "two.py").write_text(f"{MUTUAL.format(other='one')}\nAT_ONCE = one.VALUE\n", encoding="utf-8")
    (folder / "broken.py").write_text("import no_such_module_anywhere\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module(name)
    for each in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
        del sys.modules[each]


def test_a_module_is_loaded_when_something_of_it_is_used(room: Any) -> None:
    module = room.slow
    assert not lazy.is_loaded(module)
    assert module.__name__ == f"{room.__name__}.slow"
    assert not lazy.is_loaded(module)
    assert module.after() == 1
    assert lazy.is_loaded(module) and type(module) is ModuleType
    assert room.slow is module is importlib.import_module(f"{room.__name__}.slow")


def test_threads_that_come_at_once_find_it_whole_and_run_once(room: Any) -> None:
    module = room.slow
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: module.before(), range(8)))
    assert found == [1] * 8


def test_what_is_set_is_not_overwritten_by_loading(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    room.one.VALUE = 2
    assert room.two.of_the_other() == 2


def test_what_is_imported_the_usual_way_is_the_same_module(room: Any) -> None:
    imported = importlib.import_module(f"{room.__name__}.one")
    assert room.one is imported and lazy.is_loaded(imported)


def test_two_that_import_each_other_see_each_other(room: Any) -> None:
    assert room.two.AT_ONCE == 1
    assert room.one.of_the_other() == 1


def test_a_name_that_is_not_there_is_an_error(room: Any) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = room.no_such_name
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = room.one.no_such_name
    with pytest.raises(ImportError):
        exec(f"from {room.__name__} import no_such_name")


def test_a_module_that_can_not_be_loaded_says_so_each_time(room: Any) -> None:
    for _ in range(2):
        with pytest.raises(ImportError, match="no_such_module_anywhere"):
            _ = room.broken.anything
