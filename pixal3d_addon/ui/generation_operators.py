# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators on one generation of the list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import generation_list, mesh_check, mesh_replacement, open_file, ordering, redraw, session, watcher
from ..generation import UNPAID, GenerationError, State
from ..parameters import readable
from . import properties
from .operator_parts import allowed, ask, can_ask_service, carry_out, errors_reported, known_generation
from .price_texts import question
from .texts import said

if TYPE_CHECKING:
    from ..generation import Generation


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
        return known_generation(self.generation)  # type: ignore[arg-type]


class _AsksService(_OnGeneration):
    """Those that need a network and a key."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_ask_service(cls)  # type: ignore[arg-type]


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
    """Fetch this model from the service; if its job is not known, look for the job. Nothing is charged for it"""

    bl_idname = "pixal3d.fetch_again"
    bl_label = "Fetch Again"

    def check(self, generation: Generation) -> None:
        if not (generation.job_id or generation.state is State.UNCERTAIN):
            raise GenerationError("There is nothing to fetch: the service has no job for this image.")


class PIXAL3D_OT_go_on(_GoesOn, bpy.types.Operator):
    """Generate this model now: Blender was closed before the service was asked for it. This is charged"""

    bl_idname = "pixal3d.go_on"
    bl_label = "Generate Now"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        snapshot = session.manager().get(self.generation)
        if snapshot and (text := question(snapshot.generation.parameters)):
            return ask(self, context, event, "Generate over the spending limit?", text)
        return self.execute(context)

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
            text = "The first request may have been charged. The service charges for a new one in any case."
        else:
            text = (snapshot and question(snapshot.generation.parameters)) or "The service charges for it."
        return ask(self, context, event, "Generate this model anew?", text)

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            old = self.known()
            if old.state not in {State.FAILED, State.UNCERTAIN} or session.manager().is_running(old.id):
                raise GenerationError("This model is on its way, or has come meanwhile.")
            place = open_file.placement_here(context, context.scene.pixal3d.place_at)
            # One whose outcome is unknown stays in the list: its job may still be found.
            failed = old.id if old.state is State.FAILED else ""
            again = ordering.order_again(old.id, old.name, old.parameters, place, old.options, instead_of=failed)
            carry_out(self, again)
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
        manager = session.manager()
        manager.remove(self.generation)
        generation_list.sync(manager)
        redraw.redraw_panels()
        return {"FINISHED"}


class PIXAL3D_OT_replace_mesh(_OnGeneration, bpy.types.Operator):
    """Give the active object this model's mesh and materials. Its name, transform, parent and modifiers stay"""

    bl_idname = "pixal3d.replace_mesh"
    bl_label = "Replace Selected Object's Mesh"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, mesh_replacement.refusal(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            generation = self.known()
            if not generation.glb_file or generation.state not in {State.READY, State.IMPORTED}:
                raise GenerationError("There is no finished model to import.")
            mesh_replacement.replace_mesh(context, generation, session.mesh_scale_applied_by())
            session.manager().mark_imported(generation.id)
            if not bpy.app.background:
                mesh_check.start(context.object.data, generation.glb_file)  # type: ignore[arg-type]
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_reuse_settings(_OnGeneration, bpy.types.Operator):
    """Set all settings and the seed to those that this model was made with"""

    bl_idname = "pixal3d.reuse_settings"
    bl_label = "Reuse Settings"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            generation = self.known()
            values = readable({**generation.parameters, "seed": generation.seed})
            properties.set_parameter_values(context.scene.pixal3d, values)
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_show_folder(_OnGeneration, bpy.types.Operator):
    """Open the folder with the image that was sent and the model"""

    bl_idname = "pixal3d.show_folder"
    bl_label = "Show Folder"

    def execute(self, context: bpy.types.Context) -> set[str]:
        with errors_reported(self):
            folder = self.known().folder
            if not folder or not Path(folder).is_dir():
                raise GenerationError("The files of this generation are gone.")
            bpy.ops.wm.path_open(filepath=folder)
            return {"FINISHED"}
        return {"CANCELLED"}


class PIXAL3D_OT_copy_job_id(_OnGeneration, bpy.types.Operator):
    """Copy the identifier of the service's job to the clipboard"""

    bl_idname = "pixal3d.copy_job_id"
    bl_label = "Copy Job ID"

    def execute(self, context: Any) -> set[str]:
        with errors_reported(self):
            job_id = self.known().job_id
            if not job_id:
                raise GenerationError("The service has no job for this image.")
            context.window_manager.clipboard = job_id
            self.report({"INFO"}, said("Copied {job}", job=job_id))
            return {"FINISHED"}
        return {"CANCELLED"}


classes = (
    PIXAL3D_OT_stop_waiting,
    PIXAL3D_OT_fetch_again,
    PIXAL3D_OT_go_on,
    PIXAL3D_OT_try_again,
    PIXAL3D_OT_remove,
    PIXAL3D_OT_replace_mesh,
    PIXAL3D_OT_reuse_settings,
    PIXAL3D_OT_show_folder,
    PIXAL3D_OT_copy_job_id,
)
