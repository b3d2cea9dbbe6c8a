# SPDX-License-Identifier: GPL-3.0-or-later
"""What Generate and its relatives gather from the context, before anything is sent. Main thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from ..blender import image_source, importer, provenance, session
from ..blender.errors import NoImageError
from ..blender.open_file import placement_here
from ..generation import Generation
from ..parameters import Value, complete
from . import properties
from .import_settings import import_options
from .operator_parts import Order


def chosen_image(context: bpy.types.Context) -> bpy.types.Image | None:
    """The image that the artist has selected, or else the one that colors the active object. Memory only."""
    image: bpy.types.Image | None = context.scene.pixal3d.image
    return image or _image_of_active_object(context)


def gather(context: bpy.types.Context, owner: Any, name_or_path: str, parameters: Mapping[str, object]) -> Order:
    """
    :param owner: the scene's settings, or an operator's arguments: how the image is framed, and how the model arrives.
    :param name_or_path: an image datablock or a file; empty for the chosen image.
    :raises GenerationError, ScenarioError, ParameterError: it can't be sent, or could not be placed.
    """
    importer.ensure_can_import(context)
    connection = session.connection()
    complete_parameters: dict[str, Value] = complete(parameters)
    framing = properties.framing(owner)
    image = bpy.data.images.get(name_or_path) if name_or_path else chosen_image(context)
    if image is not None:
        source = image_source.source_image(image, framing, properties.part(owner, image))
    elif name_or_path:
        source = image_source.find_image(name_or_path, framing, properties.part(owner, None))
    else:
        raise NoImageError("No image is selected.", "Select one in the Pixal3D panel, or an object with a texture.")
    generation = Generation(
        name=source.title,
        parameters=complete_parameters,
        placement=placement_here(context, owner.place_at, _source_object(context, image)),
        options=import_options(owner),
    )
    return Order(generation, source, connection, image)


def _image_of_active_object(context: bpy.types.Context) -> bpy.types.Image | None:
    """Not of a model of ours, which is the active object when it has just arrived: a second click would pay for a model
    of its texture atlas."""
    return None if provenance.of(context.object) else image_source.active_material_image(context)


def _source_object(context: bpy.types.Context, image: bpy.types.Image | None) -> str:
    is_from_it = image is not None and image == _image_of_active_object(context)
    return context.object.name if is_from_it and context.object else ""
