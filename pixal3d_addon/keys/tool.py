# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program of the system that keeps secrets. A secret goes in and comes out through pipes only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import limits
from .errors import KeyPlaceError


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program did. The repr does not show what it printed."""

    code: int
    output: str = field(repr=False)
    said: str = field(repr=False)
    """On standard error, on one line."""


def run(command: Sequence[str], text: str = "", *, stop: threading.Event) -> Answer:
    """Wait for the program's end. It gets `text` on standard input, and no key in its environment.

    :raises KeyPlaceError: it can't be started, takes too long, or `stop` was set. It is ended then.
    """
    import subprocess  # not at Blender's start

    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCENARIO_")}
    pipe = subprocess.PIPE
    try:
        # A session of its own: Ctrl-C in the terminal is for who started it.
        process = subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as error:
        raise KeyPlaceError(f"The system's keyring can't be used: {error.strerror}.", _REMEDY) from None
    given: bytes | None = text.encode()
    deadline = time.monotonic() + limits.TOOL_SECONDS
    try:
        while True:
            try:
                output, said = process.communicate(given, timeout=limits.TOOL_LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                given = None  # is on its way
            if stop.is_set():
                raise KeyPlaceError("Asking the system's keyring was stopped.")
            if time.monotonic() > deadline:
                raise KeyPlaceError(
                    "The system's keyring does not answer. It may be waiting for its password.", _REMEDY
                )
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
    words = " ".join(said.decode(errors="replace").split())
    return Answer(process.returncode, output.decode(errors="replace"), words)


def refused(answer: Answer, *secrets: str) -> KeyPlaceError:
    """For an answer that is none: with the program's own words, unless the secret is among them."""
    words = answer.said[: limits.WORDS_OF_TOOL]
    if not words or any(secret in answer.said for secret in secrets):
        words = f"exit code {answer.code}"
    return KeyPlaceError(f"The system's keyring refused: {words.rstrip('.')}.", _REMEDY)


_REMEDY = "Unlock the keyring and try again, or enter the key in the fields."
