# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender stands still to get a painted image out: our way against ``image.save`` and ``list(image.pixels)``.

Our encoding runs in a worker, so its time stops nobody; that it lets other threads run is shown by how long the longest
pause of a ticking main thread is meanwhile.
"""

from __future__ import annotations

from scripts.bench.figures import Figure, Part
from scripts.bench.host import Bench

SIDES_PX, QUICK_SIDES_PX = (1024, 4096), (512,)
ROUNDS = 5


def run(bench: Bench) -> list[Part]:
    sides = QUICK_SIDES_PX if bench.is_quick else SIDES_PX
    found = bench.background("image_out_in_blender.py", {"sides": sides, "rounds": bench.rounds(ROUNDS)})
    figures, notes = [], []
    for side in sides:
        times = found[str(side)]
        figures.append(Figure(f"{side} px, against `image.save`", times["ours"], times["save"]))
        figures.append(Figure(f"{side} px, against `list(image.pixels)`", times["ours"], times["list"]))
        notes.append(
            f"{side} px: the worker takes {times['worker']:.0f} ms, in which the longest pause of the main thread is "
            f"{times['pause']:.0f} ms."
        )
    return [
        Part("A painted image on its way out, on Blender's main thread", "the other way", tuple(figures), tuple(notes))
    ]
