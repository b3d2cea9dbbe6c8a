# SPDX-License-Identifier: GPL-3.0-or-later
"""Another Blender like this one, without a window, that carries out one order after the other.

An order is a JSON object that it gets as a line on its standard input; its answer is a line of JSON after a mark, since
Blender prints lines of its own. What it runs is a script beside this file (``*_in_blender.py``). It has no key, no
network and no add-ons, runs at low priority, and ends when this process does, however that ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    import subprocess

MARK = "pixal3d-answer:"
"""What an answer begins with."""

_SWITCHES = ("--background", "--factory-startup", "--offline-mode", "--python-exit-code", "1")


def command(script: str) -> list[str]:
    """How it is started: as this Blender, or, where this is the ``bpy`` module, as its Python. Main thread.

    :param script: its name in this folder.
    """
    path = str(Path(__file__).with_name(script))
    if not bpy.app.binary_path:
        return [sys.executable, path, MARK]
    return [bpy.app.binary_path, *_SWITCHES, "--python", path, "--", MARK]


class SecondBlender:
    """One thread at a time, no matter which; :meth:`stop` from any.

    :param command: see :func:`command`.
    """

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._child: subprocess.Popen[str] | None = None
        self.has_crashed = False
        """Whether it did over its last order, of the kind of fault for which a system ends a program."""
        self._stopped = threading.Event()

    @property
    def is_started(self) -> bool:
        """Whether one is there, or was until it died over an order."""
        return self._child is not None

    @property
    def is_stopped(self) -> bool:
        """Whether no further order is taken."""
        return self._stopped.is_set()

    def start(self) -> None:
        """Have it ready for the first order; returns at once.

        :raises OSError: it can't be started.
        """
        if self._child is None:
            self._child = _started(self._command)

    def ask(self, order: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Its answer; ``None`` if it died over the order, took longer than `seconds`, or was stopped. It is ended then,
        and the next order starts another one.

        :raises OSError: it can't be started, or died before it took the order.
        """
        answer, self.has_crashed = None, False
        try:
            self.start()
            assert self._child is not None
            if not self._stopped.is_set():
                answer = _asked(self._child, order, seconds)
                self.has_crashed = answer is None and _is_crash(self._child.returncode)
        finally:
            if answer is None:
                self.end()
        return answer

    def end(self) -> None:
        """End it, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with contextlib.suppress(OSError):  # an order that it did not take
                child.communicate()

    def stop(self) -> None:
        """No further orders, and the one under way ends too. Returns at once."""
        self._stopped.set()
        child = self._child
        if child is not None:
            child.kill()


def _asked(child: subprocess.Popen[str], order: dict[str, Any], seconds: float) -> dict[str, Any] | None:
    assert child.stdin is not None and child.stdout is not None
    limit = threading.Timer(seconds, child.kill)
    limit.name = "pixal3d-second-blender-limit"
    limit.daemon = True
    limit.start()
    try:
        child.stdin.write(f"{json.dumps(order)}\n")
        child.stdin.flush()
        for line in child.stdout:
            if line.startswith(MARK):
                answer: dict[str, Any] = json.loads(line.removeprefix(MARK))
                return answer
        child.wait()
        return None
    finally:
        limit.cancel()


def _is_crash(code: int) -> bool:
    """A signal, or an exception of Windows; not the one that ends a program from outside."""
    return -code in {signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGFPE} or code >= 0xC0000000


def _started(command: list[str]) -> subprocess.Popen[str]:
    """A session of its own: Ctrl-C in the terminal is for who started it."""
    import subprocess  # not at Blender's start

    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCENARIO_")}
    system: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        system = {"creationflags": flags}
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        **system,
    )
