# SPDX-License-Identifier: GPL-3.0-or-later
"""In a real window: the panel in each language, and a click in each that makes a mesh."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pixal3d_addon.translations import LANGUAGES, language_of
from tests.gui.conftest import Window

SCENARIO_TIMEOUT_SECONDS = 300.0


@pytest.mark.newest_only
def test_in_every_language_the_panel_speaks_it_and_a_click_is_a_mesh(window: Window, standin: Any) -> None:
    standin.clear_faults()
    standin.set_options(job_seconds=2.0, mesh_scale="honoured", texture_format="webp")
    charges = len(standin.charges())
    environment = {
        "GUI_KEY": standin.key,
        "GUI_SECRET": standin.secret,
        "GUI_BASE_URL": standin.base_url,
        "GUI_ALL": os.environ.get("PIXAL3D_ALL_PANELS", ""),
    }
    result = window.play("language", environment, timeout=SCENARIO_TIMEOUT_SECONDS)
    seen = result.recorded
    locales = seen["locales"]
    assert {language_of(locale) for locale in locales} == set(LANGUAGES), "Blender can't speak one of them"
    english = seen["texts"].pop("en_US")
    for locale, texts in seen["texts"].items():
        assert not {kind for kind in english if texts[kind] == english[kind]}, locale
    for kind in ("error", "tooltip"):
        assert len({texts[kind] for texts in seen["texts"].values()}) == len(locales), kind
    assert seen["states"] == ["failed", *["imported"] * len(locales)]
    assert len(standin.charges()) == charges + len(locales)
