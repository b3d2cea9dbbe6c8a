# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the numbers of a mesh stop Blender: our way against the same numbers by bmesh on the main thread.

``python scripts/bench/mesh_check.py [VERTICES ...]`` in an environment with bpy. Both ways in one run, in turns, on a
mesh that is split along seams as an imported one is, with holes and crumbs; both must find the same numbers. The ratio
is what counts, since the times drift with the machine. Our counting runs in a worker: that it lets other threads run is
shown by how long the longest pause of a ticking main thread is meanwhile.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="pixal3d-bench-"))

import bpy  # isort: skip
import bmesh
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pixal3d_addon.blender.mesh_check import snapshot
from pixal3d_addon.blender.mesh_cleanup import clean_up
from pixal3d_addon.generation.mesh_count import count

VERTICES = (50_000, 200_000, 1_000_000)
ROUNDS = 5
ROUNDS_OF_LARGE = 2
LARGE = 500_000
TICK_SECONDS = 0.001
HOLES = 20
CRUMBS = 10


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = action()
    return (time.perf_counter() - started) * 1000, result


def longest_pause(action: Callable[[], Any]) -> tuple[float, float]:
    """Runs the action in a thread; its time, and the longest pause of this one, in milliseconds."""
    milliseconds: list[float] = []
    thread = threading.Thread(target=lambda: milliseconds.append(timed(action)[0]))
    longest, last = 0.0, time.perf_counter()
    thread.start()
    while thread.is_alive():
        time.sleep(TICK_SECONDS)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return milliseconds[0], longest * 1000


def model(vertices: int) -> bpy.types.Object:
    """A ball of six sheets of triangles, each with its own copy of the vertices at its border, in a random order."""
    rng = np.random.default_rng(1)
    side = int((vertices / 6) ** 0.5)
    u, v = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    one = np.ones_like(u)
    sheets = [(u, v, one), (v, u, -one), (one, u, v), (-one, v, u), (v, one, u), (u, -one, v)]
    points = np.concatenate([np.stack(sheet, -1).reshape(-1, 3) for sheet in sheets])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    cells = np.arange(side * side).reshape(side, side)
    a, b, c, d = cells[:-1, :-1], cells[:-1, 1:], cells[1:, 1:], cells[1:, :-1]
    sheet = np.concatenate([np.stack(corners, -1).reshape(-1, 3) for corners in ((a, b, c), (a, c, d))])
    faces = np.concatenate([sheet + number * side * side for number in range(6)])
    faces = np.delete(faces, rng.choice(len(faces), HOLES, replace=False), axis=0)
    crumbs = rng.random((CRUMBS, 1, 3)) * 4 + 2 + rng.random((CRUMBS, 4, 3)) * 0.01
    tetrahedron = np.array([(0, 1, 2), (0, 3, 1), (1, 3, 2), (2, 3, 0)])
    faces = np.concatenate([faces, *(tetrahedron + len(points) + 4 * number for number in range(CRUMBS))])
    points = np.concatenate([points, crumbs.reshape(-1, 3)]).astype(np.float32)
    rng.shuffle(faces)
    mesh = bpy.data.meshes.new("Model")
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", points.ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", faces.astype(np.int32).ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.shade_smooth()
    mesh.normals_split_custom_set_from_vertices(points)  # as the importer does
    return bpy.data.objects.new("Model", mesh)


def by_bmesh(mesh: bpy.types.Mesh) -> dict[str, int]:
    """The same numbers in the way that comes to mind first."""
    bm = bmesh.new()
    bm.from_mesh(mesh)
    bmesh.ops.remove_doubles(bm, verts=bm.verts, dist=1e-7)
    boundary = [edge for edge in bm.edges if edge.is_boundary]
    found = {
        "boundary_edges": len(boundary),
        "non_manifold_edges": sum(len(edge.link_faces) > 2 for edge in bm.edges),
        "shells": parts(bm.verts, lambda edge: True),
        "holes": parts({vertex for edge in boundary for vertex in edge.verts}, lambda edge: edge.is_boundary),
    }
    bm.free()
    return found


def parts(vertices: Any, is_way: Callable[[Any], bool]) -> int:
    number = 0
    seen = set()
    for vertex in vertices:
        if vertex in seen:
            continue
        number += 1
        seen.add(vertex)
        border = [vertex]
        while border:
            current = border.pop()
            for edge in current.link_edges:
                other = edge.other_vert(current)
                if other not in seen and is_way(edge):
                    seen.add(other)
                    border.append(other)
    return number


def main() -> None:
    print(f"Blender {bpy.app.version_string}, numpy {np.__version__}; milliseconds, median")
    print(
        f"{'vertices':>9} {'triangles':>10} {'bmesh':>9} {'ours, main':>11} {'ratio':>8} {'worker':>8} "
        f"{'longest pause':>14} {'Clean Up Mesh':>14}"
    )
    for vertices in map(int, sys.argv[1:] or VERTICES):
        obj = model(vertices)
        mesh: Any = obj.data
        theirs, ours, worker, pauses = [], [], [], []
        for _ in range(ROUNDS if vertices < LARGE else ROUNDS_OF_LARGE):
            took, arrays = timed(lambda: snapshot(mesh))  # noqa: B023
            ours.append(took)
            took, pause = longest_pause(lambda: count(arrays))  # noqa: B023
            worker.append(took)
            pauses.append(pause)
            took, expected = timed(lambda: by_bmesh(mesh))  # noqa: B023
            theirs.append(took)
            found = count(arrays)
            if {name: getattr(found, name) for name in expected} != expected:
                raise SystemExit(f"The numbers differ: {found}, {expected}")
        cleaning, _ = timed(lambda: clean_up(obj))  # noqa: B023
        slow, fast = statistics.median(theirs), statistics.median(ours)
        print(
            f"{found.vertices:>9,} {found.triangles:>10,} {slow:>9.0f} {fast:>11.2f} {slow / fast:>7.0f}x "
            f"{statistics.median(worker):>8.0f} {statistics.median(pauses):>14.1f} {cleaning:>14.0f}"
        )
        print(f"          {found}")


if __name__ == "__main__":
    main()
