# SPDX-License-Identifier: GPL-3.0-or-later
"""How a mesh hangs together: its edges, shells and the rims of its holes, on welded vertices. numpy only, any thread.

What takes its time is sorting and gathering, in which numpy lets other threads run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from .mesh_count import MeshArrays

    Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """How the welded mesh hangs together. A place is called by the lowest index of the vertices that stand there."""

    places: int
    shell_of_place: Array
    """(vertices,): the lowest place of the shell that a place belongs to; only what a face uses is meant."""
    shell_of_face: Array
    """(faces with an area,): likewise, for those faces that still have three corners when welded."""
    low: Array
    """(edges,): the lower of an edge's two places, and `high` the other one. Edges without a face are left out."""
    high: Array
    edge_faces: Array
    """(edges,): how many faces an edge has."""


def topology_of(arrays: MeshArrays) -> Topology:
    """How the welded mesh hangs together. Any thread."""
    import numpy as np

    vertices = len(arrays.positions)
    place = places_of(arrays.positions)
    corners, following, starts = _edges_of_faces(place[arrays.corner_vertices], arrays)

    # An edge as one number, the higher place first: sorted, an edge's faces are neighbors, and of all edges that lead
    # down from a place, the one to the lowest comes first, which is what _components() begins with.
    keys = np.maximum(corners, following)
    keys *= vertices
    keys += np.minimum(corners, following)
    keys.sort()
    firsts = _first_of_runs(keys)
    edge_faces = np.diff(firsts, append=len(keys))
    keys = keys[firsts]
    high = keys // max(1, vertices)
    low = keys - high * vertices

    shell_of_place = _components(vertices, low, high)
    return Topology(
        places=int(np.count_nonzero(place == np.arange(vertices))),
        shell_of_place=shell_of_place,
        shell_of_face=shell_of_place[corners[starts]],
        low=low,
        high=high,
        edge_faces=edge_faces,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Rims:
    """The closed chains of boundary edges."""

    holes: int
    """How many loops they are made of."""
    low: Array
    """(edges of closed chains,): the lower of an edge's two places, and `high` the other one."""
    high: Array


def rims_of(topology: Topology) -> Rims:
    """The holes. A chain that ends where three faces meet, as the border of a fin, is none.

    Where holes touch at one vertex, their edges are one chain. A chain of E edges and V vertices is made of
    E - V + 1 loops.
    """
    import numpy as np

    is_boundary = topology.edge_faces == 1
    low, high = topology.low[is_boundary], topology.high[is_boundary]
    if not len(low):
        return Rims(0, low, high)
    places, ends = np.unique(np.concatenate([high, low]), return_inverse=True)
    ends = ends.reshape(2, -1)  # in the order of the places, so still sorted as _components() wants it
    chain = _components(len(places), ends[1], ends[0])
    is_open = np.zeros(len(places), bool)
    is_open[chain[np.bincount(ends.ravel()) % 2 == 1]] = True
    is_closed = ~is_open[chain[ends[0]]]
    chains = np.unique(chain[ends[0]][is_closed])
    holes = np.count_nonzero(is_closed) - np.count_nonzero(~is_open[chain]) + len(chains)
    return Rims(int(holes), low[is_closed], high[is_closed])


def loops_of(edges: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Closed chains of edges, (low, high), as loops of vertices that pass through none of them twice.

    For few edges: in plain Python. What comes out depends on the edges and their order alone.
    """
    ways: dict[int, list[int]] = {}
    for low, high in reversed(edges):
        ways.setdefault(low, []).append(high)
        ways.setdefault(high, []).append(low)
    unused = set(edges)
    loops = []
    for start, _ in edges:
        path, position = [start], {start: 0}
        while ways[path[-1]]:
            current, following = path[-1], ways[path[-1]].pop()
            edge = (min(current, following), max(current, following))
            if edge not in unused:  # was walked in the other direction
                continue
            unused.remove(edge)
            if following not in position:
                position[following] = len(path)
                path.append(following)
                continue
            first = position[following]
            loops.append(path[first:])
            for vertex in path[first + 1 :]:
                del position[vertex]
            del path[first + 1 :]
    return loops


def places_of(positions: Array) -> Array:
    """(vertices,): for each vertex the lowest index of those that stand at its place.

    By way of a hash of 64 bits, since sorting numbers is four times as fast as sorting triples (numpy 2.5: 25 and
    100 ms for 214,000); whether two places had the same hash is looked up.
    """
    import numpy as np

    bits = (positions + np.float32(0.0)).view(np.uint32)  # -0.0 becomes 0.0
    place = _lowest_of_equals(_hashes(bits))
    if not np.array_equal(bits[place], bits):
        _, numbers = np.unique(bits.view("V12").ravel(), return_inverse=True)
        place = _lowest_of_equals(numbers)
    return place


def _hashes(rows: Array) -> Array:
    """uint32, (n, columns) to uint64, (n,)."""
    import numpy as np

    hashes = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        hashes ^= column
        hashes *= np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, as in Knuth's multiplicative hashing
        hashes ^= hashes >> np.uint64(29)
    return hashes


def _lowest_of_equals(values: Array) -> Array:
    """For each value the lowest index of those that equal it."""
    import numpy as np

    lowest = np.empty(len(values), np.intp)
    if len(values):
        order = np.argsort(values)
        firsts = _first_of_runs(values[order])
        lowest[order] = np.repeat(np.minimum.reduceat(order, firsts), np.diff(firsts, append=len(values)))
    return lowest


def _first_of_runs(ordered: Array) -> Array:
    """Where each run of equal values begins."""
    import numpy as np

    is_first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def _edges_of_faces(corners: Array, arrays: MeshArrays) -> tuple[Array, Array, Array]:
    """The place at each corner, the one at the face's next corner, and where each face begins.

    Corners that fell together by welding are left out, and so are faces of which fewer than three are left: such a
    sliver would be a third face for the edge that it collapsed to.
    """
    import numpy as np

    starts = arrays.starts
    following = _following(corners, starts)
    is_double = corners == following
    if not is_double.any():
        return corners, following, starts
    lengths = np.diff(starts, append=len(corners))
    left = lengths - np.add.reduceat(is_double, starts, dtype=np.intp)
    is_kept = ~is_double & np.repeat(left >= 3, lengths)
    corners = corners[is_kept]
    left = left[left >= 3]
    starts = np.cumsum(left) - left
    return corners, _following(corners, starts), starts


def same_faces(arrays: MeshArrays) -> list[Array]:
    """Groups of faces that may use the same vertices; those with different ones never share a group but by chance."""
    import numpy as np

    if not arrays.faces:
        return []
    hashes = _hashes(np.arange(len(arrays.positions), dtype=np.uint32)[:, np.newaxis])
    sums = np.add.reduceat(hashes[arrays.corner_vertices], arrays.starts)  # a sum is the same in any order
    order = np.argsort(sums)
    firsts = _first_of_runs(sums[order])
    is_group = np.diff(firsts, append=len(order)) > 1
    return [
        order[first:end]
        for first, end in zip(firsts[is_group], np.append(firsts[1:], len(order))[is_group], strict=True)
    ]


def _following(corners: Array, starts: Array) -> Array:
    """The corner after each one, and after a face's last one its first."""
    import numpy as np

    following = np.empty_like(corners)
    following[:-1] = corners[1:]
    if len(starts):
        following[np.append(starts[1:], len(corners)) - 1] = corners[starts]
    return following


def _components(count: int, low: Array, high: Array) -> Array:
    """(count,): the lowest number of those that each one hangs together with.

    Rounds of hooking and pointer jumping (Shiloach and Vishkin 1982): each root is hooked to the lowest of its
    neighbors, then everything to its root, and the edges within a tree are dropped. After two rounds at most half the
    roots are left, whatever the order; a mesh's neighbors mostly have near numbers, and far fewer are left.

    :param low, high: the ends of the edges, ``low < high``, sorted by `high`, then `low`.
    """
    import numpy as np

    root: Array = np.arange(count)
    while len(high):
        firsts = _first_of_runs(high)
        root[high[firsts]] = low[firsts]
        while not np.array_equal(further := root[root], root):
            root = further
        low, high = root[low], root[high]
        is_between = low != high
        low, high = low[is_between], high[is_between]
        keys = np.maximum(low, high)
        keys *= count
        keys += np.minimum(low, high)
        keys.sort()
        keys = keys[_first_of_runs(keys)]
        high = keys // count
        low = keys - high * count
    return root
