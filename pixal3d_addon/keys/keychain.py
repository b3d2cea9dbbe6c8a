# SPDX-License-Identifier: GPL-3.0-or-later
"""macOS's keychain, through the system's own program.

What it is told on its command line anybody on the computer can read, so the key goes to its interactive mode on
standard input, in base64, which needs no quoting there. In that mode it does not say whether a command failed.
"""

from __future__ import annotations

import base64
import binascii
import threading
from pathlib import Path

from . import tool
from .errors import KeyPlaceError

_PROGRAM = "/usr/bin/security"
_ITEM = ("-s", "pixal3d-for-blender", "-a", "scenario-api-key")
_NOT_FOUND = 44
"""errSecItemNotFound, as an exit code."""


class Keychain:
    """Needs :func:`is_there`.

    :param stop: ends a program that is waited for.
    """

    def __init__(self, stop: threading.Event, program: str = _PROGRAM) -> None:
        self._stop = stop
        self._program = program

    @staticmethod
    def is_there() -> bool:
        return Path(_PROGRAM).is_file()

    def load(self) -> str:
        answer = self._run("find-generic-password", *_ITEM, "-w")
        if answer.code == _NOT_FOUND:
            return ""
        if answer.code:
            raise tool.refused(answer)
        try:
            return base64.b64decode(answer.output.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise KeyPlaceError("What is kept there is not a Scenario API key.", "Enter the key again.") from None

    def store(self, text: str) -> None:
        encoded = base64.b64encode(text.encode()).decode()
        command = " ".join(("add-generic-password", "-U", *_ITEM, "-w", encoded))
        answer = self._run("-i", text=f"{command}\n")
        if answer.code:
            raise tool.refused(answer, text, encoded)

    def empty(self) -> None:
        answer = self._run("delete-generic-password", *_ITEM)
        if answer.code not in (0, _NOT_FOUND):
            raise tool.refused(answer)

    def _run(self, *arguments: str, text: str = "") -> tool.Answer:
        return tool.run((self._program, *arguments), text, stop=self._stop)
