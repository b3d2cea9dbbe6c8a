# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh is made of, in numbers: shells, holes, faulty edges. numpy only, for a worker.

**Counted on welded vertices.** A glTF file repeats a vertex for each of its UVs and normals, and the importer leaves it
so (``merge_vertices=False``): taken as it is, each UV island would be a shell, and each seam a hole. So vertices that
stand at exactly the same place, to the last bit, count as one here. The mesh itself is not touched.

What takes its time is in :mod:`.mesh_topology`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import open_file
from ..scenario.image_size import Size, image_size, image_sizes_in_glb
from .limits import TINY_SHELL_RATIO
from .mesh_topology import rims_of, topology_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_UNKNOWN_SIZE: Size = (0, 0)


@dataclass(frozen=True, slots=True)
class TextureSource:
    """Where the size of a texture is to be had. One of the four is set, or none if nobody knows."""

    name: str
    """The image datablock's."""
    size: Size | None = None
    """Known already."""
    header: bytes = field(default=b"", repr=False)
    """The first :data:`.image_size.HEADER_BYTES` of the encoded picture."""
    path: str = ""
    """Of its file."""
    packed_bytes: int = 0
    """The length of the encoded picture, to find it in :attr:`MeshArrays.glb_file`."""


@dataclass(frozen=True, slots=True, eq=False)
class MeshArrays:
    """A copy of what is counted, free of Blender."""

    positions: Array = field(repr=False)
    """float32, (vertices, 3)."""
    corner_vertices: Array = field(repr=False)
    """int32, (corners,): each face's vertices in a row, one face after the other."""
    faces: int
    face_starts: Array | None = field(default=None, repr=False)
    """int32, (faces,): each face's first corner. ``None`` if all are triangles."""
    textures: tuple[TextureSource, ...] = ()
    glb_file: str = ""
    """The file that the mesh was imported from, if it is known."""

    @property
    def starts(self) -> Array:
        """(faces,): each face's first corner."""
        import numpy as np

        return np.arange(0, 3 * self.faces, 3) if self.face_starts is None else self.face_starts.astype(np.intp)


@dataclass(frozen=True, slots=True)
class Texture:
    """One image of the mesh's materials."""

    name: str
    width: int
    """Pixels; 0 if not known, as `height`."""
    height: int


@dataclass(frozen=True, slots=True)
class MeshCheck:
    """The numbers of a mesh. `vertices`, `faces` and `triangles` are those that Blender's statistics show."""

    vertices: int
    faces: int
    triangles: int
    doubled_vertices: int
    """Those that stand exactly where another one does, as along the UV seams of a glTF model."""
    loose_vertices: int
    """Those that no face uses."""
    shells: int
    """Parts that hang together by a vertex at least. What has no face is none."""
    tiny_shells: int
    """Those with less than :data:`TINY_SHELL_RATIO` of the largest one's faces."""
    holes: int
    """Closed loops of boundary edges; the border of an open sheet, such as a plane, is one too."""
    boundary_edges: int
    """With one face."""
    non_manifold_edges: int
    """With three faces or more."""
    textures: tuple[Texture, ...] = ()


def count(arrays: MeshArrays) -> MeshCheck:
    """The numbers of a mesh. Reads the headers of texture files. Any thread, but 0.2 s for 400,000 triangles."""
    import numpy as np

    topology = topology_of(arrays)
    shells = np.bincount(topology.shell_of_face)
    shells = shells[shells > 0]
    tiny = shells < TINY_SHELL_RATIO * shells.max() if len(shells) else shells
    is_boundary = topology.edge_faces == 1
    is_used = np.zeros(len(arrays.positions), bool)
    is_used[arrays.corner_vertices] = True
    return MeshCheck(
        vertices=len(arrays.positions),
        faces=arrays.faces,
        triangles=len(arrays.corner_vertices) - 2 * arrays.faces,
        doubled_vertices=len(arrays.positions) - topology.places,
        loose_vertices=len(arrays.positions) - int(np.count_nonzero(is_used)),
        shells=len(shells),
        tiny_shells=int(np.count_nonzero(tiny)),
        holes=rims_of(topology).holes,
        boundary_edges=int(np.count_nonzero(is_boundary)),
        non_manifold_edges=int(np.count_nonzero(topology.edge_faces > 2)),
        textures=textures(arrays),
    )


def textures(arrays: MeshArrays) -> tuple[Texture, ...]:
    """The sizes of the textures; reads files, of which one that can't be read leaves a size of 0."""
    in_glb = image_sizes_in_glb(Path(arrays.glb_file)) if arrays.glb_file else {}
    return tuple(Texture(source.name, *(_size(source, in_glb) or _UNKNOWN_SIZE)) for source in arrays.textures)


def _size(source: TextureSource, in_glb: dict[int, Size]) -> Size | None:
    if source.path:
        try:
            with open_file(source.path) as file:
                return image_size(file)
        except OSError:
            return None
    if source.header:
        return image_size(io.BytesIO(source.header))
    return source.size or in_glb.get(source.packed_bytes)
