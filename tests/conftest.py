# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share. Runs in environments that hold nothing but pytest, so it imports nothing else.

Fixtures: ``standin``, the Scenario API on this machine; ``built_zip``, what ``scripts/build.py`` makes; ``blender``,
each executable in ``PIXAL3D_BLENDERS`` (a list like PATH) in turn; ``profile``, with the zip installed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.blender_process import Blender
from tests.support.standin import PROJECT, StandIn

BUILD_TIMEOUT_SECONDS = 20 * 60
"""It may have to fetch a Blender wheel first."""

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _only_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: whatever a test drives, no packet leaves this machine."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host is None or str(host).startswith(_LOOPBACK):
        return
    if str(host).endswith(".invalid"):  # RFC 6761: a name that never resolves; said here, without asking a name server
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    raise RuntimeError(f"a test tried to reach {host!r}; tests talk to this machine only")


sys.addaudithook(_only_loopback)

if importlib.util.find_spec("hypothesis"):
    from hypothesis import settings

    # A machine under load is no fault of the code; the same examples every time, so that a failure can be repeated.
    settings.register_profile("project", deadline=None, derandomize=True, database=None)
    settings.load_profile("project")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "blender" in metafunc.fixturenames:
        paths = [path for path in os.environ.get("PIXAL3D_BLENDERS", "").split(os.pathsep) if path]
        if not paths:
            raise pytest.UsageError("PIXAL3D_BLENDERS names no Blender; scripts/test.py --blender PATH sets it")
        names = [Path(path).name for path in paths]
        metafunc.parametrize("blender", [Blender(Path(path)) for path in paths], ids=names, scope="session")


@pytest.fixture(scope="session")
def standin() -> Iterator[StandIn]:
    """A running stand-in of the Scenario API, one for each test process."""
    with StandIn.started() as service:
        yield service


@pytest.fixture(scope="session")
def built_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip as an artist gets it: the one that ``PIXAL3D_ZIP`` names, or built now."""
    given = os.environ.get("PIXAL3D_ZIP")
    if given:
        return Path(given)
    output = tmp_path_factory.mktemp("dist")
    command = [sys.executable, PROJECT / "scripts/build.py", "--output", output]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIMEOUT_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(done.stdout.splitlines()[0])


@pytest.fixture(scope="session")
def installed_profile(blender: Blender, built_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Blender profile into which the zip was installed and enabled, through Blender's own command line."""
    profile = tmp_path_factory.mktemp("installed")
    blender.install(built_zip, profile)
    return profile


@pytest.fixture
def profile(installed_profile: Path, tmp_path: Path) -> Path:
    """A test's own copy of ``installed_profile``."""
    return Path(shutil.copytree(installed_profile, tmp_path / "profile"))
