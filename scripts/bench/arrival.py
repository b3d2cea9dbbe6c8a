# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a window stands still while a model arrives in it: prepared and in steps, against Blender's own importer."""

from __future__ import annotations

import statistics
from typing import Any

from scripts.bench.figures import Figure, Part
from scripts.bench.host import Bench
from scripts.bench.models import Model, made

ROUNDS = 5
MOST_RATIO = 1 / 2
MODEL, QUICK = Model(200_000), Model(20_000, side_px=512)


def run(bench: Bench) -> list[Part]:
    model = QUICK if bench.is_quick else MODEL
    found = bench.window("arrival_in_blender.py", {"glb": str(made(model)), "rounds": bench.rounds(ROUNDS)})
    bench.explain("arrival", found)
    idle = found.pop("idle")
    parts = []
    for shading, turns in found.items():
        ours, direct = ({key: _median(turns[way], key) for key in _KEYS} for way in ("ours", "direct"))
        figures = [
            Figure(said, ours[key], direct[key], most_ratio=MOST_RATIO if key == "max" else None)
            for key, said in _MEASURES.items()
        ]
        figures.append(Figure("until it is placed", ours["until placed"], direct["until placed"]))
        steps = ", ".join(f"{said} {ours[key]:.0f} ms" for key, said in _STEPS.items() if ours[key])
        notes = (
            _NOTES[shading],
            f"The longest of each of our steps: {steps}. Idle, the longest gap is {idle['max']:.0f} ms.",
        )
        parts.append(
            Part(f"A model of {model.vertices:,} vertices arrives, {shading}", "direct import", tuple(figures), notes)
        )
    return parts


_MEASURES = {
    "max": "longest stop: gap of a 10 ms timer, max",
    "p99": "the same, p99",
    "p50": "the same, p50",
    "tick": "longest tick of the watcher, without redraws",
}
_NOTES = {
    "Solid": "Either way Blender then draws the triangles for the first time, which is our longest stop.",
    "Material Preview": "Of a direct import Blender decodes the textures and sends them to the graphics card in its "
    "first redraw: its longest stop, and no tick of the watcher. Ours are such ticks, one for each texture.",
}
_STEPS = {
    "append": "append",
    "_work_out_normals": "normals (in it)",
    "_decode": "decode a texture",
    "_upload": "texture to the graphics card",
    "_place": "place",
}
_KEYS = ("tick", "p50", "p99", "max", "until placed", *_STEPS)


def _median(turns: list[dict[str, Any]], key: str) -> float:
    return statistics.median(turn[key] for turn in turns)
