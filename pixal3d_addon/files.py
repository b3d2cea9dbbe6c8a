# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in folders where others may write too, and files that may be anything. For a worker; no bpy."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

_READ_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file to read it. A named pipe, which nobody may ever write to, would be waited for forever, and a device
    has no end.

    :raises OSError: it can't be read, or is no file; also for a name that no file can have.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _READ_AT_ONCE)
    except ValueError:  # a NUL in the name
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), os.fspath(path)) from None
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is a pipe or a device, and not a file", os.fspath(path))
    return open(descriptor, "rb")


def create_file(path: Path, mode: int = 0o666) -> BinaryIO:
    """A new file in the place of whatever has the name, to write to it. A link that somebody has put there, where a
    folder is shared, would lead to a file of ours elsewhere.

    :param mode: the rights that it has from the first moment on, less what the umask takes away.
    :raises OSError: it can't be made.
    """
    path.unlink(missing_ok=True)
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode))


def without_link(path: str | os.PathLike[str], flags: int) -> int:
    """As :func:`os.open`, but a link at the end of the path is not followed; also an ``opener``. As far as the umask
    lets others in, they may write what is made: the workers of a farm may be several users."""
    return os.open(path, flags | _NO_LINK, 0o666)
