# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders of records and results are whatever an artist, an administrator or a stranger has made of them.

Either they work or the artist is told before anything leaves the machine; and nothing outside of them is written to.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.files import create_file, open_file
from pixal3d_addon.generation import (
    Manager,
    Settings,
    SourceImageError,
    State,
    Store,
    StoreError,
    limits,
    source_image_from_file,
)
from pixal3d_addon.generation.ownership import is_alive, locked
from pixal3d_addon.generation.source import write_source
from pixal3d_addon.scenario import Connection, inspect_glb

from .images import a_generation, a_png, an_image, until
from .processes import PROJECT

pytestmark = [
    pytest.mark.usefixtures("quick"),
    pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and users of Unix"),
]

LONG = "Ergebnisse_" + "x" * 189
STRANGE = "Größe 椅子 🪑 \u202e\x07 ' \" $(x) \udcff"
"""With a character that turns the direction, a bell, quotes, and a byte that is no UTF-8."""


def folders(tmp_path: Path, which: str, place: Path) -> Manager:
    store, results = tmp_path / "store", tmp_path / "results"
    return Manager(place, Settings(results=results)) if which == "store" else Manager(store, Settings(results=place))


def as_link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir()
    place.symlink_to(place.parent / "elsewhere")


@pytest.mark.parametrize("which", ["store", "results"])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("link", as_link),
        (LONG, lambda place: None),
        (f"{LONG}/{LONG[:150]}", lambda place: None),
        (STRANGE, lambda place: place.mkdir()),
        (" spaces at both ends ", lambda place: None),
        ("-rf", lambda place: None),
    ],
    ids=["a link", "long", "a long path", "strange", "spaces", "a dash"],
)
def test_a_folder_that_is_odd_works(
    tmp_path: Path, service: Any, connection: Connection, which: str, name: str, make: Callable[[Path], None]
) -> None:
    service.set_options(job_seconds=0.0)
    place = tmp_path / name
    make(place)
    manager = folders(tmp_path, which, place)
    ready = manager.run(a_generation(), an_image(), connection)
    assert inspect_glb(Path(ready.glb_file)) and manager.store.get(ready.id) == ready
    assert which == "store" or Path(ready.glb_file).is_relative_to(place)
    manager.close()


@pytest.mark.parametrize("which", ["store", "results"])
@pytest.mark.parametrize(
    "make",
    [
        lambda place: place.write_text("in the way"),
        lambda place: place.symlink_to(place.parent / "missing" / "folder"),
        lambda place: place.symlink_to(place),
        lambda place: os.mkfifo(place),
        lambda place: place.symlink_to("/dev/null"),
        lambda place: place.symlink_to("/proc/self/fdinfo"),
    ],
    ids=["a file", "a dangling link", "a link to itself", "a pipe", "a device", "no real folder"],
)
def test_a_folder_that_cannot_be_used_is_told_before_anything_leaves_the_machine(
    tmp_path: Path, service: Any, connection: Connection, which: str, make: Callable[[Path], object]
) -> None:
    place = tmp_path / "place"
    make(place)
    manager = folders(tmp_path, which, place)
    before = len(service.requests())
    with pytest.raises((StoreError, SourceImageError), match="place"):
        manager.run(a_generation(), an_image(), connection)
    assert len(service.requests()) == before
    manager.close()


def test_a_pipe_in_the_place_of_the_records_is_told(tmp_path: Path, service: Any, connection: Connection) -> None:
    os.mkfifo(tmp_path / "generations.sqlite3")
    manager = Manager(tmp_path)
    before = len(service.requests())
    with pytest.raises(StoreError):
        manager.run(a_generation(), an_image(), connection)
    assert len(service.requests()) == before
    manager.close()


AS_NOBODY = """
import os, sys
from pathlib import Path
import requests, sqlite3, fcntl, ssl, encodings.idna
from pixal3d_addon.generation import *
from pixal3d_addon.generation import limits
from pixal3d_addon.parameters import complete
from pixal3d_addon.scenario import Connection, Credentials
from tests.unit.generation.images import a_png

store, results, url, key, secret = sys.argv[1:]
if os.geteuid() == 0:  # for whom rights do not hold; all must be imported by now
    os.seteuid(65534)
manager = Manager(Path(store), Settings(results=Path(results)))
try:
    connection = Connection(Credentials(key, secret), url)
    manager.run(Generation("disk", complete({})), SourceImage("disk", a_png()), connection)
except GenerationError as error:
    print(type(error).__name__, error)
manager.close()
"""


