# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test runner calls passed, failed and absent. Real pytest processes, in this very Python."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from scripts import environments
from scripts import test as runner
from scripts.matrix import Leg, blender_names, legs, newest, pytest_leg, soak_legs


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environments, "python", lambda name: Path(sys.executable))
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def outcome(leg: Leg, *, demand_all: bool = False, keyword: str | None = None) -> runner.Outcome:
    return runner.Runner(demand_all=demand_all, keyword=keyword, stop_at_failure=False).run([leg])[0]


def leg_of(tmp_path: Path, source: str) -> Leg:
    file = tmp_path / "test_sample.py"
    file.write_text(source, encoding="utf-8")
    return pytest_leg("sample", "tools", str(file), "--rootdir", str(tmp_path))


def test_tests_are_counted(tmp_path: Path) -> None:
    seen = outcome(leg_of(tmp_path, "def test_a(): pass\ndef test_b(): pass\ndef test_c(): assert False\n"))
    assert (seen.state, seen.passed, seen.failed) == ("failed", 2, 1)


def test_a_leg_without_a_test_fails(tmp_path: Path) -> None:
    seen = outcome(leg_of(tmp_path, "x = 1\n"))
    assert (seen.state, seen.passed, seen.failed) == ("failed", 0, 1)


def test_a_leg_of_which_the_keyword_chooses_nothing_is_absent(tmp_path: Path) -> None:
    assert outcome(leg_of(tmp_path, "def test_a(): pass\n"), keyword="other").state == "absent"


def test_a_skipped_test_is_a_failure_only_where_all_is_demanded(tmp_path: Path) -> None:
    leg = leg_of(tmp_path, "import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('why')\n")
    assert outcome(leg).state == "passed"
    assert outcome(leg, demand_all=True).state == "failed"


def test_a_crash_after_the_last_test_is_a_failure(tmp_path: Path) -> None:
    leg = leg_of(tmp_path, "import atexit, os\ndef test_a(): atexit.register(os.abort)\n")
    seen = outcome(leg)
    assert (seen.state, seen.passed, seen.failed) == ("failed", 1, 1)
    assert "SIGABRT" in seen.reason


def test_a_missing_python_or_program_is_absent_or_a_failure_where_all_is_demanded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needy = Leg("needy", "tools", ("-c", ""), needs=("pixal3d-no-such-program",))
    assert outcome(needy).state == "absent"
    assert outcome(needy, demand_all=True).state == "failed"

    def absent(name: str) -> Path:
        raise environments.EnvironmentAbsent("no Python 3.99")

    monkeypatch.setattr(environments, "python", absent)
    seen = outcome(Leg("old", "tools", ("-c", "")))
    assert (seen.state, seen.reason) == ("absent", "no Python 3.99")


def test_keys_proxies_and_profiles_of_the_caller_do_not_reach_the_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SCENARIO_SDK_API_KEY", "https_proxy", "HTTP_PROXY", "PYTHONPATH"):
        monkeypatch.setenv(name, "the caller's")
    source = f"""
import os
def test_environment():
    assert not [name for name, value in os.environ.items() if value == "the caller's"]
    assert os.environ["PIXAL3D_LOOPBACK_ONLY"] == "1"
    assert os.environ["HOME"] != {os.environ.get("HOME")!r}
"""
    assert outcome(leg_of(tmp_path, source)).state == "passed"


def test_every_leg_has_an_environment_and_a_name_of_its_own() -> None:
    blenders = [Path("a/blender"), Path("b/blender"), Path("b/blender-5")]
    assert blender_names(blenders) == ["blender", "blender#2", "blender-5"]
    found = legs(blenders)
    assert len({leg.name for leg in found}) == len({leg.file_name for leg in found}) == len(found) == 8 + 3 * 3 + 2
    assert {leg.environment for leg in found} <= set(environments.RECIPES)
    assert len({leg.name for leg in soak_legs(blenders)}) == 2 * 3 + 4, "and four that need none"


def test_the_newest_blender_is_the_one_that_says_so(tmp_path: Path) -> None:
    blenders = []
    for version in ("4.3.2", "5.10.0 LTS", "5.9.1", ""):
        blenders.append(tmp_path / f"blender-{len(blenders)}")
        said = f"found bundled python\nBlender {version}" if version else "not found"
        blenders[-1].write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
        blenders[-1].chmod(0o755)
    assert newest(blenders) == blenders[1]
    assert newest([*blenders[3:], tmp_path / "absent"]) == tmp_path / "absent"


def test_what_a_leg_has_to_say_is_shown_if_it_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = """
import os, pathlib
def test_a():
    folder = pathlib.Path(os.environ["PIXAL3D_TEST_OUTPUT"])
    folder.mkdir()
    (folder / "summary.txt").write_text("33 runs, all good")
"""
    assert outcome(leg_of(tmp_path, source)).state == "passed"
    assert "33 runs, all good" in capsys.readouterr().out
    assert outcome(leg_of(tmp_path, "def test_a(): pass")).state == "passed"
    assert "33 runs" not in capsys.readouterr().out


def test_a_leg_that_takes_too_long_is_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leg = leg_of(tmp_path, "import time\ndef test_a(): time.sleep(60)\n")
    seen = outcome(dataclasses.replace(leg, timeout_seconds=3))
    assert (seen.state, seen.failed) == ("failed", 1)
    assert "stopped after 3 s" in capsys.readouterr().out
