# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``import_stall.py`` measures inside Blender: how long its main thread stands still for a model, in milliseconds.

Both ways in turns, in one process. Before each of them the model of the last is removed.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.inside import PATIENCE_SECONDS, milliseconds, module, order, ready, remove_all, report


def imported(generation: Any) -> Any:
    applied_by = module("generation.scale").AppliedBy.AUTO
    return module("blender.importer").import_model(bpy.context, generation, applied_by)


def prepare(generation: Any) -> float:
    """Seconds until its file is there."""
    prepared, scene = module("blender.prepared"), bpy.context.scene
    began = time.perf_counter()
    prepared.look_ahead([], [generation], scene)
    while prepared.is_awaited(generation, scene):
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise RuntimeError("the model is never prepared")
        time.sleep(0.005)
    took = time.perf_counter() - began
    if not list(Path(generation.folder).glob("prepared-*.blend")):
        raise RuntimeError("the second Blender could not prepare the model")
    return took


def warm_up(glb: str) -> None:
    """What the first of each does and no later one."""
    with tempfile.TemporaryDirectory() as folder:
        generation = ready(glb, Path(folder))
        prepare(generation)
        for each in (generation, ready(glb, None)):
            remove_all()
            imported(each)
    remove_all()


def measured(glb: str, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        generation, direct = ready(glb, Path(folder)), ready(glb, None)
        preparing = []
        for _ in range(min(rounds, 3)):
            module("blender.prepared")._preparations.clear()
            shutil.rmtree(folder)
            os.mkdir(folder)
            preparing.append(prepare(generation) * 1000)
        samples: dict[str, list[float]] = {"ours": [], "direct": []}
        for _ in range(rounds):
            for name, each in (("ours", generation), ("direct", direct)):
                remove_all()
                samples[name].append(milliseconds(lambda: imported(each)))  # noqa: B023
        remove_all()
    found = {name: statistics.median(values) for name, values in samples.items()}
    return {**found, "preparing": statistics.median(preparing)}


def peak_bytes(process: int | str = "self") -> int:
    """Of this process or another one, so far."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell")


def memory(glb: str, *, is_ours: bool) -> dict[str, float]:
    """Megabytes, of one import in a process that has done nothing else."""
    before = peak_bytes()
    second = 0
    with tempfile.TemporaryDirectory() as folder:
        generation = ready(glb, Path(folder) if is_ours else None)
        if is_ours:
            prepare(generation)
            second = peak_bytes(module("blender.prepared")._helper._blender._child.pid)
        imported(generation)
    return {"added": (peak_bytes() - before) / 1e6, "second Blender": second / 1e6}


def main() -> None:
    module("blender.limits").PREPARE_TRIANGLES = 0
    asked = order()
    if "memory" in asked:
        report(memory(asked["memory"], is_ours=asked["is_ours"]))
        return
    remove_all()
    warm_up(asked["small"])
    report({name: measured(glb, asked["rounds"]) for name, glb in asked["models"].items()})
    module("blender.prepared").close()


main()
