# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators on one generation of the list."""

from __future__ import annotations

import logging
from typing import Any

import bpy

from ..blender import importer, mesh_check, session, watcher
from ..blender.errors import ModelImportError
from ..blender.open_file import is_open, placement_here
from ..generation import UNPAID, Generation, GenerationError, KeptImage, State
from .operator_parts import ask, can_ask_service, errors_reported

_log = logging.getLogger(__name__)


def _generation_id() -> Any:
    """The property that says which generation an operator is for."""
    return bpy.props.StringProperty(
        name="Generation", description="Identifier of the generation", options={"HIDDEN", "SKIP_SAVE"}
    )


class _OnGeneration:
    """What they share."""

    bl_options: Any = {"INTERNAL"}
    generation: _generation_id()

    def known(self) -> Generation:
        """
        :raises GenerationError: it was removed meanwhile.
        """
        snapshot = session.manager().get(self.generation)  # type: ignore[arg-type]
        if snapshot is None:
            raise GenerationError("This generation is not known any more.", "Select the image and generate.")
        return snapshot.generation


class _AsksService(_OnGeneration):
    """Those that need a network and a key."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_ask_service(cls)  # type: ignore[arg-type]


class PIXAL3D_OT_import_model(_OnGeneration, bpy.types.Operator):
    """Place the model of a finished generation in the scene"""

    bl_idname = "pixal3d.import_model"
    bl_label = "Import Generated Model"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if context.mode != "OBJECT":  # Blender's importer would leave the artist's mode
            self.report({"ERROR"}, "Go to Object Mode first")
            return {"CANCELLED"}
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        manager = session.manager()
        snapshot = manager.get(self.generation)
        if snapshot is None or snapshot.generation.state not in {State.READY, State.IMPORTED}:
            self.report({"ERROR"}, "There is no finished model to import")
            return {"CANCELLED"}
        generation = snapshot.generation
        if not is_open(generation.placement):  # names of another file mean nothing in this one
            generation = generation.changed(placement=placement_here(context))
        try:
            objects = importer.import_model(context, generation, session.mesh_scale_applied_by())
        except Exception as error:  # whatever it is, the model must not be tried again at each tick, nor be lost
            if not isinstance(error, GenerationError):
                _log.exception("A fault in the add-on while importing")
                error = ModelImportError(f"Something went wrong inside the add-on ({error!r}).", "Please report it.")
            manager.mark_import_failed(self.generation, error)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        manager.mark_imported(self.generation)
        if not bpy.app.background:
            for obj in objects:
                if obj.type == "MESH":
                    mesh_check.start(obj.data, generation.glb_file)  # type: ignore[arg-type]
        return {"FINISHED"}


class PIXAL3D_OT_stop_waiting(_OnGeneration, bpy.types.Operator):
    """Stop waiting for this model. A job that the service has started goes on there and is charged"""

    bl_idname = "pixal3d.stop_waiting"
    bl_label = "Stop Waiting"

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.manager().stop(self.generation)
        return {"FINISHED"}


class _GoesOn(_AsksService):
    """Those that let a worker go on with a generation from where it stands."""

    def check(self, generation: Generation) -> None:
        """
        :raises GenerationError: there is nothing to go on with.
        """
        raise NotImplementedError

    def execute(self: Any, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            generation = self.known()
            self.check(generation)
            session.manager().start(generation, None, session.connection())
            watcher.watch()
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_fetch_again(_GoesOn, bpy.types.Operator):
    """Ask the service for this model, or for the job if that is not known. Nothing is charged for it"""

    bl_idname = "pixal3d.fetch_again"
    bl_label = "Fetch Again"

    def check(self, generation: Generation) -> None:
        if not (generation.job_id or generation.state is State.UNCERTAIN):
            raise GenerationError("There is nothing to fetch: the service has no job for this image.")


class PIXAL3D_OT_go_on(_GoesOn, bpy.types.Operator):
    """Generate this model now: Blender was closed before the service was asked for it"""

    bl_idname = "pixal3d.go_on"
    bl_label = "Generate Now"

    def check(self, generation: Generation) -> None:
        if generation.state not in UNPAID:
            raise GenerationError("The service was asked for this model already.")


class PIXAL3D_OT_try_again(_AsksService, bpy.types.Operator):
    """Generate a new model from the same image with the same settings. This is charged anew"""

    bl_idname = "pixal3d.try_again"
    bl_label = "Try Again"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        snapshot = session.manager().get(self.generation)
        if snapshot and snapshot.generation.state is State.UNCERTAIN:
            question = "The first request may have been charged. The service charges for a new one in any case."
        else:
            question = "The service charges for it."
        return ask(self, context, event, "Generate this model anew?", question)

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            old = self.known()
            again = Generation(name=old.name, parameters=old.parameters, placement=placement_here(context))
            # One whose outcome is unknown stays in the list: its job may still be found.
            failed = old.id if old.state is State.FAILED else ""
            session.manager().start(again, KeptImage(old.id), session.connection(), instead_of=failed)
            watcher.watch()
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_remove(_OnGeneration, bpy.types.Operator):
    """Remove this entry and its files from this computer. What stands in a scene stays there"""

    bl_idname = "pixal3d.remove"
    bl_label = "Remove"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        snapshot = session.manager().get(self.generation)
        if snapshot is None or snapshot.generation.state in UNPAID or snapshot.generation.has_failed_job:
            return self.execute(context)
        if snapshot.generation.state is State.IMPORTED:
            question = "Its files are deleted. The model in the scene stays."
        else:
            question = "The model may be paid for, and is not in a scene. Its files are deleted."
        return ask(self, context, event, "Remove this generation?", question)

    def execute(self, context: bpy.types.Context) -> set[str]:
        session.manager().remove(self.generation)
        return {"FINISHED"}


classes = (
    PIXAL3D_OT_import_model,
    PIXAL3D_OT_stop_waiting,
    PIXAL3D_OT_fetch_again,
    PIXAL3D_OT_go_on,
    PIXAL3D_OT_try_again,
    PIXAL3D_OT_remove,
)
