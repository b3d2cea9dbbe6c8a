# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender stands still to get a painted image out: our way against Blender's own ``image.save``.

``python scripts/bench/image_out.py`` in an environment with bpy. Both ways in one run, in turns; the ratio is what
counts, since the times drift with the machine. Our encoding runs in a worker, so its time stops nobody; that it lets
other threads run is shown by how long the longest pause of a ticking main thread is meanwhile.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="pixal3d-bench-"))

import bpy  # isort: skip
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pixal3d_addon.blender.image_source import source_image
from pixal3d_addon.generation.source import write_source

SIDES_PX = (1024, 4096)
ROUNDS = 5
TICK_SECONDS = 0.001


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def longest_pause(action: Callable[[], object]) -> tuple[float, float]:
    """Runs the action in a thread; its time, and the longest pause of this one, in milliseconds."""
    seconds: list[float] = []
    thread = threading.Thread(target=lambda: seconds.append(timed(action)))
    thread.start()
    longest, last = 0.0, time.perf_counter()
    while thread.is_alive():
        time.sleep(TICK_SECONDS)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return seconds[0], longest * 1000


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="pixal3d-bench-"))
    print(f"Blender {bpy.app.version_string}; milliseconds, median of {ROUNDS}")
    print(f"{'side':>6} {'image.save':>11} {'ours, main':>11} {'ratio':>7} {'worker':>8} {'longest pause':>14}")
    for side in SIDES_PX:
        image = bpy.data.images.new(f"Painted {side}", side, side, alpha=True)
        noise = np.random.default_rng(1).random((side, side, 4), np.float32)
        noise[:, :, 3] = 1.0
        image.pixels.foreach_set(np.ascontiguousarray(noise.ravel()))
        saves, ours, worker, pauses = [], [], [], []
        for turn in range(ROUNDS):
            ours.append(timed(lambda: source_image(image)))  # noqa: B023
            source = source_image(image)
            took, pause = longest_pause(lambda: write_source(source, folder, threading.Event()))  # noqa: B023
            worker.append(took)
            pauses.append(pause)
            copy = folder / f"{side}-{turn}.png"
            saves.append(timed(lambda: image.save(filepath=str(copy), save_copy=True)))  # noqa: B023
        save, own = statistics.median(saves), statistics.median(ours)
        print(
            f"{side:>6} {save:>11.1f} {own:>11.1f} {save / own:>6.1f}x {statistics.median(worker):>8.1f} "
            f"{statistics.median(pauses):>14.1f}"
        )


if __name__ == "__main__":
    main()
