# SPDX-License-Identifier: GPL-3.0-or-later
"""The key in a real keyring: what secret-tool and GNOME Keyring do, and not what a test thinks they do."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.installed.test_installed import result_of, script
from tests.support.blender_process import ADDON, Blender
from tests.support.standin import StandIn

pytestmark = pytest.mark.newest_only


def test_the_key_is_in_the_keyring_and_nowhere_else_and_moves_on_from_there(
    blender: Blender, profile: Path, standin: StandIn
) -> None:
    standin.clear_faults()
    given = {"TEST_KEY": standin.key, "TEST_SECRET": standin.secret, "TEST_BASE_URL": standin.base_url}
    stored = result_of(script(blender, "keyring", profile, ADDON, "store", **given))
    assert stored["source_at_start"] == "" and stored["moved"] == ["FINISHED"] and stored["fields"] == ["", ""]
    assert stored["source_when_locked"] == stored["source"] == ""
    assert stored["problem_when_locked"] == "The system's keyring is locked. Unlock it and try again."
    assert "The system's keyring is locked." in stored["move_when_locked"]
    assert files_with(standin.secret, profile) == []
    assert list((profile / "home/.local/share/keyrings").glob("*.keyring"))

    found = result_of(script(blender, "keyring", profile, ADDON, "read"))
    assert found["source_at_start"] == "keyring" and found["connected"] == found["moved"] == ["FINISHED"]
    assert found["left_in_keyring"] == "" and found["source"] == "file"
    (file,) = files_with(standin.secret, profile)
    assert file.name == "key.json" and stat.S_IMODE(file.stat().st_mode) == 0o600


def files_with(secret: str, folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if secret.encode() in path.read_bytes()]
