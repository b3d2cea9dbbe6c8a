# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the key is kept: each place is used and named, and a move never leaves it nowhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from tests.support import programs

ADDON = "bl_ext.dev.pixal3d_addon"

PLAY = """
import os, pathlib, sys
kept = pathlib.Path(os.environ["FAKE_KEYRING"])
what = sys.argv[1]
if os.environ.get("FAKE_MODE") == "locked":
    sys.exit(f"secret-tool: cannot {what} in a locked collection")
if what in ("lookup", "search"):
    sys.stdout.write(kept.read_text()[::-1] if kept.exists() else "")
    sys.exit(0 if kept.exists() or what == "search" else 1)
elif what == "store":
    kept.write_text(sys.stdin.read()[::-1])  # a keyring is encrypted
elif kept.exists():
    kept.unlink()
"""


@pytest.fixture
def prefs(addon: Any, standin: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The add-on's preferences, in a Blender that may save them, on a system with a keyring; no key is set."""
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SCENARIO_BASE_URL", standin.base_url)
    programs.play("secret-tool", PLAY, tmp_path, monkeypatch)
    monkeypatch.setenv("FAKE_KEYRING", str(tmp_path / "kept"))
    bpy.context.preferences.use_preferences_save = True
    yield bpy.context.preferences.addons[ADDON].preferences
    key_file().unlink(missing_ok=True)
    userpref().unlink(missing_ok=True)


@pytest.fixture
def typed(prefs: Any, standin: Any) -> Any:
    """The preferences with the key in their fields, and saved."""
    prefs.api_key, prefs.api_secret = standin.key, f" {standin.secret}\n"
    bpy.ops.wm.save_userpref()
    assert standin.secret.encode() in userpref().read_bytes()
    return prefs


def key_file() -> Path:
    return Path(bpy.utils.extension_path_user(ADDON)) / "key.json"


def userpref() -> Path:
    return Path(bpy.utils.user_resource("CONFIG")) / "userpref.blend"


def keyring_file() -> Path:
    return Path(os.environ["FAKE_KEYRING"])


def places_with(secret: str) -> set[str]:
    """Of the files that may hold the key, those that do."""
    files = {"PREFERENCES": userpref(), "FILE": key_file(), "KEYRING": keyring_file()}
    found = {place: file.read_bytes() for place, file in files.items() if file.exists()}
    return {place for place, data in found.items() if secret.encode() in data or secret.encode()[::-1] in data}


def test_the_key_moves_round_and_is_in_one_place_only(typed: Any, standin: Any, room: Callable[[str], Any]) -> None:
    session, kept_key = room("blender.session"), room("blender.kept_key")
    assert session.key_source() == "preferences"
    for place in ("KEYRING", "FILE", "KEYRING", "PREFERENCES", "FILE", "PREFERENCES"):
        assert bpy.ops.pixal3d.keep_key(place=place) == {"FINISHED"}
        assert places_with(standin.secret) == {place}
        assert session.key_source() == place.lower()
        kept_key.forget()  # as after a new start
        assert session.key_source() == place.lower()
        assert session.connection().credentials.secret == standin.secret
        assert bpy.ops.pixal3d.test_connection() == {"FINISHED"}
    assert key_file().exists() is False


def test_the_key_in_the_environment_goes_first(typed: Any, standin: Any, room: Any, monkeypatch: Any) -> None:
    bpy.ops.pixal3d.keep_key(place="KEYRING")
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "another")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "one")
    assert room("blender.session").key_source() == "environment"
    assert room("blender.session").connection().credentials.key == "another"


def test_a_key_that_is_typed_goes_before_the_kept_one_until_it_is_stored(typed: Any, standin: Any, room: Any) -> None:
    session = room("blender.session")
    bpy.ops.pixal3d.keep_key(place="FILE")
    typed.api_key, typed.api_secret = "another", "rotated-secret"
    assert session.key_source() == "preferences"
    assert session.connection().credentials.secret == "rotated-secret"
    bpy.ops.pixal3d.keep_key(place="FILE")
    assert session.key_source() == "file" and typed.api_secret == ""
    assert session.connection().credentials.secret == "rotated-secret"
    assert places_with("rotated-secret") == {"FILE"} and places_with(standin.secret) == set()


