# SPDX-License-Identifier: GPL-3.0-or-later
"""The code that a page of the documentation prints, to be run as it is printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.support.standin import PROJECT


@dataclass(frozen=True)
class Snippet:
    """One piece of code."""

    page: str
    """Relative to the project."""
    heading: str
    """The heading of the first or second level above it."""
    line: int
    code: str

    def __str__(self) -> str:
        return f"{Path(self.page).name}:{self.line}"


def snippets(page: str, language: str = "python") -> list[Snippet]:
    """All fenced code of that language on the page, in its order."""
    found: list[Snippet] = []
    heading, begin, code = "", 0, list[str]()
    for number, line in enumerate((PROJECT / page).read_text(encoding="utf-8").splitlines(), 1):
        if begin and line.strip() == "```":
            found.append(Snippet(page, heading, begin, "\n".join(code) + "\n"))
            begin, code = 0, []
        elif begin:
            code.append(line)
        elif line.strip() == f"```{language}":
            begin = number + 1
        elif match := re.match(r"##? (.+)", line):
            heading = match[1]
    assert found and not begin, f"{page} has no code, or code without an end"
    return found
