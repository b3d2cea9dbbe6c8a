# SPDX-License-Identifier: GPL-3.0-or-later
"""The key file: nobody else can read it at any moment, and what somebody else has put there is not used."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.keys import KeyFile, KeyPair, KeyPlaceError, keep, read

PAIR = KeyPair("api_0123456789", "secret-9876543210")


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "user folder/key.json")


@pytest.fixture(params=[0o000, 0o022, 0o077])
def any_umask(request: pytest.FixtureRequest) -> Any:
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_the_key_is_kept_replaced_and_removed(file: KeyFile, any_umask: None) -> None:
    assert read(file) is None
    keep(file, KeyPair("an older", "one"))
    keep(file, PAIR)
    assert read(file) == PAIR
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["key.json"]
    file.empty()
    assert read(file) is None and not list(file.path.parent.iterdir())
    file.empty()


def test_others_can_read_it_at_no_moment(file: KeyFile, any_umask: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def replace(part: Path, path: Path) -> None:
        seen.append(stat.S_IMODE(part.stat().st_mode))
        os.rename(part, path)

    def opened(path: Any, flags: int, mode: int = 0o777) -> int:
        descriptor = real_open(path, flags, mode)
        if flags & os.O_CREAT:
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    real_open = os.open
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "open", opened)
    keep(file, PAIR)
    assert seen == [0o600, 0o600]


def test_a_file_that_others_may_read_is_not_used(file: KeyFile) -> None:
    keep(file, PAIR)
    for mode in (0o640, 0o604, 0o620):
        file.path.chmod(mode)
        with pytest.raises(KeyPlaceError, match=r"other users may read it.*enter the key again"):
            read(file)
    file.path.chmod(0o400)
    assert read(file) == PAIR


def test_a_symbolic_link_is_not_followed(file: KeyFile, tmp_path: Path) -> None:
    keep(file, PAIR)
    elsewhere = tmp_path / "elsewhere"
    file.path.rename(elsewhere)
    file.path.symlink_to(elsewhere)
    with pytest.raises(KeyPlaceError, match="it is a symbolic link"):
        read(file)
    keep(file, KeyPair("another", "one"))  # the link gives way; what it led to stays
    assert KeyPair.from_text(elsewhere.read_text(encoding="utf-8")) == PAIR


def test_a_link_in_place_of_the_new_file_is_not_written_through(file: KeyFile, tmp_path: Path) -> None:
    file.path.parent.mkdir()
    trap = tmp_path / "trap"
    trap.touch()
    file.path.with_name("key.json.part").symlink_to(trap)
    keep(file, PAIR)
    assert read(file) == PAIR and trap.read_bytes() == b""


def test_a_file_of_somebody_else_is_not_used(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(file, PAIR)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(KeyPlaceError, match="belongs to another user"):
        read(file)


def test_what_is_no_file_is_not_used_and_nobody_waits_for_it(file: KeyFile) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(KeyPlaceError, match="it is not a file"):
        read(file)
    with pytest.raises(KeyPlaceError, match="can't be written to a file"):
        keep(file, PAIR)
    file.path.rmdir()
    os.mkfifo(file.path, 0o600)
    with pytest.raises(KeyPlaceError, match="it is not a file"):
        read(file)


def test_a_huge_file_is_not_read(file: KeyFile) -> None:
    keep(file, PAIR)
    with file.path.open("r+b") as stream:
        stream.truncate(1 << 20)
    with pytest.raises(KeyPlaceError, match="too large"):
        read(file)


def test_a_full_disk_leaves_the_old_key(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(file, PAIR)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyPlaceError, match="can't be written to a file: no space left on device"):
        keep(file, KeyPair("another", "one"))
    assert read(file) == PAIR
    assert [path.name for path in file.path.parent.iterdir()] == ["key.json"]


def test_a_disk_without_rights_does_not_get_the_key(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a FAT stick: whatever is asked for, everybody can read it."""
    real_open = os.open

    def opened(path: Any, flags: int, mode: int = 0o777) -> int:
        descriptor = real_open(path, flags, mode)
        os.fchmod(descriptor, 0o755)
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(KeyPlaceError, match="does not keep files from other users"):
        keep(file, PAIR)
    assert not list(file.path.parent.iterdir())
