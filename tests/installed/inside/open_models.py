# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens each of the files that follow ``--`` in an empty file, and prints what is in it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy


def open_file(path: Path) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    match path.suffix:
        case ".blend":
            bpy.ops.wm.open_mainfile(filepath=str(path))
        case ".glb":
            bpy.ops.import_scene.gltf(filepath=str(path))
        case ".fbx":
            bpy.ops.import_scene.fbx(filepath=str(path))
        case ".obj":
            bpy.ops.wm.obj_import(filepath=str(path))
        case _:
            bpy.ops.wm.usd_import(filepath=str(path))


for name in sys.argv[sys.argv.index("--") + 1 :]:
    open_file(Path(name))
    meshes = [obj for obj in bpy.data.objects if obj.type == "MESH"]
    images = [image for image in bpy.data.images if image.users and image.source == "FILE"]
    result = {
        "file": Path(name).name,
        "meshes": len(meshes),
        "largest_side": max(max(obj.dimensions) for obj in meshes),
        "images": len(images),
        "missing": sum(not image.pixels[:4] for image in images),
    }
    print(f"\nRESULT {json.dumps(result)}", flush=True)
