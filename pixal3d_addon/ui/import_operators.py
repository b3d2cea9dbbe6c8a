# SPDX-License-Identifier: GPL-3.0-or-later
"""Placing a model in the scene. Adjustable afterwards, and undone in one step."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import errors, importer, mesh_check, open_file, placeholder, session, shading
from ..generation import GenerationError, State
from .import_settings import draw_import_options, import_options, import_properties, place_property, set_import_options
from .operator_parts import report_error

if TYPE_CHECKING:
    from ..generation import Generation

_log = logging.getLogger(__name__)


class PIXAL3D_OT_import_model(bpy.types.Operator):
    """Place the model of a finished generation in the scene"""

    bl_idname = "pixal3d.import_model"
    bl_label = "Import Generated Model"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    __annotations__ = {
        "generation": bpy.props.StringProperty(
            name="Generation", description="Identifier of the generation", options={"HIDDEN", "SKIP_SAVE"}
        ),
        "is_set": bpy.props.BoolProperty(
            name="Set", description="Whether the options are those of this call", options={"HIDDEN", "SKIP_SAVE"}
        ),
        "place_at": place_property(for_operator=True, is_planned=True),
        "offset": bpy.props.FloatVectorProperty(
            name="Offset",
            description="How far the model is moved from there",
            subtype="TRANSLATION",
            unit="LENGTH",
            size=3,
            options={"SKIP_SAVE"},
        ),
        **import_properties(for_operator=True),
    }

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if context.mode != "OBJECT":  # Blender's importer would leave the artist's mode
            self.report({"ERROR"}, "Go to Object Mode first")
            return {"CANCELLED"}
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        this: Any = self
        manager = session.manager()
        snapshot = manager.get(this.generation)
        if snapshot is None or snapshot.generation.state not in {State.READY, State.IMPORTED}:
            self.report({"ERROR"}, "There is no finished model to import")
            return {"CANCELLED"}
        generation = snapshot.generation
        if not open_file.is_open(generation.placement):  # names of another file mean nothing in this one
            generation = generation.changed(placement=open_file.placement_here(context))
        if not this.is_set:  # the first time; from then on Adjust Last Operation shows them and sets others
            set_import_options(self, generation.options)
            is_given = self.properties.is_property_set("place_at")
            if generation.state is State.IMPORTED and not is_given and not placeholder.find(generation):
                this.place_at = "CURSOR"  # once more: not into the place of the first
            this.is_set = True
        try:
            objects = self._import(context, generation)
        except GenerationError as error:
            manager.mark_import_failed(this.generation, error)
            report_error(self, error)
            return {"CANCELLED"}
        manager.mark_imported(this.generation)
        if not bpy.app.background:
            for mesh in {obj.data for obj in objects if obj.type == "MESH"}:
                mesh_check.start(mesh, generation.glb_file)  # type: ignore[arg-type]
        return {"FINISHED"}

    def _import(self, context: bpy.types.Context, generation: Generation) -> list[bpy.types.Object]:
        """
        :raises GenerationError: whatever it is, the model must not be tried again at each tick, nor be lost.
        """
        this: Any = self
        options = import_options(this, place_at=this.place_at, offset=tuple(this.offset))
        try:
            return importer.import_model(context, generation, session.mesh_scale_applied_by(), options)
        except GenerationError:
            raise
        except Exception as error:
            _log.exception("A fault in the add-on while importing")
            raise errors.ModelImportError(
                f"Something went wrong inside the add-on ({error!r}).", "Please report it."
            ) from error

    def draw(self, context: bpy.types.Context) -> None:
        draw_import_options(self.layout, self)


class PIXAL3D_OT_show_textures(bpy.types.Operator):
    """Switch this 3D View to Material Preview, which shows textures"""

    bl_idname = "pixal3d.show_textures"
    bl_label = "Show Textures"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_without_textures(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        shading.show_textures(context.space_data)
        return {"FINISHED"}


def is_without_textures(context: bpy.types.Context) -> bool:
    """Whether this 3D View shows no textures. Memory only."""
    space: Any = context.space_data
    return space is not None and space.type == "VIEW_3D" and not shading.shows_textures(space)


classes = (PIXAL3D_OT_import_model, PIXAL3D_OT_show_textures)
