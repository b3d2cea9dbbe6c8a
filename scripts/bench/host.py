# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks share outside of Blender: a Blender with the add-on installed, and a script run in it."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.bench.store import NOWHERE, ROOT, recorded
from tests.support.blender_process import Blender

SIZE_PX = (1280, 800)
TIMEOUT_SECONDS = 900.0
MEASURED = ROOT / "build" / "bench" / "measured"


@dataclass(frozen=True)
class Bench:
    """One run of the benchmarks."""

    blender: Blender
    installed: Path
    """A profile with the add-on installed and enabled; copied for each use."""
    display: dict[str, str]
    folder: Path
    """For what is needed on the way."""
    is_quick: bool = False
    """Small models and few rounds, to see that all runs."""
    _numbers: Any = field(default_factory=itertools.count)

    def rounds(self, count: int) -> int:
        return 1 if self.is_quick else count

    def explain(self, name: str, found: Any) -> None:
        """Keeps all that was measured, to look for causes."""
        MEASURED.mkdir(parents=True, exist_ok=True)
        (MEASURED / f"{name}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")

    def background(
        self, script: str, order: Mapping[str, Any], *, arguments: tuple[str, ...] = (), keeps: bool = False
    ) -> Any:
        """What a script of this folder writes (:func:`.inside.report`), run without a window.

        :param order: what :func:`.inside.order` gives it.
        :param arguments: Blender's.
        :param keeps: what it changes in the profile stays, for those that come after it.
        """
        profile, work = self._profile_and_work()
        if keeps:
            profile = self.installed
        told = {"PIXAL3D_BENCH_ORDER": json.dumps(order), "PIXAL3D_BENCH_REPORT": str(work / "report.json")}
        run = self.blender.run(
            *("--background", *arguments, "--python-exit-code", "9", "--python", ROOT / "scripts/bench" / script),
            profile=profile,
            environment={**NOWHERE, **told},
            timeout=TIMEOUT_SECONDS,
        )
        if run.returncode:
            raise RuntimeError(f"{script}: Blender ended with {run.returncode}:\n{run.output}")
        return json.loads((work / "report.json").read_text(encoding="utf-8"))

    def window(self, script: str, order: Mapping[str, Any], environment: Mapping[str, str] = NOWHERE) -> Any:
        """What a script of this folder records (``tests/gui/driver.py``), run in a window."""
        profile, work = self._profile_and_work()
        return recorded(
            self.blender,
            script,
            profile,
            self.display,
            work,
            size_px=SIZE_PX,
            timeout=TIMEOUT_SECONDS,
            environment={**environment, "PIXAL3D_BENCH_ORDER": json.dumps(order)},
        )

    def _profile_and_work(self) -> tuple[Path, Path]:
        base = self.folder / str(next(self._numbers))
        work = base / "work"
        work.mkdir(parents=True)
        return Path(shutil.copytree(self.installed, base / "profile")), work
