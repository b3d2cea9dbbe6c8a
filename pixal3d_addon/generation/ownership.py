# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process a record belongs to, with several Blenders on one store.

Each process holds a lock on a file of its own for as long as it lives. The operating system lets go of the lock when
the process ends, however it ends, so a dead owner is known at once and surely; a process number could be another's by
now, and a heartbeat would stop while the machine sleeps.
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from pathlib import Path

_SUFFIX = ".lock"


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
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                # Between the two another process may have tried the lock, found it free, and removed the file.
                if _try_lock(descriptor) and path.exists():
                    self._token, self._descriptor = token, descriptor
                else:
                    os.close(descriptor)
            return self._token

    def release(self) -> None:
        """Let go: what is still unfinished may be taken over, by this process too."""
        if self._token:
            os.close(self._descriptor)
            with contextlib.suppress(OSError):
                (self._folder / f"{self._token}{_SUFFIX}").unlink()
        self._token, self._descriptor = "", -1


def is_alive(folder: Path, token: str) -> bool:
    """Whether the process of that token still runs. Removes the lock file of one that doesn't."""
    path = folder / f"{token}{_SUFFIX}"
    try:
        with path.open("r+b") as file:
            if not _try_lock(file.fileno()):
                return True
    except FileNotFoundError:
        return False
    with contextlib.suppress(OSError):
        path.unlink()
    return False


def _try_lock(descriptor: int) -> bool:
    """Lock the open file for this descriptor, if nobody has. The lock ends with the descriptor."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
