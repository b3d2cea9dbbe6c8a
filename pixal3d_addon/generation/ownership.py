# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process a record belongs to, with several Blenders on one store.

Each process holds a lock on a file of its own for as long as it lives. The operating system lets go of the lock when
the process ends, however it ends, so a dead owner is known at once and surely; a process number could be another's by
now, and a heartbeat would stop while the machine sleeps.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ..files import without_link
from . import limits

_SUFFIX = ".lock"
_TOKEN = re.compile(r"[0-9A-Za-z_-]{1,64}")


class Owner:
    """This process, as the owner of records. The lock is taken at the first use of :attr:`token`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._token = ""
        self._descriptor = -1
        self._taking = threading.Lock()

    @property
    def token(self) -> str:
        """What stands in the record. Any thread but the main one: it waits for the disk.

        :raises OSError: the lock file can't be made.
        """
        with self._taking:
            while not self._token:
                self._folder.mkdir(parents=True, exist_ok=True)
                token = uuid.uuid4().hex
                path = self._folder / f"{token}{_SUFFIX}"
                descriptor = without_link(path, os.O_RDWR | os.O_CREAT)
                # Between the two another process may have tried the lock, found it free, and removed the file.
                if _try_lock(descriptor) and path.exists():
                    self._token, self._descriptor = token, descriptor
                else:
                    os.close(descriptor)
            return self._token

    def release(self) -> None:
        """Let go: what is still unfinished may be taken over, by this process too."""
        with self._taking:
            if self._token:
                os.close(self._descriptor)
                with contextlib.suppress(OSError):
                    (self._folder / f"{self._token}{_SUFFIX}").unlink()
            self._token, self._descriptor = "", -1


def is_alive(folder: Path, token: str) -> bool:
    """Whether the process of that token still runs. Removes the lock file of one that doesn't."""
    if not _TOKEN.fullmatch(token):
        return False  # nobody's: a damaged record, or one that leads to a file elsewhere
    path = folder / f"{token}{_SUFFIX}"
    try:
        with open(path, "r+b", opener=without_link) as file:
            if not _try_lock(file.fileno()):
                return True
    except FileNotFoundError:
        return False
    except OSError:
        return True  # another user's Blender, as far as can be seen
    with contextlib.suppress(OSError):
        path.unlink()
    return False


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """While the block lasts, no other process or thread is in one for the same `path`. For a worker: it waits.

    :param shared: others that share it may be in theirs. Windows has no such lock; there nobody is kept out.
    :raises OSError: the file can't be made, or another one holds it for too long.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = without_link(path, os.O_RDWR | os.O_CREAT)
    try:
        deadline = time.monotonic() + limits.LOCK_PATIENCE_SECONDS
        while not _try_lock(descriptor, shared=shared):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is locked by another program")
            time.sleep(limits.STORE_BUSY_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock the open file for this descriptor, if nobody has. The lock ends with the descriptor.

    :raises OSError: the file system has no locks.
    """
    if os.name == "nt":
        import msvcrt

        try:
            if not shared:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
