# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender knows of the add-on's texts. The bpy module has no languages: those are tried in ``tests/installed``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import bpy
import pytest

from scripts import texts


def texts_of_class(cls: type, addon: str) -> Iterator[str]:
    """Those that Blender shows by itself: of the class and of the properties that it and our bases have."""
    bl_rna: Any = cls.bl_rna  # type: ignore[attr-defined]
    # Blender gives the panel of the presets the name of the one that was used last.
    yield "" if hasattr(cls, "preset_operator") else getattr(cls, "bl_label", "")
    yield from (bl_rna.description, "") if issubclass(cls, bpy.types.Operator) else ()
    ours = {name for base in cls.__mro__ if base.__module__.startswith(addon) for name in base.__annotations__}
    for name in (ours & set(bl_rna.properties.keys())) - set(bl_rna.base.properties.keys()):
        prop = bl_rna.properties[name]
        yield from (prop.name if prop.name != name else "", prop.description)  # without a name: never shown
        if prop.type == "ENUM":
            for item in prop.enum_items_static:
                yield from (item.name, item.description)


def test_every_text_that_blender_knows_of_is_one_that_the_sources_are_searched_for(
    addon: ModuleType, room: Callable[[str], Any]
) -> None:
    """Also those that are made of the table of parameters."""
    known = {*texts.texts(), *texts.NOT_TEXTS, "Pixal3D"}
    found = {text for cls in room("ui")._CLASSES for text in texts_of_class(cls, addon.__name__)}
    assert len(found) > 100
    assert sorted(text for text in found - known if re.search("[a-z]{2}", text)) == []


@pytest.mark.parametrize(("locale", "expected"), [("en_US", "No Scenario API key is set."), ("de_DE", None)])
def test_a_text_made_elsewhere_follows_the_artists_language(
    addon: ModuleType, room: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, locale: str, expected: str | None
) -> None:
    class App:
        class translations:
            pass

    App.translations.locale = locale
    monkeypatch.setattr(room("ui.texts"), "bpy", type("bpy", (), {"app": App, "context": bpy.context}))
    german = room("translations").catalogue("de")["No Scenario API key is set."]
    view = bpy.context.preferences.view
    view.use_translate_interface, view.use_translate_reports = True, False
    translated = room("ui.texts").translated
    assert translated("No Scenario API key is set.") == (expected or german)
    assert translated("No Scenario API key is set.", is_report=True) == "No Scenario API key is set."
