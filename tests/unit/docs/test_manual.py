# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual says what the add-on does."""

from __future__ import annotations

from scripts.parameter_table import MANUAL, renewed


def test_the_manuals_table_of_settings_is_the_add_ons_own() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    assert renewed(text) == text, "python3 scripts/parameter_table.py renews it"
