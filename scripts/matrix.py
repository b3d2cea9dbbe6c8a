# SPDX-License-Identifier: GPL-3.0-or-later
"""The test matrix: what is run, in which environment, with which Blender."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

XDIST_WORKERS = "2"

LEG_TIMEOUT_SECONDS = 30 * 60
SOAK_TIMEOUT_SECONDS = 2 * 3600
VERSION_TIMEOUT_SECONDS = 60

# Old and new libraries meet the service, the pipeline, money and pixels. The other tests are of our own logic, of the
# stand-in and of the tooling: they know no library, and are the slow ones.
OTHER_LIBRARIES = (
    "tests/unit/scenario",
    "tests/unit/test_parameters.py",
    *(f"tests/unit/generation/test_{name}.py" for name in ("pipeline", "money", "quotes", "framing", "image_check")),
    *(f"tests/unit/generation/test_{name}.py" for name in ("source", "store", "schema", "resume", "file_door")),
)

NOT_IN_BETWEEN = tuple(
    f"--ignore=tests/blender/test_{name}.py" for name in ("api", "cli", "contact_sheet", "drawing", "scripting_page")
)
"""What 4.2 and 5.2 agree about, 4.5 does not do otherwise; these are long."""

FUZZ_CHECK, FUZZ_IMPORT = "tests/fuzz/test_check.py", "tests/fuzz/test_import.py"

NOT_ON_EVERY_BLENDER = ("-m", "not newest_only")
"""Those of our own logic, which are slow and the same with each Blender, run with the newest. So does that of the
keyring, which only its chroot has."""


@dataclasses.dataclass(frozen=True, slots=True)
class Leg:
    """One part of the matrix: a command in an environment."""

    name: str
    environment: str
    command: tuple[str, ...]
    """What follows the environment's Python."""
    cores: int = 1
    """How many cores it keeps busy; legs run side by side as far as the machine's cores go."""
    blender: Path | None = None
    needs: tuple[str, ...] = ()
    """Programs on PATH."""
    timeout_seconds: float = LEG_TIMEOUT_SECONDS

    @property
    def file_name(self) -> str:
        """The name, fit for a file."""
        return re.sub(r"[^\w.-]+", "-", self.name)

    @property
    def is_pytest(self) -> bool:
        return self.command[:2] == ("-m", "pytest")


def pytest_leg(name: str, environment: str, *arguments: str, cores: int = 1) -> Leg:
    return Leg(name, environment, ("-m", "pytest", *arguments), cores)


def legs(blenders: Sequence[Path]) -> list[Leg]:
    """The matrix, in the order in which it is begun: what fails soonest first, and what shares the machine in a row."""
    parallel = ("-n", XDIST_WORKERS)
    found = [
        Leg("lint", "checks", ("-m", "ruff", "check", "--no-cache")),
        Leg("mypy", "checks", ("-m", "mypy")),
        pytest_leg("unit", "tools", "tests/unit", FUZZ_CHECK, "-W", "error", *parallel, cores=2),
        pytest_leg("unit-old-requests", "old-requests", *OTHER_LIBRARIES, *parallel, cores=2),
        pytest_leg("unit-3.13", "new-python", *OTHER_LIBRARIES, "-W", "error", *parallel, cores=2),
        pytest_leg("blender-5.2", "bpy-5.2", "tests/blender", FUZZ_IMPORT),
        pytest_leg("blender-4.2", "bpy-4.2", "tests/blender"),
        pytest_leg("blender-4.5", "bpy-4.5", "tests/blender", *NOT_IN_BETWEEN),
    ]
    named = list(zip(blenders, blender_names(blenders), strict=True))
    newest_one = newest(blenders) if blenders else None
    for path, name in named:
        chosen = () if path == newest_one else NOT_ON_EVERY_BLENDER
        installed = pytest_leg(f"installed:{name}", "tools", "tests/installed", *chosen)
        # With nothing else beside its two windows: they are drawn by the same processor, and clicks would come late.
        gui = pytest_leg(f"gui:{name}", "tools", "tests/gui", *chosen, *parallel, "--dist", "loadgroup", cores=2)
        found += [
            dataclasses.replace(installed, blender=path),
            dataclasses.replace(gui, blender=path, needs=("Xvfb",)),
        ]
        if path == newest_one:
            farm = pytest_leg(f"farm:{name}", "tools", "tests/openjd", cores=2)
            found.append(dataclasses.replace(farm, blender=path))
            found.append(monkey_leg(name, path))
    # Last, as they want the machine for themselves.
    return found + [lab_leg(name, path) for path, name in named]


def lab_leg(name: str, blender: Path, *arguments: str) -> Leg:
    """The fault lab with one Blender."""
    leg = pytest_leg(f"lab:{name}", "tools", "tests/lab", *arguments, "-n", XDIST_WORKERS, cores=2)
    return dataclasses.replace(leg, blender=blender, needs=("Xvfb",))


def monkey_leg(name: str, blender: Path, *arguments: str) -> Leg:
    """The monkey with one Blender. Alone, as all that has a window."""
    leg = pytest_leg(f"monkey:{name}", "tools", "tests/monkey", *arguments, cores=2)
    return dataclasses.replace(leg, blender=blender, needs=("Xvfb",))


def soak_legs(blenders: Sequence[Path], seed: int | None = None) -> list[Leg]:
    """The fault lab and the monkey in their long forms, with each Blender; damaged models and answers in theirs."""

    def arguments(room: str) -> tuple[str, ...]:
        return (f"--{room}", "long", *((f"--{room}-seed", str(seed)) if seed is not None else ()))

    named = list(zip(blenders, blender_names(blenders), strict=True))
    found = [lab_leg(name, path, *arguments("lab")) for path, name in named]
    found += [monkey_leg(name, path, *arguments("monkey")) for path, name in named]
    found.append(pytest_leg("fuzz", "tools", FUZZ_CHECK, *arguments("fuzz"), "-W", "error", cores=2))
    found += [
        pytest_leg(f"fuzz-import:{version}", f"bpy-{version}", FUZZ_IMPORT, *arguments("fuzz"))
        for version in ("5.2", "4.5", "4.2")
    ]
    return [dataclasses.replace(leg, timeout_seconds=SOAK_TIMEOUT_SECONDS) for leg in found]


def newest(blenders: Sequence[Path]) -> Path:
    """By what they say of themselves; the last one if they say the same, or nothing."""

    def version(path: Path) -> tuple[int, ...]:
        try:
            command = (str(path), "--version")
            done = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_TIMEOUT_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return ()
        said = re.search(r"^Blender (\d+(?:\.\d+)*)", done.stdout, re.MULTILINE)
        return tuple(map(int, said[1].split("."))) if said else ()

    return max(reversed(blenders), key=version)


def blender_names(blenders: Sequence[Path]) -> list[str]:
    """The executables' names; with a number where two have the same."""
    names: list[str] = []
    for path in blenders:
        same = sum(re.sub(r"#\d+$", "", name) == path.name for name in names)
        names.append(f"{path.name}#{same + 1}" if same else path.name)
    return names


def given_blenders(paths: Sequence[str]) -> list[Path]:
    """From the command line, else PIXAL3D_BLENDERS, else PATH. May be empty."""
    listed = list(paths) or [path for path in os.environ.get("PIXAL3D_BLENDERS", "").split(os.pathsep) if path]
    if not listed and (on_path := shutil.which("blender")):
        listed = [on_path]
    return [Path(os.path.abspath(path)) for path in listed]  # not resolved: a wrapper may go by its link's name
