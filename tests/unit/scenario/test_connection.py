# SPDX-License-Identifier: GPL-3.0-or-later
"""A key leaves for a checked address only, and importing the room costs Blender's start nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pixal3d_addon import scenario
from pixal3d_addon.scenario import DEFAULT_BASE_URL, ConfigurationError, Connection, Credentials, MissingKeyError
from tests.unit.scenario.conftest import KEY, SECRET

CREDENTIALS = Credentials(KEY, SECRET)


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an artist's Blender. Nothing is opened here."""
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.cloud.scenario.com/v1", "https://api.cloud.scenario.com/v1"),
        (" https://api.cloud.scenario.com/v1// ", "https://api.cloud.scenario.com/v1"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("HTTP://127.1.2.3/v1", "http://127.1.2.3/v1"),
    ],
)
def test_a_fitting_address_is_taken_and_its_slash_dropped(anywhere: None, url: str, kept: str) -> None:
    assert Connection(CREDENTIALS, url).base_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.cloud.scenario.com/v1",
        "http://api.cloud.scenario.com/v1",
        "http://10.0.0.1/v1",
        "http://127.0.0.1.example.com/v1",
        "http://localhost.example.com/v1",
        "http://2130706433/v1",
        "http://127.0.0.1\\@example.com/v1",
        "https://example.com\\.invalid/v1",
        "https://user:password@api.cloud.scenario.com/v1",
        "https://user@api.cloud.scenario.com/v1",
        "https://@api.cloud.scenario.com/v1",
        "https://api.cloud.scenario.com/v1?x=1",
        "https://api.cloud.scenario.com/v1#x",
        "https://exa mple.com/v1",
        "https://example.com:port/v1",
        "https://[::1/v1",
        "ftp://127.0.0.1/v1",
        "file:///etc/passwd",
    ],
)
def test_any_other_address_is_refused_with_a_remedy(anywhere: None, url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Connection(CREDENTIALS, url)
    assert caught.value.remedy
    assert "password" not in caught.value.message.replace("user name or password", "")


@pytest.mark.parametrize("url", [DEFAULT_BASE_URL, "https://example.com", "https://128.0.0.1"])
def test_tests_and_demos_can_not_reach_the_paid_service(url: str) -> None:
    with pytest.raises(ConfigurationError, match="only this computer"):
        Connection(CREDENTIALS, url)
    assert Connection(CREDENTIALS, "http://127.0.0.1:1/v1")


def test_no_repr_shows_key_or_secret() -> None:
    connection = Connection(CREDENTIALS, "http://127.0.0.1:1/v1")
    for shown in (repr(CREDENTIALS), str(CREDENTIALS), repr(connection), f"{connection!s}"):
        assert not any(secret in shown for secret in connection.secrets())


@pytest.mark.parametrize("credentials", [Credentials("", "s"), Credentials("k", " "), Credentials("", "")])
def test_a_missing_key_is_said(credentials: Credentials) -> None:
    with pytest.raises(MissingKeyError):
        Connection(credentials, "http://127.0.0.1:1/v1")


def test_the_environment_of_the_official_sdk_is_read() -> None:
    environ = {"SCENARIO_SDK_API_KEY": f" {KEY} ", "SCENARIO_SDK_API_SECRET": f"{SECRET}\n"}
    assert Credentials.from_environment(environ) == CREDENTIALS
    assert Credentials.from_environment({"SCENARIO_SDK_API_KEY": KEY}) is None
    assert Credentials.from_environment({**environ, "SCENARIO_SDK_API_SECRET": ""}) is None


def test_a_fingerprint_stands_for_key_and_origin_and_shows_neither() -> None:
    fingerprint = CREDENTIALS.fingerprint()
    assert fingerprint == Credentials(KEY, "rotated").fingerprint("https://API.cloud.scenario.com:443/v2")
    assert fingerprint != Credentials("other", SECRET).fingerprint()
    assert fingerprint != CREDENTIALS.fingerprint("https://example.com/v1")
    assert Connection(CREDENTIALS, "http://127.0.0.1:1/v1").fingerprint() != fingerprint
    assert len(fingerprint) == 16
    assert KEY not in fingerprint


def test_importing_the_room_imports_nothing_heavy() -> None:
    heavy = {"requests", "urllib3", "numpy", "bpy", "ssl", "http.client", "email.utils", "urllib.request"}
    code = f"import sys, pixal3d_addon.scenario; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_everything_that_is_promised_is_there() -> None:
    assert all(hasattr(scenario, name) for name in scenario.__all__)
