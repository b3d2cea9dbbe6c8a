# SPDX-License-Identifier: GPL-3.0-or-later
"""The built zip: what is in it, and that its bytes depend on the sources alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts import build

PROJECT = Path(__file__).resolve().parents[3]
BUILD_TIMEOUT_SECONDS = 20 * 60
SOURCES = ("blender_manifest.toml", "LICENSE", "pixal3d_addon", "scripts")


@pytest.fixture(scope="session")
def blender_ext() -> Path:
    return build.find_blender_ext()


def run_build(project: Path, output: Path, blender_ext: Path, *, cwd: Path, umask: int, **env: str) -> Path:
    command = [sys.executable, project / "scripts/build.py", "--blender-ext", blender_ext, "--output", output]
    full = {**os.environ, **env}
    done = subprocess.run(
        command, cwd=cwd, env=full, umask=umask, capture_output=True, text=True, timeout=BUILD_TIMEOUT_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    path, digest = done.stdout.splitlines()
    assert digest.startswith("sha256 ")
    return Path(path)


def copy_of_project(target: Path, date: float) -> Path:
    """Without git, with other file dates and modes, made in another order."""
    target.mkdir()
    for name in reversed(SOURCES):
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", "bench"))
        else:
            shutil.copyfile(source, target / name)
    for path in target.rglob("*"):
        os.utime(path, (date, date))
        if path.is_file():
            path.chmod(0o600)
    return target


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, blender_ext: Path) -> None:
    date = {"SOURCE_DATE_EPOCH": "1700000000"}
    first = run_build(PROJECT, tmp_path / "first", blender_ext, cwd=PROJECT, umask=0o022, **date)
    copy = copy_of_project(tmp_path / "copy", 1_000_000_000)
    second = run_build(copy, tmp_path / "second", blender_ext, cwd=tmp_path, umask=0o077, TZ="Asia/Tokyo", **date)
    assert first.read_bytes() == second.read_bytes()


def test_without_git_the_date_is_fixed(tmp_path: Path, blender_ext: Path) -> None:
    env = {"SOURCE_DATE_EPOCH": "", "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    archives = []
    for number in (1, 2):
        copy = copy_of_project(tmp_path / f"copy{number}", 1_000_000_000 * number)
        archives.append(run_build(copy, tmp_path / f"dist{number}", blender_ext, cwd=copy, umask=0o022, **env))
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_the_zip_holds_the_package_the_manifest_and_the_license_and_nothing_else(
    tmp_path: Path, blender_ext: Path
) -> None:
    archive = run_build(PROJECT, tmp_path, blender_ext, cwd=PROJECT, umask=0o022)
    package = PROJECT / "pixal3d_addon"
    expected = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } | {"blender_manifest.toml", "LICENSE"}
    with zipfile.ZipFile(archive) as contents:
        assert contents.testzip() is None
        assert set(contents.namelist()) == expected
        assert contents.namelist() == sorted(expected)
        assert contents.read("LICENSE") == (PROJECT / "LICENSE").read_bytes()
        for name in contents.namelist():
            assert "test" not in name and not name.endswith(".pyc")


def test_what_blenders_tool_refuses_is_not_built(tmp_path: Path, blender_ext: Path) -> None:
    copy = copy_of_project(tmp_path / "copy", 1_000_000_000)
    manifest = copy / "blender_manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"Mesh"', '"No Such Tag"'), encoding="utf-8")
    command = [sys.executable, copy / "scripts/build.py", "--blender-ext", blender_ext, "--output", tmp_path / "dist"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIMEOUT_SECONDS)
    assert done.returncode == 1
    assert "No Such Tag" in done.stderr
    assert not (tmp_path / "dist").exists()
