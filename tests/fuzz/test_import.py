# SPDX-License-Identifier: GPL-3.0-or-later
"""What our check has passed does Blender no harm: it is imported, or refused in words and nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy

from tests.fuzz import imports

COUNTS = (40, 700)
AT_LEAST = (25, 500)


def test_no_damaged_model_that_the_check_passes_harms_blender(
    is_long: bool, first_seed: int, tmp_path: Path, kept: Path, say: Callable[[str], None]
) -> None:
    files = imports.survivors(tmp_path, first_seed, COUNTS[is_long])
    if is_long:
        files += imports.heaviest(tmp_path)
    report = imports.run(files, tmp_path, kept, bpy.app.version_string)
    say(report.text())
    assert not report.faults, report.text()
    assert report.imported >= AT_LEAST[is_long]
