# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own crash report goes into bug trackers: the key is not in it, nor in anything else that is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installed.test_installed import script
from tests.support.blender_process import ADDON, Blender
from tests.support.standin import StandIn


@pytest.mark.newest_only
def test_blenders_crash_report_holds_no_key(blender: Blender, profile: Path, standin: StandIn) -> None:
    standin.clear_faults()
    temporary = profile / "temporary"
    temporary.mkdir()
    given = {"TEST_KEY": standin.key, "TEST_SECRET": standin.secret, "TEST_BASE_URL": standin.base_url}
    run = script(blender, "crash", profile, ADDON, TMPDIR=str(temporary), **given)
    assert run.returncode not in (0, 9), run.output
    assert "The key was moved." in run.output and "Segmentation fault" in run.output, run.output
    (report,) = temporary.glob("*.crash.txt")
    text = report.read_text(encoding="utf-8", errors="replace")
    assert "# Python backtrace" in text and "crash.py" in text, text
    for secret in (standin.key, standin.secret):
        assert secret not in text + run.output
    files = [path for path in profile.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path.name for path in files if standin.secret.encode() in path.read_bytes()] == ["key.json"]
