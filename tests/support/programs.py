# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the system, played by a few lines of Python. For tests on POSIX."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


def play(name: str, source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name, first on PATH, that runs `source`.

    :param folder: gets the program in its ``bin``.
    """
    program = folder / "bin" / name
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -SE\n{source}", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
