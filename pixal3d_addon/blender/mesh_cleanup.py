# SPDX-License-Identifier: GPL-3.0-or-later
"""Merges what stands in one place, fills small holes, removes crumbs: by the artist's click only.

UVs, materials, vertex groups and every other attribute are kept. Custom normals too: they are read from the mesh as it
is, carried along by the face corners, and set anew (to within 0.1°), because Blender stores them relative to the faces
around a vertex, which merging changes. A mesh without custom normals is shaded smoothly across a merged seam.

A mesh with nothing to clean up is not written to, and a second run finds nothing: what was merged stands further apart
than the distance, filling makes no new hole, and removing a shell changes no other one.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import bmesh
import bpy
from mathutils import Vector

from ..generation.limits import TINY_SHELL_RATIO
from ..generation.mesh_count import MeshArrays
from ..generation.mesh_topology import Topology, loops_of, places_of, rims_of, same_faces, topology_of
from .limits import HOLE_MAX_EDGES, MERGE_DISTANCE
from .mesh_check import geometry

MAX_HOLE_PART = 0.5
"""The border of an open sheet is a closed loop of edges as that of a hole is, and would get a second face on its back.
It encloses as much area as the sheet has; a hole in a surface is smaller than what is around it."""

_LOST_BESIDE_COORDINATES = 1e-5
"""A distance that is so small a part of a coordinate is of the size of float32's steps (6e-8), or not far from it."""

_SAME_UV = 1e-6

_SAME_NORMAL = 0.001
"""0.06°, somewhat more than Blender rounds custom normals by (0.04°)."""

