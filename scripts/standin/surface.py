# SPDX-License-Identifier: GPL-3.0-or-later
"""Inflate a silhouette into a smooth closed surface, near a wanted number of vertices.

The body is `height(x, y) > z * z`, where `height` solves a screened Poisson equation inside the silhouette (a disc
becomes a ball, a wide shape a rounded slab). Only the front half, z >= 0, goes through marching cubes; the grid has a
plane at z = 0, so the half ends exactly on the silhouette and its mirror image closes it without a gap. That rim is
also the seam between the two texture charts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, sparse
from scipy.sparse.linalg import cg
from skimage import measure

from . import model_limits as limits
from .subject import Floats, Mask, Subject


@dataclass(frozen=True, slots=True)
class Surface:
    """A closed mesh in the square's units: x right, y up, z towards the viewer, all within about [-0.5, 0.5].

    `vertices`, `normals` (n, 3) float64, `faces` (m, 3) int64, outward. Vertices [0, rim) are the silhouette,
    [rim, front) the rest of the front, [front, n) the back; faces [0, front_faces) are the front.
    """

    vertices: Floats
    normals: Floats
    faces: NDArray[np.int64]
    rim: int
    front: int
    front_faces: int


class HeightField:
    """`height` and its slope over the square, bilinear between FIELD_SIDE_PX samples and safe to ask outside."""

    def __init__(self, subject: Subject, *, depth: float, relief_sigma: float) -> None:
        side = limits.FIELD_SIDE_PX
        inside = _resized(subject.mask.astype(np.float32), side)
        mask = ndimage.gaussian_filter(inside, 1.0) > 0.5
        if not mask.any():
            mask = inside >= inside.max()
        distance = _signed_distance(mask)
        # height / distance is smooth across the silhouette, so that product carries the rim into the outside.
        inner = mask & (distance > 0)
        ratio = np.where(inner, _inflate(mask) / np.maximum(distance, 0.5 / side), 0.0)
        weight = ndimage.gaussian_filter(inner.astype(float), 3.0)
        ratio = ndimage.gaussian_filter(ratio, 3.0) / np.maximum(weight, 1e-9)
        filled = weight > 1e-3
        nearest = ndimage.distance_transform_edt(~filled, return_distances=False, return_indices=True)
        ratio = np.maximum(ratio[tuple(nearest)], 0.02)
        smooth = ndimage.gaussian_filter(distance, 1.2)
        self.height = depth**2 * smooth * ratio * (1 + limits.RELIEF * _relief(subject, side, relief_sigma))
        self.slope_y, self.slope_x = np.gradient(self.height, 1 / side)
        self.side = side
        self.top = float(np.sqrt(max(self.height.max(), 1e-6)))

    def at(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Height, d/dx and d/dy (y up) at points of the square."""
        where = np.stack([(0.5 - y) * self.side - 0.5, (x + 0.5) * self.side - 0.5])

        def sample(grid: Floats) -> Floats:
            return ndimage.map_coordinates(grid, where, order=1, mode="nearest")

        return sample(self.height), sample(self.slope_x), -sample(self.slope_y)


def make_surface(field: HeightField, vertex_target: int) -> Surface:
    """March, subdivide if the target is high, and close. The count comes within some per cent of the target."""
    wanted = vertex_target / 2  # a half; the rim counts in both because the seam splits it
    levels = 0
    while wanted / 4**levels > limits.MAX_GRID_VERTICES:
        levels += 1
    cells = 48
    for _ in range(3):
        vertices, faces = _march(field, cells)
        found = len(vertices) * 4**levels  # subdividing makes about four vertices out of one
        if abs(found / wanted - 1) < 0.04:
            break
        cells = max(12, round(cells * float(np.sqrt(wanted / found))))
    for _ in range(levels):
        vertices, faces = trimesh.remesh.subdivide(vertices, faces)
        vertices, _ = _settle(field, vertices)
    return _close(field, vertices, faces)


def _march(field: HeightField, cells: int) -> tuple[Floats, NDArray[np.int64]]:
    """The front half on a grid of `cells` cells a side."""
    axis = np.linspace(-0.5, 0.5, cells + 1)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    height, dx, dy = (part.reshape(x.shape) for part in field.at(x.ravel(), y.ravel()))
    step = 1.0 / cells
    depth = np.arange(int(np.ceil(field.top / step)) + 3) * step
    volume = np.empty((*x.shape, len(depth)), np.float32)
    for k, z in enumerate(depth):  # close to a distance, in cells: marching cubes then places vertices well
        value = (height - z * z) / np.sqrt(dx * dx + dy * dy + 4 * z * z + 1e-4) / step
        volume[..., k] = np.where(np.abs(value) < limits.NODE_CLEARANCE,
                                  np.copysign(limits.NODE_CLEARANCE, value), value)
    vertices, faces, _, _ = measure.marching_cubes(volume, 0.0, gradient_direction="descent")
    vertices = vertices.astype(np.float64) * step
    vertices[:, :2] -= 0.5
    vertices, _ = _settle(field, vertices)
    return vertices, faces.astype(np.int64)


