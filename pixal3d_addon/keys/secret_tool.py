# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyring of Linux desktops (GNOME Keyring, KWallet, KeePassXC), through libsecret's program."""

from __future__ import annotations

import shutil
import threading

from . import tool
from .errors import KeyPlaceError

_PROGRAM = "secret-tool"
_ATTRIBUTES = ("application", "pixal3d-blender", "kind", "scenario-api-key")


class SecretTool:
    """Needs :func:`is_there`.

    :param stop: ends a program that is waited for.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    @staticmethod
    def is_there() -> bool:
        return shutil.which(_PROGRAM) is not None

    def load(self) -> str:
        answer = self._run("lookup", *_ATTRIBUTES)
        if answer.code == 0:
            return answer.output.strip()
        if answer.said:
            raise tool.refused(answer)
        # A locked keyring says the same as an empty one (0.21.8 with GNOME Keyring 51.1).
        if self._is_kept():
            raise KeyPlaceError("The system's keyring is locked.", "Unlock it and try again.")
        return ""

    def store(self, text: str) -> None:
        answer = self._run("store", "--label=Scenario API key (Pixal3D for Blender)", *_ATTRIBUTES, text=text)
        if answer.code:
            raise tool.refused(answer, text)

    def empty(self) -> None:
        answer = self._run("clear", *_ATTRIBUTES)  # its code is 1 also if there was nothing
        if answer.said:
            raise tool.refused(answer)
        if self._is_kept():
            raise KeyPlaceError("The system's keyring still holds the key.", "Unlock it, and remove the key there.")

    def _is_kept(self) -> bool:
        """Also while the keyring is locked."""
        answer = self._run("search", *_ATTRIBUTES)
        return bool(answer.output.strip())

    def _run(self, *arguments: str, text: str = "") -> tool.Answer:
        return tool.run((_PROGRAM, *arguments), text, stop=self._stop)
