# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an image is looked at before it is sent, and how long Blender would stand still for it.

``python scripts/bench/image_check.py`` in an environment with numpy; no Blender needed. Each way runs in a worker while
the main thread ticks, in turns in one run; the ratios are what counts, since the times drift with the machine. The
naive ways find no more than the subject's box: by a Python list of the pixels, as ``list(image.pixels)`` gives it, and
by numpy on the whole picture at once.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pixal3d_addon.generation.framing import frame, thumbnail
from pixal3d_addon.generation.image_check import check_image
from pixal3d_addon.generation.source import Pixels

SIDES_PX = (1024, 4096)
LARGEST_LIST_SIDE_PX = 1024
"""A list of 4096² pixels takes 2 GB and half a minute."""
ROUNDS = 5
TICK_SECONDS = 0.001
TOLERANCE = 0.1


def a_picture(side: int) -> Pixels:
    """A disk of noise on gray noise, without transparency: the way that has more to do."""
    image = np.random.default_rng(1).uniform(0.75, 0.8, (side, side, 4)).astype(np.float32)
    y, x = np.ogrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    image[x * x + y * y < 0.3, 1] -= 0.6
    image[:, :, 3] = 1.0
    return Pixels(side, side, image.reshape(-1))


def by_list(pixels: Pixels) -> tuple[int, int, int, int]:
    values, width = pixels.values.tolist(), pixels.width
    background = values[:3]
    inside = [
        i // 4
        for i in range(0, len(values), 4)
        if any(abs(values[i + c] - background[c]) > TOLERANCE for c in range(3))
    ]
    columns = [i % width for i in inside]
    return min(columns), inside[0] // width, max(columns) + 1, inside[-1] // width + 1


def at_full_resolution(pixels: Pixels) -> tuple[int, int, int, int]:
    image = np.nan_to_num(pixels.values.reshape(pixels.height, pixels.width, 4)).clip(0.0, 1.0)
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    mask = np.linalg.norm(image[:, :, :3] - np.median(border, axis=0)[:3], axis=2) > TOLERANCE
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def watched(action: Callable[[], object]) -> tuple[float, float]:
    """Runs the action in a thread; its time, and the longest pause of this one, in milliseconds."""
    seconds: list[float] = []

    def run() -> None:
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)

    thread = threading.Thread(target=run)
    thread.start()
    longest, last = 0.0, time.perf_counter()
    while thread.is_alive():
        time.sleep(TICK_SECONDS)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return seconds[0] * 1000, longest * 1000


def measured(side: int) -> dict[str, list[tuple[float, float]]]:
    """Of each way, its time and the longest pause of each round."""
    pixels = a_picture(side)
    check = check_image(pixels)
    ways: dict[str, Callable[[], object]] = {
        "check_image": lambda: check_image(pixels),
        "thumbnail": lambda: thumbnail(pixels, 256),
        "frame, cropped": lambda: frame(pixels, crop_to_subject=True, pad_to_square=False, check=check),
        "numpy at full resolution": lambda: at_full_resolution(pixels),
    }
    if side <= LARGEST_LIST_SIDE_PX:
        ways["list of the pixels"] = lambda: by_list(pixels)
    rounds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, action in ways.items():
            rounds[way].append(watched(action))
    return rounds


def main() -> None:
    print(f"numpy {np.__version__}; milliseconds, median of {ROUNDS}; ratios to check_image")
    print(f"{'side':>6} {'way':<25} {'time':>9} {'ratio':>7} {'longest pause':>14} {'ratio':>7}")
    for side in SIDES_PX:
        medians = {
            way: [statistics.median(column) for column in zip(*rounds, strict=True)]
            for way, rounds in measured(side).items()
        }
        ours = medians["check_image"]
        for way, (took, pause) in medians.items():
            print(f"{side:>6} {way:<25} {took:>9.1f} {took / ours[0]:>6.1f}x {pause:>14.1f} {pause / ours[1]:>6.1f}x")


if __name__ == "__main__":
    main()
