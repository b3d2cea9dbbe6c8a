# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text that an artist sees is there in every language, and comes out whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon import translations
from pixal3d_addon.translations import LANGUAGES, catalogue, language_of, translated
from scripts import texts

FOLDER = Path(translations.__file__).parent
PLACE = re.compile(r"\{[^{}]*\}")
WIDE_LANGUAGES = {"ja", "zh_HANS"}
ENDINGS = {".": ".。", "?": "?？", "!": "!！", "…": "…", ":": ":："}

SAME_AS_ENGLISH: dict[str, set[str]] = {
    "{count} d": {"es"},
    "{count} h": {"de", "es", "fr"},
    "{count} min": {"de", "es", "fr"},
    "{count} s": {"de", "es", "fr"},
    "{minutes} min {seconds} s": {"de", "es", "fr"},
    "{price} CU": set(LANGUAGES),
    "{0} × {1} px": set(LANGUAGES),
    "{width} × {height} px": set(LANGUAGES),
    "Image": {"fr"},
    "Detail": {"de"},
    "Faces": {"fr"},
    "Frame": {"fr"},
    "Mesh": {"de"},
    "Non-Manifold": {"de"},
    "Pixal3D: {name} {percent} %": {"es"},
    "Source": {"fr"},
    "Texture": {"fr"},
    "Textures": {"fr"},
    "Variations": {"fr"},
}
"""Texts that a language has the same words for. Any other that is the same was forgotten."""

every_language = pytest.mark.parametrize("language", LANGUAGES)


def test_there_is_one_file_a_language() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(LANGUAGES)


@every_language
def test_no_text_is_missing(language: str) -> None:
    assert list(texts.missing(language)) == []


@every_language
def test_no_text_is_stale(language: str) -> None:
    assert texts.stale(language) == []


@every_language
def test_no_text_is_there_twice(language: str) -> None:
    pairs: list[tuple[str, Any]] = []
    json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"), object_pairs_hook=pairs.extend)
    keys = [key for key, _ in pairs]
    assert sorted({key for key in keys if keys.count(key) > 1}) == []


@every_language
def test_no_place_for_a_value_is_broken(language: str) -> None:
    for english, there in catalogue(language).items():
        assert sorted(PLACE.findall(there)) == sorted(PLACE.findall(english)), english
        assert re.search(r"[{}]", PLACE.sub("", there)) is None, english


@every_language
def test_sentences_end_as_in_english_and_no_blank_is_left_over(language: str) -> None:
    for english, there in catalogue(language).items():
        assert there == there.strip(), english
        assert "  " not in there, english
        allowed = ENDINGS.get(english[-1])
        if allowed:
            assert there[-1] in allowed, english
        else:
            assert there[-1] not in ".。", english


@every_language
def test_nothing_is_left_in_english(language: str) -> None:
    same = {english for english, there in catalogue(language).items() if there == english}
    assert sorted(english for english in same if language not in SAME_AS_ENGLISH.get(english, ())) == []


@every_language
def test_a_text_with_values_is_found_again_and_keeps_them(language: str) -> None:
    """Whatever the values are: of all texts, the one that was meant is taken."""
    for english, there in catalogue(language).items():
        if re.search(r"\{\d\}", english):
            values = [f"Wood{number}.png" for number in range(len(PLACE.findall(english)))]
            assert translated(english.format(*values), language) == there.format(*values), english


# The mechanism


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A catalogue of the test's own, for German and Japanese."""
    entries: dict[str, str] = {}
    monkeypatch.setattr(translations, "catalogue", lambda language: entries)
    yield entries
    translations._patterns.cache_clear()
    translations._translated.cache_clear()


@pytest.fixture(autouse=True)
def fresh() -> None:
    translations._patterns.cache_clear()
    translations._translated.cache_clear()


def test_languages_are_known_by_blenders_locales() -> None:
    assert [language_of(locale) for locale in ("de_DE", "fr_FR", "es", "ja_JP", "zh_HANS")] == [
        *("de", "fr", "es", "ja", "zh_HANS")
    ]
    assert [language_of(locale) for locale in ("en_US", "en_GB", "C", "", "zh_HANT", "pt_BR")] == [""] * 6


def test_in_english_a_text_stays_as_it_is(small: dict[str, str]) -> None:
    small["Stopped."] = "Angehalten."
    assert translated("Stopped.", "en_US") == "Stopped."


def test_values_are_put_into_the_translation_in_its_own_order(small: dict[str, str]) -> None:
    small["The image file of {0} is not there: {1}."] = "{1} fehlt, die Datei von {0}."
    text = "The image file of My Wood. 2 is not there: /a b/c.png."
    assert translated(text, "de_DE") == "/a b/c.png fehlt, die Datei von My Wood. 2."


def test_a_message_and_its_remedy_are_translated_one_by_one(small: dict[str, str]) -> None:
    small["The image {0} is empty."] = "Das Bild {0} ist leer."
    small["Select another image."] = "Ein anderes Bild auswählen."
    assert translated("The image A is empty. Select another image.", "de") == (
        "Das Bild A ist leer. Ein anderes Bild auswählen."
    )
    assert translated("The image A is empty. Nobody knows this.", "de") == "Das Bild A ist leer. Nobody knows this."
    assert translated("Nobody knows this. Select another image.", "de") == (
        "Nobody knows this. Ein anderes Bild auswählen."
    )


