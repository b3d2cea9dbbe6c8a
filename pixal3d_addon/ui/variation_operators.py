# SPDX-License-Identifier: GPL-3.0-or-later
"""Several models of one image, each with its own seed, side by side; and choosing one of them."""

from __future__ import annotations

import dataclasses
import random
import uuid
from typing import Any

import bpy

from ..blender import open_file, ordering, placeholder, pricing, provenance, session
from ..parameters import SETTINGS, Kind, Value
from . import properties
from .layout_parts import draw_text
from .operator_parts import allowed, can_ask_service, carry_out, errors_reported, known_generation
from .ordering import gather
from .price_texts import question, units
from .texts import said

_SPACING = 1.25
"""From one to the next, of the size that is expected."""

_DIALOG_WIDTH_PX = 300

_MAX_SEED = int(next(parameter.maximum for parameter in SETTINGS if parameter.kind is Kind.SEED))


class PIXAL3D_OT_variations(bpy.types.Operator):
    """Generate several models of the image side by side, each with another seed. Each one is charged"""

    bl_idname = "pixal3d.variations"
    bl_label = "Generate Variations"
    bl_options = set()

    count: bpy.props.IntProperty(
        name="Variations", description="Number of models", default=4, min=2, max=16, options={"SKIP_SAVE"}
    )
    image: properties.image_property()
    generation: bpy.props.StringProperty(
        name="Generation",
        description="Identifier of a generation whose image and settings are taken instead",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_ask_service(cls)

    def invoke(self, context: Any, event: bpy.types.Event) -> set[str]:
        with errors_reported(self):
            self._order(context)  # what speaks against it is said before the dialog
            answer: set[str] = context.window_manager.invoke_props_dialog(
                self, width=_DIALOG_WIDTH_PX, confirm_text="Generate"
            )
            return answer
        return {"CANCELLED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.use_property_split = True
        layout.prop(self, "count")
        parameters = self._parameters(context)
        price = pricing.price(parameters)
        if price is not None:
            mark = "?" if price.is_old else ""
            text = said("{price} CU for all", price=units(price.cost * self.count) + mark)
            layout.label(text=text, translate=False)
        else:
            layout.label(text="Each one is charged")
        if excess := question(parameters, self.count):
            draw_text(layout, context, excess, icon="ERROR", width_px=_DIALOG_WIDTH_PX)

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            carry_out(self, *variations(self._order(context), self.count, context))
            return {"FINISHED"}
        return {"CANCELLED"}

    def _parameters(self, context: bpy.types.Context) -> dict[str, Any]:
        snapshot = session.manager().get(self.generation) if self.generation else None
        if snapshot:
            return dict(snapshot.generation.parameters)
        return properties.parameter_values(context.scene.pixal3d)

    def _order(self, context: bpy.types.Context) -> ordering.Order:
        settings = context.scene.pixal3d
        if not self.generation:
            return gather(context, settings, self.image, properties.parameter_values(settings))
        known = known_generation(self.generation)
        # Not with its seed: that would pay for the model that is there.
        parameters = {**known.parameters, "seed": None}
        place = open_file.placement_here(context, settings.place_at)
        return ordering.order_again(known.id, known.name, parameters, place, known.options)


def variations(order: ordering.Order, count: int, context: Any) -> list[ordering.Order]:
    """`order` so many times, each with a seed of its own, in a row along the X axis that begins where `order` stands.

    A seed that is set is the first one's, and those after it follow.
    """
    group = uuid.uuid4().hex
    first = order.generation
    distance = placeholder.size_of(first, context.scene) * _SPACING
    made = []
    for number, seed in enumerate(_seeds(first.parameters["seed"], count)):
        x, y, z = first.placement.location
        generation = dataclasses.replace(
            first,
            id=uuid.uuid4().hex,
            group=group,
            parameters={**first.parameters, "seed": seed},
            placement=dataclasses.replace(first.placement, location=(x + number * distance, y, z)),
        )
        made.append(dataclasses.replace(order, generation=generation))
    return made


def _seeds(first: Value, count: int) -> list[int]:
    if first is None:
        return random.sample(range(_MAX_SEED + 1), count)
    return [(int(first) + number) % (_MAX_SEED + 1) for number in range(count)]


class PIXAL3D_OT_keep_this(bpy.types.Operator):
    """Keep the active model, and remove its other variations from the scene. Those under way are not waited for; they are charged"""  # noqa: E501  (Blender's tooltip)

    bl_idname = "pixal3d.keep_this"
    bl_label = "Keep This, Remove the Others"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        has_others = bool(provenance.of(context.object).get("group"))
        reason = "" if has_others else "The active object is not one of several variations"
        if not reason and context.mode != "OBJECT":
            reason = "Go to Object Mode first"
        return allowed(cls, reason)

    def execute(self, context: Any) -> set[str]:
        facts = provenance.of(context.object)
        group, kept = str(facts["group"]), str(facts.get("generation", ""))
        manager = session.manager()
        others = [s.generation for s in manager.snapshots() if s.generation.group == group and s.generation.id != kept]
        for other in others:
            manager.let_go(other.id)
        placeholder.sweep({other.id for other in others})
        count = provenance.remove_others(context.scene, group, kept)
        self.report({"INFO"}, said("Removed {count} models from the scene", count=count))
        return {"FINISHED"}


classes = (PIXAL3D_OT_variations, PIXAL3D_OT_keep_this)
