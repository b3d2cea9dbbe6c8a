# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``start_up.py`` measures inside Blender: how long it takes to enable one add-on, in milliseconds.

In a process that has done nothing else. What is compiled is cached; what only has to be read is in memory.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import addon_utils

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.inside import milliseconds, note_touched, order, report

HEAVY = ("requests", "numpy", "sqlite3", "ssl", "http.client")


def main() -> None:
    noted: list[str] = []
    name = order()["module"]
    if order()["is_enabled_before"]:
        addon_utils.disable(name)
        for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[loaded]
    before = {each for each in HEAVY if each in sys.modules}
    modules = len(sys.modules)
    threads = threading.active_count()
    if order()["counts"]:
        note_touched(noted)
    took = milliseconds(lambda: addon_utils.enable(name))
    if name not in sys.modules:
        raise RuntimeError(f"{name} could not be enabled")
    report(
        {
            "took": took,
            "noted": noted,
            "threads": threading.active_count() - threads,
            "heavy": sorted({each for each in HEAVY if each in sys.modules} - before),
            "modules": len(sys.modules) - modules,
        }
    )


main()
