# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for the price by the artist's wish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import bpy

from ..blender import errors, pricing, session
from . import properties
from .operator_parts import can_ask_service, errors_reported
from .ordering import gather
from .price_texts import units
from .texts import said

if TYPE_CHECKING:
    from ..generation import SourceImage
    from ..scenario import Connection


class PIXAL3D_OT_quote(bpy.types.Operator):
    """Ask what the model will cost. The image is uploaded if the service wants to see it; nothing is charged"""

    bl_idname = "pixal3d.quote"
    bl_label = "Ask for the Price"
    bl_options = set()

    image: properties.image_property()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_ask_service(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """In the background. The answer is shown on the button, a trouble below it."""
        with errors_reported(self):
            pricing.ask(*self._gather(context))
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            price = units(pricing.quote(*self._gather(context)))
            self.report({"INFO"}, said("A model with these settings costs {price} CU", price=price))
            return {"FINISHED"}
        return {"CANCELLED"}

    def _gather(self, context: bpy.types.Context) -> tuple[Connection, Mapping[str, object], SourceImage | None]:
        settings = context.scene.pixal3d
        parameters = properties.parameter_values(settings)
        try:
            order = gather(context, settings, self.image, parameters)
        except errors.NoImageError:
            if self.image:
                raise
            return session.connection(), parameters, None  # the service may not ask for one
        return order.connection, order.generation.parameters, cast("SourceImage", order.source)


classes = (PIXAL3D_OT_quote,)
