# SPDX-License-Identifier: GPL-3.0-or-later
"""What a glTF document puts into its scene: counts and bounds, from the accessors' own words.

Says no where Blender's importer would: nodes in a circle, indices to nowhere, accessors beyond their data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from . import limits
from .answers import listing, mapping, number, string
from .errors import UnreadableModelError

Vector = tuple[float, float, float]
Matrix = tuple[tuple[float, ...], ...]
"""Four rows of four."""

_TRIANGLES: Final = 4
_STRIP_AND_FAN: Final = (5, 6)
_COMPONENT_BYTES: Final = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_COMPONENTS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_NORMALIZED: Final = {5120: 127.0, 5121: 255.0, 5122: 32767.0, 5123: 65535.0}
_IDENTITY: Final[Matrix] = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))


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


def read_scene(document: Mapping[str, object], binary_bytes: int) -> Scene:
    """The default scene of `document`, whose binary chunk has `binary_bytes`.

    :raises UnreadableModelError: it has no surface, or contradicts itself.
    """
    _check_data(document, binary_bytes)
    meshes: dict[int, _Mesh | None] = {}
    low, high = [math.inf] * 3, [-math.inf] * 3
    for node, matrix in _nodes(document):
        if "mesh" not in node:
            continue
        index = _natural(node["mesh"])
        if index not in meshes:
            meshes[index] = _mesh(document, index)
        mesh = meshes[index]
        if mesh is None:
            continue
        for corner in product(*zip(mesh.low, mesh.high, strict=True)):
            point = _transformed(matrix, corner)
            low, high = list(map(min, low, point)), list(map(max, high, point))
    found = [mesh for mesh in meshes.values() if mesh is not None]
    if not found:
        raise UnreadableModelError("The model file has no mesh in it.")
    return Scene(
        sum(mesh.vertices for mesh in found),
        sum(mesh.triangles for mesh in found),
        (low[0], low[1], low[2]),
        (high[0], high[1], high[2]),
    )


def _mesh(document: Mapping[str, object], index: int) -> _Mesh | None:
    """``None`` if it has no triangles."""
    positions: dict[int, Mapping[str, object]] = {}
    triangles = 0
    for primitive in map(mapping, listing(_item(document, "meshes", index).get("primitives"))):
        position = mapping(primitive.get("attributes")).get("POSITION")
        if position is None:
            continue
        corners = _natural(_item(document, "accessors", primitive.get("indices", position)).get("count"))
        mode = primitive.get("mode", _TRIANGLES)
        count = corners // 3 if mode == _TRIANGLES else max(0, corners - 2) if mode in _STRIP_AND_FAN else 0
        if count:
            triangles += count
            positions[_natural(position)] = _item(document, "accessors", position)
    if not triangles:
        return None
    boxes = [_box(accessor) for accessor in positions.values()]
    low, high = [box[0] for box in boxes], [box[1] for box in boxes]
    return _Mesh(
        sum(_natural(accessor.get("count")) for accessor in positions.values()),
        triangles,
        (min(v[0] for v in low), min(v[1] for v in low), min(v[2] for v in low)),
        (max(v[0] for v in high), max(v[1] for v in high), max(v[2] for v in high)),
    )


def _check_data(document: Mapping[str, object], binary_bytes: int) -> None:
    buffers = [mapping(b) for b in listing(document.get("buffers"))]
    for index, buffer in enumerate(buffers):
        length = _natural(buffer.get("byteLength"))
        if "uri" not in buffer and (index > 0 or length > binary_bytes):
            raise UnreadableModelError("The model file has less data than it says.")
    for view in map(mapping, listing(document.get("bufferViews"))):
        buffer = _item(document, "buffers", view.get("buffer"))
        if _natural(view.get("byteOffset", 0)) + _natural(view.get("byteLength")) > _natural(buffer.get("byteLength")):
            raise _contradiction()
    for image in map(mapping, listing(document.get("images"))):
        if "bufferView" in image:
            _item(document, "bufferViews", image["bufferView"])
    for accessor in map(mapping, listing(document.get("accessors"))):
        _check_accessor(document, accessor)


def _check_accessor(document: Mapping[str, object], accessor: Mapping[str, object]) -> None:
    count = _natural(accessor.get("count"))
    if count > limits.GLB_ACCESSOR_ELEMENTS:
        raise UnreadableModelError("The model is far larger than Pixal3D makes them.")
    element = _COMPONENT_BYTES.get(_natural(accessor.get("componentType")), 0)
    element *= _COMPONENTS.get(string(accessor.get("type")), 0)
    if element == 0:
        raise _contradiction()
    if count == 0 or "bufferView" not in accessor:
        return
    view = _item(document, "bufferViews", accessor["bufferView"])
    stride = _natural(view.get("byteStride", 0)) or element
    if _natural(accessor.get("byteOffset", 0)) + stride * (count - 1) + element > _natural(view.get("byteLength")):
        raise _contradiction()


def _nodes(document: Mapping[str, object]) -> Iterator[tuple[Mapping[str, object], Matrix]]:
    """Each node of the scene with its transform to the world."""
    scenes = listing(document.get("scenes"))
    if scenes:
        roots = listing(_item(document, "scenes", document.get("scene", 0)).get("nodes"))
    else:
        nodes = listing(document.get("nodes"))
        children = {_natural(child) for node in nodes for child in listing(mapping(node).get("children"))}
        roots = [index for index in range(len(nodes)) if index not in children]
    stack: list[tuple[object, Matrix, int]] = [(root, _IDENTITY, 0) for root in roots]
    visited: set[object] = set()
    while stack:
        index, parent, depth = stack.pop()
        node = _item(document, "nodes", index)
        if index in visited or depth > limits.GLB_NODE_DEPTH:
            raise _contradiction()  # a node has one parent at most
        visited.add(index)
        matrix = _multiplied(parent, _local(node))
        yield node, matrix
        stack += [(child, matrix, depth + 1) for child in listing(node.get("children"))]


def _box(accessor: Mapping[str, object]) -> tuple[Vector, Vector]:
    """Lowest and highest corner, which glTF makes a duty of position accessors."""
    scale = 1.0
    if accessor.get("normalized") is True:  # KHR_mesh_quantization
        scale = 1.0 / _NORMALIZED.get(_natural(accessor.get("componentType")), 1.0)
    (x, y, z), (to_x, to_y, to_z) = _numbers(accessor.get("min"), 3), _numbers(accessor.get("max"), 3)
    return (x * scale, y * scale, z * scale), (to_x * scale, to_y * scale, to_z * scale)


def _local(node: Mapping[str, object]) -> Matrix:
    """A node's own transform: a matrix, column by column, or translation, rotation (x, y, z, w) and scale."""
    if "matrix" in node:
        m = _numbers(node["matrix"], 16)
        return tuple(tuple(m[row + 4 * column] for column in range(4)) for row in range(4))
    tx, ty, tz = _numbers(node.get("translation", [0, 0, 0]), 3)
    x, y, z, w = _numbers(node.get("rotation", [0, 0, 0, 1]), 4)
    sx, sy, sz = _numbers(node.get("scale", [1, 1, 1]), 3)
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
        raise _contradiction()
    return x, y, z


def _item(document: Mapping[str, object], kind: str, index: object) -> Mapping[str, object]:
    items = listing(document.get(kind))
    if _natural(index) >= len(items):
        raise _contradiction()
    return mapping(items[_natural(index)])


def _natural(value: object) -> int:
    """A number without sign or fraction, such as an index or a length."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _contradiction()
    return value


def _numbers(value: object, count: int) -> list[float]:
    found = [n for n in map(number, listing(value)) if n is not None]
    if len(found) != count:
        raise _contradiction()
    return found


def _contradiction() -> UnreadableModelError:
    return UnreadableModelError("The model file contradicts itself.")
