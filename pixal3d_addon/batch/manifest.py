# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a folder of results: a file of lines that only grows, and the truth about what is done.

Each line tells all that is known of one item, and the newest one of an item counts. Whoever writes or decides holds the
lock on a file beside it, and has read what others wrote before. The file is opened anew each time: on a shared folder
that is what brings the lines of other machines (NFS, close-to-open).
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ..files import without_link
from ..generation.ownership import locked
from . import limits
from .entry import Entry, EntryState, ForeignEntryError
from .errors import OutputError
from .scratch import scratch

MANIFEST_NAME: Final = "manifest.jsonl"
WORK_FOLDER_NAME: Final = ".work"
"""In the folder of the results: what is under way."""

_BEGINNING: Final = b'{"key":"'
"""Of each line, as :meth:`.Entry.to_line` writes it."""
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})

_log = logging.getLogger(__name__)


class Manifest:
    """Any thread, one at a time. Keeps nothing of the file in memory but how far it was read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / WORK_FOLDER_NAME
        self._file = folder / MANIFEST_NAME
        self.end = 0
        """So many bytes were read, up to the end of a line."""

    def begin(self) -> None:
        """See that the file is there. It comes before :attr:`work`: so that folder without it says that the file was
        taken away, and with it all that says what is paid for.

        :raises OutputError: it was; or it can't be made, or leads elsewhere.
        """
        with self._as_output_error():
            if self.work.is_symlink():  # put there by somebody who may write to the results, but not to where it leads
                raise OutputError(f"{self.work} is a link. Delete it, or name another folder.")
            if self._file.exists():
                return
            self._ensure_not_gone()
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file.touch()
            if os.name != "nt":
                _sync_folder(self.folder)

    def _ensure_not_gone(self) -> None:
        if self.work.exists() or self.end:
            raise OutputError(
                f"{self._file} is gone, which says what is paid for. Put it back. To pay for everything again, delete "
                f"{self.work} too."
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """While the block lasts nobody else writes.

        :raises OutputError: the lock can't be had.
        """
        self.begin()
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self.work / "manifest.lock"))
            except TimeoutError as error:
                raise OutputError(f"{error}. Try again, or look for a program that hangs.") from error
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise unusable(self.folder, error) from error
                raise OutputError(
                    f"The file system of {self.folder} has no file locks, without which nothing keeps two processes "
                    "from paying for the same image. Use a folder on another disk, or mount this one with locks."
                ) from error
            yield

    def read_on(self, take: Callable[[int, Entry], None]) -> None:
        """Tell of the lines that are new since the last call: where each begins, and what it says.

        A line that is not whole, since a disk was full or a machine lost its power, is not told.

        :raises OutputError: the file can't be read, is not as it was, or is no manifest.
        """
        with self._as_output_error():
            try:
                file = open(self._file, "rb", opener=without_link)
            except FileNotFoundError:
                self._ensure_not_gone()
                return
            with file:
                if os.fstat(file.fileno()).st_size < self.end:
                    raise OutputError(f"{self._file} is shorter than it was. Nothing but a batch may change it.")
                file.seek(self.end)
                while line := file.readline(limits.LINE_BYTES):
                    if not line.endswith(b"\n"):
                        if len(line) == limits.LINE_BYTES:
                            raise self._foreign(line)
                        return  # somebody is writing it, or died while doing so
                    if entry := self._entry(line):
                        take(self.end, entry)
                    self.end += len(line)

    def entry_at(self, start: int) -> Entry:
        """The line that begins there.

        :raises OutputError: there is none.
        """
        with self._as_output_error(), open(self._file, "rb", opener=without_link) as file:
            file.seek(start)
            entry = self._entry(file.readline(limits.LINE_BYTES))
        if entry is None:
            raise OutputError(f"{self._file} is not as it was. Nothing but a batch may change it.")
        return entry

    def append(self, entry: Entry, *, sync: bool) -> None:
        """Write a line, with the lock held, whole or not at all.

        :param sync: on return it is on the disk, whatever happens to the machine.
        :raises OutputError: it can't be written.
        """
        with self._as_output_error():
            with open(self._file, "ab", buffering=0, opener=without_link) as file:
                end = file.tell()
                line = entry.to_line()
                if end and not self._ends_a_line(end):
                    line = b"\n" + line
                try:
                    while line:
                        line = line[file.write(line) :]
                except OSError:
                    with contextlib.suppress(OSError):
                        file.truncate(end)
                    raise
                if sync:
                    os.fsync(file.fileno())

    def _ends_a_line(self, end: int) -> bool:
        with self._file.open("rb") as file:
            file.seek(end - 1)
            return file.read(1) == b"\n"

    def _entry(self, line: bytes) -> Entry | None:
        try:
            return Entry.from_line(line)
        except ValueError as error:
            if _is_newer(line):
                raise OutputError(f"A newer version of Pixal3D has written {self._file}. Use that one.") from None
            text = line.strip(b"\0 \t\r\n")  # zeros: what some file systems make of a file's end without power
            is_torn = text.startswith(_BEGINNING) or _BEGINNING.startswith(text)
            if isinstance(error, ForeignEntryError) or not is_torn:
                raise self._foreign(text) from None
            if text:
                _log.warning("A line of %s can't be read and is left out: %r", self._file, error)
            return None

    def _foreign(self, line: bytes) -> OutputError:
        return OutputError(
            f"{self._file} holds what no batch has written ({line[:40].decode(errors='replace')}…). Put it back as it "
            "was, or name another folder: what is paid for can't be told from it."
        )

    @contextlib.contextmanager
    def _as_output_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unusable(self.folder, error) from error


def unusable(folder: Path, error: OSError) -> OutputError:
    """The error for a folder of results that the system refuses."""
    return OutputError(
        f"The folder of the results can't be used ({error.strerror or error}). "
        f"Check that there is space on the disk and that you may write to {folder}."
    )


def read_manifest(folder: Path) -> Iterator[Entry]:
    """The newest entry of each item in the folder's manifest, the item that was begun first before the others. Takes no
    lock, changes nothing, and keeps nothing in memory.

    :raises OutputError: it can't be read.
    """
    manifest = Manifest(folder)
    with contextlib.closing(scratch("CREATE TABLE entries (key TEXT PRIMARY KEY, first, newest)")) as database:

        def take(start: int, entry: Entry) -> None:
            database.execute(
                "INSERT INTO entries VALUES (?1, ?2, ?2) ON CONFLICT (key) DO UPDATE SET newest = ?2",
                (entry.key, start),
            )

        manifest.read_on(take)
        for (start,) in database.execute("SELECT newest FROM entries ORDER BY first"):
            yield manifest.entry_at(start)


def _is_newer(line: bytes) -> bool:
    """Whether it is a whole line with a state that this version does not know."""
    try:
        state = json.loads(line)["state"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return isinstance(state, str) and state not in EntryState.__members__.values()


def _sync_folder(folder: Path) -> None:
    """The file's name is on the disk too. Some shared file systems refuse it, and need not be asked."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
