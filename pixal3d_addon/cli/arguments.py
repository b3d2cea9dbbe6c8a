# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line as it is typed. The flags of the model's settings come from the table of parameters."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import bpy

from ..blender.exporter import SUFFIXES
from ..generation import Framing, ImportOptions
from ..parameters import SETTINGS, Group, Kind, Parameter, Value, complete, in_group
from ..scenario import USER_AGENT
from . import limits

PROGRAM = "blender --command pixal3d"

_PROGRAM_ONLINE = "blender --online-mode --command pixal3d"

_EXIT_CODES = f"""\
exit codes: 0 done, 1 some failed, 2 wrong use, 3 not allowed or no key, 4 service unreachable, 130 interrupted.
The key comes from SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or else from where the add-on keeps it.
If online access is off in this Blender: {_PROGRAM_ONLINE} ..."""

_TURNS = (0, 90, 180, 270)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """
    :raises SystemExit: after help, the version, or what is wrong (with exit code 2) was printed.
    """
    return parser().parse_args([*argv])


def parser() -> argparse.ArgumentParser:
    """With a subparser for each command; ``command`` is its name."""
    top = _Parser(
        PROGRAM, "Turn images into textured 3D models with Pixal3D, without a window.", "COMMAND --help tells more."
    )
    top.add_argument("--version", action="version", version=version())
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_CommandParser)

    generate = commands.add_parser("generate", help="images to one file with their models; this is charged")
    generate.add_argument("images", nargs="+", metavar="IMAGE", type=_file, help="image file")
    _add_output(generate)
    _add_placing(generate)
    _add_framing(generate)
    _add_settings(generate)

    quote = commands.add_parser("quote", help="the price of one model with these settings; free")
    quote.add_argument("image", nargs="?", metavar="IMAGE", type=_file, help="is uploaded if the service insists")
    _add_framing(quote)
    _add_settings(quote)

    jobs = commands.add_parser("jobs", help="what was generated on this computer, and what is under way")
    jobs.add_argument("--service", action="store_true", help="also the jobs of the Scenario project, begun anywhere")
    jobs.add_argument(
        "--limit",
        type=_count,
        default=limits.JOBS_SHOWN,
        metavar="N",
        help="so many of the newest (default: %(default)s)",
    )

    fetch = commands.add_parser("fetch", help="the models of jobs that were begun before, here or elsewhere; free")
    fetch.add_argument("jobs", nargs="+", metavar="JOB", type=_job, help="ID of a job, or the first column of `jobs`")
    _add_output(fetch)
    _add_placing(fetch)

    batch = commands.add_parser("batch", help="a folder or list of images to a folder of models; this is charged")
    batch.add_argument("source", metavar="FOLDER|LIST", type=_file, help="folder of images, or a .csv or .jsonl list")
    batch.add_argument(
        "--output", required=True, metavar="DIR", type=_file, help="folder of the results; the same one goes on"
    )
    batch.add_argument(
        "--format",
        default="glb",
        choices=[suffix[1:] for suffix in SUFFIXES],
        metavar="FORMAT",
        help=f"of the results: {', '.join(suffix[1:] for suffix in SUFFIXES)} (default: %(default)s)",
    )
    batch.add_argument(
        "--concurrency", type=_at_once, default=3, metavar="N", help="jobs at once (default: %(default)s)"
    )
    batch.add_argument(
        "--max-cu",
        type=_units,
        metavar="N",
        help="let all models of DIR together cost no more creative units, those done before included",
    )
    batch.add_argument("--dry-run", action="store_true", help="print what would be done and its price, and end")
    batch.add_argument("--retry-failed", action="store_true", help="pay again for jobs that failed before")
    batch.add_argument("--chunk", type=_chunk, metavar="K/N", help="only the K-th of N parts of the list, from 1")
    batch.add_argument("--no-contact-sheet", action="store_true", help="draw no thumbnails of the models")
    batch.add_argument("--openjd", action="store_true", help="as a task of Open Job Description: see docs/farm.md")
    _add_placing(batch)
    _add_settings(batch)

    commands.add_parser("check", help="whether everything is in place: a report for bug reports, without secrets")
    return top


def to_type_next(*words: str) -> str:
    """A command line that goes on from this one, under the same conditions."""
    program = _PROGRAM_ONLINE if bpy.app.online_access_override else PROGRAM
    return " ".join([program, *words])


def version() -> str:
    """Of everything that matters in a bug report."""
    ours = USER_AGENT.rpartition("/")[2]
    return f"Pixal3D {ours} (Blender {bpy.app.version_string}, Python {sys.version.split()[0]})"


def settings(arguments: argparse.Namespace) -> dict[str, object]:
    """The model's settings that were given, by identifier.

    :raises ParameterError: not all of them are valid.
    """
    given = {p.identifier: getattr(arguments, p.identifier) for p in SETTINGS}
    given = {identifier: value for identifier, value in given.items() if value is not None}
    complete(given)
    return given


