# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files that work on Windows, macOS and Linux, and that are told apart on all of them."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from typing import Final

from . import limits

_FORBIDDEN: Final = frozenset('<>:"/\\|?*')
"""learn.microsoft.com, "Naming Files, Paths, and Namespaces"; and ":" on macOS."""
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"}
)
"""Windows opens the device, whatever folder and extension come with the name."""
_OTHER: Final = "_"
_NAMELESS: Final = "image"


def safe_name(wished: str) -> str:
    """The name of a file, without an extension, that says `wished` as far as file systems allow."""
    text = unicodedata.normalize("NFC", wished)
    text = "".join(_OTHER if c in _FORBIDDEN or unicodedata.category(c)[0] == "C" else c for c in text)
    text = _trimmed(text)
    if text.partition(".")[0].rstrip().lower() in _DEVICES:
        text = _OTHER + text
    return _trimmed(text.encode()[: limits.NAME_BYTES].decode(errors="ignore")) or _NAMELESS


def _trimmed(text: str) -> str:
    """Windows drops dots and blanks at the end; a dot at the beginning hides a file elsewhere."""
    while (trimmed := text.strip().strip(".")) != text:
        text = trimmed
    return text


def folded(name: str) -> str:
    """Equal for names that any of the file systems takes for one: case and Unicode's several spellings don't count."""
    text = unicodedata.normalize("NFKC", name).casefold().upper().casefold()
    return unicodedata.normalize("NFKC", text)


def candidates(wished: str, key: str) -> Iterator[str]:
    """Names for the item `key`, the best first, without end."""
    name = safe_name(wished)
    yield name
    for digits in (6, 12, len(key)):
        yield f"{name}-{key[:digits]}"
    for number in itertools.count(2):
        yield f"{name}-{key}-{number}"
