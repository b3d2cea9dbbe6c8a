# SPDX-License-Identifier: GPL-3.0-or-later
"""The farm's template has the add-on's settings."""

from __future__ import annotations

from pixal3d_addon.parameters import SETTINGS
from scripts.farm_template import TEMPLATE, job_parameter, renewed


def test_the_farms_template_has_the_add_ons_settings() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert renewed(text) == text, "python3 scripts/farm_template.py renews it"


def test_every_setting_is_a_job_parameter_that_each_step_hands_on() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    steps = text.count("--command\n")
    for parameter in SETTINGS:
        assert text.count(f'- name: "{job_parameter(parameter)}"\n') == 1
        assert text.count(f"{{{{Param.{job_parameter(parameter)}}}}}") == steps == 2
