# SPDX-License-Identifier: GPL-3.0-or-later
"""From the click on Generate to the mesh in the scene: how long a window stands still, and how soon it is done."""

from __future__ import annotations

import statistics
from typing import Any

from scripts.bench import service
from scripts.bench.figures import Figure, Part
from scripts.bench.host import Bench
from scripts.bench.kinds import NOTHING, PANELS, VIEW
from scripts.bench.models import LARGE, Model, made

SIDE_PX, QUICK_SIDE_PX = 4096, 512
JOB_SECONDS = 4.0
LOOK_SECONDS = 4.0
"""For the look at a new image, before the click."""
TURNS = 8
"""Half of them each way."""
MOST_GAP_MS = 50.0
MOST_RATIO_TO_MESH = 1.3
QUICK = Model(20_000, side_px=512)


def run(bench: Bench) -> list[Part]:
    model = QUICK if bench.is_quick else LARGE
    glb = made(model)
    order = {
        "rounds": 2 if bench.is_quick else TURNS,
        "side": QUICK_SIDE_PX if bench.is_quick else SIDE_PX,
        "look_seconds": 1.0 if bench.is_quick else LOOK_SECONDS,
    }
    with service.started(glb, 1.0 if bench.is_quick else JOB_SECONDS) as standin:
        found = bench.window("click_in_blender.py", order, service.environment(standin))
        asked_at = [entry.at for entry in standin.requests if entry.method == "POST" and _is_first(entry)]
    turns = found["turns"]
    first, later = turns[0], turns[2:] or turns
    until_ready = [turn for turn in later if turn["way"] == "ours"]  # the other way's last gap holds its import
    bench.explain("click", found)
    wire = [(min(at for at in asked_at if at >= turn["clicked at"]) - turn["clicked at"]) * 1000 for turn in turns]
    idle, redraws = found["idle"], found["redraws"]
    gaps = [
        Figure("gap of a 10 ms timer, p50", _median(until_ready, "to ready", "p50"), idle["p50"]),
        Figure("p99", _median(until_ready, "to ready", "p99"), idle["p99"]),
    ]
    for kind, baseline in ((NOTHING, idle), (PANELS, redraws[PANELS]), (VIEW, redraws[VIEW])):
        longest = [turn["to ready, by redraw"].get(kind, {"max": 0.0})["max"] for turn in until_ready]
        most = MOST_GAP_MS if kind == NOTHING else None
        gaps.append(Figure(f"longest in which {_DRAWN[kind]}", max(longest), baseline["max"], most=most))
        gaps.append(Figure("the same, of the usual turn", statistics.median(longest), baseline["max"]))
    steps = [turn["own steps"][0] for turn in later]
    gaps.append(Figure("longest of our own steps on the main thread", max(step[2] for step in steps), most=MOST_GAP_MS))
    gaps.append(Figure("longest at the first click after Blender's start", first["to ready"]["max"], idle["max"]))
    gaps.append(Figure("longest when Blender draws its first image empty, before", found["image empty"]["max"]))
    ours, direct = ([turn["last byte to placed"] for turn in later if turn["way"] == way] for way in ("ours", "direct"))
    megabytes = glb.stat().st_size / 1e6
    return [
        Part(
            f"From the click to a GLB of {megabytes:.0f} MB on disk, an image of {order['side']} px painted",
            "idle",
            tuple(gaps),
            (
                "The view shows wires without overlays, so that Blender's drawing hides less. Beside the gaps with a "
                "redraw stands the longest that the same redraw makes by itself, when nothing is going on.",
                f"Our longest step is {max(steps, key=lambda step: step[2])[0]}.",
            ),
        ),
        Part(
            "From the last byte of the GLB to the mesh in the scene",
            "direct import",
            (
                Figure(
                    f"{model.vertices:,} vertices",
                    statistics.median(ours),
                    statistics.median(direct or ours),
                    most_ratio=MOST_RATIO_TO_MESH,
                ),
            ),
        ),
        Part(
            "From the click to the first request",
            "`image.save` alone",
            (
                Figure(
                    "Blender's main thread", statistics.median(turn["operator"] for turn in later), found["image.save"]
                ),
                Figure("until the request is on the wire", statistics.median(wire[1:] or wire), found["image.save"]),
            ),
        ),
    ]


_DRAWN = {NOTHING: "nothing is drawn", PANELS: "our panels are drawn", VIEW: "the 3D View is drawn"}


def _is_first(entry: Any) -> bool:
    """Of a generation: the image goes to the service."""
    return bool(entry.path.endswith(("/assets", "/uploads")))


def _median(turns: list[dict[str, Any]], what: str, key: str) -> float:
    return statistics.median(turn[what][key] for turn in turns)
