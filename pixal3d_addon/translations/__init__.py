# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's texts in other languages: ``LANGUAGE.json`` says for each English text what it is there.

The texts themselves stand in the sources, in English; ``scripts/texts.py`` lists them. What a text is made of at run
time is numbered in its key, in the order of the source: ``f"The image {image.name} has no pixels."`` is
``The image {0} has no pixels.`` A text for ``ui.texts.said`` keeps the names of its places.

One translation serves a text wherever it stands. For a text that Blender has too, Blender's own word is shown: it looks
there first (4.3.2 and 5.2.2). Where that means something else (a German "Remesh" is "Themen" in 5.2.2), the property is
given :data:`OUR_CONTEXT`.

No bpy here, and no other room is imported. Main thread.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

LANGUAGES = ("de", "es", "fr", "ja", "zh_HANS")
"""As Blender's locales begin: ``de`` serves ``de_DE`` (``bpy.app.translations.locales`` of 4.3.2 and 5.2.2)."""

OUR_CONTEXT = "Pixal3D"
"""``translation_context`` of a property whose name Blender would take for another word."""

_CONTEXTS = ("*", "Operator", OUR_CONTEXT)
"""The first two are Blender's: for labels, tooltips and reports; for names of operators."""

_PLACE = re.compile(r"\{(\d+)\}")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) (?=\S)")
_FULL_STOPS = (".", "。")


def language_of(locale: str) -> str:
    """One of :data:`LANGUAGES`, or nothing: English is shown."""
    if locale in LANGUAGES:
        return locale
    language = locale.partition("_")[0]
    return language if language in LANGUAGES else ""


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """English to the language. Reads its file when called first."""
    file = Path(__file__).with_name(f"{language}.json")
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found


def for_blender(language: str) -> dict[str, dict[tuple[str, str], str]]:
    """As ``bpy.app.translations.register`` takes it."""
    return {language: {(context, text): there for text, there in catalogue(language).items() for context in _CONTEXTS}}


def translated(text: str, locale: str) -> str:
    """A text that was put together before, as far as it is known: what is not stays English.

    Several sentences, as in an error with its remedy, are taken one by one. A value in a sentence is translated only if
    it looks like a part of a sentence, since it may be a name that the artist gave.
    """
    language = language_of(locale)
    return _translated(text, language) if language else text


@functools.lru_cache(maxsize=512)
def _translated(text: str, language: str) -> str:
    result = ""
    rest = _BETWEEN_SENTENCES.split(text)
    while rest:
        part, count = _next_part(rest, language)
        gap = "" if not result or result.endswith("。") else " "
        result, rest = result + gap + part, rest[count:]
    return result


def _next_part(sentences: list[str], language: str) -> tuple[str, int]:
    """The translation of the first sentences, and of how many: as one text, else with values in it."""
    known = catalogue(language)
    for count in range(len(sentences), 0, -1):
        if found := known.get(" ".join(sentences[:count])):
            return found, count
    for count in range(1, len(sentences) + 1):
        if found := _sentence(" ".join(sentences[:count]), language):
            return found, count
    return sentences[0], 1


def _sentence(text: str, language: str) -> str:
    """Also with or without the full stop that the text has in the sources, and with the service's words after a colon.
    Nothing if it is not known."""
    if found := _with_values(text, language):
        return found
    if text.endswith(".") and (found := _with_values(text[:-1], language)):
        return found + ("。" if language in {"ja", "zh_HANS"} else ".")
    if not text.endswith(".") and (found := _with_values(f"{text}.", language)).endswith(_FULL_STOPS):
        return found[:-1]
    head, _, tail = text.partition(": ")
    if tail and (found := _sentence(head, language)):
        return f"{found}: {tail}"
    return ""


def _with_values(text: str, language: str) -> str:
    if found := catalogue(language).get(text):
        return found
    for literal, pattern, there in _patterns(language):
        if literal in text and (match := pattern.fullmatch(text)):
            values = [_value(value, language) for value in match.groups()]
            return there.format(*values)
    return ""


def _value(value: str, language: str) -> str:
    if " " not in value:
        return value
    is_part = not value[0].isupper() or value.endswith(".") or f"{value}." in catalogue(language)
    return _translated(value, language) if is_part else value


@functools.cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str], str]]:
    """Of the texts with numbered places, the most particular first: the longest literal, what matches, the text there.
    Made at the first text that needs them."""
    found = []
    for text, there in catalogue(language).items():
        literals = _PLACE.split(text)[::2]
        if len(literals) > 1:
            # A value at the end does not take the full stop with it, which `_sentence` puts on again.
            expression = "(.*?)".join(map(re.escape, literals)) + ("" if literals[-1] else "(?<![.])")
            pattern = re.compile(expression, re.DOTALL)
            found.append((len("".join(literals)), max(literals, key=len), pattern, there))
    found.sort(key=lambda entry: -entry[0])
    return [entry[1:] for entry in found]
