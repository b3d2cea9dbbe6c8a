# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on in each of its languages, in a real Blender (the bpy modules hold none)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.translations import LANGUAGES, catalogue, language_of
from tests.support.blender_process import ADDON, Blender

SCRIPT = Path(__file__).parent / "inside/languages.py"
TEXT = "The image {0} has no pixels."
REMEDY = "Check that its file is there, or select another image."


@pytest.fixture(scope="module")
def result(blender: Blender, installed_profile: Path) -> Any:
    command = ("--background", "--python-exit-code", "9", "--python", SCRIPT, "--", ADDON)
    run = blender.run(*command, profile=installed_profile).check()
    lines = [line for line in run.output.splitlines() if line.startswith("RESULT ")]
    assert len(lines) == 1, run.output
    return json.loads(lines[0].removeprefix("RESULT "))


def test_blender_has_each_language_and_no_other_is_taken_for_it(result: Any) -> None:
    assert sorted(map(language_of, result["shown"])) == sorted(LANGUAGES)


def test_every_text_is_shown_in_every_language(result: Any) -> None:
    assert [(locale, wrong) for locale, shown in result["shown"].items() for wrong in shown["wrong"]] == []


def test_texts_made_at_run_time_are_shown_in_the_language(result: Any) -> None:
    for locale, shown in result["shown"].items():
        there = catalogue(language_of(locale))
        assert shown["locale"] == locale
        assert shown["text"] == shown["report"] == there[TEXT]
        gap = "" if there[TEXT].endswith("。") else " "
        assert shown["made"] == shown["made_as_report"] == there[TEXT].format("Wood") + gap + there[REMEDY]
        assert shown["said"] == there["Copied {job}"].format(job="job_1")


def test_in_english_and_without_translation_texts_stay(result: Any) -> None:
    english = f"The image Wood has no pixels. {REMEDY}"
    assert result["english"]["made"] == result["not_wanted"] == english
    assert result["english"]["text"] == TEXT
    assert result["english"]["said"] == "Copied job_1"


def test_a_script_gets_its_errors_in_english(result: Any) -> None:
    assert "The image file is not there: /nowhere/Wood.png. Select another one." in result["script"]


def test_a_disabled_add_on_leaves_no_text_behind(result: Any) -> None:
    assert result["after"] == TEXT
    assert result["again"] == catalogue("de")[TEXT]
