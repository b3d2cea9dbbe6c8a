# SPDX-License-Identifier: GPL-3.0-or-later
"""What a glTF document puts into its scene: counts and bounds, of the vertices that are really there.

Says no where Blender's importer would: nodes in a circle, corners without a vertex.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from . import limits
from .errors import UnreadableModelError
from .glb_data import Data
from .glb_schema import Document, Fields, contradiction, items

Vector = tuple[float, float, float]
Matrix = tuple[tuple[float, ...], ...]
"""Four rows of four."""

_POINTS, _LINES, _LINE_LOOP, _LINE_STRIP, _TRIANGLES, _STRIP, _FAN = range(7)
_FEWEST_CORNERS: Final = {_LINE_LOOP: 1, _LINE_STRIP: 2, _STRIP: 3, _FAN: 3}
_IDENTITY: Final[Matrix] = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
_TYPES: Final = {
    "POSITION": ("VEC3",),
    "NORMAL": ("VEC3",),
    "TEXCOORD": ("VEC2",),
    "COLOR": ("VEC3", "VEC4"),
    "JOINTS": ("VEC4",),
    "WEIGHTS": ("VEC4",),
}
"""Of the attributes that the importer reads, by their names without a number. Those of one's own may have any but MAT2
and MAT3."""
_UNSIGNED: Final = (5121, 5123, 5125)


@dataclass(frozen=True, slots=True)
class Scene:
    """See :class:`.glb.GlbInfo`."""

    vertices: int
    triangles: int
    bounds_min: Vector
    bounds_max: Vector


@dataclass(frozen=True, slots=True)
class _Mesh:
    """The surfaces of one mesh, in its own space."""

    vertices: int
    triangles: int
    low: Vector
    high: Vector


def read_scene(document: Document, data: Data) -> Scene:
    """The default scene of `document`.

    :raises UnreadableModelError: it has no surface, or Blender could not make it.
    """
    nodes = items(document, "nodes")
    roots = _roots(document, nodes)
    numbers: set[int] = {node["mesh"] for node in nodes if node.get("mesh") is not None}
    all_meshes = items(document, "meshes")
    meshes = {number: _mesh(all_meshes[number], data, f"meshes/{number}") for number in numbers}
    used: dict[int, _Mesh] = {}
    low, high = [math.inf] * 3, [-math.inf] * 3
    for index, matrix in _placed(nodes, roots):
        number: int | None = nodes[index].get("mesh")
        mesh = None if number is None else meshes[number]
        if number is None or mesh is None:
            continue
        used[number] = mesh
        for corner in product(*zip(mesh.low, mesh.high, strict=True)):
            point = _transformed(matrix, corner)
            low, high = list(map(min, low, point)), list(map(max, high, point))
    if not used:
        raise UnreadableModelError("The model file has no mesh in it.")
    if max(map(abs, (*low, *high))) > limits.GLB_EXTENT_M:
        raise UnreadableModelError("The model is far larger than Pixal3D makes them.", reason="bounds")
    return Scene(
        sum(mesh.vertices for mesh in used.values()),
        sum(mesh.triangles for mesh in used.values()),
        (low[0], low[1], low[2]),
        (high[0], high[1], high[2]),
    )


def _mesh(mesh: Fields, data: Data, where: str) -> _Mesh | None:
    """``None`` if it has no triangles."""
    positions: dict[int, int] = {}
    """The number of vertices, by the accessor."""
    triangles = 0
    for number, primitive in enumerate(mesh["primitives"]):
        index = primitive["attributes"].get("POSITION")
        if index is None:  # the importer passes it over
            continue
        count = _triangles(primitive, data, f"{where}/primitives/{number}")
        if count:
            triangles += count
            positions[index] = data.accessor(index)["count"]
    boxes = [box for index in positions if (box := data.box(index)) is not None]
    if not boxes:
        return None
    low, high = [box[0] for box in boxes], [box[1] for box in boxes]
    return _Mesh(
        sum(positions.values()),
        triangles,
        (min(v[0] for v in low), min(v[1] for v in low), min(v[2] for v in low)),
        (max(v[0] for v in high), max(v[1] for v in high), max(v[2] for v in high)),
    )


def _triangles(primitive: Fields, data: Data, where: str) -> int:
    """How many there are. Each corner is a vertex, for which there is a value of each attribute.

    Corners that are left over made a mesh of corners without a face, with which Blender 4.2.22 and 4.5 crash.
    """
    attributes: dict[str, Fields] = {name: data.accessor(i) for name, i in primitive["attributes"].items()}
    corners = attributes["POSITION"]["count"]
    highest = corners - 1
    if primitive.get("indices") is not None:
        indices = data.accessor(primitive["indices"])
        if indices["type"] != "SCALAR" or indices["componentType"] not in _UNSIGNED:
            raise contradiction(f"{where}/indices")
        corners, highest = indices["count"], data.highest(primitive["indices"])
    given = [*attributes.items()]
    for target in primitive.get("targets") or ():
        given += [(name, data.accessor(index)) for name, index in target.items() if name == "POSITION"]
    for name, accessor in given:
        kind = name.partition("_")[0]
        if name.startswith(("_", "KHR_")):
            is_known = accessor["type"] not in ("MAT2", "MAT3")
        else:
            is_known = kind not in _TYPES or accessor["type"] in _TYPES[kind]
        if not is_known or (accessor["count"] <= highest and (kind in _TYPES or name.startswith(("_", "KHR_")))):
            raise contradiction(f"{where}/attributes/{name[:30]}")
    mode = _TRIANGLES if primitive.get("mode") is None else primitive["mode"]
    is_left_over = (mode == _TRIANGLES and corners % 3) or (mode == _LINES and corners % 2)
    if is_left_over or corners < _FEWEST_CORNERS.get(mode, 0):
        raise contradiction(where)
    return corners // 3 if mode == _TRIANGLES else corners - 2 if mode in (_STRIP, _FAN) else 0


def _roots(document: Document, nodes: list[Fields]) -> list[int]:
    """Of the default scene; without scenes, the nodes that are nobody's children.

    :raises UnreadableModelError: the nodes are no trees. In a circle the importer would walk until the memory is full.
    """
    children = [list(node.get("children") or ()) for node in nodes]
    below = [child for each in children for child in each]
    if len(below) != len(set(below)):
        raise contradiction("nodes/parents")
    level = tops = sorted(set(range(len(nodes))) - set(below))
    reached = 0
    for _ in range(limits.GLB_NODE_DEPTH + 1):
        reached += len(level)
        level = [child for index in level for child in children[index]]
    if reached != len(nodes):
        raise contradiction("nodes/depth")
    scenes = [list(scene.get("nodes") or ()) for scene in items(document, "scenes")]
    in_scenes = 0
    for roots in scenes:
        if len(roots) != len(set(roots)):
            raise contradiction("scenes/nodes")
        everything = list(_below(roots, children))
        if len(everything) != len(set(everything)):
            raise contradiction("scenes/nodes")
        in_scenes += len(everything)
    if in_scenes > limits.GLB_NODES:
        raise UnreadableModelError("The model is far larger than Pixal3D makes them.", reason="scenes/nodes")
    chosen: Any = document.get("scene") or 0
    return scenes[chosen] if scenes else tops


def _below(roots: list[int], children: list[list[int]]) -> Iterator[int]:
    """All nodes of a scene, each as often as it is in it."""
    level = roots
    while level:
        yield from level
        level = [child for index in level for child in children[index]]


def _placed(nodes: list[Fields], roots: list[int]) -> Iterator[tuple[int, Matrix]]:
    """Each node of the scene with its transform to the world."""
    stack = [(root, _IDENTITY) for root in roots]
    while stack:
        index, parent = stack.pop()
        matrix = _multiplied(parent, _local(nodes[index]))
        yield index, matrix
        stack += [(child, matrix) for child in nodes[index].get("children") or ()]


def _local(node: Fields) -> Matrix:
    """A node's own transform: a matrix, column by column, or translation, rotation (x, y, z, w) and scale."""
    if m := node.get("matrix"):
        return tuple(tuple(float(m[row + 4 * column]) for column in range(4)) for row in range(4))
    tx, ty, tz = map(float, node.get("translation") or (0, 0, 0))
    rotation = [float(v) for v in node.get("rotation") or (0, 0, 0, 1)]
    length = math.hypot(*rotation) or 1.0  # Blender's rotations have length 1
    x, y, z, w = (v / length for v in rotation)
    sx, sy, sz = map(float, node.get("scale") or (1, 1, 1))
    return (
        ((1 - 2 * (y * y + z * z)) * sx, 2 * (x * y - z * w) * sy, 2 * (x * z + y * w) * sz, tx),
        (2 * (x * y + z * w) * sx, (1 - 2 * (x * x + z * z)) * sy, 2 * (y * z - x * w) * sz, ty),
        (2 * (x * z - y * w) * sx, 2 * (y * z + x * w) * sy, (1 - 2 * (x * x + y * y)) * sz, tz),
        (0.0, 0.0, 0.0, 1.0),
    )


def _multiplied(a: Matrix, b: Matrix) -> Matrix:
    return tuple(tuple(sum(a[i][k] * b[k][j] for k in range(4)) for j in range(4)) for i in range(4))


def _transformed(matrix: Matrix, point: tuple[float, ...]) -> Vector:
    x, y, z = (sum(matrix[row][k] * v for k, v in enumerate((*point, 1.0))) for row in range(3))
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)):
        raise contradiction("bounds")
    return x, y, z