@pytest.mark.parametrize(
    ("rights", "which"),
    [(0o000, "store"), (0o555, "store"), (0o000, "results"), (0o555, "results"), (0o600, "results")],
)
def test_missing_rights_are_told_before_anything_leaves_the_machine(
    open_to_all: Path, service: Any, rights: int, which: str
) -> None:
    for name in ("store", "results"):
        (open_to_all / name).mkdir()
        (open_to_all / name).chmod(rights if name == which else 0o777)
    before = len(service.requests())
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, open_to_all / "store", open_to_all / "results", service.base_url, "k", "s"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    (open_to_all / which).chmod(0o777)
    assert done.returncode == 0, done.stderr
    assert "Error The folder of the generations can't be used" in done.stdout and which in done.stdout
    assert "Permission denied" in done.stdout and "that you may write to" in done.stdout
    assert len(service.requests()) == before


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o077, 0o600, 0o700), (0o027, 0o640, 0o750)])
def test_what_is_written_is_as_private_as_the_artist_wants_files_to_be(
    tmp_path: Path, service: Any, connection: Connection, umask: int, file: int, folder: int
) -> None:
    service.set_options(job_seconds=0.0)
    before = os.umask(umask)
    try:
        manager = Manager(tmp_path / "store", Settings(results=tmp_path / "results"))
        manager.run(a_generation(), an_image(), connection)
        found = [path for path in tmp_path.rglob("*") if not path.name.endswith(("-wal", "-shm"))]
        assert {path.name for path in found} >= {"generations.sqlite3", "model.glb", "source.png", "in-use.lock"}
        for path in found:
            allowed = folder if path.is_dir() else file
            assert stat.S_IMODE(path.stat().st_mode) & ~allowed == 0, path
        manager.close()
    finally:
        os.umask(before)


def test_a_link_where_a_file_is_about_to_be_written_leads_nowhere(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("source.png.part", "source.png"):
        (folder / name).symlink_to(precious)
    os.link(precious, folder / "hard.part")
    written = write_source(an_image(), folder, threading.Event())
    assert written.path.read_bytes() == a_png() and not written.path.is_symlink()
    with create_file(folder / "hard.part") as file:
        file.write(b"new")
    assert precious.read_text() == "precious"


def test_locks_are_not_taken_through_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (tmp_path / "a.lock").symlink_to(precious)
    with pytest.raises(OSError), locked(tmp_path / "a.lock"):
        pass
    assert not precious.exists()
    precious.touch()
    assert is_alive(tmp_path, "a") and precious.exists(), "nothing is taken over by way of it"


def test_images_that_are_no_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "folder.png").mkdir()
    odd = [
        tmp_path / name for name in ("pipe.png", "loop.png", "folder.png", "x" * 300, "a\0.png", "/".join("x" * 3000))
    ]
    for path in (*odd, Path("/dev/zero"), Path("/proc/self/mem"), Path("/dev/null")):
        with pytest.raises(SourceImageError):
            write_source(source_image_from_file(path), tmp_path, threading.Event())
        with pytest.raises(OSError), open_file(path) as file:
            file.read(16)
    assert not list(tmp_path.glob("source*"))


def test_an_image_that_grows_while_it_is_copied_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pixal3d_addon.generation import limits, source

    monkeypatch.setattr(limits, "MAX_SOURCE_BYTES", 5000)
    monkeypatch.setattr(source, "_COPY_CHUNK_BYTES", 100)
    image = tmp_path / "image.png"
    image.write_bytes(a_png()[:1000])
    real = source._mime_or_error

    def growing(*arguments: Any) -> str:
        with image.open("ab") as file:
            file.write(bytes(100_000))
        return real(*arguments)

    monkeypatch.setattr(source, "_mime_or_error", growing)
    written = write_source(source_image_from_file(image), tmp_path, threading.Event())
    assert written.size == 5000


def test_a_model_fits_where_its_image_did() -> None:
    """Windows takes 260 characters for a path. That a results folder is too deep is said when the image is written:
    before anything is paid for."""
    from pixal3d_addon.generation.source import _EXTENSION

    shortest = min(len(f"source{extension}.part") for extension in _EXTENSION.values())
    assert shortest >= len("model.glb.part")


def test_records_that_cannot_be_read_are_told_once_and_listed_as_soon_as_they_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that is full or may only be read for days, as seen every few moments."""
    earlier = Store(tmp_path)
    ended = earlier.save(a_generation("earlier", state=State.FAILED))
    left = earlier.save(a_generation("left", state=State.READY, glb_file=__file__))
    earlier.release()
    shutil.rmtree(tmp_path / "owners")
    (tmp_path / "owners").write_text("in the way")
    manager = Manager(tmp_path)
    manager.resume()
    until(lambda: manager.notice and not manager.is_busy, "the trouble")
    assert "can't be used" in manager.notice
    time.sleep(5 * limits.TAKE_OVER_SECONDS)
    assert len(caplog.records) == 1 and manager.history() == ()
    (tmp_path / "owners").unlink()
    until(lambda: {s.generation.id for s in manager.history()} == {ended.id, left.id}, "the records")
    until(lambda: manager.notice == "", "the end of the trouble")
    manager.close()
