# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet as HTML: plain pages that need nothing but the files beside them."""

from __future__ import annotations

import collections
import html
import itertools
import os
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import create_file

if TYPE_CHECKING:
    from ..batch import Entry

PICTURE = "contact_sheet.png"
THUMBNAILS = "thumbnails"

_STYLE = """
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { margin: 1.5rem; }
h1 { font-size: 1.3rem; margin: 0; }
nav a, nav b { margin-right: .6rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 1rem; margin: 1rem 0; }
figure { margin: 0; content-visibility: auto; contain-intrinsic-size: 200px 280px; }
figure img, .none { display: block; width: 100%; height: auto; aspect-ratio: 1; }
figure img, .none { border-radius: 6px; background: #ededed; }
.none { display: grid; place-items: center; color: #777; }
figcaption { overflow-wrap: anywhere; padding-top: .3rem; }
small { display: block; opacity: .75; }
.failed small, .uncertain small { color: #c0392b; opacity: 1; }
"""


class Pages:
    """All pages of one sheet. The entries pass through twice, first to be counted; none is kept.

    :param size: entries on a page.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._states: collections.Counter[str] = collections.Counter()
        self._cost = 0.0

    @property
    def total(self) -> int:
        """Entries that were counted."""
        return self._states.total()

    def count(self, entry: Entry) -> None:
        """Take an entry into the totals."""
        self._states[str(entry.state)] += 1
        self._cost += entry.cost or 0.0

    def write(self, entries: Iterable[Entry], in_picture: int) -> Path:
        """Each page complete or as it was; returns the first.

        :param in_picture: how many entries the picture shows; 0 if there is none.
        :raises OSError: a page can't be written.
        """
        rest = iter(entries)
        count = -(-self.total // self._size)
        for number in range(1, count + 1):
            target = self._folder / page_name(number)
            part = target.with_name(f".{target.name}.{os.getpid()}.part")
            with create_file(part) as file:
                for text in self._page(itertools.islice(rest, self._size), number, count, in_picture):
                    file.write(text.encode(errors="replace"))
            part.replace(target)
        return self._folder / page_name(1)

    def _page(self, entries: Iterable[Entry], number: int, count: int, in_picture: int) -> Iterator[str]:
        title = _escaped(self._folder.resolve().name)
        states = ", ".join(f"{many:,} {state}" for state, many in self._states.items())
        yield f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        yield f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style>\n</head>\n<body>\n'
        yield f"<h1>{title}</h1>\n<p>{self.total:,} images: {states}. {self._cost:,.10g} CU.\n"
        if in_picture:
            whose = "all of them" if in_picture == self.total else f"the first {in_picture}"
            yield f'<a href="{PICTURE}">One picture of {whose}</a>.\n'
        yield "</p>\n"
        if count > 1:
            yield "<nav>Page "
            for other in range(1, count + 1):
                yield f"<b>{other}</b>" if other == number else f'<a href="{page_name(other)}">{other}</a>'
            yield "</nav>\n"
        yield "<main>\n"
        for entry in entries:
            yield self._figure(entry)
        yield "</main>\n</body>\n</html>\n"

    def _figure(self, entry: Entry) -> str:
        state = str(entry.state)
        thumbnail = f"{THUMBNAILS}/{entry.name}.png"
        if (self._folder / thumbnail).exists():
            picture = f'<img src="{_address(thumbnail)}" alt="" loading="lazy" width="256" height="256">'
        else:
            picture = f'<span class="none">{"no picture" if entry.file else _escaped(state)}</span>'
        name = _escaped(entry.name)
        if entry.file:
            address = _address(entry.file)
            picture = f'<a href="{address}">{picture}</a>'
            name = f'<a href="{address}">{name}</a>'
        facts = [] if entry.file else [state]
        facts += [] if entry.cost is None else [f"{entry.cost:g} CU"]
        facts += [] if entry.seed is None else [f"seed {entry.seed}"]
        lines = [" · ".join(facts), *(text for text in (entry.error, entry.hint) if text)]
        small = "".join(f"<small>{_escaped(line)}</small>" for line in lines if line)
        return f'<figure class="{_escaped(state)}">{picture}<figcaption>{name}{small}</figcaption></figure>\n'


def page_name(number: int) -> str:
    """The first page has no number."""
    return "contact_sheet.html" if number == 1 else f"contact_sheet-{number}.html"


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


def _address(path: str) -> str:
    """A relative address of a file, whatever its name holds; ``./`` keeps a colon from looking like a protocol."""
    return "./" + urllib.parse.quote(os.fsencode(path.replace(os.sep, "/")))
