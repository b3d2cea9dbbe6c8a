# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator's arguments, or the scene's settings, order. Main thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from ..blender import ordering
from . import properties
from .import_settings import import_options


def gather(
    context: bpy.types.Context,
    owner: Any,
    name_or_path: str,
    parameters: Mapping[str, object],
    *,
    may_come_later: bool = False,
) -> ordering.Order:
    """
    :param owner: the scene's settings, or an operator's arguments: how the image is framed, and how the model arrives.
    :param name_or_path: an image datablock or a file; empty for the chosen image.
    :raises GenerationError, ScenarioError, ParameterError: see :func:`..blender.ordering.order`.
    """
    image = ordering.named_image(context, name_or_path)
    return ordering.order(
        context,
        image if image is not None else name_or_path,
        parameters,
        framing=properties.framing(owner),
        part=properties.part(owner, image),
        place_at=owner.place_at,
        options=import_options(owner),
        may_come_later=may_come_later,
    )