def placing(arguments: argparse.Namespace) -> ImportOptions:
    """How the models stand in the file."""
    return ImportOptions(
        place_at="ORIGIN",
        turn=arguments.turn,
        height=arguments.height,
        shade_smooth=arguments.shade_smooth,
        merge_distance=arguments.merge_distance,
    )


def given_placing(arguments: argparse.Namespace) -> list[str]:
    """The flags of :func:`placing` that were given, to be typed again."""
    numbers = {"--height": arguments.height, "--turn": arguments.turn, "--merge-distance": arguments.merge_distance}
    smooth = ["--shade-smooth"] if arguments.shade_smooth else []
    return [*(f"{flag} {plain(value)}" for flag, value in numbers.items() if value), *smooth]


def framing(arguments: argparse.Namespace) -> Framing:
    """What of the image is sent."""
    return Framing(crop_to_subject=arguments.crop_to_subject, pad_to_square=arguments.pad_to_square)


def shown(values: Mapping[str, object]) -> str:
    """Settings as they would be typed."""
    return " ".join(
        f"--{'' if value is not False else 'no-'}{name.replace('_', '-')}"
        + ("" if isinstance(value, bool) else f" {value}")
        for name, value in values.items()
    )


class _Parser(argparse.ArgumentParser):
    """No abbreviations: a new flag would give an old script another meaning."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"{epilog}\n\n{_EXIT_CODES}".strip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )


class _CommandParser(_Parser):
    """For one command. A sentence in the list of commands is its description, too."""

    def __init__(self, prog: str, **others: object) -> None:  # Python 3.14 (Debian's Blender) hands on a `color`
        super().__init__(prog, _DESCRIPTIONS[prog.rpartition(" ")[2]])
        self.add_argument("--json", action="store_true", help="one JSON object a line on standard output")


_DESCRIPTIONS = {
    "generate": "Generate a model of each image, and write them to one file, side by side. This is charged.",
    "quote": "Ask for the price of one model with these settings. Nothing is charged, and no seed changes it.",
    "jobs": "List what was generated on this computer, here and in Blender's window, the newest first.",
    "fetch": "Write the models of jobs that were begun before to one file, side by side. Nothing is charged.",
    "batch": "Generate a model of each image of a folder or list. The same command again does only what is missing.",
    "check": "Report on everything that generating needs, fit for a bug report: secrets are not in it.",
}


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output", required=True, metavar="FILE", type=_file, help=f"what is written: {', '.join(SUFFIXES)}"
    )
    command.add_argument("--overwrite", action="store_true", help="write over a file that is there")


def _add_placing(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("Placing")
    group.add_argument(
        "--height", type=_meters, default=0.0, metavar="METERS", help="of the model, whatever --mesh-scale says"
    )
    group.add_argument(
        "--turn", type=int, choices=_TURNS, default=0, help="degrees about the vertical axis (default: %(default)s)"
    )
    group.add_argument("--shade-smooth", action="store_true", help="instead of the normals that are delivered")
    group.add_argument(
        "--merge-distance", type=_meters, default=0.0, metavar="METERS", help="merge vertices that are closer"
    )


def _add_framing(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("Image")
    group.add_argument("--crop-to-subject", action="store_true", help="send only what is not background")
    group.add_argument("--pad-to-square", action="store_true", help="send a square")


def _add_settings(command: argparse.ArgumentParser) -> None:
    for group in Group:
        if parameters := list(in_group(group)):
            under = command.add_argument_group(group.value)
            for parameter in parameters:
                _add_setting(under, parameter)


def _add_setting(group: argparse._ArgumentGroup, parameter: Parameter) -> None:
    """What is given is checked by the table, so that all that is wrong is told at once, in its words."""
    flag = f"--{parameter.identifier.replace('_', '-')}"
    text = parameter.tooltip.replace("%", "%%")
    if parameter.kind is Kind.SWITCH:
        default = "on" if parameter.default else "off"
        group.add_argument(flag, action=argparse.BooleanOptionalAction, help=f"{text} (default: {default})")
        return
    if parameter.kind is Kind.CHOICE:
        metavar = f"{{{','.join(map(str, parameter.choices))}}}"
    else:
        metavar = "N" if parameter.kind is not Kind.NUMBER else "X"
        text += f"; {plain(parameter.minimum)} to {plain(parameter.maximum)}"
    default = "random" if parameter.default is None else plain(parameter.default)
    group.add_argument(flag, metavar=metavar, help=f"{text} (default: {default})")


def plain(value: Value) -> str:
    """A number as it would be typed."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _file(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # no user of that name: a file whose name begins with a tilde
        return Path(text).absolute()


def _job(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text.strip()


def _meters(text: str) -> float:
    number = _number(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of meters")
    return number


def _units(text: str) -> float | None:
    """``None`` is without end; ``inf`` spells it where an argument can't be left out."""
    number = _number(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of creative units")
    return None if number == float("inf") else number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _at_once(text: str) -> int:
    return _count(text, limits.MOST_AT_ONCE)


def _count(text: str, most: int = limits.MOST_COUNTED) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {most}")
    return int(text)


def _chunk(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is not K/N with 1 <= K <= N, such as 2/8")
    return int(part), int(parts)
