# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of results that others may write to, and lists and manifests in which anything may stand."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixal3d_addon.batch import Entry, ListError, OutputError, read_items, read_manifest
from pixal3d_addon.batch.board import Board
from pixal3d_addon.batch.manifest import Manifest
from pixal3d_addon.generation import StoreError
from tests.unit.generation.test_hostile_store import ANYTHING, JSON

from .support import PROJECT, SMALL, a_batch, images, models

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of Unix")

LINE: dict[str, Any] = {
    "key": "0123456789abcdef0123", "name": "chair", "image": "/in/chair.png", "state": "done", "file": "chair.glb",
    "job_id": "job_1", "asset_id": "asset_1", "cost": 30.0, "seed": 7, "error": "no", "hint": "yes", "at": 1.0,
    "submitted_at": 1.0, "seconds": 2.0, "service_status": "success", "owner": "f" * 32, "parameters": {"seed": 7},
}  # fmt: skip


def a_manifest(folder: Path, *lines: object) -> None:
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line, separators=(',', ':'))}\n" for line in lines)
    (folder / "manifest.jsonl").write_text(text)


def use(folder: Path) -> list[Entry]:
    """All that reads a manifest."""
    board = Board(".glb")
    try:
        Manifest(folder).read_on(board.note)
        assert board.claims() is not None and board.strays() is not None
        return list(read_manifest(folder))
    finally:
        board.close()


@pytest.mark.parametrize("field", LINE)
def test_whatever_stands_in_a_field_of_the_manifest_it_is_taken_or_the_batch_stops(tmp_path: Path, field: str) -> None:
    for value in ANYTHING:
        a_manifest(tmp_path, {**LINE, field: value})
        with contextlib.suppress(OutputError):
            for entry in use(tmp_path):
                assert Entry.from_line(entry.to_line()).to_line() == entry.to_line()
                for name in (entry.key, entry.name, entry.file):
                    assert (tmp_path / name).parent == tmp_path or not name
                    os.path.lexists(tmp_path / f"{name}.glb")


@given(JSON)
def test_any_json_is_an_entry_or_a_value_error(data: object) -> None:
    with contextlib.suppress(ValueError):
        Entry.from_line(json.dumps(data).encode())


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_an_entry_or_a_value_error(line: bytes) -> None:
    with contextlib.suppress(ValueError):
        Entry.from_line(line)


CHANGES: tuple[tuple[str, object], ...] = (
    ("name", "../chair"), ("name", "/etc/chair"), ("name", ".."), ("name", "a\\b"), ("name", "C:chair"),
    ("file", "../../chair.glb"), ("key", "../.."), ("cost", "12"), ("job_id", 7), ("parameters", []),
)  # fmt: skip


@pytest.mark.parametrize(("field", "value"), CHANGES)
def test_a_line_that_somebody_has_changed_stops_the_batch_before_anything_is_paid(
    tmp_path: Path, service: Any, field: str, value: object
) -> None:
    """To leave it out could mean to pay for its item again."""
    source, output = images(tmp_path / "in", "chair.png"), tmp_path / "out"
    output.mkdir()
    a_manifest(output, {**LINE, field: value})
    with pytest.raises(OutputError, match="no batch has written"):
        a_batch(source, output, service).run()
    assert service.requests() == [] and sorted(os.listdir(tmp_path)) == ["in", "out"]


def test_a_link_in_the_place_of_what_a_batch_writes_leads_nowhere(tmp_path: Path, service: Any) -> None:
    """Somebody may write to the shared folder, and not to the files of ours that the links lead to."""
    source, output = images(tmp_path / "in", "chair.png"), tmp_path / "out"
    precious = tmp_path / "precious"
    precious.write_text("precious")
    output.mkdir()
    (output / "chair.glb.part").symlink_to(precious)
    summary = a_batch(source, output, service).run()
    assert summary.done == 1 and models(output) == ["chair.glb"] and not (output / "chair.glb").is_symlink()
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("what", ["manifest", "work", "lock", "item"])
def test_a_link_in_the_place_of_a_batchs_records_is_refused_before_anything_is_paid(
    tmp_path: Path, service: Any, what: str
) -> None:
    source, output, elsewhere = images(tmp_path / "in", "chair.png"), tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (output / ".work").mkdir(parents=True)
    (output / "manifest.jsonl").touch()
    (key,) = [item.key for item in read_items(source, SMALL)]
    if what == "manifest":
        (output / "manifest.jsonl").unlink()
        (elsewhere / "file").touch()
        (output / "manifest.jsonl").symlink_to(elsewhere / "file")
    elif what == "work":
        (output / ".work").rmdir()
        (output / ".work").symlink_to(elsewhere)
    elif what == "lock":
        (output / ".work" / "manifest.lock").symlink_to(elsewhere / "made")
    else:
        (output / ".work" / key).symlink_to(elsewhere)
    with pytest.raises((OutputError, StoreError)):
        a_batch(source, output, service).run()
    assert service.charges() == [] and models(output) == []
    assert [(f.name, f.stat().st_size) for f in elsewhere.iterdir()] == ([("file", 0)] if what == "manifest" else [])


