# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaking a sentence into lines, in any of our languages. No bpy."""

from __future__ import annotations

import functools
import re
import unicodedata

_CLOSING = "。、，．：；！？）」』】》〉”’…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ%％.,:;!?)"
"""Not at the beginning of a line, by Japanese and Chinese rules (JIS X 4051; GB/T 15834)."""

_OPENING = "（「『【《〈“‘("
"""Not at the end of one."""

_AFTER_HYPHEN = re.compile(r"(?<=\w-)(?=\w)|(?<=[/\\])(?=\w)")


@functools.lru_cache(maxsize=256)  # a panel asks for the same at each draw
def wrapped(text: str, columns: int) -> tuple[str, ...]:
    """`text` in lines of at most so many columns, of which a Chinese or Japanese character takes two.

    It breaks at blanks, after hyphens and slashes, between such characters, and within a word only if that is longer
    than a line.
    """
    lines: list[str] = []
    line, used = "", 0
    for blank, unit in _units(text):
        gap = " " if blank and line else ""
        width = columns_of(unit)
        if line and used + len(gap) + width > columns:
            lines.append(line)
            line, used, gap = "", 0, ""
        line, used = line + gap + unit, used + len(gap) + width
        while used > columns and len(line) > 1:
            count = _fitting(line, columns)
            lines.append(line[:count])
            line = line[count:]
            used = columns_of(line)
    return (*lines, line) if line else tuple(lines)


def columns_of(text: str) -> int:
    """How wide it is, in the width of a letter."""
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fitting(text: str, columns: int) -> int:
    """How many characters fit; at least one."""
    used = 0
    for count, character in enumerate(text):
        used += _width(character)
        if used > columns:
            return max(1, count)
    return len(text)


def _units(text: str) -> list[tuple[bool, str]]:
    """What stays together, and whether a blank is before it."""
    units: list[tuple[bool, str]] = []
    for word in filter(None, re.split(r"[ \t\n]+", text)):  # not at a no-break space
        pieces: list[str] = []
        for run in _AFTER_HYPHEN.split(word):
            pieces += _pieces(run)
        units += [(number == 0, piece) for number, piece in enumerate(pieces)]
    return units


def _pieces(word: str) -> list[str]:
    """Between two characters of which one is wide a line may break, but for punctuation."""
    pieces = [""]
    for character in word:
        before = pieces[-1][-1:]
        may_break = before and (_width(before) == 2 or _width(character) == 2)
        if may_break and character not in _CLOSING and before not in _OPENING:
            pieces.append("")
        pieces[-1] += character
    return pieces
