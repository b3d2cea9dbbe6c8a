# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a Blender that has the zip installed: what it shows of the add-on's texts in each language.

Prints one line of JSON after ``RESULT``.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import addon_utils
import bpy
from bpy.app.translations import pgettext_iface, pgettext_rpt

MODULE = sys.argv[sys.argv.index("--") + 1]
OUR_CONTEXT = "Pixal3D"
TEXT = "The image {0} has no pixels."
MADE = "The image Wood has no pixels. Check that its file is there, or select another image."

translations = importlib.import_module(f"{MODULE}.translations")
texts = importlib.import_module(f"{MODULE}.ui.texts")


def set_language(locale: str) -> None:
    view: Any = bpy.context.preferences.view
    view.language = locale
    view.use_translate_interface = view.use_translate_tooltips = view.use_translate_reports = True


def wrong_words() -> list[str]:
    """What comes out in English, or under our own context other than it is in the language's file."""
    there = translations.catalogue(translations.language_of(bpy.app.translations.locale))
    return [
        english
        for english, word in there.items()
        if pgettext_iface(english, OUR_CONTEXT) != word
        or (pgettext_iface(english) == english != word)
        or (pgettext_iface(english, "Operator") == english != word)
    ]


def words_for(locale: str) -> dict[str, Any]:
    set_language(locale)
    return {
        "locale": bpy.app.translations.locale,
        "text": pgettext_iface(TEXT),
        "report": pgettext_rpt(TEXT),
        "made": texts.translated(MADE),
        "made_as_report": texts.translated(MADE, is_report=True),
        "said": texts.said("Copied {job}", job="job_1"),
    }


def main() -> None:
    locales = [locale for locale in bpy.app.translations.locales if translations.language_of(locale)]
    shown = {}
    for locale in locales:
        shown[locale] = {**words_for(locale), "wrong": wrong_words()}
    set_language("de_DE")
    bpy.context.preferences.view.use_translate_interface = False
    not_wanted = texts.translated(MADE)
    set_language("de_DE")
    try:
        bpy.ops.pixal3d.drop_image(filepath="/nowhere/Wood.png")
    except RuntimeError as error:
        script = str(error)
    addon_utils.disable(MODULE)
    after = pgettext_iface(TEXT)
    addon_utils.enable(MODULE)
    again = pgettext_iface(TEXT)
    set_language("en_US")
    result = {
        "shown": shown,
        "english": words_for("en_US"),
        "not_wanted": not_wanted,
        "script": script,
        "after": after,
        "again": again,
    }
    print("RESULT", json.dumps(result))


main()