def test_names_that_file_systems_take_for_one_and_names_of_devices_come_out_apart(tmp_path: Path, service: Any) -> None:
    names = ["CON", "con", "NUL.glb", "A", "a", "é", "e\u0301", "../../x", "-rf", "x" * 300, "dot. ", "\u202egnp"]
    images(tmp_path, "chair.png")
    rows = "".join(json.dumps({"image": "chair.png", "name": name, "seed": i}) + "\n" for i, name in enumerate(names))
    (tmp_path / "list.jsonl").write_text(rows)
    service.set_options(job_seconds=0.0)
    summary = a_batch(tmp_path / "list.jsonl", tmp_path / "out", service, concurrency=4).run()
    assert summary.done == len(names) == len(models(tmp_path / "out"))
    assert sorted(os.listdir(tmp_path)) == ["chair.png", "list.jsonl", "out"]
    assert len({name.lower() for name in models(tmp_path / "out")}) == len(names)


def test_images_whose_names_are_no_text_are_generated(tmp_path: Path, service: Any) -> None:
    source = tmp_path / "in"
    images(source, "\udcff\udce4.png", "\u202egnp.png", "a\nb.png", "-rf.png", "x" * 250 + ".png")
    service.set_options(job_seconds=0.0)
    assert a_batch(source, tmp_path / "out", service).run().done == 5
    assert a_batch(source, tmp_path / "out", service).run().skipped == 5
    assert len(models(tmp_path / "out")) == 5 and len(list(read_manifest(tmp_path / "out"))) == 5


LISTS: dict[str, tuple[bytes, str]] = {
    "UTF-16, as Excel's Unicode Text": ("image\na.png\n".encode("utf-16"), "not UTF-8"),
    "UTF-16 without a mark": ("image\na.png\n".encode("utf-16-le"), "NUL characters"),
    "a NUL": (b"image\na\0.png\n", "NUL characters"),
    "two marks": (b"\xef\xbb\xbf\xef\xbb\xbfimage\na.png\n", "there is no column"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + os.urandom(1000), "UTF-8|NUL|no column"),
    "a huge cell": (b"image\n" + b"a" * 200_000 + b"\n", "field larger"),
    "a huge line": (b"image\n" + b"a" * 3_000_000 + b"\n", "too long"),
    "a quote that does not end": (b'image\n"' + b"a\n" * 80_000, "field larger"),
}


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
def test_what_is_no_list_is_refused_in_words(tmp_path: Path, what: str, name: str) -> None:
    content, told = LISTS[what]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ListError, match=told if name == "list.csv" else name):
        list(read_items(tmp_path / name))


_ROWS = st.lists(JSON).map(lambda rows: "\n".join(map(json.dumps, rows)).encode())


@given(st.binary() | st.text().map(str.encode) | _ROWS)
def test_any_bytes_are_a_list_or_a_list_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name in ("any.csv", "any.jsonl"):
        (folder / name).write_bytes(content)
        with contextlib.suppress(ListError):
            for item in read_items(folder / name):
                assert item.key and item.image.name is not None


def test_a_pipe_is_no_list(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.csv")
    with pytest.raises(ListError, match="a pipe or a device"):
        list(read_items(tmp_path / "list.csv"))


def test_folders_as_deep_as_a_path_can_be_are_read(tmp_path: Path) -> None:
    """As deep as Python's own calls can't be, and neither those that would clean up after this test."""
    folders = list(itertools.accumulate(["d"] * 1500, Path.__truediv__, initial=tmp_path))
    try:
        for folder in folders[1:]:
            os.mkdir(folder)
        images(folders[-1], "a.png")
        (tmp_path / "circle").symlink_to(tmp_path)
        (item,) = read_items(tmp_path)
        assert item.image == folders[-1] / "a.png"
    finally:
        (folders[-1] / "a.png").unlink(missing_ok=True)
        for folder in reversed(folders[1:]):
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(folder)


HUGE = """
import resource, sys
from pathlib import Path
from pixal3d_addon.batch import *
from pixal3d_addon.errors import Pixal3DError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
folder = Path(sys.argv[1])
for read, path in ((read_items, folder / "list.csv"), (read_items, folder / "list.jsonl"), (read_manifest, folder)):
    try:
        list(read(path))
    except Pixal3DError as error:
        print(str(error)[-60:])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_line_of_a_gigabyte_takes_no_memory(tmp_path: Path) -> None:
    """The files are holes: a disk is not needed for them."""
    for name in ("list.csv", "list.jsonl", "manifest.jsonl"):
        (tmp_path / name).write_text('{"key":"' if name != "list.csv" else "image\n")
        os.truncate(tmp_path / name, 1 << 30)
    done = subprocess.run(
        [sys.executable, "-c", HUGE, tmp_path], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    *said, megabytes = done.stdout.splitlines()
    assert len(said) == 3 and int(megabytes) < 60, done.stdout + done.stderr
