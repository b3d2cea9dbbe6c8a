# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether our panels get slower to draw with the number of generations.

``python3 scripts/bench/draw.py --blender PATH``, in plain Python; needs Xvfb. In one Blender window, with all panels
open, it is measured in turns with 3 generations, with 200 of which 3 need attention, and with 200 that all do. What is
measured inside is in ``draw_in_blender.py``: the time of each panel's ``draw``, the rows of the list included. The
ratios are what counts, since the times drift with the machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from scripts.bench.store import built_zip, recorded
from tests.support.blender_process import Blender, virtual_display

BLENDER_TIMEOUT_SECONDS = 180
SIZE_PX = (1600, 1000)


def measured(blender: Blender, base: Path) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each ``draw``: by the case, then by the panel."""
    profile, work = base / "profile", base / "work"
    profile.mkdir()
    work.mkdir()
    blender.install(built_zip(base / "dist"), profile)
    with virtual_display(*SIZE_PX) as display:
        found: dict[str, dict[str, list[float]]] = recorded(
            blender, "draw_in_blender.py", profile, display, work, size_px=SIZE_PX, timeout=BLENDER_TIMEOUT_SECONDS
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blender", type=Path, required=True, metavar="PATH")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pixal3d-bench-") as temporary:
        cases = measured(Blender(arguments.blender), Path(temporary))
    few, *others = cases.values()
    print(f"{arguments.blender.name}; a load of {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'milliseconds, median':<32}" + "".join(f"{name:>24}" for name in cases) + "   draws")
    for panel in sorted(few):
        median = statistics.median(few[panel])
        line = f"{panel:<32}{median:>24.3f}"
        for case in others:
            other = statistics.median(case[panel])
            line += f"{other:>16.3f} ({other / median:.2f})"
        print(f"{line}   {len(few[panel])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
