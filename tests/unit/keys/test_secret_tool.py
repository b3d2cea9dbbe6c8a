# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyring of Linux desktops, played by a program on PATH that can also misbehave. The real one is met in
``tests/installed/test_keyring.py``."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from pathlib import Path

import pytest

from pixal3d_addon.keys import KeyPair, KeyPlaceError, keep, limits, read, system_keyring
from pixal3d_addon.keys.secret_tool import SecretTool
from tests.support import programs

PAIR = KeyPair("api_0123456789", 'se"cr\\et ü')

# As secret-tool 0.21.8 answers, with GNOME Keyring 51.1 behind it.
PLAY = """
import os, pathlib, sys, time
kept = pathlib.Path(os.environ["FAKE_KEYRING"])
with kept.with_name("calls").open("a", encoding="utf-8") as calls:
    print(sys.argv[1:], sorted(n for n in os.environ if n.startswith("SCENARIO_")), file=calls)
mode, what = os.environ.get("FAKE_MODE", ""), sys.argv[1]
if mode == "hanging":
    time.sleep(600)
if mode == "no bus":
    sys.exit("secret-tool: Cannot autolaunch D-Bus without X11 $DISPLAY")
if mode == "tells":
    print("secret-tool: can't store " + sys.stdin.read(), file=sys.stderr)
    sys.exit(1)
if mode == "silent" and what == "store":
    sys.exit(5)
if mode == "forgetful" and what == "store":
    sys.exit(0)
if what == "lookup":
    if mode == "locked" or not kept.exists():
        sys.exit(1)
    sys.stdout.write("<html>" if mode == "garbage" else kept.read_text(encoding="utf-8"))
elif what == "search":
    if kept.exists():
        print("[/1]\\nlabel = ...")
        if mode == "locked":
            print("secret-tool: Cannot get secret of a locked object", file=sys.stderr)
elif mode == "locked":
    sys.exit("secret-tool: Cannot create an item in a locked collection" if what == "store" else 1)
elif what == "store":
    kept.write_text(sys.stdin.read(), encoding="utf-8")
elif what == "clear":
    if not kept.exists():
        sys.exit(1)
    kept.unlink()
"""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program is on PATH, and keeps what it gets in this file."""
    programs.play("secret-tool", PLAY, tmp_path, monkeypatch)
    monkeypatch.setenv("FAKE_KEYRING", str(tmp_path / "kept"))
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "not for other programs")
    return tmp_path / "kept"


@pytest.fixture
def keyring(kept: Path) -> SecretTool:
    return SecretTool(threading.Event())


def told(error: pytest.ExceptionInfo[KeyPlaceError]) -> str:
    """Everything that a bug report could have of it, with the values of all variables."""
    text = "".join(traceback.TracebackException.from_exception(error.value, capture_locals=True).format())
    return f"{error.value}{error.value!r}{text}"


def test_the_key_is_kept_replaced_and_removed(keyring: SecretTool, kept: Path) -> None:
    assert read(keyring) is None
    keep(keyring, KeyPair("an older", "one"))
    keep(keyring, PAIR)
    assert read(keyring) == PAIR
    keyring.empty()
    assert read(keyring) is None and not kept.exists()
    keyring.empty()  # nothing is there: no error


def test_no_program_is_told_the_key_in_its_arguments_or_environment(keyring: SecretTool, kept: Path) -> None:
    keep(keyring, PAIR)
    read(keyring)
    calls = kept.with_name("calls").read_text(encoding="utf-8")
    assert "'store'" in calls and PAIR.key not in calls and "SCENARIO_" not in calls


def test_the_system_has_no_keyring_without_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system_keyring(threading.Event()) is None
    with pytest.raises(KeyPlaceError, match="keyring can't be used: No such file"):
        SecretTool(threading.Event()).load()


def test_a_program_on_path_is_found(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert isinstance(system_keyring(threading.Event()), SecretTool)


def test_a_locked_keyring_is_not_taken_for_an_empty_one(
    keyring: SecretTool, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(keyring, PAIR)
    monkeypatch.setenv("FAKE_MODE", "locked")
    with pytest.raises(KeyPlaceError, match="is locked"):
        read(keyring)
    with pytest.raises(KeyPlaceError, match="locked collection"):
        keep(keyring, KeyPair("another", "one"))
    with pytest.raises(KeyPlaceError, match="still holds the key"):
        keyring.empty()
    monkeypatch.setenv("FAKE_MODE", "")
    assert read(keyring) == PAIR


@pytest.mark.parametrize(
    ("mode", "match"),
    [
        ("no bus", "refused: secret-tool: Cannot autolaunch D-Bus"),
        ("silent", "refused: exit code 5"),
        ("tells", "refused: exit code 1"),
        ("forgetful", "could not be read back"),
    ],
)
def test_what_goes_wrong_is_said_and_the_secret_is_not(
    keyring: SecretTool, monkeypatch: pytest.MonkeyPatch, mode: str, match: str
) -> None:
    monkeypatch.setenv("FAKE_MODE", mode)
    with pytest.raises(KeyPlaceError, match=match) as error:
        keep(keyring, PAIR)
    assert PAIR.key not in str(error.value) and PAIR.key not in repr(error.value) and PAIR.key not in repr(PAIR)


@pytest.mark.parametrize("text", ["<html>", "[]", "null", '{"key": "k"}', '{"key": "k", "secret": 3}', "[" * 9999])
def test_what_is_not_a_key_is_not_used(keyring: SecretTool, kept: Path, text: str) -> None:
    kept.write_text(text, encoding="utf-8")
    with pytest.raises(KeyPlaceError, match="is not a Scenario API key"):
        read(keyring)


def test_a_keyring_that_waits_for_its_password_is_not_waited_for_without_end(
    keyring: SecretTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_MODE", "hanging")
    monkeypatch.setattr(limits, "TOOL_SECONDS", 0.3)
    with pytest.raises(KeyPlaceError, match="does not answer"):
        read(keyring)


def test_waiting_ends_at_once_when_it_is_told_to(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_MODE", "hanging")
    stop, ended = threading.Event(), threading.Event()

    def wait() -> None:
        with pytest.raises(KeyPlaceError, match="stopped"):
            SecretTool(stop).load()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    give_up = time.monotonic() + 30
    while not kept.with_name("calls").exists() and time.monotonic() < give_up:
        time.sleep(0.01)
    stop.set()
    assert ended.wait(30)
