# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark found, side by side with what it is compared to, as lines of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line."""

    what: str
    ours: float
    other: float | None = None
    """What it is compared to, ``None`` if to nothing."""
    unit: str = "ms"
    most_ratio: float | None = None
    """What `ours` divided by `other` must not pass."""
    most: float | None = None
    """What `ours` must not pass."""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.other if self.other else None

    @property
    def is_reached(self) -> bool | None:
        """``None`` if nothing is required."""
        if self.most_ratio is not None:
            return self.ratio is not None and self.ratio <= self.most_ratio
        return None if self.most is None else self.ours <= self.most

    def cells(self) -> tuple[str, ...]:
        required = ""
        if self.most_ratio is not None:
            required = f"at most {_ratio(self.most_ratio)}"
        elif self.most is not None:
            required = f"at most {_number(self.most, self.unit)}"
        if required:
            required += ": reached" if self.is_reached else ": **missed**"
        other = "" if self.other is None else _number(self.other, self.unit)
        return (self.what, _number(self.ours, self.unit), other, _ratio(self.ratio), required)


@dataclass(frozen=True, slots=True)
class Part:
    """What one benchmark found."""

    title: str
    compared_to: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


def as_text(part: Part) -> str:
    """For the terminal."""
    rows = [("", "ours", part.compared_to, "ratio", "required"), *(figure.cells() for figure in part.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([part.title, *lines, *part.notes, ""])


def as_markdown(parts: Iterable[Part], heading: str) -> str:
    """The whole page."""
    blocks = [heading]
    for part in parts:
        table = [f"| | Pixal3D | {part.compared_to} | Ratio | Required |", "|---|---:|---:|---:|---|"]
        table += [f"| {' | '.join(figure.cells())} |" for figure in part.figures]
        blocks += [f"## {part.title}", "\n".join(table), *part.notes]
    return "\n\n".join(blocks) + "\n"


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def _ratio(ratio: float | None) -> str:
    """Two digits that count; below a half as a part of one, which is easier to read."""
    if ratio is None or ratio <= 0:
        return ""
    return f"1/{1 / ratio:.{0 if ratio <= 0.1 else 1}f}" if ratio < 0.5 else f"{ratio:.2f}"
