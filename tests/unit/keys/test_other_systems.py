# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyrings of macOS and Windows, against stand-ins of what those systems offer (there is neither here)."""

from __future__ import annotations

import ctypes
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.keys import KeyPair, KeyPlaceError, keep, read
from pixal3d_addon.keys.credential_manager import Credential, CredentialManager
from pixal3d_addon.keys.keychain import Keychain

PAIR = KeyPair("api_0123456789", 'se"cr\\et ü')

# `security -i` reads command lines and ends with 0 whatever becomes of them.
SECURITY = """
import os, pathlib, shlex, sys
kept = pathlib.Path(os.environ["FAKE_KEYRING"])
with kept.with_name("calls").open("a", encoding="utf-8") as calls:
    print(sys.argv[1:], file=calls)
words = shlex.split(sys.stdin.read()) if sys.argv[1] == "-i" else sys.argv[1:]
item = dict(zip(words, words[1:]))
if os.environ.get("FAKE_MODE") == "locked":
    print("security: User interaction is not allowed.", file=sys.stderr)
    sys.exit(0 if sys.argv[1] == "-i" else 36)
if words[0] == "add-generic-password":
    kept.write_text(item["-s"] + " " + item["-a"] + " " + item["-w"], encoding="utf-8")
elif not kept.exists():
    print("security: SecKeychainSearchCopyNext: The specified item could not be found.", file=sys.stderr)
    sys.exit(44)
elif words[0] == "find-generic-password":
    service, account, word = kept.read_text(encoding="utf-8").split(" ")
    assert (service, account) == (item["-s"], item["-a"])
    print(word)
else:
    assert words[0] == "delete-generic-password"
    kept.unlink()
"""


@pytest.fixture
def keychain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keychain:
    program = tmp_path / "security"
    program.write_text(f"#!{sys.executable} -SE\n{SECURITY}", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("FAKE_KEYRING", str(tmp_path / "kept"))
    return Keychain(threading.Event(), str(program))


def test_a_keychain_keeps_the_key_and_no_command_line_holds_it(keychain: Keychain, tmp_path: Path) -> None:
    assert read(keychain) is None
    keep(keychain, KeyPair("an older", "one"))
    keep(keychain, PAIR)
    assert read(keychain) == PAIR
    stored = (tmp_path / "kept").read_text(encoding="utf-8").split(" ")[2]
    calls = (tmp_path / "calls").read_text(encoding="utf-8")
    assert stored not in calls and PAIR.key not in calls
    keychain.empty()
    keychain.empty()
    assert read(keychain) is None


def test_a_locked_keychain_says_so(keychain: Keychain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(keychain, PAIR)
    monkeypatch.setenv("FAKE_MODE", "locked")
    for act in (keychain.load, keychain.empty, lambda: keep(keychain, KeyPair("another", "one"))):
        with pytest.raises(KeyPlaceError, match="User interaction is not allowed"):
            act()
    monkeypatch.setenv("FAKE_MODE", "")
    assert read(keychain) == PAIR


def test_what_is_not_ours_in_the_keychain_is_not_used(keychain: Keychain, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("pixal3d-for-blender scenario-api-key not+base64!", encoding="utf-8")
    with pytest.raises(KeyPlaceError, match="is not a Scenario API key"):
        read(keychain)


class Advapi32:
    """The four functions, on the real structures."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], bytes] = {}
        self.error = 0
        self.lent: list[Any] = []

    def CredReadW(self, target: str, kind: int, flags: int, found: Any) -> int:  # noqa: N802
        if (target, kind) not in self.kept:
            self.error = self.error or 1168
            return 0
        data = self.kept[target, kind]
        blob = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
        lent = Credential(
            CredentialBlobSize=len(data), CredentialBlob=ctypes.cast(blob, ctypes.POINTER(ctypes.c_uint8))
        )
        self.lent.append((lent, blob))
        found._obj.contents = lent
        return 1

    def CredFree(self, found: Any) -> None:  # noqa: N802
        self.lent.pop()

    def CredWriteW(self, given: Any, flags: int) -> int:  # noqa: N802
        if self.error:
            return 0
        credential = given._obj
        data = ctypes.string_at(credential.CredentialBlob, credential.CredentialBlobSize)
        assert len(data) <= 5 * 512, "CRED_MAX_CREDENTIAL_BLOB_SIZE"
        assert credential.Persist == 2 and credential.UserName and flags == 0
        self.kept[credential.TargetName, credential.Type] = data
        return 1

    def CredDeleteW(self, target: str, kind: int, flags: int) -> int:  # noqa: N802
        if self.error or self.kept.pop((target, kind), None) is None:
            self.error = self.error or 1168
            return 0
        return 1


def test_windows_keeps_the_key_and_its_memory_is_given_back() -> None:
    library = Advapi32()

    def last_error() -> int:
        error, library.error = library.error, 0
        return error

    manager = CredentialManager(library, last_error)
    assert read(manager) is None
    keep(manager, KeyPair("an older", "one"))
    keep(manager, PAIR)
    assert read(manager) == PAIR and library.lent == []
    manager.empty()
    manager.empty()
    assert read(manager) is None


def test_windows_refusing_is_said_with_its_number() -> None:
    library = Advapi32()
    library.error = 1312  # no logon session
    manager = CredentialManager(library, lambda: library.error)
    for act in (manager.load, manager.empty, lambda: manager.store("{}")):
        with pytest.raises(KeyPlaceError, match="error 1312"):
            act()


def test_the_structure_is_as_windows_lays_it_out() -> None:
    """From wincred.h, with 64-bit pointers."""
    offsets = {name: getattr(Credential, name).offset for name, _ in Credential._fields_}
    assert (offsets["TargetName"], offsets["LastWritten"], offsets["CredentialBlobSize"]) == (8, 24, 32)
    assert (offsets["CredentialBlob"], offsets["Persist"], offsets["UserName"]) == (40, 48, 72)
    assert ctypes.sizeof(Credential) == 80
