# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Blender keeps going: all that an artist could feel of the add-on, each beside what it is to be measured by.

``python3 scripts/bench/never_freezes.py --blender PATH``, in plain Python; needs Xvfb. Writes ``docs/performance.md``,
unless ``--only`` or ``--quick`` is given. Two things are always compared in one run, in turns; their ratio is what
counts, since the times drift with the machine.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts import environments

PAGE = ROOT / "docs" / "performance.md"
_IN_ENVIRONMENT = "PIXAL3D_BENCH_HAS_LIBRARIES"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blender", type=Path, required=True, metavar="PATH")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part and no other; may be given again")
    parser.add_argument("--quick", action="store_true", help="small models and few rounds, to see that all runs")
    arguments = parser.parse_args()
    if _IN_ENVIRONMENT not in os.environ:  # models and stand-in need libraries
        command = [environments.python("tools"), __file__, *sys.argv[1:]]
        return subprocess.run(command, env={**os.environ, _IN_ENVIRONMENT: "1"}).returncode
    return measure(
        arguments.blender, arguments.only or list(PARTS), is_quick=arguments.quick, is_all=not arguments.only
    )


def measure(path: Path, names: list[str], *, is_quick: bool, is_all: bool) -> int:
    from scripts.bench.figures import as_markdown, as_text
    from scripts.bench.host import SIZE_PX, Bench
    from scripts.bench.store import built_zip
    from tests.support.blender_process import Blender, virtual_display

    blender = Blender(path)
    started, parts = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="pixal3d-bench-") as temporary, virtual_display(*SIZE_PX) as display:
        installed = Path(temporary) / "installed"
        installed.mkdir()
        version = blender.run("--version", profile=installed).check().output.splitlines()[0]
        blender.install(built_zip(Path(temporary) / "dist"), installed)
        bench = Bench(blender, installed, display, Path(temporary), is_quick)
        for name in names:
            print(f"{name}: a load of {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
            for part in PARTS[name](bench):
                print(as_text(part), flush=True)
                parts.append(part)
    print(f"{version}; {time.monotonic() - started:.0f} s in all")
    if is_all and not is_quick:
        PAGE.write_text(as_markdown(parts, HEADING.format(version=version)), encoding="utf-8")
    return int(not is_quick and any(figure.is_reached is False for part in parts for figure in part.figures))


HEADING = """# Performance

Written by `python3 scripts/bench/never_freezes.py --blender PATH`; don't edit it.

{version} on two cores, with a software-rendered window of 1280 by 800 pixels. Medians; the two columns come from one
run, in turns, so their ratio is what counts: the times themselves depend on the machine, and whatever is drawn is
drawn much faster by a graphics card."""


def _part(name: str) -> Callable[[Any], list[Any]]:
    """Each is in a file of its own, which is loaded where its libraries are."""

    def run(bench: Any) -> list[Any]:
        found: list[Any] = importlib.import_module(f"scripts.bench.{name}").run(bench)
        return found

    return run


PARTS = {
    name.replace("_", "-"): _part(name)
    for name in ("import_stall", "arrival", "click", "image_out", "start_up", "traffic")
}

if __name__ == "__main__":
    sys.exit(main())
