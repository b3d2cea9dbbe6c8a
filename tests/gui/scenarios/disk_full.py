# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that fills up under a job, and has room again later: the one for the meshes, or the one with the store.

``GUI_FULL`` says which, and ``GUI_DISK`` where it is mounted.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui import addon
from tests.gui.driver import Driver, Steps, play
from tests.support.blender_process import ADDON
from tests.support.standin import StandIn

DISK = Path(os.environ["GUI_DISK"])
BALLAST = DISK / "ballast"
BLOCK_BYTES = 4096
LEFT_BYTES = 2_500_000
"""Enough for the image and half of the model."""
PAUSE_SECONDS = 4.0

limits = sys.modules[f"{ADDON}.generation.limits"]
limits.RETRY_PAUSES_SECONDS = (PAUSE_SECONDS,)
limits.TAKE_OVER_SECONDS = PAUSE_SECONDS

service = StandIn(os.environ["GUI_BASE_URL"], os.environ["GUI_KEY"], os.environ["GUI_SECRET"], 0)


def fill_up(left_bytes: int = 0) -> None:
    """Leaves so much room on the disk; without a number, none at all."""
    with contextlib.suppress(OSError), BALLAST.open("wb", buffering=0) as file:
        while not left_bytes or shutil.disk_usage(DISK).free > left_bytes:
            file.write(bytes(BLOCK_BYTES))


def newest() -> Any:
    return addon.generations()[-1]


def has_given_up() -> bool:
    """Whether a run has just ended with an error."""
    return bool(newest().error) and not addon.manager().is_running(newest().id)


def move_off_the_panel(d: Driver) -> Steps:
    view = d.region("WINDOW")
    yield from d.move(view.x + view.width // 3, view.y + view.height // 2)


def results_disk(d: Driver) -> Steps:
    def note(moment: str) -> None:
        d.record(f"{moment}: state", addon.state())
        d.record(f"{moment}: trouble", newest().trouble)
        d.record(f"{moment}: is retried", addon.manager().is_retried(newest().id))
        files = sorted(path.name for path in DISK.rglob("*") if path.is_file() and path != BALLAST)
        d.record(f"{moment}: files", files)
        d.record(f"{moment}: charges", len(service.charges()))

    addon.preferences().results_folder = str(DISK)
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    addon.settings().resolution = "2048"
    fill_up(LEFT_BYTES)
    yield from d.click_operator("pixal3d.generate")
    yield from move_off_the_panel(d)
    yield from d.wait_until(lambda: addon.state() == "downloading" and has_given_up(), 60, "the full disk")
    note("full")
    d.record("left", shutil.disk_usage(DISK).free)
    yield from d.screenshot("disk_full")
    yield from d.key("TAB")
    yield from d.wait_until(lambda: bpy.context.object.mode == "EDIT", 5, "edit mode after TAB")
    d.record("mode_meanwhile", bpy.context.object.mode)
    yield from d.key("TAB")
    before = newest().updated_at
    yield from d.wait_until(lambda: newest().updated_at > before and has_given_up(), 60, "another try")
    note("still full")
    yield from d.screenshot("disk_still_full")

    BALLAST.unlink()
    yield from d.wait_until(lambda: addon.state() == "imported", 60, "the model, by itself, after space was made")
    d.record("vertices", len(addon.model().data.vertices))
    d.record("trouble_after", newest().trouble)
    d.record("asked_for", Path(newest().glb_file).stat().st_size)
    yield from d.screenshot("disk_has_room")


def store_disk(d: Driver) -> Steps:
    def on_disk() -> str:
        """The oldest record's state there. SQLite would want to write beside the file, so it is read as it is."""
        uri = f"file:{DISK / 'generations.sqlite3'}?immutable=1"
        query = "SELECT json_extract(record, '$.state') FROM generations ORDER BY created_at"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
            return str(database.execute(query).fetchone()[0])

    def note_refusal(moment: str) -> None:
        d.record(f"{moment}: state", addon.state())
        d.record(f"{moment}: trouble", newest().trouble)
        d.record(f"{moment}: charges", len(service.charges()))
        # The panel asks for the price meanwhile.
        sent = [r for r in service.requests() if r["method"] == "POST" and "dryRun" not in r["query"]]
        d.record(f"{moment}: sent", len(sent))

    notices: set[str] = set()

    def has_arrived() -> bool:
        notices.update(snapshot.notice for snapshot in addon.manager().snapshots() if snapshot.notice)
        return addon.state() == "imported"

    # No record was ever written, and the image would be kept beside the records.
    yield from d.open_sidebar("Pixal3D")
    addon.use_sample_image()
    fill_up()
    service.clear_requests()
    yield from d.click_operator("pixal3d.generate")
    yield from move_off_the_panel(d)
    yield from d.wait_until(lambda: addon.generations() and has_given_up(), 30, "the refusal")
    note_refusal("first")
    yield from d.screenshot("store_refuses_first")

    # The disk fills up under a job.
    BALLAST.unlink()
    addon.preferences().results_folder = str(d.results / "models")
    yield from d.click_operator("pixal3d.remove")
    yield from d.click_operator("pixal3d.generate")
    yield from d.wait_until(lambda: addon.state() == "running", 30, "a running job")
    fill_up()
    yield from move_off_the_panel(d)
    yield 1.5
    yield from d.screenshot("store_full_with_a_job")
    yield from d.wait_until(has_arrived, 60, "the model, with a full store")
    d.record("vertices", len(addon.model().data.vertices))
    d.record("notices", sorted(notices))
    yield PAUSE_SECONDS  # for the note of it to fail too
    d.record("on_disk_when_full", on_disk())
    yield from d.screenshot("store_full_with_the_model")

    # Another click, which only the records have no room for.
    addon.settings().seed = 2
    service.clear_requests()
    yield from d.click_operator("pixal3d.generate")
    yield from move_off_the_panel(d)
    yield from d.wait_until(lambda: len(addon.generations()) == 2 and has_given_up(), 30, "another refusal")
    note_refusal("second")
    yield from d.screenshot("store_refuses_second")

    BALLAST.unlink()
    yield from d.wait_until(lambda: on_disk() == "imported", 30, "the record, written after space was made")
    d.record("on_disk_with_room", on_disk())
    yield from d.screenshot("store_has_room")


play({"results": results_disk, "store": store_disk}[os.environ["GUI_FULL"]])
