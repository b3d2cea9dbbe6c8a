# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in a Blender that has the zip installed: an image datablock becomes a mesh, synchronously, through the operator.

Prints one line of JSON after ``RESULT``. Where the service is, and the keys, come from the environment.
"""

from __future__ import annotations

import json
from typing import Any

import bpy

SIDE_PIXELS = 64


def test_image() -> Any:
    """A round thing on a plain ground; an image that exists in the .blend only."""
    image = bpy.data.images.new("Test Image", SIDE_PIXELS, SIDE_PIXELS)
    pixels: list[float] = []
    for y in range(SIDE_PIXELS):
        for x in range(SIDE_PIXELS):
            inside = (x - SIDE_PIXELS / 2) ** 2 + (y - SIDE_PIXELS / 2) ** 2 < (SIDE_PIXELS / 3) ** 2
            pixels += (0.8, 0.2, 0.1, 1.0) if inside else (1.0, 1.0, 1.0, 1.0)
    image.pixels.foreach_set(pixels)
    return image


def main() -> None:
    bpy.context.preferences.system.use_online_access = True
    before = set(bpy.data.objects.keys())
    image = test_image()
    outcome = bpy.ops.pixal3d.generate(
        image=image.name, mesh_scale=2.0, seed=7, decimation_target=5000, resolution="1024"
    )
    new = [item for item in bpy.data.objects if item.name not in before]
    active = bpy.context.view_layer.objects.active
    bpy.context.view_layer.update()
    result = {
        "outcome": sorted(outcome),
        "new": [item.name for item in new],
        "active": active.name if active else None,
        "selected": [item.name for item in bpy.context.selected_objects],
        "vertices": sum(len(item.data.vertices) for item in new if item.type == "MESH"),
        "largest_side": max((max(item.dimensions) for item in new if item.type == "MESH"), default=0.0),
        "materials": sum(len(item.material_slots) for item in new),
    }
    print("RESULT " + json.dumps(result), flush=True)


main()
