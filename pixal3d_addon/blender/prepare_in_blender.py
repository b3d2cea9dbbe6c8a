# SPDX-License-Identifier: GPL-3.0-or-later
"""What the second Blender runs that prepares models: a GLB through Blender's own importer into a .blend file.

Run as a script; nobody imports it. See :mod:`.second_blender` for how it is spoken to.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import sys
from pathlib import Path
from typing import Any

import bpy

_IMPORTER = ("io_scene_gltf2.io.imp", "io_scene_gltf2.blender.imp")
"""Packages that are loaded at its first run: with NumPy 50 to 130 ms that nobody has to wait for."""


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from answering_in_blender import serve

    with contextlib.suppress(ImportError):  # it will say so itself
        _load_importer()
    serve(("io_scene_gltf2",), _prepared)


def _load_importer() -> None:
    for name in _IMPORTER:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__, f"{name}."):
            importlib.import_module(module.name)


def _prepared(order: dict[str, Any]) -> dict[str, Any]:
    """Writes the .blend, whole or not at all, and tells what is in it."""
    bpy.context.scene.unit_settings.scale_length = order["scale_length"]
    bpy.ops.import_scene.gltf(filepath=order["glb"], **order["options"])
    if bpy.data.actions:
        raise RuntimeError("It is animated, and animations go by the frame rate of the scene.")
    objects = set(bpy.data.objects)
    part = f"{order['blend']}.part"
    # Not compressed: appending takes three times as long then (bpy 5.2.3, 400,000 triangles: 104 ms against 37).
    bpy.data.libraries.write(part, objects, compress=False)
    os.replace(part, order["blend"])
    return {"objects": len(objects), "vertices": sum(len(mesh.vertices) for mesh in bpy.data.meshes)}


if __name__ == "__main__":
    main()
