# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender stands still when a model arrives: prepared by a second Blender, against Blender's own importer."""

from __future__ import annotations

from scripts.bench.figures import Figure, Part
from scripts.bench.host import Bench
from scripts.bench.models import Model, made

ROUNDS = 9
SMALL = Model(2_000, side_px=256)
QUICK = (Model(20_000, side_px=512),)
MODELS = (
    Model(25_000),
    Model(50_000),
    Model(200_000),
    Model(200_000, "jpeg"),
    Model(200_000, "webp"),
    Model(1_000_000),
)
MOST_RATIOS = {200_000: 1 / 10, 1_000_000: 1 / 20}
"""By the vertices."""


def run(bench: Bench) -> list[Part]:
    models = QUICK if bench.is_quick else MODELS
    found = bench.background(
        "import_stall_in_blender.py",
        {
            "small": str(made(SMALL)),
            "rounds": bench.rounds(ROUNDS),
            "models": {_said(model): str(made(model)) for model in models},
        },
    )
    stall, latency, memory = [], [], []
    for model in models:
        name, times = _said(model), found[_said(model)]
        stall.append(Figure(name, times["ours"], times["direct"], most_ratio=MOST_RATIOS.get(model.vertices)))
        latency.append(Figure(name, times["preparing"] + times["ours"], times["direct"]))
    for model in models[-1:] if bench.is_quick else (Model(200_000), Model(1_000_000)):
        peaks = [
            bench.background("import_stall_in_blender.py", {"memory": str(made(model)), "is_ours": is_ours})
            for is_ours in (True, False)
        ]
        own, other = (peak["added"] for peak in peaks)
        memory.append(Figure(f"Blender, {_said(model)}", own, other, "MB"))
        memory.append(Figure(f"the second Blender beside it, {_said(model)}", peaks[0]["second Blender"], unit="MB"))
    return [
        Part("How long Blender's main thread stops for the import", "direct import", tuple(stall)),
        Part(
            "From a GLB on disk to the mesh in the scene, the second Blender started before",
            "direct import",
            tuple(latency),
            ("The cut-over lies where the direct import takes about as long as two ticks of the watcher.",),
        ),
        Part("Peak memory added by an import", "direct import", tuple(memory)),
    ]


def _said(model: Model) -> str:
    return f"{model.vertices:,} vertices, {model.texture_format.upper()}"
