# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators on the active object's mesh, Pixal3D's or any other. None of them runs by itself."""

from __future__ import annotations

from typing import Any

import bpy

from ..blender import limits, mesh_check, provenance, session
from ..generation.limits import TINY_SHELL_RATIO
from .operator_parts import allowed
from .texts import translated


def _mesh(context: bpy.types.Context) -> Any:
    """The active object's, ``None`` if it has none."""
    obj = context.object
    return obj.data if obj is not None and obj.type == "MESH" else None


def _reason_against(context: bpy.types.Context) -> str:
    """Why the active mesh can't be worked on now."""
    if _mesh(context) is None:
        return "The active object is not a mesh"
    if context.mode != "OBJECT":
        return "Go to Object Mode first"
    return ""


def _glb_file(obj: bpy.types.Object | None) -> str:
    """The file that `obj` was imported from; empty if it is not known. Memory only."""
    manager = session.manager_or_none()
    snapshot = manager.get(str(provenance.of(obj).get("generation", ""))) if manager else None
    return snapshot.generation.glb_file if snapshot else ""


class PIXAL3D_OT_check_mesh(bpy.types.Operator):
    """Count the shells, holes and faulty edges of the active mesh. Nothing is changed by it"""

    bl_idname = "pixal3d.check_mesh"
    bl_label = "Check Mesh"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, _reason_against(context))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        mesh_check.start(_mesh(context), _glb_file(context.object))
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        found = mesh_check.check(_mesh(context), _glb_file(context.object))
        rows = mesh_check.rows(found)
        self.report({"INFO"}, "; ".join(f"{translated(label)}: {translated(value)}" for label, value, _ in rows))
        return {"FINISHED"}


class PIXAL3D_OT_clean_up_mesh(bpy.types.Operator):
    """Merge vertices, fill small holes and remove tiny shells of the active mesh. UVs and materials are kept"""

    bl_idname = "pixal3d.clean_up_mesh"
    bl_label = "Clean Up Mesh"
    bl_options = {"REGISTER", "UNDO"}

    merge_distance: bpy.props.FloatProperty(
        name="Merge Distance",
        description="Vertices that are closer are merged. Those at the same place, as along UV seams, always are",
        subtype="DISTANCE",
        unit="LENGTH",
        default=limits.MERGE_DISTANCE,
        min=0.0,
        soft_max=0.1,
        precision=5,
        step=0.01,
    )
    fill_holes: bpy.props.BoolProperty(
        name="Fill Holes",
        description="Close small holes with one face each. The border of an open sheet is left open",
        default=True,
    )
    hole_max_edges: bpy.props.IntProperty(
        name="Max Edges",
        description="Holes with more edges are left open",
        default=limits.HOLE_MAX_EDGES,
        min=3,
        soft_max=100,
        max=1000,
    )
    remove_tiny_shells: bpy.props.BoolProperty(
        name="Remove Tiny Shells",
        description="Delete the small parts that hang together with no large one, and what has no face at all",
        default=True,
    )
    tiny_shell_ratio: bpy.props.FloatProperty(
        name="Smaller Than",
        description="Shells with a smaller part of the largest one's faces are tiny",
        subtype="FACTOR",
        default=TINY_SHELL_RATIO,
        min=0.0,
        max=1.0,
        soft_max=0.1,
        precision=4,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = _reason_against(context)
        if not reason and (not _mesh(context).is_editable or _mesh(context).override_library):
            reason = "The active mesh is linked and can't be changed"
        return allowed(cls, reason)

    def execute(self, context: bpy.types.Context) -> set[str]:
        obj: Any = context.object
        from ..blender import mesh_cleanup

        cleaned = mesh_cleanup.clean_up(
            obj,
            merge_distance=self.merge_distance,
            tiny_shell_ratio=self.tiny_shell_ratio if self.remove_tiny_shells else 0.0,
            hole_max_edges=self.hole_max_edges if self.fill_holes else 0,
        )
        self.report({"INFO"}, translated(str(cleaned), is_report=True))
        if not bpy.app.background:
            mesh_check.start(obj.data, _glb_file(obj))
        return {"FINISHED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.use_property_split = True
        layout.prop(self, "merge_distance")
        for switch, value in (("fill_holes", "hole_max_edges"), ("remove_tiny_shells", "tiny_shell_ratio")):
            layout.prop(self, switch)
            row = layout.row()
            row.active = getattr(self, switch)
            row.prop(self, value)


classes = (
    PIXAL3D_OT_check_mesh,
    PIXAL3D_OT_clean_up_mesh,
)