def test_a_text_of_several_sentences_is_taken_whole(small: dict[str, str]) -> None:
    small["Stopped before {0}."] = "Vorher angehalten: {0}."
    small["Stopped before it began. Nothing was charged."] = "Rechtzeitig angehalten, also kostenlos."
    small["Generate it now."] = "Jetzt erzeugen."
    text = "Stopped before it began. Nothing was charged. Generate it now."
    assert translated(text, "de") == "Rechtzeitig angehalten, also kostenlos. Jetzt erzeugen."


def test_japanese_sentences_have_no_blank_between_them(small: dict[str, str]) -> None:
    small |= {"It is empty.": "空です。", "Try again.": "もう一度。"}
    assert translated("It is empty. Try again.", "ja_JP") == "空です。もう一度。"


def test_the_most_particular_text_is_taken(small: dict[str, str]) -> None:
    small["{0} is in the scene"] = "{0} ist da"
    small["{0} is in the scene: {1} vertices"] = "{0} ist da: {1} Punkte"
    small["{0} must be {1}, not {2}"] = "{0} muss {1} sein, nicht {2}"
    assert translated("A is in the scene: 12 vertices", "de") == "A ist da: 12 Punkte"
    assert translated("A is in the scene", "de") == "A ist da"


def test_the_services_own_words_after_a_colon_stay(small: dict[str, str]) -> None:
    """As `scenario.faults` puts them after a message without its full stop."""
    small["Scenario refused the request."] = "Scenario hat die Anfrage abgelehnt."
    assert translated("Scenario refused the request: bad size.", "de") == (
        "Scenario hat die Anfrage abgelehnt: bad size."
    )


def test_a_full_stop_that_is_put_on_later_is_no_hindrance(small: dict[str, str]) -> None:
    small |= {"Scenario could not": "Scenario konnte nicht", "{0} must be {1}": "{0} muss {1} sein"}
    assert translated("Scenario could not.", "de") == "Scenario konnte nicht."
    assert translated("Scenario could not.", "ja") == "Scenario konnte nicht。"
    assert translated("A must be 1. B must be 2", "de") == "A muss 1 sein. B muss 2 sein"


def test_a_part_of_a_sentence_is_translated_but_not_a_name(small: dict[str, str]) -> None:
    small |= {
        "The {0} is wrong.": "Falsch: {0}.",
        "base URL": "Basis-Adresse",
        "Ready": "Bereit",
        "Mesh Check": "Prüfung",
    }
    small["{0} is locked"] = "{0} ist gesperrt"
    assert translated("The base URL is wrong.", "de") == "Falsch: Basis-Adresse."
    assert translated("The Ready is wrong.", "de") == "Falsch: Ready."
    assert translated("The Mesh Check is wrong.", "de") == "Falsch: Mesh Check."
    assert translated("The /a/b is locked is wrong.", "de") == "Falsch: /a/b ist gesperrt."


def test_blender_gets_each_text_for_labels_and_for_operators() -> None:
    english = next(iter(catalogue("de")))
    for_german = translations.for_blender("de")["de"]
    assert {for_german[context, english] for context in ("*", "Operator", "Pixal3D")} == {catalogue("de")[english]}


# What counts as a text


def found(source: str) -> list[str]:
    return [text.english for text in texts.texts_of(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('layout.label(text="Counting")', ["Counting"]),
        ('def reason():\n    return "Go to Object Mode" if x else ""', ["Go to Object Mode"]),
        (
            'raise E(f"The image {a.b!r} has {n:,} holes.", "Fill" " them.")',
            ["The image {0} has {1} holes.", "Fill them."],
        ),
        ('TABLE = {A: "Ready"}', ["Ready"]),
        ('said("about {price}", price=1)', ["about {price}"]),
        ('said("now")', ["now"]),
        ('what = "the model was asked for"', ["the model was asked for"]),
        ('class PIXAL3D_OT_x(Operator):\n    """Do it"""', ["Do it"]),
        ('f"{error.message} It is asked again."', ["It is asked again."]),
        ('f"It can\'t be had. {problem}"', ["It can't be had."]),
        ('f"{a}{b} is here"', ["{0} is here"]),
        ("f\"{x if y else 'Not a file'}\"", ["Not a file"]),
        # And what does not.
        ('"""A module."""\nclass A:\n    """A class."""', []),
        ('_log.warning("A record is left out: %s", x)', []),
        ('x == "Surface" or names["Base Color"]', []),
        ('{"Accept": 1}', []),
        ('__all__ = ["Asset"]', []),
        ('bl_idname = "PIXAL3D_PT_main"', []),
        ('{"ProxyError", "SSLEOFError"}', []),
        ('icon = "MESH_MONKEY"', []),
        ('database.run("SELECT id FROM generations")', []),
        ('f"{path}/action"', []),
        ('f"{a}: {b}"', []),
        ('re.compile("An expression")', []),
    ],
)
def test_the_reader_of_texts_sees_them_all(source: str, expected: list[str]) -> None:
    assert found(source) == expected


def test_every_exception_from_the_rule_is_still_in_the_sources() -> None:
    assert sorted(texts.NOT_TEXTS.keys() - texts.candidates().keys()) == []


def test_what_is_given_to_blender_was_not_put_together_before() -> None:
    """Blender looks up what it is given: with a value in it, it finds nothing. `ui.texts.said` is for that."""
    wrong = [use for text in texts.texts().values() if text.values for use in text.uses if texts.is_for_blender(use)]
    assert wrong == []
