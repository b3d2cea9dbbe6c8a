# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with models, opened as another Blender would open them."""

from __future__ import annotations

from pathlib import Path

import bpy


def open_model_file(path: Path) -> list[bpy.types.Object]:
    """What is in it, in an otherwise empty file: its meshes."""
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
    return [obj for obj in bpy.data.objects if obj.type == "MESH"]
