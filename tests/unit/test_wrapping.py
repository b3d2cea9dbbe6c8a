# SPDX-License-Identifier: GPL-3.0-or-later
"""No text runs out of the sidebar, in any language."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from pixal3d_addon.translations import LANGUAGES, catalogue
from scripts.texts import texts

FILE = Path(__file__).resolve().parents[2] / "pixal3d_addon/ui/wrapping.py"


@pytest.fixture(scope="module")
def wrapping() -> ModuleType:
    """The module by itself: its room needs Blender."""
    spec = importlib.util.spec_from_file_location("wrapping", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("", 10, []),
        ("one", 10, ["one"]),
        ("one two three", 7, ["one two", "three"]),
        ("  one\n two  ", 20, ["one two"]),
        ("a Non-Manifold edge", 12, ["a Non-", "Manifold", "edge"]),
        ("in /data/wood/oak.png", 12, ["in /data/", "wood/oak.png"]),
        ("ein Donaudampfschiff", 8, ["ein", "Donaudam", "pfschiff"]),
        ("モデルをダウンロード", 8, ["モデルを", "ダウン", "ロード"]),
        ("画像は空です。次", 12, ["画像は空で", "す。次"]),
        ("画像「木」です", 6, ["画像", "「木」", "です"]),
        ("GLBを読む", 5, ["GLBを", "読む"]),
        ("図 abc 図", 6, ["図 abc", "図"]),
        ("图", 1, ["图"]),
    ],
)
def test_lines_break_where_the_language_allows_it(
    wrapping: ModuleType, text: str, columns: int, expected: list[str]
) -> None:
    assert list(wrapping.wrapped(text, columns)) == expected


@pytest.mark.parametrize("columns", [20, 34, 60])
def test_no_text_is_wider_than_the_sidebar_and_none_is_lost(wrapping: ModuleType, columns: int) -> None:
    every = [*texts(), *(there for language in LANGUAGES for there in catalogue(language).values())]
    for text in every:
        lines = wrapping.wrapped(text, columns)
        assert max(map(wrapping.columns_of, lines)) <= columns, text
        assert "".join(lines).replace(" ", "") == text.replace(" ", ""), text
