# SPDX-License-Identifier: GPL-3.0-or-later
"""``batch --openjd``: as a task of Open Job Description. See docs/farm.md; the template is in scripts/openjd."""

from __future__ import annotations

import argparse

from ..batch import Event, Summary
from .console import Console
from .exit_codes import ExitCode


def tell(event: Event, console: Console) -> None:
    """How far the task is, in the engine's words: "Stdout/Stderr Messages" in the specification's How Jobs Are Run."""
    if event.total:
        console.say(f"openjd_progress: {100.0 * (event.done + event.failed) / event.total:.1f}")
    failed = f", {event.failed} failed" if event.failed else ""
    console.say(f"openjd_status: {event.done} of {event.total} done{failed}")


def exit_code(arguments: argparse.Namespace, summary: Summary) -> ExitCode:
    """A part of the list succeeds although images failed: else the step that depends on it, and that makes what is
    missing and tells what failed, would never begin.
    """
    is_complete = not (summary.failed or summary.uncertain or summary.left)
    return ExitCode.DONE if is_complete or arguments.chunk else ExitCode.SOME_FAILED
