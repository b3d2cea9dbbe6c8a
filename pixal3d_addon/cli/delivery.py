# SPDX-License-Identifier: GPL-3.0-or-later
"""Models on disk to the file that was asked for. Blender's main thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import bpy
from mathutils import Matrix

from ..blender import exporter, importer, session
from ..blender.errors import ModelExportError
from ..blender.placement import bounds_of
from ..generation import Generation, GenerationError, ImportOptions
from ..generation.scale import import_scale
from . import limits

AS_DELIVERED = ImportOptions(place_at="ORIGIN")
"""Nothing that a GLB file would have to be imported and exported for."""


def write_models(
    generations: Sequence[Generation], output: Path, options: ImportOptions, is_interrupted: Callable[[], bool]
) -> list[GenerationError | None]:
    """One file with the models, side by side along X in their order. A single GLB is passed on as it was delivered.

    :param generations: with their GLB on disk.
    :returns: for each of them, why Blender could not read it; if it could read none, there is no file.
    :raises ModelExportError: the file can't be written.
    :raises KeyboardInterrupt: `is_interrupted` before all were read.
    """
    if output.suffix.lower() == ".glb" and len(generations) == 1 and options == AS_DELIVERED:
        _pass_on(generations[0], output)
        return [None]
    empty_scene()
    models = list[list[bpy.types.Object]]()
    problems = list[GenerationError | None]()
    for generation in generations:
        if is_interrupted():
            raise KeyboardInterrupt
        try:
            models.append(importer.import_model(bpy.context, generation, session.mesh_scale_applied_by(), options))
            problems.append(None)
        except GenerationError as error:
            problems.append(error)
    if models:
        _set_side_by_side(models)
        exporter.export([obj for model in models for obj in model], output)
    return problems


def empty_scene() -> None:
    """A new file without anything in it: neither the artist's startup file, nor what was imported before."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def _pass_on(generation: Generation, output: Path) -> None:
    from ..generation.glb_scale import write_scaled

    mesh_scale = float(generation.parameters.get("mesh_scale") or 1.0)
    factor, _ = import_scale(mesh_scale, generation.bounds, session.mesh_scale_applied_by())
    try:
        write_scaled(Path(generation.glb_file), output, factor)
    except OSError as error:
        raise ModelExportError(
            f"{output} can't be written: {error.strerror or error}.", "Check the disk's free space and your rights."
        ) from None


def _set_side_by_side(models: Sequence[Sequence[bpy.types.Object]]) -> None:
    """The first stays where it is; each other one follows to its right, with a gap."""
    free_from: float | None = None
    for root, *_ in models:
        bpy.context.view_layer.update()
        bounds = bounds_of(root)
        if bounds is None:
            continue
        low, high = bounds
        shift = 0.0 if free_from is None else free_from - low.x
        root.matrix_world = Matrix.Translation((shift, 0.0, 0.0)) @ root.matrix_world
        free_from = high.x + shift + limits.GAP_BETWEEN_MODELS * (high.x - low.x)
