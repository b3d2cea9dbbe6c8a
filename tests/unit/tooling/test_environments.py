# SPDX-License-Identifier: GPL-3.0-or-later
"""The maker of Python environments. Nothing is fetched: these recipes require nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from scripts import environments
from scripts.environments import Recipe

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIXAL3D_ENVIRONMENTS", str(tmp_path))
    # pip looks at no index, should anything be asked for after all.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setitem(environments.RECIPES, "empty", Recipe((MINOR,), ("pip",)))
    monkeypatch.setitem(environments.RECIPES, "future", Recipe(("3.99",), ()))
    monkeypatch.setitem(environments.RECIPES, "impossible", Recipe((MINOR,), ("pixal3d-no-such-thing",)))
    monkeypatch.setattr(environments, "RETRY_PAUSE_SECONDS", 0)
    return tmp_path


def made_at(python: Path) -> int:
    return (python.parent.parent / "complete").stat().st_mtime_ns


def test_several_that_want_the_same_environment_get_one_that_runs() -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(environments.python("empty"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1
    python = found[0]
    code = "import sys; print(sys.prefix)"
    prefix = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert Path(prefix) == python.parent.parent == environments.location("empty")
    made = made_at(python)
    assert environments.python("empty") == python and made_at(python) == made


def test_a_half_made_environment_is_made_anew(folder: Path) -> None:
    place = environments.location("empty")
    (place / "bin").mkdir(parents=True)
    (place / "bin/python").write_text("half", encoding="utf-8")
    assert subprocess.run([environments.python("empty"), "-c", ""], check=False).returncode == 0


def test_another_requirement_makes_another_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    first = environments.location("empty")
    monkeypatch.setitem(environments.RECIPES, "empty", Recipe((MINOR,), ("pip>=1",)))
    assert environments.location("empty") != first


def test_a_python_that_is_not_there_is_said_to_be_absent() -> None:
    with pytest.raises(environments.EnvironmentAbsent, match=r"no Python 3\.99"):
        environments.python("future")


def test_a_failed_installation_is_said_and_not_taken_for_an_environment(folder: Path) -> None:
    with pytest.raises(environments.EnvironmentFailed, match="pixal3d-no-such-thing"):
        environments.python("impossible")
    assert not list(folder.glob("impossible-*/complete"))
