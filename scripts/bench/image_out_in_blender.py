# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``image_out.py`` measures inside Blender: a painted image on its way out, each way in turns, in milliseconds."""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.inside import milliseconds, module, order, report

TICK_SECONDS = 0.001
MOST_PIXELS_LISTED = 2048**2
"""A list of more is made once only: that of 4096 px takes 7 s and 3 GB."""


def longest_pause(action: Callable[[], object]) -> tuple[float, float]:
    """Runs the action in a thread; its time, and the longest pause of this one meanwhile."""
    took: list[float] = []
    thread = threading.Thread(target=lambda: took.append(milliseconds(action)))
    thread.start()
    longest, last = 0.0, time.perf_counter()
    while thread.is_alive():
        time.sleep(TICK_SECONDS)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return took[0], longest * 1000


def painted(side: int) -> Any:
    image = bpy.data.images.new(f"Painted {side}", side, side, alpha=True)
    noise = np.random.default_rng(1).random((side, side, 4), np.float32)
    noise[:, :, 3] = 1.0
    image.pixels.foreach_set(np.ascontiguousarray(noise.ravel()))
    return image


def measured(side: int, rounds: int, folder: Path) -> dict[str, float]:
    ways = module("blender.image_source"), module("generation.source")
    image = painted(side)
    samples: dict[str, list[float]] = {name: [] for name in ("ours", "worker", "pause", "save", "list")}
    for turn in range(rounds):
        samples["ours"].append(milliseconds(lambda: ways[0].source_image(image)))
        source = ways[0].source_image(image)
        took, pause = longest_pause(lambda: ways[1].write_source(source, folder, threading.Event()))  # noqa: B023
        samples["worker"].append(took)
        samples["pause"].append(pause)
        copy = folder / f"{side}-{turn}.png"
        samples["save"].append(milliseconds(lambda: image.save(filepath=str(copy), save_copy=True)))  # noqa: B023
        if turn == 0 or side**2 <= MOST_PIXELS_LISTED:
            samples["list"].append(milliseconds(lambda: list(image.pixels)))
    bpy.data.images.remove(image)
    return {name: statistics.median(values) for name, values in samples.items()}


def main() -> None:
    asked = order()
    with tempfile.TemporaryDirectory() as folder:
        report({side: measured(side, asked["rounds"], Path(folder)) for side in asked["sides"]})


main()
