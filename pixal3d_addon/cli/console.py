# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command says: a line that changes on a terminal, plain lines elsewhere, or JSON.

Blender, its importers and its exporters print lines of their own to standard output, past Python too. So file
descriptor 1 is led to standard error (on a terminal, where they would break the line, to nowhere), and only what is
said here comes to standard output. It is not led back: what is still in the C library's buffer comes out when Blender
ends, which it does next.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from types import TracebackType
from typing import Self, TextIO

from ..errors import Pixal3DError

_USUAL_COLUMNS = 80


class OutputLostError(Exception):
    """What is said can't be written any more: the pipe was closed, as by ``| head``, or the disk is full."""


class Console:
    """One for each run, as a context manager. Main thread.

    :param as_json: only JSON goes to standard output, one object a line; what is for people goes to standard error.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json = as_json
        self._ending = contextlib.ExitStack()
        self._line = ""
        """What stands in the terminal's last line, to be overwritten."""

    def __enter__(self) -> Self:
        sys.stdout.flush()
        self._out: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
        self._people: TextIO = sys.stderr if self._as_json else self._out
        self._is_terminal = self._people.isatty() and os.environ.get("TERM") != "dumb"
        elsewhere = self._ending.enter_context(open(os.devnull, "w")) if self._is_terminal else sys.stderr
        os.dup2(elsewhere.fileno() if self._is_terminal else 2, 1)
        self._ending.enter_context(contextlib.redirect_stdout(elsewhere))  # Python's need not be descriptor 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OutputLostError):
            self.clear()
        self._ending.close()
        with contextlib.suppress(OSError):  # what is still in its buffer, if that could not be written before
            self._out.close()

    def say(self, text: str) -> None:
        """A line for people."""
        self.clear()
        self._print(text, self._people)

    def tell(self, event: str, **fields: object) -> None:
        """A line for programs; nothing without ``--json``."""
        if self._as_json:
            self._print(json.dumps({"event": event, **fields}), self._out)

    def report(self, error: Pixal3DError, *, code: int) -> None:
        """What ends the run."""
        self.clear()
        self._print(str(error), sys.stderr)
        hint = getattr(error, "remedy", "")
        self.tell("error", error=getattr(error, "message", str(error)), hint=hint, code=code)

    def warn(self, text: str) -> None:
        """To standard error."""
        self.clear()
        self._print(text, sys.stderr)

    def show(self, text: str) -> None:
        """The line that changes. Nothing where there is no terminal."""
        if not self._is_terminal or text == self._line:
            return
        width = self._width()
        text = text[:width]
        self._print("\r" + text.ljust(min(len(self._line), width)), self._people, end="")
        self._line = text

    def _width(self) -> int:
        """Of the terminal, without the last column: some go on to the next line with it."""
        try:
            columns = os.get_terminal_size(self._people.fileno()).columns
        except OSError:
            columns = 0
        return (columns or _USUAL_COLUMNS) - 1

    @property
    def is_terminal(self) -> bool:
        """Whether :meth:`show` shows anything."""
        return self._is_terminal

    def clear(self) -> None:
        """Take the line that changes away."""
        if self._line:
            self._print("\r" + " " * len(self._line) + "\r", self._people, end="")
            self._line = ""

    @staticmethod
    def _print(text: str, file: TextIO, *, end: str = "\n") -> None:
        """
        :raises OutputLostError: it can't be written.
        """
        try:
            print(text, end=end, file=file, flush=True)
        except OSError as error:
            raise OutputLostError(str(error)) from error
