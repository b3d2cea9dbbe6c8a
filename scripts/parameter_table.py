#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual's table of settings, from the add-on's: ``python3 scripts/parameter_table.py`` renews docs/manual.md."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pixal3d_addon.parameters import SETTINGS, Kind, Parameter

MANUAL = ROOT / "docs" / "manual.md"
BEGIN, END = "<!-- settings -->\n", "<!-- end of settings -->\n"


def table() -> str:
    """GitHub-flavored Markdown, one line a setting."""
    lines = ["| Panel | Setting | In Python | At the service | Default | Range | What it does |", "|---" * 7 + "|"]
    for p in SETTINGS:
        default = "random" if p.default is None else f"{p.default:g}" if p.kind is Kind.NUMBER else str(p.default)
        lines.append(
            f"| {p.group.value} | {p.label} | `{p.identifier}` | `{p.name}` | {default} | {_range(p)} | {p.tooltip}. |"
        )
    return "\n".join(lines) + "\n"


def _range(parameter: Parameter) -> str:
    match parameter.kind:
        case Kind.SWITCH:
            return "on, off"
        case Kind.CHOICE:
            return ", ".join(map(str, parameter.choices))
        case _:
            return f"{parameter.minimum:g} to {parameter.maximum:.10g}"


def renewed(text: str) -> str:
    """The manual's text with the table as it is now."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    MANUAL.write_text(renewed(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")
