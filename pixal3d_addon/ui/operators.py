# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators. Each gathers what it needs from the context, calls one function, and reports."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import connection_check, image_source, importer, online, session, watcher
from ..blender.errors import ModelImportError, NoImageError
from ..blender.placement import placement_here
from ..generation import Generation, GenerationError, SourceImage, State
from ..parameters import ParameterError, complete
from ..scenario import ScenarioError
from . import properties

if TYPE_CHECKING:
    from ..scenario import Connection


_log = logging.getLogger(__name__)


@contextmanager
def _errors_reported(operator: bpy.types.Operator) -> Iterator[None]:
    """Our errors become the operator's report; in a script the caller gets them as ``RuntimeError``."""
    try:
        yield
    except (ScenarioError, GenerationError, ParameterError) as error:
        operator.report({"ERROR"}, str(error))


def _generation_id() -> Any:
    """The property that says which generation an operator is for."""
    return bpy.props.StringProperty(
        name="Generation", description="Identifier of the generation", options={"HIDDEN", "SKIP_SAVE"}
    )


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
        **properties.parameter_properties(for_operator=True),
    }

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _can_ask_for_models(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """From the panel: the scene's settings; starts in the background and returns at once.

        In background mode Blender calls ``execute`` instead, whatever the caller asks for.
        """
        with _errors_reported(self):
            settings = properties.parameter_values(context.scene.pixal3d)
            generation, source, connection = self._gather(context, settings)
            if session.manager().is_double_click(generation):
                self.report({"INFO"}, f"{generation.name} is already on its way")
                return {"CANCELLED"}
            session.manager().start(generation, source, connection)
            watcher.watch()
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """From a script: the arguments and the table's defaults; returns when the model is in the scene."""
        with _errors_reported(self):
            generation, source, connection = self._gather(context, {})
            session.manager().run(generation, source, connection)
            try:
                bpy.ops.pixal3d.import_model("EXEC_DEFAULT", True, generation=generation.id)  # type: ignore[attr-defined]
            except RuntimeError as error:  # that operator's own report
                raise ModelImportError(str(error).removeprefix("Error: ").strip()) from None
            return {"FINISHED"}
        return {"CANCELLED"}

    def _gather(
        self, context: bpy.types.Context, settings: dict[str, object]
    ) -> tuple[Generation, SourceImage, Connection]:
        importer.ensure_can_import(context)
        connection = session.connection()
        parameters = complete({**settings, **properties.given_parameter_values(self)})
        source = _source_image(context, self.image)  # type: ignore[attr-defined]
        generation = Generation(name=source.title, parameters=parameters, placement=placement_here(context))
        return generation, source, connection


def _ask(operator: bpy.types.Operator, context: Any, event: bpy.types.Event, title: str, message: str) -> set[str]:
    """Blender's own question; the operator's ``execute`` follows if the artist agrees."""
    answer: set[str] = context.window_manager.invoke_confirm(operator, event, title=title, message=message)
    return answer


def _can_ask_for_models(operator: type[bpy.types.Operator]) -> bool:
    """For ``poll``: whether there is a network and a key."""
    reason = online.offline_reason()
    if not reason and not session.key_source():
        reason = "No Scenario API key is set. Enter it in the add-on's preferences"
    return _allowed(operator, reason)


def _allowed(operator: type[bpy.types.Operator], reason: str) -> bool:
    """For ``poll``: whether nothing speaks against it; if something does, the button says what."""
    if reason:
        operator.poll_message_set(reason)
    return not reason


def _source_image(context: bpy.types.Context, name_or_path: str) -> SourceImage:
    if name_or_path:
        return image_source.find_image(name_or_path)
    image = context.scene.pixal3d.image or image_source.active_material_image(context)
    if image is None:
        raise NoImageError("No image is selected.", "Select one in the Pixal3D panel, or an object with a texture.")
    return image_source.source_image(image)


class PIXAL3D_OT_import_model(bpy.types.Operator):
    """Place the model of a finished generation in the scene"""

    bl_idname = "pixal3d.import_model"
    bl_label = "Import Generated Model"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    generation: _generation_id()

    def execute(self, context: bpy.types.Context) -> set[str]:
        manager = session.manager()
        snapshot = manager.get(self.generation)
        if snapshot is None or snapshot.generation.state not in {State.READY, State.IMPORTED}:
            self.report({"ERROR"}, "There is no finished model to import")
            return {"CANCELLED"}
        try:
            importer.import_model(context, snapshot.generation, session.mesh_scale_applied_by())
        except Exception as error:  # whatever it is, the model must not be tried again at each tick, nor be lost
            if not isinstance(error, GenerationError):
                _log.exception("A fault in the add-on while importing")
                error = ModelImportError(f"Something went wrong inside the add-on ({error!r}).", "Please report it.")
            manager.mark_import_failed(self.generation, str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        manager.mark_imported(self.generation)
        return {"FINISHED"}


class _OnGeneration:
    """What the operators on one generation of the list share."""

    bl_options = {"INTERNAL"}
    generation: _generation_id()


class PIXAL3D_OT_stop_waiting(_OnGeneration, bpy.types.Operator):
    """Stop waiting for this model. A job that the service has started goes on there and is charged"""

    bl_idname = "pixal3d.stop_waiting"
    bl_label = "Stop Waiting"

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.manager().stop(self.generation)
        return {"FINISHED"}


class PIXAL3D_OT_fetch_again(_OnGeneration, bpy.types.Operator):
    """Ask the service for this model, or for the job if that is not known. Nothing is charged for it"""

    bl_idname = "pixal3d.fetch_again"
    bl_label = "Fetch Again"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _allowed(cls, online.offline_reason())

    def execute(self, context: bpy.types.Context) -> set[str]:
        manager = session.manager()
        with _errors_reported(self):
            snapshot = manager.get(self.generation)
            if snapshot is None or not (snapshot.generation.job_id or snapshot.generation.state is State.UNCERTAIN):
                raise GenerationError("There is nothing to fetch: the service has no job for this image.")
            manager.start(snapshot.generation, None, session.connection())
            watcher.watch()
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_try_again(_OnGeneration, bpy.types.Operator):
    """Generate a new model from the same image with the same settings. This is charged anew"""

    bl_idname = "pixal3d.try_again"
    bl_label = "Try Again"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _can_ask_for_models(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        question = "The service charges for it, again if it did before."
        return _ask(self, context, event, "Generate this model anew?", question)

    def execute(self, context: bpy.types.Context) -> set[str]:
        manager = session.manager()
        with _errors_reported(self):
            snapshot = manager.get(self.generation)
            if snapshot is None or not snapshot.generation.source_file:
                raise GenerationError("The image that was sent is not known any more.", "Select it and generate.")
            old = snapshot.generation
            again = Generation(name=old.name, parameters=old.parameters, placement=placement_here(context))
            manager.start(again, SourceImage(old.name, Path(old.source_file)), session.connection())
            manager.forget(old.id)
            watcher.watch()
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_dismiss(_OnGeneration, bpy.types.Operator):
    """Take this entry off the list. Its files stay on disk"""

    bl_idname = "pixal3d.dismiss"
    bl_label = "Dismiss"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        snapshot = session.manager().get(self.generation)
        if snapshot is None or not snapshot.generation.job_id or snapshot.generation.state is State.IMPORTED:
            return self.execute(context)
        return _ask(self, context, event, "Take it off the list?", "The model may be paid for and is not in the scene.")

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.manager().forget(self.generation)
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
        return _allowed(cls, online.offline_reason())

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        with _errors_reported(self):
            connection_check.start(session.connection())
            return {"FINISHED"}
        return {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with _errors_reported(self):
            self.report({"INFO"}, connection_check.check(session.connection()).text)
            return {"FINISHED"}
        return {"CANCELLED"}


classes = (
    PIXAL3D_OT_generate,
    PIXAL3D_OT_import_model,
    PIXAL3D_OT_stop_waiting,
    PIXAL3D_OT_fetch_again,
    PIXAL3D_OT_try_again,
    PIXAL3D_OT_dismiss,
    PIXAL3D_OT_use_active_texture,
    PIXAL3D_OT_test_connection,
)