_NORMAL = "pixal3d_corner_normal"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was done."""

    vertices_before: int
    vertices: int
    faces_before: int
    faces: int
    merged_vertices: int = 0
    removed_shells: int = 0
    filled_holes: int = 0

    @property
    def is_changed(self) -> bool:
        return (self.vertices_before, self.faces_before) != (self.vertices, self.faces) or self.filled_holes > 0

    def __str__(self) -> str:
        """For the artist."""
        if not self.is_changed:
            return f"Nothing to clean up (vertices {self.vertices:,}, faces {self.faces:,})"
        return (
            f"Vertices {self.vertices_before:,} → {self.vertices:,}, faces {self.faces_before:,} → {self.faces:,}; "
            f"vertices merged: {self.merged_vertices:,}, tiny shells removed: {self.removed_shells:,}, "
            f"holes filled: {self.filled_holes:,}"
        )


def clean_up(
    obj: bpy.types.Object,
    *,
    merge_distance: float = MERGE_DISTANCE,
    tiny_shell_ratio: float = TINY_SHELL_RATIO,
    hole_max_edges: int = HOLE_MAX_EDGES,
) -> Cleaned:
    """Clean up the mesh of `obj`, which must be a mesh object in Object Mode. Main thread; pushes no undo step.

    :param merge_distance: in the mesh's own units, as Blender's Merge by Distance takes it. Vertices in exactly the
        same place are merged with 0 too: split along its UV seams, a mesh has no shells and holes to speak of.
    :param tiny_shell_ratio: shells with a smaller part of the largest one's faces are removed, and with them what has
        no face at all; with 0 nothing is.
    :param hole_max_edges: holes of as many edges or fewer are filled; with 0 none is. The border of an open sheet is
        none, see :data:`MAX_HOLE_PART`.
    """
    mesh: Any = obj.data
    vertices, faces = len(mesh.vertices), len(mesh.polygons)
    scratch = mesh.copy()  # shares its arrays with the mesh until they are written to
    bm: Any = bmesh.new()
    try:
        has_normals = _keep_normals(scratch)
        bm.from_mesh(scratch, face_normals=False, vertex_normals=False)
        _merge(bm, geometry(scratch), merge_distance)
        merged = vertices - len(bm.verts)
        arrays = _without_same_faces(bm, scratch)
        topology = topology_of(arrays)
        filled = _fill_holes(bm, scratch, arrays, topology, hole_max_edges) if hole_max_edges else []
        removed = _remove_tiny_shells(bm, arrays, topology, filled, tiny_shell_ratio) if tiny_shell_ratio else 0
        cleaned = Cleaned(vertices, len(bm.verts), faces, len(bm.faces), merged, removed, len(filled))
        if cleaned.is_changed:
            bm.to_mesh(mesh)
            if has_normals:
                _set_normals(mesh)
            mesh.update()
        return cleaned
    finally:
        bm.free()
        bpy.data.meshes.remove(scratch)


def _keep_normals(mesh: Any) -> bool:
    """Note the normals at the corners in an attribute, which bmesh carries along; whether there are custom ones."""
    import numpy as np

    stored = mesh.attributes.get("custom_normal")
    # Blender 4.5 and newer know free ones, in object space; bmesh carries those along as they are.
    if not mesh.has_custom_normals or (stored is not None and stored.data_type == "FLOAT_VECTOR"):
        return False
    normals = np.empty(len(mesh.loops) * 3, np.float32)
    mesh.corner_normals.foreach_get("vector", normals)
    mesh.attributes.new(_NORMAL, "FLOAT_VECTOR", "CORNER").data.foreach_set("vector", normals)
    return True


def _set_normals(mesh: Any) -> None:
    import numpy as np

    normals = np.empty((len(mesh.loops), 3), np.float32)
    attribute = mesh.attributes[_NORMAL]
    attribute.data.foreach_get("vector", normals.ravel())
    mesh.attributes.remove(attribute)
    # Blender reads them number by number: 400,000 triangles take 3 s from numpy's array and 1.3 s from a list (5.2),
    # and 0.6 s where all corners of a vertex agree, as in most models, and are given once.
    corner_vertices = geometry(mesh).corner_vertices
    of_vertex = np.zeros((len(mesh.vertices), 3), np.float32)
    of_vertex[corner_vertices] = normals
    if np.abs(of_vertex[corner_vertices] - normals).max(initial=0.0) < _SAME_NORMAL:
        mesh.normals_split_custom_set_from_vertices(of_vertex.tolist())
    else:
        mesh.normals_split_custom_set(normals.tolist())


def _merge(bm: Any, arrays: MeshArrays, distance: float) -> None:
    import numpy as np

    # With a distance of 0, or one that is lost beside the coordinates, `remove_doubles` misses vertices in the very
    # same place (4.2 and 4.5: of a cube's 24 it merged 2), so then those are told by their coordinates.
    if not distance > _LOST_BESIDE_COORDINATES * float(np.abs(arrays.positions).max(initial=0.0)):  # NaN is no more
        places = places_of(arrays.positions)
        doubled = np.flatnonzero(places != np.arange(len(places)))
        bm.verts.ensure_lookup_table()
        pairs = zip(doubled.tolist(), places[doubled].tolist(), strict=True)
        bmesh.ops.weld_verts(bm, targetmap={bm.verts[vertex]: bm.verts[target] for vertex, target in pairs})
    # Until nothing is left to merge, since 5.2 leaves some at the first time: 600 points became 181, then 166.
    left = 0
    while distance > 0.0 and left != len(bm.verts):
        left = len(bm.verts)
        bmesh.ops.remove_doubles(bm, verts=bm.verts, dist=distance)


def _without_same_faces(bm: Any, scratch: Any) -> MeshArrays:
    """The arrays of what is in `bm`, by way of `scratch`: a loop in Python over its faces would take a second.

    Of faces that use the same vertices, as merging can leave them, one is kept: Blender takes a mesh with both for a
    broken one (``Mesh.validate``).
    """
    bm.to_mesh(scratch)
    arrays = geometry(scratch)
    if groups := same_faces(arrays):
        bm.faces.ensure_lookup_table()
        kept: set[frozenset[Any]] = set()
        spare = []
        for face in (bm.faces[number] for group in groups for number in sorted(group.tolist())):
            vertices = frozenset(face.verts)
            if vertices in kept:
                spare.append(face)
            kept.add(vertices)
        bmesh.ops.delete(bm, geom=spare, context="FACES_ONLY")
        bm.to_mesh(scratch)
        arrays = geometry(scratch)
    return arrays


def _fill_holes(bm: Any, scratch: Any, arrays: MeshArrays, topology: Topology, max_edges: int) -> list[int]:
    """For each hole that was filled, the shell that it was in.

    Not by ``bmesh.ops.holes_fill``: its faces have no UVs, and of some random meshes whose holes touch (3 of 75) it
    filled more in a second run.
    """
    rims = rims_of(topology)
    if not rims.holes:
        return []
    bm.verts.ensure_lookup_table()
    areas = _areas_of_shells(scratch, arrays, topology)
    filled: list[int] = []
    left = list(zip(rims.low.tolist(), rims.high.tolist(), strict=True))
    while True:  # until no loop of what is left can be filled: so a second run finds none either
        loops = [loop for loop in loops_of(left) if len(loop) <= max_edges]
        closed: set[tuple[int, int]] = set()
        # The smallest first: a patch adds to its shell's area, which the larger ones are measured by.
        for area, loop in sorted((_enclosed_area(bm, loop), loop) for loop in loops):
            shell = int(topology.shell_of_place[loop[0]])
            if area <= MAX_HOLE_PART * areas[shell] and _patch(bm, [bm.verts[vertex] for vertex in loop]):
                areas[shell] += area
                filled.append(shell)
                closed.update((min(edge), max(edge)) for edge in zip(loop, [*loop[1:], loop[0]], strict=True))
        if not closed:
            return filled
        left = [edge for edge in left if edge not in closed]


def _enclosed_area(bm: Any, loop: list[int]) -> float:
    origin, *points = (bm.verts[vertex].co for vertex in loop)
    arms = [point - origin for point in points]
    return float(sum((one.cross(other) for one, other in itertools.pairwise(arms)), Vector()).length) / 2


def _areas_of_shells(mesh: Any, arrays: MeshArrays, topology: Topology) -> dict[int, float]:
    import numpy as np

    areas = np.empty(len(mesh.polygons), np.float32)
    mesh.polygons.foreach_get("area", areas)
    shells = topology.shell_of_place[arrays.corner_vertices[arrays.starts]]
    return dict(enumerate(np.bincount(shells, areas).tolist()))


def _patch(bm: Any, rim: list[Any]) -> bool:
    """A new face with the material, shading, UVs, colors and normals of its neighbors; whether there was none yet.

    Where its rim crosses a UV seam, the whole patch takes the UV of one corner, and so one color of its rim:
    between two places of the texture it would show everything that lies between them.
    """
    if bm.faces.get(rim) is not None:
        return False
    (beyond,) = bm.edges.get(rim[:2]).link_loops
    patch = bm.faces.new(reversed(rim) if beyond.vert == rim[0] else rim)
    patch.material_index, patch.smooth = beyond.face.material_index, beyond.face.smooth
    for number in range(len(rim)):  # copying ends the life of the copied-to object in Python, not in the mesh
        corner = patch.loops[number]
        corner.copy_from(_beyond(corner, corner.vert))
    for layer in bm.loops.layers.uv.values():
        ends = [(corner[layer].uv, _beyond(corner.link_loop_prev, corner.vert)[layer].uv) for corner in patch.loops]
        if any((one - other).length > _SAME_UV for one, other in ends):
            uv = patch.loops[0][layer].uv.copy()
            for corner in patch.loops:
                corner[layer].uv = uv
    return True


def _beyond(corner: Any, vertex: Any) -> Any:
    """The corner at `vertex` of the face beyond the edge that follows `corner`, whichever way that face is turned."""
    neighbor = corner.link_loop_radial_next
    return neighbor if neighbor.vert == vertex else neighbor.link_loop_next


def _remove_tiny_shells(bm: Any, arrays: MeshArrays, topology: Topology, filled: list[int], ratio: float) -> int:
    """How many were removed. `filled`: the shells that got a face since `topology` was made, once for each."""
    import numpy as np

    faces = np.bincount(topology.shell_of_face, minlength=len(arrays.positions))
    faces += np.bincount(np.array(filled, np.intp), minlength=len(faces))
    if not faces.any():
        return 0
    is_tiny = (faces > 0) & (faces < ratio * faces.max())
    is_used = np.zeros(len(faces), bool)
    is_used[arrays.corner_vertices] = True
    bm.verts.ensure_lookup_table()
    vertices = [bm.verts[index] for index in np.flatnonzero(is_tiny[topology.shell_of_place] | ~is_used).tolist()]
    bmesh.ops.delete(bm, geom=vertices, context="VERTS")
    return int(np.count_nonzero(is_tiny))
