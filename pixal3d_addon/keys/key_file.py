# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that nobody but its owner can read. Not on Windows, which has other rights and always a keyring."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from ..files import create_file
from . import limits
from .errors import KeyPlaceError

_MODE = 0o600


class KeyFile:
    """
    :param path: its folder is made when the key is first written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    def is_there() -> bool:
        """Whether this system has such files."""
        return os.name == "posix"

    def load(self) -> str:
        try:
            # No waiting for the other end of a pipe that stands there, and not through a link.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return ""
        except OSError as error:
            reason = "it is a symbolic link" if self.path.is_symlink() else _reason(error)
            raise self._unusable(reason) from None
        try:
            self._check(os.fstat(descriptor))
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(limits.MOST_BYTES + 1)
        except OSError as error:
            raise self._unusable(_reason(error)) from None
        finally:
            os.close(descriptor)
        if len(data) > limits.MOST_BYTES:
            raise self._unusable("it is too large")
        return data.decode(errors="replace").strip()

    def store(self, text: str) -> None:
        part = self.path.with_name(f"{self.path.name}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with create_file(part, _MODE) as file:
                    if os.fstat(file.fileno()).st_mode & 0o077:
                        raise KeyPlaceError(
                            "The key can't be kept in a file: this disk does not keep files from other users.",
                            "Choose another place.",
                        )
                    file.write(f"{text}\n".encode())
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(part, self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    part.unlink()
                raise
        except OSError as error:
            raise KeyPlaceError(
                f"The key can't be written to a file: {_reason(error)}.", "It stays where it was."
            ) from None

    def empty(self) -> None:
        try:
            self.path.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise KeyPlaceError(
                f"The key file can't be deleted: {_reason(error)}.", f"Delete {self.path} yourself."
            ) from None

    def _check(self, about: os.stat_result) -> None:
        if not stat.S_ISREG(about.st_mode):
            raise self._unusable("it is not a file")
        if about.st_uid != os.geteuid():
            raise self._unusable("it belongs to another user")
        if about.st_mode & 0o077:
            raise self._unusable("other users may read it")

    def _unusable(self, reason: str) -> KeyPlaceError:
        return KeyPlaceError(
            f"The key file is not used, because {reason}.", f"Look at {self.path}, and enter the key again."
        )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
