# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects to a file that opens elsewhere with its textures: .blend, .glb, .usd, .usda, .usdc, .usdz, .fbx and .obj.

They are packed in a .blend, inside of a .glb, .usdz and .fbx, and in the folder ``NAME_textures`` beside the others,
which is called after the file so that two models in one folder never share one. Main thread; blocks.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import bpy

from .errors import ModelExportError, reported

_log = logging.getLogger(__name__)

_USD = frozenset({".usd", ".usda", ".usdc", ".usdz"})
_TEXTURES = "_textures"
SUFFIXES = (".blend", ".glb", ".usd", ".usda", ".usdc", ".usdz", ".fbx", ".obj")

_KEPT_AS_THEY_ARE = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg"}
"""By their first bytes. Other programs read no WebP in USD, FBX and OBJ, so the others are written as PNG."""


def reason_against(suffix: str) -> str:
    """Why a file with this ending can't be written here, with the remedy; empty if it can. Memory only."""
    if suffix not in SUFFIXES:
        return f"There is no exporter for {suffix or 'a name without an ending'}. Use one of {', '.join(SUFFIXES)}."
    if suffix == ".glb" and not hasattr(bpy.types, "EXPORT_SCENE_OT_gltf"):
        return "Blender's glTF exporter is switched off. Enable the add-on glTF 2.0 in the preferences."
    if suffix == ".fbx" and not hasattr(bpy.types, "EXPORT_SCENE_OT_fbx"):
        return "Blender's FBX exporter is switched off. Enable the add-on FBX format in the preferences."
    # Linux distributions build Blender without USD (Debian's 4.3.2 and 5.2.2).
    if suffix in _USD and "usd_export" not in dir(bpy.ops.wm):
        return "This Blender was built without USD. Use .glb, or a Blender from blender.org."
    return ""


def endings_beside(suffix: str) -> tuple[str, ...]:
    """What else is written beside a file with this ending: each comes after the file's name."""
    if suffix == ".obj":
        return (".mtl", _TEXTURES)
    return (_TEXTURES,) if suffix in _USD - {".usdz"} else ()


def export(objects: Sequence[bpy.types.Object], path: Path) -> None:
    """Write `objects` and nothing else to `path`, over what is there; to a .blend file the whole open file.

    It comes to its place when it is complete. The selection changes, and so does where the objects' images are kept:
    they are expected to be removed afterwards, or Blender to end.

    :raises ModelExportError: it can't be written; what was at `path` is still there.
    """
    suffix = path.suffix.lower()
    if reason := reason_against(suffix):
        raise ModelExportError(reason)
    try:
        with tempfile.TemporaryDirectory(prefix=".pixal3d-", dir=path.parent) as folder:
            target = Path(folder) / path.name
            if suffix not in (".blend", ".glb"):
                _images_to_files(objects, Path(folder) / f"{path.stem}{_TEXTURES}")
            _select_only(objects)
            _run(*_call(suffix, target))
            if not target.is_file():
                raise ModelExportError(f"Blender's exporter wrote no file for {path.name}.", "Try another format.")
            _bring_home(Path(folder), target, is_whole=suffix in (".fbx", ".usdz"))
    except RuntimeError as error:
        _log.warning("Blender's exporter refused %s: %s", path, error)
        raise ModelExportError(f"Blender could not write {path}: {reported(error)}") from None
    except OSError as error:
        raise ModelExportError(
            f"{path} can't be written: {error.strerror or error}.", "Check the disk's free space and your rights."
        ) from None


def _call(suffix: str, target: Path) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The operator and its arguments, those of all versions."""
    file = {"filepath": str(target), "check_existing": False}
    if suffix == ".blend":
        return bpy.ops.wm.save_as_mainfile, {**file, "copy": True, "compress": True}
    if suffix == ".glb":
        return bpy.ops.export_scene.gltf, {**file, "export_format": "GLB", "use_selection": True}
    if suffix == ".fbx":
        embed = {"path_mode": "COPY", "embed_textures": True}
        return bpy.ops.export_scene.fbx, {**file, "use_selection": True, "bake_anim": False, **embed}
    if suffix == ".obj":
        pbr = {"export_pbr_extensions": True, "path_mode": "RELATIVE"}
        return bpy.ops.wm.obj_export, {**file, "export_selected_objects": True, **pbr}
    return bpy.ops.wm.usd_export, {
        **file,
        "selected_objects_only": True,
        "relative_paths": True,
        "convert_world_material": False,
        "export_textures": suffix == ".usdz",  # until 4.5; they are beside the file already
        "export_textures_mode": "NEW" if suffix == ".usdz" else "KEEP",
    }


def _run(operator: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """:raises RuntimeError: what the operator reported."""
    known = operator.get_rna_type().properties.keys()  # type: ignore[attr-defined]
    operator(**{name: value for name, value in arguments.items() if name in known})


def _select_only(objects: Iterable[bpy.types.Object]) -> None:
    view_layer = bpy.context.view_layer
    view_layer.update()
    for obj in view_layer.objects:
        obj.select_set(False)
    for obj in objects:
        obj.select_set(True)
        view_layer.objects.active = obj


def _images_to_files(objects: Iterable[bpy.types.Object], folder: Path) -> None:
    for number, image in enumerate(_images_of(objects)):
        folder.mkdir(exist_ok=True)
        # OBJ files and their readers are at odds over spaces and letters beyond ASCII in names.
        name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in image.name)
        _to_file(image, folder / f"{number}_{name}")


def _images_of(objects: Iterable[Any]) -> list[Any]:
    trees = (m.node_tree for obj in objects if obj.type == "MESH" for m in obj.data.materials if m and m.node_tree)
    images = (node.image for tree in trees for node in tree.nodes if node.type == "TEX_IMAGE")
    return list(dict.fromkeys(image for image in images if image))


def _to_file(image: Any, stem: Path) -> None:
    """From now on `image` is that file; the ending is added."""
    data = bytes(image.packed_file.data) if image.packed_file else b""
    suffix = next((suffix for magic, suffix in _KEPT_AS_THEY_ARE.items() if data.startswith(magic)), "")
    file = stem.with_name(stem.name + (suffix or ".png"))
    if suffix:
        file.write_bytes(data)
    else:
        image.file_format = "PNG"
        image.save(filepath=str(file))
    image.filepath_raw = str(file)
    if image.packed_file:
        image.unpack(method="REMOVE")


def _bring_home(folder: Path, target: Path, *, is_whole: bool) -> None:
    """What was written in `folder` goes to the folder around it, `target` last."""
    others = [] if is_whole else sorted(f for f in folder.rglob("*") if f.is_file() and f != target)
    for file in (*others, target):
        destination = folder.parent / file.relative_to(folder)
        destination.parent.mkdir(exist_ok=True)
        os.replace(file, destination)
