# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators. Each gathers what it needs from the context, calls one function, and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..blender import connection_check, image_source, importer, online, provenance, session
from ..blender.errors import NoImageError
from ..blender.open_file import placement_here
from ..generation import Framing, Generation, GenerationError, KeptImage, SourceImage
from ..parameters import complete
from . import properties
from .operator_parts import allowed, ask, can_ask_service, carry_out, errors_reported

if TYPE_CHECKING:
    from ..scenario import Connection


class PIXAL3D_OT_generate(bpy.types.Operator):
    """Turn the image into a textured 3D model and place it in the scene"""

    bl_idname = "pixal3d.generate"
    bl_label = "Generate"
    # Not registered for Repeat Last and Adjust Last Operation: they would spend the artist's money again.
    bl_options = set()

    __annotations__ = {
        "image": bpy.props.StringProperty(
            name="Image",
            description="Name of an image in this file, or path of an image file. "
            "If empty, the image set in the scene, or else the active material's texture",
            options={"SKIP_SAVE"},
        ),
        **properties.framing_properties(for_operator=True),
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
            settings = context.scene.pixal3d
            generation, source, connection = self._gather(
                context, properties.parameter_values(settings), properties.framing(settings)
            )
            if session.manager().is_double_click(generation):
                self.report({"INFO"}, f"{generation.name} is already on its way")
                return {"CANCELLED"}
            carry_out(self, generation, source, connection)
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """From a script: the arguments and the table's defaults; returns when the model is in the scene."""
        with errors_reported(self):
            carry_out(self, *self._gather(context, {}, properties.framing(self)))
            return {"FINISHED"}
        return {"CANCELLED"}

    def _gather(
        self, context: bpy.types.Context, settings: dict[str, object], framing: Framing
    ) -> tuple[Generation, SourceImage, Connection]:
        importer.ensure_can_import(context)
        connection = session.connection()
        parameters = complete({**settings, **properties.given_parameter_values(self)})
        source = _source_image(context, self.image, framing)  # type: ignore[attr-defined]
        generation = Generation(name=source.title, parameters=parameters, placement=placement_here(context))
        return generation, source, connection


def _source_image(context: bpy.types.Context, name_or_path: str, framing: Framing) -> SourceImage:
    if name_or_path:
        return image_source.find_image(name_or_path, framing)
    image = context.scene.pixal3d.image or image_source.active_material_image(context)
    if image is None:
        raise NoImageError("No image is selected.", "Select one in the Pixal3D panel, or an object with a texture.")
    return image_source.source_image(image, framing)


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
        return ask(self, context, event, "Generate this model again?", "The service charges for it.")

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            importer.ensure_can_import(context)
            facts = provenance.of(context.object)
            settings = provenance.settings_of(facts)
            properties.set_parameter_values(context.scene.pixal3d, settings)
            again = Generation(name=str(facts["source"]), parameters=settings, placement=placement_here(context))
            carry_out(self, again, KeptImage(str(facts["generation"])), session.connection())
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
            carry_out(self, session.manager().of_job(job_id, placement_here(context)), None, session.connection())
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_clear(bpy.types.Operator):
    """Delete the images and models of all generations that stand in a saved file. Others are never deleted"""

    bl_idname = "pixal3d.clear"
    bl_label = "Clear Imported Models"
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
        if getattr(context.object, "active_material", None) is None:
            cls.poll_message_set("The active object has no material")
            return False
        return True

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
            self.report({"INFO"}, connection_check.check(session.connection()).text)
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
