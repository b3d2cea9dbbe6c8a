#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""See it work: ``python3 scripts/demo.py [IMAGE]``.

Makes its own Python environments, starts the stand-in of the Scenario service on this machine, and lets the add-on in
a real Blender (as a Python module) turn the image into a mesh. No key, no account, no cost, nothing leaves the machine.
Needs nothing but Python 3.11 or 3.13 and the libraries that it installs into the project's ``build`` folder.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import environments
from scripts.standin.process import StandInProcess

SAMPLE = ROOT / "scripts" / "sample" / "mushroom.png"
BLENDERS = ("bpy-4.5", "bpy-5.2", "bpy-4.2")
"""Any will do: the first that the running Python can run is taken, or else another of this machine's."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Turn an image into a mesh with the stand-in service, without a key.")
    parser.add_argument("image", nargs="?", type=Path, default=SAMPLE, help="PNG, JPEG or WebP (default: our sample)")
    parser.add_argument("--output", type=Path, default=ROOT / "output", help="folder for the results (default: output)")
    arguments = parser.parse_args()
    image = arguments.image.resolve()
    if not image.is_file():
        parser.error(f"there is no image file {image}")
    output = arguments.output.resolve()
    output.mkdir(parents=True, exist_ok=True)

    started = time.monotonic()
    try:
        tools, blender = _environments()
    except (environments.EnvironmentAbsent, environments.EnvironmentFailed) as error:
        print(f"The demo can't be set up: {error}", file=sys.stderr)
        return 1
    _stage("Environments", started)

    started = time.monotonic()
    with StandInProcess.started(python=tools, log=output / "standin.log") as service:
        _stage("Stand-in service started", started)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SCENARIO_")}
        environment |= service.environment() | {"PIXAL3D_LOOPBACK_ONLY": "1", "PYTHONPATH": str(ROOT)}
        command = [blender, ROOT / "scripts" / "demo_in_blender.py", image, output]
        code = subprocess.run(command, env=environment, check=False).returncode
        charged = service.charges()
    if code:
        return code

    started = time.monotonic()
    picture = output / f"{image.stem}-beside-source.png"
    renders = [output / f"{image.stem}-{view}.png" for view in ("front", "turned")]
    subprocess.run([tools, ROOT / "scripts" / "demo_picture.py", image, *renders, picture], check=True)
    _stage("Picture", started)

    print(f"\nThe stand-in service counted {len(charged)} charge: it is a stand-in, so nothing was spent.")
    for text, suffix in (("Blender file", ".blend"), ("Model", ".glb"), ("Picture", "-beside-source.png")):
        print(f"{text:<13} {output / (image.stem + suffix)}")
    return 0


def _environments() -> tuple[Path, Path]:
    """The interpreters of the stand-in and of Blender, made side by side."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    for name in sorted(BLENDERS, key=lambda name: running not in environments.RECIPES[name].pythons):
        try:
            environments.interpreter_for(name)
        except environments.EnvironmentAbsent:
            continue
        with concurrent.futures.ThreadPoolExecutor() as pool:
            tools, blender = pool.map(environments.python, ("tools", name))
        return tools, blender
    raise environments.EnvironmentAbsent("Blender's Python module needs Python 3.11 or 3.13")


def _stage(name: str, started: float) -> None:
    print(f"{name:<28} {time.monotonic() - started:6.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
