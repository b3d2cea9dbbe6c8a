# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators. Each gathers what it needs from the context, calls one function, and reports."""

from __future__ import annotations

from typing import Any

import bpy

from ..blender import connection_check, image_source, importer, online, open_file, ordering, provenance, session
from ..generation import GenerationError
from . import properties
from .import_settings import import_options, import_properties, place_property
from .operator_parts import allowed, ask, can_ask_service, carry_out, errors_reported, is_from_window
from .ordering import gather
from .price_texts import question
from .texts import said, translated


class PIXAL3D_OT_generate(bpy.types.Operator):
    """Turn the image into a textured 3D model and place it in the scene"""

    bl_idname = "pixal3d.generate"
    bl_label = "Generate"
    # Not registered for Repeat Last and Adjust Last Operation: they would spend the artist's money again.
    bl_options = set()

    __annotations__ = {
        "image": properties.image_property(),
        **properties.framing_properties(for_operator=True),
        **properties.part_properties(for_operator=True),
        "place_at": place_property(for_operator=True),
        **import_properties(for_operator=True),
        **properties.parameter_properties(for_operator=True),
    }

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_ask_service(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """From the panel: the scene's settings; starts in the background and returns at once.

        In background mode Blender calls ``execute`` instead, whatever the caller asks for.
        """
        with errors_reported(self):
            order = self._order(context)
            if session.manager().is_double_click(order.generation):
                self.report({"INFO"}, said("{name} is already on its way", name=order.generation.name))
                return {"CANCELLED"}
            if text := question(order.generation.parameters):
                return ask(self, context, event, "Generate over the spending limit?", text)
            carry_out(self, order)
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """From a script: the arguments and the table's defaults; returns when the model is in the scene.

        Blender calls it too when the artist has agreed to the question of ``invoke``, and then it is as that.
        """
        with errors_reported(self):
            order = self._order(context)
            carry_out(self, order)
            return {"FINISHED"}
        return {"CANCELLED"}

    def _order(self, context: bpy.types.Context) -> ordering.Order:
        given = properties.given_parameter_values(self)
        image: str = self.image  # type: ignore[attr-defined]
        if not is_from_window(self):
            return gather(context, self, image, given)
        settings = context.scene.pixal3d
        return gather(context, settings, image, {**properties.parameter_values(settings), **given}, may_come_later=True)


class PIXAL3D_OT_generate_again(bpy.types.Operator):
    """Generate a new model from the image of the active object's model, with its settings. This is charged anew"""

    bl_idname = "pixal3d.generate_again"
    bl_label = "Generate Again with These Settings"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        is_known = bool(provenance.of(context.object).get("generation"))
        return allowed(cls, "" if is_known else "The active object was not made by Pixal3D") and can_ask_service(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        text = question(provenance.settings_of(provenance.of(context.object))) or "The service charges for it."
        return ask(self, context, event, "Generate this model again?", text)

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            importer.ensure_can_import(context)
            facts = provenance.of(context.object)
            settings = provenance.settings_of(facts)
            properties.set_parameter_values(context.scene.pixal3d, settings)
            chosen = context.scene.pixal3d
            place, options = open_file.placement_here(context, chosen.place_at), import_options(chosen)
            name = str(facts.get("source", "Image"))
            carry_out(self, ordering.order_again(str(facts["generation"]), name, settings, place, options))
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_fetch_job(bpy.types.Operator):
    """Fetch the model of a job that was begun elsewhere, by its ID. Nothing is charged for it"""

    bl_idname = "pixal3d.fetch_job"
    bl_label = "Fetch Job by ID"
    bl_options = {"INTERNAL"}

    job_id: bpy.props.StringProperty(
        name="Job ID",
        description="ID of a Pixal3D job of your Scenario project, as its job list shows it",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_ask_service(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        answer: Any = context.window_manager.invoke_props_dialog(self)
        return answer  # type: ignore[no-any-return]

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            importer.ensure_can_import(context)
            if not (job_id := self.job_id.strip()):
                raise GenerationError("No job ID was given.", "Copy it from the job list of your Scenario project.")
            generation = session.manager().of_job(job_id, open_file.placement_here(context))
            carry_out(self, ordering.Order(generation, None, session.connection()))
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_clear(bpy.types.Operator):
    """Delete the images and GLB files of all generations whose models are in a saved file. Others are never deleted"""

    bl_idname = "pixal3d.clear"
    bl_label = "Delete Files of Imported Models"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        question = "Their images and GLB files are deleted from this computer. What is in your .blend files stays."
        return ask(self, context, event, "Delete the files of all imported models?", question)

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.manager().clear()
        return {"FINISHED"}


class PIXAL3D_OT_dismiss_notice(bpy.types.Operator):
    """Take this message off the panel"""

    bl_idname = "pixal3d.dismiss_notice"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.manager().dismiss_notice()
        return {"FINISHED"}


class PIXAL3D_OT_use_active_texture(bpy.types.Operator):
    """Select the image that colors the active object's material"""

    bl_idname = "pixal3d.use_active_texture"
    bl_label = "Use Active Material's Texture"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        has_material = getattr(context.object, "active_material", None) is not None
        return allowed(cls, "" if has_material else "The active object has no material")

    def execute(self, context: bpy.types.Context) -> set[str]:
        image = image_source.active_material_image(context)
        if image is None:
            self.report({"ERROR"}, "No image texture colors the active object's material")
            return {"CANCELLED"}
        context.scene.pixal3d.image = image
        return {"FINISHED"}


class PIXAL3D_OT_test_connection(bpy.types.Operator):
    """Ask the service whether it accepts the key. Nothing is charged for it"""

    bl_idname = "pixal3d.test_connection"
    bl_label = "Test Connection"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, online.offline_reason())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        with errors_reported(self):
            connection_check.start(session.connection())
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            text = connection_check.check(session.connection()).text
            self.report({"INFO"}, translated(text, is_report=True))
            return {"FINISHED"}
        return {"CANCELLED"}


classes = (
    PIXAL3D_OT_generate,
    PIXAL3D_OT_generate_again,
    PIXAL3D_OT_fetch_job,
    PIXAL3D_OT_clear,
    PIXAL3D_OT_dismiss_notice,
    PIXAL3D_OT_use_active_texture,
    PIXAL3D_OT_test_connection,
)
