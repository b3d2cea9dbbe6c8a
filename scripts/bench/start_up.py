# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender takes to enable the add-on: against one that does nothing, and against Blender's own ``bl_pkg``."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path
from typing import Any

from scripts.bench.figures import Figure, Part
from scripts.bench.host import Bench
from tests.support.blender_process import ADDON

ROUNDS = 9
MOST_RATIO = 2.0
IDLE_SECONDS = 5.0
"""The add-on looks for earlier models one second after Blender's start."""
BARE = "bl_ext.user_default.bare"
EXTENSIONS = "blender/extensions/user_default"
"""In a profile."""
_MANIFEST = """schema_version = "1.0.0"
id = "bare"
version = "1.0.0"
name = "Bare"
tagline = "Does nothing"
maintainer = "Nobody"
type = "add-on"
blender_version_min = "4.2.0"
license = ["SPDX:GPL-3.0-or-later"]
"""


def run(bench: Bench) -> list[Part]:
    _add_bare(bench.installed)
    names = {"ours": ADDON, "bare": BARE, "bl_pkg": "bl_pkg"}
    for name in names.values():  # what is compiled is kept
        _enabled(bench, name, keeps=True)
    took: dict[str, list[float]] = {each: [] for each in names}
    for _ in range(bench.rounds(ROUNDS)):
        for each, name in names.items():
            took[each].append(_enabled(bench, name)["took"])
    ours, bare, bl_pkg = (statistics.median(times) for times in took.values())
    seen = _enabled(bench, ADDON, counts=True)
    window = bench.window("start_up_window_in_blender.py", {"seconds": 1.5 if bench.is_quick else IDLE_SECONDS})
    bench.explain("start_up", {"took": took, "seen": seen, "window": window})
    heavy = ", ".join(seen["heavy"]) or "none"
    before = window["before its tab is opened"]
    with_tab = window["its tab is open"][len(before) :]
    return [
        Part(
            "Enabling the add-on, everything compiled",
            "the other one",
            (
                Figure("against an add-on that does nothing", ours, bare, most_ratio=MOST_RATIO),
                Figure("against Blender's own bl_pkg", ours, bl_pkg),
                Figure(
                    "files, folders, threads and connections, in a window, until its tab is opened",
                    len(before) + len(window["files"]),
                    unit="",
                    most=0,
                ),
            ),
            (
                f"To be enabled it reads {_listed(seen['noted'])}. Of requests, numpy, sqlite3, ssl and http.client it "
                f"loads {heavy}.",
                f"Until its tab is opened it touches {_listed(before)}. With its tab open, a key, and a service that "
                f"does not answer, in some seconds: {_listed(with_tab)} (the price).",
            ),
        )
    ]


def _listed(touched: list[str]) -> str:
    counts = Counter(each.split("<")[0].strip(" :") for each in touched)
    return ", ".join(f"{what} ({count})" if count > 1 else what for what, count in counts.items()) or "nothing"


def _add_bare(profile: Path) -> None:
    folder = profile / EXTENSIONS / "bare"
    folder.mkdir(exist_ok=True)
    (folder / "blender_manifest.toml").write_text(_MANIFEST, encoding="utf-8")
    source = "def register() -> None:\n    pass\n\n\ndef unregister() -> None:\n    pass\n"
    (folder / "__init__.py").write_text(source, encoding="utf-8")


def _enabled(bench: Bench, module: str, *, counts: bool = False, keeps: bool = False) -> Any:
    asked = {"module": module, "is_enabled_before": module == "bl_pkg", "counts": counts}
    return bench.background("start_up_in_blender.py", asked, arguments=("--factory-startup",), keeps=keeps)
