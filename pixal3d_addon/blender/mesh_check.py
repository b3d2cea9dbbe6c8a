# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of a mesh, counted in a background thread and kept for the panel to show. Nothing is changed by it.

``start()`` copies the mesh's arrays out on the main thread (3 ms for 400,000 triangles) and leaves the counting to a
worker; ``of()`` says what was found, from memory.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import bpy

from . import limits

if TYPE_CHECKING:
    from ..generation.mesh_count import MeshArrays, MeshCheck, TextureSource

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Entry:
    """One mesh's check."""

    vertices: int
    corners: int
    """Of the mesh that was counted: another number means that it was edited since."""
    thread: threading.Thread | None = None
    check: MeshCheck | None = None


_entries: dict[int, _Entry] = {}
"""By the mesh's ``session_uid``, which an undo keeps and a renaming too."""


def check(mesh: bpy.types.Mesh, glb_file: str = "") -> MeshCheck:
    """The numbers of `mesh`, now. Main thread, which it stops for 0.2 s at 400,000 triangles: for scripts."""
    from ..generation.mesh_count import count

    return count(snapshot(mesh, glb_file))


def start(mesh: bpy.types.Mesh, glb_file: str = "") -> None:
    """Count `mesh` in the background; :func:`of` will know. Main thread."""
    from ..generation.mesh_count import count

    entry = _entries[mesh.session_uid] = _Entry(len(mesh.vertices), len(mesh.loops))
    arrays = snapshot(mesh, glb_file)

    def work() -> None:
        try:
            entry.check = count(arrays)
        except Exception:
            _log.exception("A fault in the add-on while counting a mesh")

    entry.thread = threading.Thread(target=work, name="pixal3d-mesh-check", daemon=True)
    entry.thread.start()
    if not bpy.app.timers.is_registered(_redraw_until_done):
        bpy.app.timers.register(_redraw_until_done, first_interval=limits.WATCH_INTERVAL_SECONDS, persistent=True)


def of(mesh: bpy.types.Mesh) -> MeshCheck | None:
    """What was found, ``None`` if `mesh` was not counted, or its size is another one now. Memory only, for ``draw``."""
    entry = _current(mesh)
    return entry.check if entry else None


def is_running(mesh: bpy.types.Mesh) -> bool:
    """Whether `mesh` is being counted. Memory only, for ``draw``."""
    entry = _current(mesh)
    return entry is not None and entry.thread is not None and entry.thread.is_alive()


def close() -> None:
    """For ``unregister``. A thread that still counts ends within a second, and nobody asks for what it finds."""
    _entries.clear()
    if bpy.app.timers.is_registered(_redraw_until_done):
        bpy.app.timers.unregister(_redraw_until_done)


def rows(check: MeshCheck) -> Iterator[tuple[str, str, bool]]:
    """The numbers for the artist: label, value, and whether it is worth a look."""
    yield "Vertices", f"{check.vertices:,}", False
    if check.doubled_vertices:
        yield "On UV Seams", f"{check.doubled_vertices:,}", False
    yield "Faces", f"{check.faces:,}", False
    yield "Shells", _shells(check.shells, check.tiny_shells), check.tiny_shells > 0
    yield "Holes", f"{check.holes:,}", check.holes > 0
    yield "Non-Manifold", f"{check.non_manifold_edges:,}", check.non_manifold_edges > 0
    if check.loose_vertices:
        yield "Loose Vertices", f"{check.loose_vertices:,}", True
    for width, height in dict.fromkeys((texture.width, texture.height) for texture in check.textures):
        yield "Textures", f"{width} × {height} px" if width else "size not known", False


def _shells(number: int, tiny: int) -> str:
    return f"{number:,}, {tiny:,} tiny" if tiny else f"{number:,}"


def snapshot(mesh: bpy.types.Mesh, glb_file: str = "") -> MeshArrays:
    """A copy of what is counted. Main thread; the mesh must not be in Edit Mode, whose changes it does not show.

    :param glb_file: the file that the mesh was imported from, if it is known. It tells the sizes of packed textures,
        whose bytes Blender would have to copy (14 to 100 ms for 25 MB).
    """
    textures = tuple(_texture_source(image, glb_file) for image in _images(mesh))
    return replace(geometry(mesh), textures=textures, glb_file=glb_file)


def geometry(mesh: bpy.types.Mesh) -> MeshArrays:
    """:func:`snapshot` without the textures.

    Through attributes, which are copied as a block: ``loops.foreach_get("vertex_index")`` takes 110 ms for what
    ``.corner_vert`` gives in 0.25 (200,000 quads; 4.2, 4.5 and 5.2 alike).
    """
    import numpy as np

    from ..generation.mesh_count import MeshArrays

    positions = np.empty((len(mesh.vertices), 3), np.float32)
    if len(positions):
        _attribute(mesh, "position").foreach_get("vector", positions.ravel())
    corner_vertices = np.empty(len(mesh.loops), np.int32)
    if len(corner_vertices):
        _attribute(mesh, ".corner_vert").foreach_get("value", corner_vertices)
    faces = len(mesh.polygons)
    face_starts = None
    if len(corner_vertices) != 3 * faces:  # a face has three corners or more: equal means triangles only
        face_starts = np.empty(faces, np.int32)
        mesh.polygons.foreach_get("loop_start", face_starts)  # type: ignore[attr-defined]
    return MeshArrays(positions, corner_vertices, faces, face_starts)


def _attribute(mesh: bpy.types.Mesh, name: str) -> Any:
    attribute: Any = mesh.attributes[name]
    return attribute.data


def _images(mesh: bpy.types.Mesh) -> list[bpy.types.Image]:
    """The images of the mesh's materials, each once, those in node groups too."""
    images: dict[bpy.types.Image, None] = {}
    trees: list[Any] = [material.node_tree for material in mesh.materials if material]
    seen: set[Any] = set()
    while trees:
        tree = trees.pop()
        if tree is None or tree in seen:
            continue
        seen.add(tree)
        for node in tree.nodes:
            if node.type == "TEX_IMAGE" and node.image is not None:
                images[node.image] = None
            elif node.type == "GROUP":
                trees.append(node.node_tree)
    return list(images)


def _texture_source(image: bpy.types.Image, glb_file: str) -> TextureSource:
    """Where the size of `image` is to be had without decoding it, which ``image.size`` does (299 ms for a PNG of
    4096 px) unless Blender has shown the image already."""
    from ..generation.mesh_count import TextureSource
    from ..scenario.image_size import HEADER_BYTES

    width, height = image.size if image.has_data else (0, 0)
    if width:
        return TextureSource(image.name, size=(width, height))
    if image.source == "GENERATED":
        return TextureSource(image.name, size=(image.generated_width, image.generated_height))
    if image.source != "FILE":
        return TextureSource(image.name)
    if image.packed_file is None:
        return TextureSource(image.name, path=bpy.path.abspath(image.filepath, library=image.library))
    if glb_file:
        return TextureSource(image.name, packed_bytes=image.packed_file.size)
    data: Any = image.packed_file.data
    return TextureSource(image.name, header=bytes(data[:HEADER_BYTES]))


def _current(mesh: bpy.types.Mesh) -> _Entry | None:
    entry = _entries.get(mesh.session_uid)
    is_current = entry and (entry.vertices, entry.corners) == (len(mesh.vertices), len(mesh.loops))
    return entry if is_current else None


def _redraw_until_done() -> float | None:
    is_done = not any(entry.thread and entry.thread.is_alive() for entry in _entries.values())
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
    return None if is_done else limits.WATCH_INTERVAL_SECONDS
