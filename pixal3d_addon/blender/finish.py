# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist wants done with a model that has arrived, beyond placing it. Main thread; pushes no undo step."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import bpy

from ..generation import ImportOptions
from . import asset_catalogs
from .prepared import images_of

_FOLDER = "//textures"
"""As Blender's own Unpack Resources has it."""


def finish(objects: list[bpy.types.Object], options: ImportOptions) -> None:
    """:param objects: the model, the root first, at its place and in its final size."""
    meshes = [obj for obj in objects if obj.type == "MESH"]
    for obj in meshes:
        if options.merge_distance:
            scale = obj.matrix_world.median_scale or 1.0
            from .mesh_cleanup import clean_up

            clean_up(obj, merge_distance=options.merge_distance / scale, tiny_shell_ratio=0.0, hole_max_edges=0)
        if options.shade_smooth:
            _shade_smooth(obj)
    if options.textures == "FILES" and bpy.data.filepath:
        for image in dict.fromkeys(image for obj in meshes for image in images_of(obj)):
            _keep_beside_file(image)
    if options.is_asset:
        _mark_as_asset(objects[0], options.asset_catalog)


def _shade_smooth(obj: Any) -> None:
    with bpy.context.temp_override(object=obj, active_object=obj, selected_objects=[obj]):
        bpy.ops.mesh.customdata_custom_splitnormals_clear()
    obj.data.shade_smooth()


def _mark_as_asset(root: Any, catalog: str) -> None:
    root.asset_mark()
    if catalog_id := asset_catalogs.id_of(catalog):
        root.asset_data.catalog_id = catalog_id
    if not bpy.app.background:  # Blender renders it in a job of its own
        root.asset_generate_preview()


def _keep_beside_file(image: bpy.types.Image) -> None:
    """The packed bytes as a file of their own, under a name that is not taken by another. Stays packed if it can't be
    written."""
    if not image.packed_file:
        return
    data = bytes(image.packed_file.data)  # type: ignore[arg-type]
    ending = {"JPEG": ".jpg", "WEBP": ".webp"}.get(image.file_format, ".png")
    folder = Path(bpy.path.abspath(_FOLDER))
    stem = bpy.path.clean_name(image.name)
    names = itertools.chain([f"{stem}{ending}"], (f"{stem}_{number}{ending}" for number in itertools.count(1)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        name = next(name for name in names if _is_written(folder / name, data))
    except OSError:
        return
    image.filepath_raw = f"{_FOLDER}/{name}"
    image.unpack(method="REMOVE")


def _is_written(file: Path, data: bytes) -> bool:
    """Whether `file` holds `data` now: not if it is another one. The same again is not written again: Adjust Last
    Operation imports the model anew at each change.

    :raises OSError: it can't be written; there is no half file.
    """
    try:
        with file.open("xb") as target:
            try:
                target.write(data)
            except OSError:
                file.unlink()
                raise
    except FileExistsError:
        return file.stat().st_size == len(data) and file.read_bytes() == data
    return True