def test_a_locked_keyring_loses_nothing_and_says_so(typed: Any, standin: Any, room: Any, monkeypatch: Any) -> None:
    session, kept_key = room("blender.session"), room("blender.kept_key")
    monkeypatch.setenv("FAKE_MODE", "locked")
    with pytest.raises(RuntimeError, match="keyring refused: secret-tool: cannot store in a locked collection"):
        bpy.ops.pixal3d.keep_key(place="KEYRING")
    assert session.key_source() == "preferences" and places_with(standin.secret) == {"PREFERENCES"}

    monkeypatch.setenv("FAKE_MODE", "")
    bpy.ops.pixal3d.keep_key(place="KEYRING")
    monkeypatch.setenv("FAKE_MODE", "locked")
    kept_key.forget()
    assert session.key_source() == ""
    assert "cannot lookup in a locked collection" in session.key_problem()
    with pytest.raises(RuntimeError, match="locked collection"):
        bpy.ops.pixal3d.generate()
    with pytest.raises(room("scenario").MissingKeyError, match="locked collection"):
        session.connection()
    with pytest.raises(RuntimeError, match="locked collection"):
        bpy.ops.pixal3d.keep_key(place="FILE")
    assert places_with(standin.secret) == {"KEYRING"}
    monkeypatch.setenv("FAKE_MODE", "")
    assert bpy.ops.pixal3d.read_key() == {"FINISHED"}
    assert session.key_source() == "keyring"


def test_an_old_place_that_can_not_be_emptied_is_told(typed: Any, standin: Any, room: Any, monkeypatch: Any) -> None:
    bpy.ops.pixal3d.keep_key(place="FILE")
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path == key_file():
            raise PermissionError(13, "Permission denied")
        real(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", unlink)
        with pytest.raises(RuntimeError, match="key file can't be deleted: permission denied"):
            bpy.ops.pixal3d.keep_key(place="KEYRING")
    assert room("blender.session").key_source() == "keyring"
    assert places_with(standin.secret) == {"FILE", "KEYRING"}


def test_preferences_that_are_not_saved_are_named_as_still_holding_the_key(typed: Any, standin: Any, room: Any) -> None:
    bpy.context.preferences.use_preferences_save = False
    key_move = room("blender.key_move")
    assert "file still holds it until you save" in key_move.run("KEYRING")
    assert bpy.context.preferences.is_dirty
    assert places_with(standin.secret) == {"KEYRING", "PREFERENCES"}
    # The next start would look for it at the old place.
    with pytest.raises(RuntimeError, match=r"could not be saved.*Allow Auto-Save Preferences"):
        bpy.ops.pixal3d.keep_key(place="FILE")
    assert places_with(standin.secret) == {"KEYRING", "PREFERENCES"}
    bpy.ops.wm.save_userpref()
    assert places_with(standin.secret) == {"KEYRING"}


def test_preferences_that_can_not_be_saved_leave_the_key_where_it_was(
    typed: Any, standin: Any, room: Any, monkeypatch: Any
) -> None:
    bpy.ops.pixal3d.keep_key(place="KEYRING")
    monkeypatch.setattr(room("blender.key_move"), "_saved", lambda: False)
    for place in ("FILE", "PREFERENCES"):
        with pytest.raises(RuntimeError, match="could not be saved"):
            bpy.ops.pixal3d.keep_key(place=place)
        assert room("blender.session").key_source() == "keyring"
        assert places_with(standin.secret) == {"KEYRING"}
        assert typed.api_key == ""


def test_a_key_that_was_kept_before_blender_was_set_back_is_found_again(typed: Any, standin: Any, room: Any) -> None:
    bpy.ops.pixal3d.keep_key(place="FILE")
    typed.key_place = "PREFERENCES"
    room("blender.kept_key").forget()
    assert room("blender.session").key_source() == ""
    bpy.ops.pixal3d.keep_key(place="FILE")
    assert room("blender.session").connection().credentials.secret == standin.secret


def test_without_a_key_there_is_nothing_to_move(prefs: Any) -> None:
    for place in ("FILE", "KEYRING", "PREFERENCES"):
        with pytest.raises(RuntimeError, match="There is no key to keep there"):
            bpy.ops.pixal3d.keep_key(place=place)
    assert prefs.key_place == "PREFERENCES" and places_with("") - {"PREFERENCES"} == set()


def test_a_system_without_a_keyring_says_what_it_needs(typed: Any, standin: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(os.pathsep)[2])
    with pytest.raises(RuntimeError, match="no keyring that the add-on can use"):
        bpy.ops.pixal3d.keep_key(place="KEYRING")
    assert places_with(standin.secret) == {"PREFERENCES"}


def test_a_blend_file_and_the_operators_arguments_never_hold_the_key(typed: Any, standin: Any, tmp_path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), compress=False)
    assert standin.secret.encode() not in (tmp_path / "a.blend").read_bytes()
    for name in ("PIXAL3D_OT_keep_key", "PIXAL3D_OT_read_key", "PIXAL3D_OT_test_connection", "PIXAL3D_OT_generate"):
        names = set(getattr(bpy.types, name).bl_rna.properties.keys())
        assert not {n for n in names if "key" in n.lower() or "secret" in n.lower()}