def _settle(field: HeightField, vertices: Floats) -> tuple[Floats, Floats]:
    """Two Newton steps onto height = z * z, and the outward normals. A rim vertex stays at z = 0."""
    gradient = np.zeros_like(vertices)
    for _ in range(2):
        height, dx, dy = field.at(vertices[:, 0], vertices[:, 1])
        gradient = np.stack([dx, dy, -2 * vertices[:, 2]], axis=1)
        length = np.maximum((gradient**2).sum(axis=1), 1e-4)
        move = -((height - vertices[:, 2] ** 2) / length)[:, None] * gradient
        reach = 0.5 / field.side
        vertices = vertices + np.clip(move, -reach, reach)
    height, dx, dy = field.at(vertices[:, 0], vertices[:, 1])
    outward = np.stack([-dx, -dy, 2 * vertices[:, 2]], axis=1)
    return vertices, outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)


def _close(field: HeightField, vertices: Floats, faces: NDArray[np.int64]) -> Surface:
    """Add the mirror image, sharing the rim."""
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edge, uses = np.unique(edges, axis=0, return_counts=True)
    on_rim = np.zeros(len(vertices), bool)
    on_rim[edge[uses == 1]] = True
    order = np.argsort(~on_rim, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    vertices, faces, rim, front = vertices[order], place[faces], int(on_rim.sum()), len(order)
    _, normals = _settle(field, vertices)
    across = np.cross(vertices[faces[:, 1]] - vertices[faces[:, 0]], vertices[faces[:, 2]] - vertices[faces[:, 0]])
    if (across * normals[faces[:, 0]]).sum() < 0:  # whichever way marching cubes wound them, outwards is wanted
        faces = faces[:, ::-1]
    mirror = np.where(np.arange(front) < rim, np.arange(front), np.arange(front) + front - rim)
    flip = np.array([1.0, 1.0, -1.0])
    return Surface(
        vertices=np.concatenate([vertices, vertices[rim:] * flip]),
        normals=np.concatenate([normals, normals[rim:] * flip]),
        faces=np.concatenate([faces, mirror[faces[:, ::-1]]]),
        rim=rim, front=front, front_faces=len(faces),
    )


def _resized(grid: NDArray[np.float32], side: int) -> Floats:
    return np.asarray(Image.fromarray(grid).resize((side, side), Image.Resampling.BOX), dtype=np.float64)


def _signed_distance(mask: Mask) -> Floats:
    """Distance to the silhouette, positive inside, in units of the square."""
    inner, outer = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    return (np.where(mask, inner - 0.5, 0.5 - outer)) / len(mask)


def _inflate(mask: Mask) -> Floats:
    """Solve laplacian(h) - h / L^2 = -4 inside, h = 0 outside, with L = FLATNESS_LENGTH, by conjugate gradients."""
    side = len(mask)
    number = np.full(mask.shape, -1)
    rows, columns = np.nonzero(mask)
    number[rows, columns] = np.arange(len(rows))
    diagonal = np.full(len(rows), 4.0 + (1 / (side * limits.FLATNESS_LENGTH)) ** 2)
    entries, at, to = [diagonal], [np.arange(len(rows))], [np.arange(len(rows))]
    padded = np.pad(number, 1, constant_values=-1)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        neighbour = padded[rows + 1 + dy, columns + 1 + dx]
        there = neighbour >= 0
        entries.append(np.full(int(there.sum()), -1.0))
        at.append(np.flatnonzero(there))
        to.append(neighbour[there])
    matrix = sparse.csr_matrix((np.concatenate(entries), (np.concatenate(at), np.concatenate(to))))
    solution, _ = cg(matrix, np.full(len(rows), 4.0 / side**2), rtol=1e-4, maxiter=2000)
    height = np.zeros(mask.shape)
    height[mask] = np.maximum(solution, 0)
    return height


def _relief(subject: Subject, side: int, sigma: float) -> Floats:
    """Light and dark of the picture in [-1, 1], without the broad shading, fading out towards the silhouette."""
    light = _resized((subject.rgb @ np.array([0.299, 0.587, 0.114]) / 255).astype(np.float32), side)
    mask = _resized(subject.mask.astype(np.float32), side)

    def blur(size: float) -> Floats:
        return ndimage.gaussian_filter(light * mask, size) / np.maximum(ndimage.gaussian_filter(mask, size), 1e-3)

    return np.clip(3 * (blur(sigma) - blur(side / 16)), -1, 1) * ndimage.gaussian_filter(mask, 3.0) * mask
