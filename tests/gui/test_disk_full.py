# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender window whose disk fills up: the one for the meshes in the middle of a download, and the store's.

The full disk is a tmpfs of a few megabytes. Mounting it needs root, as ``.ci/run`` has; without, these tests fail.
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gui.conftest import Window
from tests.support.blender_process import ADDON

STORE = f"blender/extensions/.user/user_default/{ADDON.rpartition('.')[2]}/generations"
"""In the profile."""
RESULTS_DISK_BYTES = 6 << 20
"""Holds the image (0.8 MB) and the stand-in's mesh with 2048 px PNG textures (3.5 MB), not much more."""
STORE_DISK_BYTES = 1 << 20


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A disk of its own at that folder. Mounted before Blender starts, whose chroot takes the mounts of that moment."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "pixal3d-test", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"no small disk could be mounted, which needs root: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def service(standin: Any) -> Any:
    standin.clear_faults()
    standin.set_options(job_seconds=6.0, mesh_scale="honoured", texture_format="png")
    return standin


def steering(service: Any) -> dict[str, str]:
    return {
        **service.environment(),
        "GUI_KEY": service.key,
        "GUI_SECRET": service.secret,
        "GUI_BASE_URL": service.base_url,
    }


@pytest.mark.newest_only
def test_a_disk_that_fills_up_during_the_download_costs_nothing_but_time(
    window: Window, service: Any, tmp_path: Path
) -> None:
    charges = len(service.charges())
    with small_disk(tmp_path / "disk", RESULTS_DISK_BYTES) as disk:
        seen = window.play("disk_full", {**steering(service), "GUI_FULL": "results", "GUI_DISK": str(disk)}).recorded
        assert seen["asked_for"] > seen["left"], "the model would have fitted"
        for moment in ("full", "still full"):
            assert seen[f"{moment}: state"] == "downloading", moment
            assert "disk is full" in seen[f"{moment}: trouble"] and "room" in seen[f"{moment}: trouble"], moment
            assert seen[f"{moment}: is retried"], moment
            assert seen[f"{moment}: files"] == ["source.png"], "neither a half model nor a part of one"
            assert seen[f"{moment}: charges"] == charges + 1, moment
        assert seen["mode_meanwhile"] == "EDIT", "Blender goes on"
        assert seen["vertices"] > 2000
        assert seen["trouble_after"] == ""
        files = {path.name: path for path in disk.rglob("*") if path.is_file()}
        assert sorted(files) == ["model.glb", "source.png"]
        assert files["model.glb"].stat().st_size == seen["asked_for"]
    assert len(service.charges()) == charges + 1


@pytest.mark.newest_only
def test_a_full_disk_below_the_store_refuses_a_click_and_loses_no_job(
    window: Window, service: Any, tmp_path: Path
) -> None:
    charges = len(service.charges())
    with small_disk(window.profile / STORE, STORE_DISK_BYTES) as disk:
        environment = {**steering(service), "GUI_FULL": "store", "GUI_DISK": str(disk)}
        seen = window.play("disk_full", environment).recorded
        for moment, paid in (("first", 0), ("second", 1)):
            assert seen[f"{moment}: state"] == "failed", moment
            assert "space" in seen[f"{moment}: trouble"], moment
            assert seen[f"{moment}: charges"] == charges + paid, "nothing is paid that can't be written down"
            assert seen[f"{moment}: sent"] == 0, "the image does not leave either"
        assert seen["vertices"] > 2000
        assert seen["on_disk_when_full"] != "imported", "the disk was not full"
        assert seen["on_disk_with_room"] == "imported"
        assert not list(disk.glob("*unreadable*")), "a full disk is no damage"
        with contextlib.closing(sqlite3.connect(disk / "generations.sqlite3")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            jobs = database.execute("SELECT job_id FROM generations WHERE job_id <> ''").fetchall()
            assert jobs == [(service.jobs()[-1]["id"],)]
    assert len(service.charges()) == charges + 1