def test_the_report_names_the_place_and_not_the_key(typed: Any, standin: Any, room: Any) -> None:
    for place, told in (("KEYRING", "keyring"), ("FILE", f"file {key_file()}"), ("PREFERENCES", "preferences")):
        bpy.ops.pixal3d.keep_key(place=place)
        facts = dict(room("cli.check")._facts())
        assert facts["Key from"] == told
        assert standin.secret not in str(facts)


class With:
    """Something of Blender's, with what it has only in a window."""

    def __init__(self, inner: Any, **more: Any) -> None:
        self.__dict__.update(more, _inner=inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


_events: list[str] | None = None


def _note_event(event: str, arguments: tuple[Any, ...]) -> None:
    is_ours = _events is not None and threading.current_thread() is threading.main_thread()
    if is_ours and event.startswith(("open", "os.", "subprocess.", "_thread.start")):
        _events.append(event)


sys.addaudithook(_note_event)


def test_in_a_window_nothing_is_read_by_drawing_and_nobody_waits(
    typed: Any, standin: Any, room: Any, monkeypatch: Any
) -> None:
    global _events
    session, kept_key = room("blender.session"), room("blender.kept_key")
    bpy.ops.pixal3d.keep_key(place="KEYRING")
    kept_key.forget()
    monkeypatch.setattr(kept_key, "bpy", With(bpy, app=With(bpy.app, background=False)))
    try:
        _events = []
        assert session.key_source() == "" and session.is_reading_key() and session.key_problem() == ""
        assert session.connection_or_none() is None
        assert room("ui.operator_parts").no_key_reason() == "The key is being read"
        found, _events = _events, None
        assert found == []
        while bpy.app.timers.is_registered(kept_key._follow) and kept_key._follow() is not None:
            time.sleep(0.01)
        _events = []
        assert session.key_source() == "keyring" and not session.is_reading_key()
        assert _events == []
    finally:
        _events = None
    kept_key.forget()
    assert session.connection().credentials.secret == standin.secret, "a script waits for it"


def test_a_place_that_only_a_newer_version_knows_is_no_fault(typed: Any, standin: Any, room: Any) -> None:
    stored = typed.bl_system_properties_get() if hasattr(typed, "bl_system_properties_get") else typed
    stored["key_place"] = 77
    assert typed.key_place == ""
    assert room("blender.session").key_source() == "preferences"
    typed.api_key = ""
    assert room("blender.session").key_source() == room("blender.session").key_problem() == ""
