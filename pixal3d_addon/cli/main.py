# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was typed to an exit code."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence

from ..errors import Pixal3DError
from . import arguments as command_line
from . import batch, check, generate, jobs, quote
from .console import Console, OutputLostError
from .exit_codes import ExitCode, of_error

_COMMANDS: dict[str, Callable[[argparse.Namespace, Console], ExitCode]] = {
    "generate": generate.generate,
    "fetch": generate.fetch,
    "quote": quote.run,
    "jobs": jobs.run,
    "batch": batch.run,
    "check": check.run,
}


def main(argv: Sequence[str]) -> int:
    """Blender's main thread; blocks until all is done.

    What is not of :class:`..errors.Pixal3DError` is a fault of ours: Blender prints its traceback and ends with 1.
    """
    try:
        arguments = command_line.parse(argv)
    except SystemExit as end:  # argparse has printed what there is to say
        return int(end.code or 0)
    with Console(as_json=arguments.json) as console:
        try:
            return int(_carried_out(arguments, console))
        except OutputLostError as error:
            with contextlib.suppress(OSError):
                print(f"The output can't be written: {error}", file=sys.stderr, flush=True)
            return int(ExitCode.SOME_FAILED)


def _carried_out(arguments: argparse.Namespace, console: Console) -> ExitCode:
    try:
        return _COMMANDS[arguments.command](arguments, console)
    except Pixal3DError as error:
        code = of_error(error)
        console.report(error, code=code)
        return code
    except KeyboardInterrupt:
        console.warn("Interrupted.")
        return ExitCode.INTERRUPTED
