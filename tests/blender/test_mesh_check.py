# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of a mesh are right, cost the main thread next to nothing, and cleaning up changes only what it says."""

from __future__ import annotations

import io
import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy  # isort: skip
import bmesh
import pytest
from mathutils import Vector

Point = tuple[float, float, float]
Faces = list[tuple[int, ...]]

CUBE_POINTS: list[Point] = [(x, y, z) for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)]
CUBE_FACES: Faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


@pytest.fixture
def check(room: Any) -> Callable[[bpy.types.Mesh], Any]:
    return room("blender.mesh_check").check


@pytest.fixture
def clean_up(room: Any) -> Callable[..., Any]:
    return room("blender.mesh_cleanup").clean_up


@pytest.fixture
def operators(room: Any) -> Iterator[None]:
    """Registered, whether the add-on does so already or not."""
    classes = [cls for cls in room("ui.mesh_operators").classes if not cls.is_registered]
    for cls in classes:
        bpy.utils.register_class(cls)
    yield
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)


def made(points: list[Point], faces: Faces, edges: list[tuple[int, int]] | None = None) -> bpy.types.Object:
    """A mesh object in the scene, active and selected."""
    mesh = bpy.data.meshes.new("Mesh")
    mesh.from_pydata(points, edges or [], faces)
    obj = bpy.data.objects.new("Object", mesh)
    bpy.context.collection.objects.link(obj)
    bpy.context.view_layer.objects.active = obj
    obj.select_set(True)
    return obj


def grid(side: int, *, origin: Point = (0.0, 0.0, 0.0), size: float = 1.0) -> tuple[list[Point], Faces]:
    """A flat sheet of side times side quads, facing up."""
    x, y, z = origin
    points = [(x + i * size / side, y + j * size / side, z) for j in range(side + 1) for i in range(side + 1)]
    row = side + 1
    faces = [(j * row + i, j * row + i + 1, (j + 1) * row + i + 1, (j + 1) * row + i) for j in range(side)
             for i in range(side)]  # fmt: skip
    return points, faces


def ball(radius: float = 1.0, center: Point = (0.0, 0.0, 0.0), segments: int = 16) -> tuple[list[Point], Faces]:
    """Closed: segments of quads, triangles at the poles."""
    bm = bmesh.new()
    bmesh.ops.create_uvsphere(bm, u_segments=segments, v_segments=segments // 2, radius=radius)
    points = [tuple(Vector(center) + v.co) for v in bm.verts]
    faces = [tuple(v.index for v in f.verts) for f in bm.faces]
    bm.free()
    return points, faces


def joined(*parts: tuple[list[Point], Faces]) -> tuple[list[Point], Faces]:
    points: list[Point] = []
    faces: Faces = []
    for part_points, part_faces in parts:
        faces += [tuple(index + len(points) for index in face) for face in part_faces]
        points += part_points
    return points, faces


def split(points: list[Point], faces: Faces) -> tuple[list[Point], Faces]:
    """Each face with vertices of its own, as a glTF file with a seam everywhere has them."""
    return joined(*(([points[index] for index in face], [tuple(range(len(face)))]) for face in faces))


def without(faces: Faces, *numbers: int) -> Faces:
    return [face for number, face in enumerate(faces) if number not in numbers]


def moved(part: tuple[list[Point], Faces], by: float) -> tuple[list[Point], Faces]:
    return [(x + by, y, z) for x, y, z in part[0]], part[1]


CUBE = (CUBE_POINTS, CUBE_FACES)
SHEET = grid(4)
FIN = ([*CUBE_POINTS, (0.0, -1.0, 0.0), (0.0, -1.0, 1.0)], [*CUBE_FACES, (0, 1, 9, 8)])
RING = [(math.cos(a), math.sin(a), z) for z in (0.0, 1.0) for a in (math.tau * k / 12 for k in range(12))]
TUBE = (RING, [(k, (k + 1) % 12, 12 + (k + 1) % 12, 12 + k) for k in range(12)])

KNOWN: dict[str, tuple[tuple[list[Point], Faces], dict[str, int]]] = {
    "a cube": (CUBE, {"vertices": 8, "faces": 6, "triangles": 12, "shells": 1}),
    "two cubes": (joined(CUBE, moved(CUBE, 3.0)), {"vertices": 16, "faces": 12, "triangles": 24, "shells": 2}),
    "two cubes that share a corner's place": (
        joined(CUBE, ([(x + 1, y + 1, z + 1) for x, y, z in CUBE_POINTS], CUBE_FACES)),
        {"vertices": 16, "faces": 12, "triangles": 24, "shells": 1, "doubled_vertices": 1},
    ),
    "a ball": (ball(), {"vertices": 114, "faces": 128, "triangles": 224, "shells": 1}),
    "a plane": (grid(1), {"vertices": 4, "faces": 1, "triangles": 2, "shells": 1, "holes": 1, "boundary_edges": 4}),
    "a triangle": (
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)]),
        {"vertices": 3, "faces": 1, "triangles": 1, "shells": 1, "holes": 1, "boundary_edges": 3},
    ),
    "a sheet with a face removed": (
        (SHEET[0], without(SHEET[1], 5)),
        {"vertices": 25, "faces": 15, "triangles": 30, "shells": 1, "holes": 2, "boundary_edges": 20},
    ),
    "a sheet with two holes that touch at a vertex": (
        (SHEET[0], without(SHEET[1], 5, 10)),
        {"vertices": 25, "faces": 14, "triangles": 28, "shells": 1, "holes": 3, "boundary_edges": 24},
    ),
    "a tube": (TUBE, {"vertices": 24, "faces": 12, "triangles": 24, "shells": 1, "holes": 2, "boundary_edges": 24}),
    "a cube with a fin": (
        FIN,
        {"vertices": 10, "faces": 7, "triangles": 14, "shells": 1, "boundary_edges": 3, "non_manifold_edges": 1},
    ),
    "a cube with a seam along each edge": (
        split(*CUBE),
        {"vertices": 24, "faces": 6, "triangles": 12, "shells": 1, "doubled_vertices": 16},
    ),
    "an open cube with a seam along each edge": (
        split(CUBE_POINTS, CUBE_FACES[:5]),
        {"vertices": 20, "faces": 5, "triangles": 10, "shells": 1, "holes": 1, "boundary_edges": 4,
         "doubled_vertices": 12},
    ),
    "a big part and a crumb": (
        joined(ball(), moved(CUBE, 5.0), moved(([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [(0, 1, 2)]), 9.0)),
        {"vertices": 125, "faces": 135, "triangles": 237, "shells": 3, "tiny_shells": 1, "holes": 1,
         "boundary_edges": 3},
    ),
    "a vertex of no face": (
        ([*CUBE_POINTS, (5.0, 5.0, 5.0)], CUBE_FACES),
        {"vertices": 9, "faces": 6, "triangles": 12, "shells": 1, "loose_vertices": 1},
    ),
    "zeros with and without a sign": (
        split([(-x or -0.0, y, z) for x, y, z in CUBE_POINTS], CUBE_FACES),
        {"vertices": 24, "faces": 6, "triangles": 12, "shells": 1, "doubled_vertices": 16},
    ),
    "a sliver between two faces that welding makes an edge of": (
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 0)], [(0, 1, 2), (1, 4, 3), (0, 4, 1)]),
        {"vertices": 5, "faces": 3, "triangles": 3, "shells": 1, "holes": 1, "boundary_edges": 4,
         "doubled_vertices": 1},
    ),
    "a quad of which welding leaves a triangle": (
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 1, 0)], [(0, 1, 2, 3)]),
        {"vertices": 4, "faces": 1, "triangles": 2, "shells": 1, "holes": 1, "boundary_edges": 3,
         "doubled_vertices": 1},
    ),
    "nothing": (([], []), {"vertices": 0}),
    "a cloud of points": (([(0, 0, 0), (1, 0, 0)], []), {"vertices": 2, "loose_vertices": 2}),
}  # fmt: skip


def numbers(check: Any) -> dict[str, int]:
    """Those that are not zero."""
    return {name: value for name in check.__slots__ if isinstance(value := getattr(check, name), int) and value}


@pytest.mark.parametrize("name", KNOWN)
def test_meshes_with_known_numbers(check: Any, name: str) -> None:
    (points, faces), expected = KNOWN[name]
    assert numbers(check(made(points, faces).data)) == {key: value for key, value in expected.items() if value}


def test_a_torus_has_no_hole(check: Any, addon: Any) -> None:
    bpy.ops.mesh.primitive_torus_add()
    expected = {"vertices": 576, "faces": 576, "triangles": 1152, "shells": 1}
    assert numbers(check(bpy.context.object.data)) == expected


def test_places_with_the_same_hash_are_not_taken_for_one(check: Any, room: Any, monkeypatch: Any) -> None:
    import numpy as np

    mesh = made(*split(*joined(CUBE, moved(CUBE, 3.0)))).data
    expected = check(mesh)
    monkeypatch.setattr(room("generation.mesh_topology"), "_hashes", lambda triples: np.zeros(len(triples), np.uint64))
    assert check(mesh) == expected


def independent_numbers(mesh: bpy.types.Mesh) -> dict[str, int]:
    """The same numbers in the plainest way: bmesh, dictionaries and a walk from neighbor to neighbor."""
    bm = bmesh.new()
    bm.from_mesh(mesh)
    places: dict[tuple[float, ...], int] = {}
    place = {v: places.setdefault(tuple(c + 0.0 for c in v.co), len(places)) for v in bm.verts}
    edge_faces: Counter[frozenset[int]] = Counter()
    loops_of: list[set[int]] = []
    for face in bm.faces:
        corners = [place[v] for v in face.verts]
        corners = [c for c, following in zip(corners, [*corners[1:], corners[0]], strict=True) if c != following]
        if len(corners) < 3:
            continue
        loops_of.append(set(corners))
        edge_faces.update(frozenset(pair) for pair in zip(corners, [*corners[1:], corners[0]], strict=True))
    bm.free()

    def walk(edges: Any) -> list[set[int]]:
        neighbors: dict[int, set[int]] = {}
        for one, other in map(tuple, edges):
            neighbors.setdefault(one, set()).add(other)
            neighbors.setdefault(other, set()).add(one)
        parts = []
        while neighbors:
            part, border = set(), [next(iter(neighbors))]
            while border:
                current = border.pop()
                if current not in part:
                    part.add(current)
                    border += neighbors.pop(current)
            parts.append(part)
        return parts

    shells = [sum(corners <= part for corners in loops_of) for part in walk(edge_faces)]
    boundary = [edge for edge, faces in edge_faces.items() if faces == 1]
    holes = 0
    for part in walk(boundary):
        edges = [edge for edge in boundary if edge <= part]
        degrees = Counter(end for edge in edges for end in edge)
        if all(degree % 2 == 0 for degree in degrees.values()):
            holes += len(edges) - len(part) + 1
    found = {
        "vertices": len(mesh.vertices),
        "faces": len(mesh.polygons),
        "triangles": sum(p.loop_total - 2 for p in mesh.polygons),
        "doubled_vertices": len(mesh.vertices) - len(places),
        "loose_vertices": len(mesh.vertices) - len({v for p in mesh.polygons for v in p.vertices}),
        "shells": len(shells),
        "tiny_shells": sum(faces < 0.01 * max(shells) for faces in shells),
        "holes": holes,
        "boundary_edges": len(boundary),
        "non_manifold_edges": sum(faces > 2 for faces in edge_faces.values()),
    }
    return {name: value for name, value in found.items() if value}


def a_mess(seed: int) -> tuple[list[Point], Faces]:
    """Balls, sheets and crumbs with faces missing, some split along seams, some faces anywhere; in any order."""
    rng = random.Random(seed)
    parts = []
    for _ in range(rng.randint(1, 6)):
        center = tuple(rng.choice((0.0, 2.0, 4.0)) for _ in range(3))
        kind = rng.choice((lambda c: ball(1.0, c, 8), lambda c: grid(5, origin=c), lambda c: ball(0.1, c, 24)))
        points, faces = kind(center)
        faces = [face for face in faces if rng.random() < 0.9]
        if rng.random() < 0.5:
            points, faces = split(points, faces)
        parts.append((points, faces))
    points, faces = joined(*parts)
    faces += [tuple(rng.sample(range(len(points)), rng.choice((3, 3, 4, 5)))) for _ in range(rng.randint(0, 8))]
    order = rng.sample(range(len(points)), len(points))
    shuffled = [points[index] for index in order]
    where = {index: number for number, index in enumerate(order)}
    faces = [tuple(where[index] for index in face) for face in faces]
    rng.shuffle(faces)
    return shuffled, faces


@pytest.mark.parametrize("seed", range(25))
def test_random_meshes_have_the_numbers_that_a_plain_walk_finds(check: Any, seed: int) -> None:
    mesh = made(*a_mess(seed)).data
    assert numbers(check(mesh)) == independent_numbers(mesh)


@pytest.mark.parametrize("order", ["up", "down", "zigzag", "random"])
def test_a_long_chain_in_any_order_is_one_shell(check: Any, order: str) -> None:
    """Of 2,000 faces in a row; the rounds of hooking must neither end too soon nor go on for thousands."""
    length = 2000
    numbers_of = list(range(length + 1))
    if order == "down":
        numbers_of.reverse()
    elif order == "zigzag":
        numbers_of = [n // 2 if n % 2 == 0 else length - n // 2 for n in numbers_of]
    elif order == "random":
        random.Random(3).shuffle(numbers_of)
    points: list[Point] = [(0.0, 0.0, 0.0)] * (2 * (length + 1))
    for place, number in enumerate(numbers_of):
        points[2 * number], points[2 * number + 1] = (place, 0.0, 0.0), (place, 1.0, 0.0)
    faces = [(2 * a, 2 * b, 2 * b + 1, 2 * a + 1) for a, b in itertools.pairwise(numbers_of)]
    started = time.perf_counter()
    found = check(made(points, faces).data)
    assert (found.shells, found.holes, found.boundary_edges) == (1, 1, 2 * length + 2)
    assert time.perf_counter() - started < 5.0


# In the background


def waited_for(mesh_check: Any, mesh: bpy.types.Mesh) -> Any:
    deadline = time.monotonic() + 30.0
    while mesh_check.is_running(mesh):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return mesh_check.of(mesh)


def test_the_panel_gets_the_numbers_when_the_worker_has_them(room: Any, check: Any) -> None:
    mesh_check = room("blender.mesh_check")
    mesh = made(*ball()).data
    assert mesh_check.of(mesh) is None and not mesh_check.is_running(mesh)
    mesh_check.start(mesh)
    assert waited_for(mesh_check, mesh) == check(mesh)
    mesh.name = "Another Name"
    assert mesh_check.of(mesh) == check(mesh)
    mesh_check.close()
    assert mesh_check.of(mesh) is None


def test_the_numbers_of_a_mesh_that_was_edited_since_are_not_shown(room: Any) -> None:
    mesh_check = room("blender.mesh_check")
    mesh = made(*ball()).data
    mesh_check.start(mesh)
    assert waited_for(mesh_check, mesh) is not None
    mesh.vertices.add(1)
    assert mesh_check.of(mesh) is None
    mesh_check.close()


def test_a_mesh_that_is_deleted_while_it_is_counted_harms_nobody(room: Any) -> None:
    mesh_check = room("blender.mesh_check")
    mesh = made(*ball(segments=256)).data
    mesh_check.start(mesh)
    (entry,) = mesh_check._entries.values()
    bpy.data.meshes.remove(mesh)
    entry.thread.join(30.0)
    assert entry.check.shells == 1
    mesh_check.close()


def test_the_rows_say_what_is_worth_a_look(room: Any, check: Any) -> None:
    (points, faces), _ = KNOWN["a big part and a crumb"]
    assert list(room("blender.mesh_check").rows(check(made(points, faces).data))) == [
        ("Vertices", "125", False),
        ("Faces", "135", False),
        ("Shells", "3, 1 tiny", True),
        ("Holes", "1", True),
        ("Non-Manifold", "0", False),
    ]


# Textures

WIDTH, HEIGHT = 48, 20
FORMATS = {"PNG": ("PNG", ".png", 100), "JPEG": ("JPEG", ".jpg", 80), "lossy WebP": ("WEBP", ".webp", 80),
           "lossless WebP": ("WEBP", ".webp", 100)}  # fmt: skip


@pytest.fixture
def picture(addon: Any, tmp_path: Path) -> Callable[..., Path]:
    """An image file of WIDTH times HEIGHT pixels, made by Blender."""

    def write(kind: str, alpha: bool = False) -> Path:
        file_format, suffix, quality = FORMATS[kind]
        path = tmp_path / f"{kind} {alpha}{suffix}"
        image = bpy.data.images.new("Made", WIDTH, HEIGHT, alpha=alpha)
        image.pixels.foreach_set([random.Random(1).random() for _ in range(WIDTH * HEIGHT * 4)])
        image.file_format = file_format
        image.save(filepath=str(path), quality=quality)
        bpy.data.images.remove(image)
        return path

    return write


def textured(image: bpy.types.Image, *, in_group: bool = False) -> bpy.types.Object:
    """A cube with UVs, whose material is colored by `image`."""
    bpy.ops.mesh.primitive_cube_add()
    obj = bpy.context.object
    material = bpy.data.materials.new("Material")
    material.use_nodes = True
    tree = material.node_tree
    if in_group:
        group = bpy.data.node_groups.new("Group", "ShaderNodeTree")
        tree.nodes.new("ShaderNodeGroup").node_tree = group
        group.nodes.new("ShaderNodeTexImage").image = image
    else:
        texture = tree.nodes.new("ShaderNodeTexImage")
        texture.image = image
        shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
        tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    obj.data.materials.append(material)
    return obj


@pytest.mark.parametrize("is_packed", [False, True], ids=["file", "packed"])
@pytest.mark.parametrize("alpha", [False, True], ids=["RGB", "RGBA"])
@pytest.mark.parametrize("kind", FORMATS)
def test_the_size_of_a_texture_is_known_without_decoding_it(
    check: Any, picture: Any, kind: str, alpha: bool, is_packed: bool
) -> None:
    image = bpy.data.images.load(str(picture(kind, alpha)))
    if is_packed:
        image.pack()
    obj = textured(image, in_group=alpha)
    image.buffers_free()
    (texture,) = check(obj.data).textures
    assert (texture.name, texture.width, texture.height) == (image.name, WIDTH, HEIGHT)
    assert not image.has_data


def test_textures_that_were_painted_or_made_here_have_their_size(check: Any, addon: Any) -> None:
    obj = textured(bpy.data.images.new("Made", WIDTH, HEIGHT))
    (texture,) = check(obj.data).textures
    assert (texture.width, texture.height) == (WIDTH, HEIGHT)


def test_a_size_that_nobody_knows_is_not_made_up(check: Any, room: Any, picture: Any, tmp_path: Path) -> None:
    path = picture("PNG")
    image = bpy.data.images.load(str(path))
    obj = textured(image)
    path.unlink()
    assert [(t.width, t.height) for t in check(obj.data).textures] == [(0, 0)]
    assert ("Textures", "size not known", False) in room("blender.mesh_check").rows(check(obj.data))
    path.write_bytes(b"no picture at all, but long enough for a header")
    assert [(t.width, t.height) for t in check(obj.data).textures] == [(0, 0)]


@pytest.mark.parametrize("kind", FORMATS)
def test_half_a_header_is_no_size_and_no_error(room: Any, picture: Any, kind: str) -> None:
    image_size = room("scenario.image_size").image_size
    data = picture(kind).read_bytes()
    assert image_size(io.BytesIO(data)) == (WIDTH, HEIGHT)
    for length in range(len(data)):
        assert image_size(io.BytesIO(data[:length])) in (None, (WIDTH, HEIGHT))
    assert image_size(io.BytesIO(data[:20])) is None


@pytest.fixture
def glb(addon: Any, picture: Any, tmp_path: Path) -> Path:
    """A textured cube, by Blender's own exporter, which splits it at its seams and hard edges; scene left empty."""
    textured(bpy.data.images.load(str(picture("PNG"))))
    path = tmp_path / "cube.glb"
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return path


def test_an_imported_model_is_one_shell_without_holes_and_its_file_tells_the_texture(
    check: Any, room: Any, glb: Path, tmp_path: Path
) -> None:
    bpy.ops.import_scene.gltf(filepath=str(glb), merge_vertices=False)
    mesh = bpy.context.object.data
    for glb_file in (str(glb), ""):
        found = check(mesh, glb_file)
        assert numbers(found) == {
            "vertices": 24, "faces": 12, "triangles": 12, "doubled_vertices": 16, "shells": 1,
        }  # fmt: skip
        assert [(t.width, t.height) for t in found.textures] == [(WIDTH, HEIGHT)]
    (image,) = (node.image for node in mesh.materials[0].node_tree.nodes if node.type == "TEX_IMAGE")
    assert not image.has_data
    (source,) = room("blender.mesh_check").snapshot(mesh, str(glb)).textures
    assert source.packed_bytes == image.packed_file.size and not source.header  # nothing copied out of Blender


@pytest.mark.parametrize("content", [None, b"", b"glTF", b"glTF" + bytes(16) + b"{}", b"no model at all" * 9])
def test_a_model_file_that_is_gone_or_damaged_only_leaves_the_size_unknown(
    room: Any, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "model.glb"
    if content is not None:
        path.write_bytes(content)
    assert room("scenario.image_size").image_sizes_in_glb(path) == {}


# Clean Up Mesh

SPLIT_BALL = split(*ball())


def with_uvs(obj: bpy.types.Object, uv_of: Callable[[Vector], tuple[float, float]]) -> bpy.types.Object:
    layer = obj.data.uv_layers.new(name="UVMap")
    for loop, uv in zip(obj.data.loops, layer.uv, strict=True):
        uv.vector = uv_of(obj.data.vertices[loop.vertex_index].co)
    return obj


def corners(mesh: bpy.types.Mesh, *layers: str) -> Counter[tuple[float, ...]]:
    """Each corner's place, UVs and material, whatever their order."""
    found: Counter[tuple[float, ...]] = Counter()
    for polygon in mesh.polygons:
        for index in polygon.loop_indices:
            uvs = [c for layer in layers for c in mesh.uv_layers[layer].uv[index].vector]
            found[(*mesh.vertices[mesh.loops[index].vertex_index].co, *uvs, polygon.material_index)] += 1
    return found


def test_merging_keeps_each_corners_uvs_and_material(clean_up: Any, addon: Any) -> None:
    obj = made(*SPLIT_BALL)
    for name in ("UVMap", "Second"):
        layer = obj.data.uv_layers.new(name=name)
        for number, uv in enumerate(layer.uv):  # each its own: seams everywhere
            uv.vector = (number / len(layer.uv), 0.25)
    obj.data.uv_layers.active = obj.data.uv_layers["Second"]
    for name in ("One", "Two"):
        obj.data.materials.append(bpy.data.materials.new(name))
    for number, polygon in enumerate(obj.data.polygons):
        polygon.material_index = number % 2
    before = corners(obj.data, "UVMap", "Second")
    cleaned = clean_up(obj)
    assert (cleaned.vertices, len(obj.data.vertices), cleaned.faces) == (114, 114, 128)
    assert cleaned.merged_vertices == cleaned.vertices_before - 114
    assert corners(obj.data, "UVMap", "Second") == before
    assert [m.name for m in obj.data.materials] == ["One", "Two"]
    assert obj.data.uv_layers.active.name == "Second"


@pytest.mark.parametrize("differ", [False, True], ids=["alike at a vertex", "different at a seam"])
def test_the_custom_normals_of_an_import_are_kept(clean_up: Any, addon: Any, differ: bool) -> None:
    obj = made(*SPLIT_BALL)
    obj.data.shade_smooth()
    wanted = {}
    normals = []
    for polygon in obj.data.polygons:
        for index in polygon.loop_indices:
            co = obj.data.vertices[obj.data.loops[index].vertex_index].co
            tilt = Vector((0.3, 0.0, 0.0)) if polygon.center.x > 0 or not differ else Vector()
            normal = (co + tilt).normalized()
            normals.append(normal)
            wanted[(tuple(round(c, 4) for c in co), tuple(round(c, 4) for c in polygon.center))] = normal
    obj.data.normals_split_custom_set(normals)
    assert clean_up(obj).vertices == 114
    assert obj.data.has_custom_normals
    assert [a.name for a in obj.data.attributes if a.name.startswith("pixal3d")] == []
    for polygon in obj.data.polygons:
        for index in polygon.loop_indices:
            co = obj.data.vertices[obj.data.loops[index].vertex_index].co
            key = (tuple(round(c, 4) for c in co), tuple(round(c, 4) for c in polygon.center))
            assert math.degrees(obj.data.corner_normals[index].vector.angle(wanted[key])) < 0.1


if bpy.app.version >= (4, 5):  # free normals came with it: there is nothing to be tested before

    def test_free_custom_normals_are_kept(clean_up: Any, addon: Any) -> None:
        obj = made(*split(*ball()))
        attribute = obj.data.attributes.new("custom_normal", "FLOAT_VECTOR", "CORNER")
        for corner in attribute.data:
            corner.vector = (0.0, 0.0, 1.0)
        assert clean_up(obj).vertices == 114
        assert obj.data.attributes["custom_normal"].data_type == "FLOAT_VECTOR"
        assert all((n.vector - Vector((0, 0, 1))).length < 1e-5 for n in obj.data.corner_normals)


def test_vertices_that_are_nearer_than_the_distance_are_merged_and_no_others(clean_up: Any, addon: Any) -> None:
    points, faces = joined(grid(4), moved(grid(4), 1.005))
    assert clean_up(made(points, faces), merge_distance=0.001).merged_vertices == 0
    assert clean_up(made(points, faces), merge_distance=0.01).merged_vertices == 5
    assert clean_up(made(*split(*CUBE)), merge_distance=0.0).merged_vertices == 16


def test_of_two_faces_that_come_to_lie_on_the_same_vertices_one_is_kept(clean_up: Any, addon: Any) -> None:
    obj = made(*joined(CUBE, ([*CUBE_POINTS], [tuple(reversed(CUBE_FACES[0])), CUBE_FACES[1]])))
    assert clean_up(obj).faces == 6
    assert not obj.data.validate()


def test_far_from_the_origin_the_same_place_is_the_same_place_still(clean_up: Any, addon: Any) -> None:
    for distance in (0.0, 1e-6, 0.0001):
        assert clean_up(made(*moved(split(*CUBE), 1000.0)), merge_distance=distance).vertices == 8


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e38])
def test_coordinates_that_are_no_numbers_do_no_harm(clean_up: Any, check: Any, addon: Any, value: float) -> None:
    points = [*CUBE_POINTS[:7], (value, 1.0, 1.0)]
    obj = made(*split(points, CUBE_FACES[:5]))
    assert (check(obj.data).shells, check(obj.data).holes) == (1, 1)
    clean_up(obj)
    clean_up(obj, merge_distance=0.0, tiny_shell_ratio=1.0, hole_max_edges=100)
    assert len(obj.data.polygons) >= 5


def test_crumbs_and_what_has_no_face_are_removed_and_nothing_else(clean_up: Any, check: Any, addon: Any) -> None:
    points, faces = joined(ball(), moved(CUBE, 5.0), moved(grid(1), 9.0))
    points += [(20.0, 0.0, 0.0), (21.0, 0.0, 0.0), (22.0, 0.0, 0.0)]
    obj = made(points, faces, edges=[(len(points) - 3, len(points) - 2)])
    cleaned = clean_up(obj)
    assert (cleaned.removed_shells, cleaned.merged_vertices) == (1, 0)
    assert numbers(check(obj.data)) == {"vertices": 122, "faces": 134, "triangles": 236, "shells": 2}
    assert clean_up(obj, tiny_shell_ratio=0.05).removed_shells == 1
    assert check(obj.data).shells == 1
    kept = made(points, faces, edges=[(len(points) - 3, len(points) - 2)])
    assert not clean_up(kept, tiny_shell_ratio=0.0).is_changed
    assert check(kept.data).shells == 3 and check(kept.data).loose_vertices == 3


def test_a_mesh_without_faces_is_left_alone(clean_up: Any, addon: Any) -> None:
    assert not clean_up(made([(0, 0, 0), (1, 0, 0)], [], edges=[(0, 1)])).is_changed
    assert not clean_up(made([], [])).is_changed


def test_small_holes_are_filled_facing_the_way_of_their_neighbors(clean_up: Any, check: Any, addon: Any) -> None:
    for number in range(6):
        obj = made(CUBE_POINTS, without(CUBE_FACES, number))
        assert clean_up(obj).filled_holes == 1
        assert check(obj.data).holes == 0
        center = Vector((0.5, 0.5, 0.5))
        assert all(p.normal.dot(p.center - center) > 0.4 for p in obj.data.polygons)


def test_holes_with_more_edges_stay(clean_up: Any, addon: Any) -> None:
    points, faces = ball()
    around = [n for n, face in enumerate(faces) if len(face) == 3 and all(points[i][2] > 0 for i in face)]
    assert len(around) == 16
    obj = made(points, without(faces, *around))
    assert clean_up(obj, hole_max_edges=15, tiny_shell_ratio=0.0).filled_holes == 0
    assert clean_up(obj, hole_max_edges=0).filled_holes == 0
    assert clean_up(obj, hole_max_edges=16).filled_holes == 1


def test_holes_that_touch_are_filled_one_by_one(clean_up: Any, check: Any, addon: Any) -> None:
    points, faces = grid(10)
    obj = made(points, without(faces, 44, 55, 12))
    assert clean_up(obj).filled_holes == 3
    assert numbers(check(obj.data))["holes"] == 1  # the sheet's border


def test_loops_are_taken_apart_where_they_touch_and_depend_on_the_edges_alone(room: Any) -> None:
    loops_of = room("generation.mesh_topology").loops_of
    assert loops_of([(0, 1), (1, 2), (0, 2)]) in ([[0, 1, 2]], [[0, 2, 1]])
    eight = [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (2, 4)]
    assert sorted(sorted(loop) for loop in loops_of(eight)) == [[0, 1, 2], [2, 3, 4]]
    assert loops_of([]) == []
    renamed = [(low * 10 + 3, high * 10 + 3) for low, high in eight]
    assert loops_of(renamed) == [[vertex * 10 + 3 for vertex in loop] for loop in loops_of(eight)]


def test_faces_that_are_turned_the_wrong_way_do_not_spoil_the_patch(clean_up: Any, check: Any, addon: Any) -> None:
    points, faces = grid(6)
    faces[13] = tuple(reversed(faces[13]))
    obj = with_uvs(made(points, without(faces, 14)), lambda co: (co.x, co.y))
    assert clean_up(obj).filled_holes == 1
    assert check(obj.data).boundary_edges == 24
    assert all((u, v) == (pytest.approx(x), pytest.approx(y)) for x, y, _, u, v, _ in corners(obj.data, "UVMap"))


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_the_border_of_an_open_sheet_is_not_filled(clean_up: Any, addon: Any, side: int) -> None:
    assert not clean_up(made(*grid(side))).is_changed
    points, faces = grid(side)
    assert not clean_up(made(points, [(a, b, c) for a, b, c, _ in faces] + [(a, c, d) for a, _, c, d in faces]))\
        .is_changed  # fmt: skip


def test_a_patch_continues_the_texture_material_and_shading_around_it(clean_up: Any, addon: Any) -> None:
    points, faces = grid(6)
    obj = with_uvs(made(points, without(faces, 14)), lambda co: (co.x, co.y))
    obj.data.shade_smooth()
    for name in ("One", "Two"):
        obj.data.materials.append(bpy.data.materials.new(name))
    obj.data.polygons.foreach_set("material_index", [1] * len(obj.data.polygons))
    before = corners(obj.data, "UVMap")
    assert clean_up(obj).filled_holes == 1
    after = corners(obj.data, "UVMap")
    assert before <= after and sum((after - before).values()) == 4
    for x, y, _, u, v, material in after:
        assert (u, v, material) == (pytest.approx(x), pytest.approx(y), 1)
    assert all(p.use_smooth for p in obj.data.polygons)


def test_a_patch_across_a_seam_takes_one_color_and_not_a_stripe_of_the_whole_texture(clean_up: Any, addon: Any) -> None:
    points, faces = grid(6)
    obj = made(points, without(faces, 14))
    layer = obj.data.uv_layers.new(name="UVMap")
    for polygon in obj.data.polygons:
        for index in polygon.loop_indices:
            co = obj.data.vertices[obj.data.loops[index].vertex_index].co
            island = 10.0 if polygon.center.x > 2.5 / 6 else 0.0
            layer.uv[index].vector = (co.x + island, co.y)
    before = corners(obj.data, "UVMap")
    assert clean_up(obj).filled_holes == 1
    patch = corners(obj.data, "UVMap") - before
    assert len({(u, v) for _, _, _, u, v, _ in patch}) == 1 and sum(patch.values()) == 4


def test_what_needs_no_cleaning_is_not_written_to(clean_up: Any, addon: Any) -> None:
    obj = made(*ball())
    obj.data.shade_smooth()
    obj.data.normals_split_custom_set_from_vertices([Vector((0, 0, 1))] * len(obj.data.vertices))
    order = [tuple(edge.vertices) for edge in obj.data.edges]
    pointer = obj.data.vertices[0].as_pointer()
    cleaned = clean_up(obj)
    assert not cleaned.is_changed and str(cleaned) == "Nothing to clean up (vertices 114, faces 128)"
    assert [tuple(edge.vertices) for edge in obj.data.edges] == order
    assert obj.data.vertices[0].as_pointer() == pointer
    assert len(bpy.data.meshes) == len({o.data for o in bpy.data.objects})  # no scratch copy stays


@pytest.mark.parametrize("seed", range(25))
def test_a_second_run_changes_nothing(clean_up: Any, check: Any, addon: Any, seed: int) -> None:
    points, faces = joined(a_mess(seed), moved(grid(1), 9.0))
    rng = random.Random(seed)
    points = [tuple(c + rng.uniform(-0.02, 0.02) for c in point) for point in points]
    obj = made(points, faces)
    settings = {"merge_distance": 0.03, "tiny_shell_ratio": 0.3, "hole_max_edges": 12}
    first = clean_up(obj, **settings)
    state = corners(obj.data)
    assert first.is_changed
    second = clean_up(obj, **settings)
    assert not second.is_changed, second
    assert corners(obj.data) == state
    assert not obj.data.validate()
    assert numbers(check(obj.data)) == independent_numbers(obj.data)


def test_vertex_groups_shape_keys_and_attributes_are_kept(clean_up: Any, addon: Any) -> None:
    obj = made(*split(*CUBE))
    group = obj.vertex_groups.new(name="Upper")
    group.add([v.index for v in obj.data.vertices if v.co.z > 0.5], 0.75, "REPLACE")
    marks = obj.data.attributes.new("mark", "INT", "FACE")
    marks.data.foreach_set("value", [10, 11, 12, 13, 14, 15])
    obj.shape_key_add(name="Basis")
    key = obj.shape_key_add(name="Raised")
    for point in key.data:
        point.co.z += 2.0
    bpy.context.view_layer.update()
    assert clean_up(obj).vertices == 8
    mesh = obj.data
    assert sorted(a.value for a in mesh.attributes["mark"].data) == [10, 11, 12, 13, 14, 15]
    assert {v.co.z > 0.5: [round(g.weight, 3) for g in v.groups] for v in mesh.vertices} == {True: [0.75], False: []}
    assert [key.name for key in mesh.shape_keys.key_blocks] == ["Basis", "Raised"]
    assert [len(key.data) for key in mesh.shape_keys.key_blocks] == [8, 8]
    for vertex, raised in zip(mesh.vertices, mesh.shape_keys.key_blocks["Raised"].data, strict=True):
        assert raised.co.z == pytest.approx(vertex.co.z + 2.0)
    assert len(bpy.data.shape_keys) == 1


# The operators


def test_one_undo_takes_the_whole_cleaning_back(operators: None, addon: Any) -> None:
    made(*joined(split(CUBE_POINTS, without(CUBE_FACES, 2)), moved(ball(), 5.0), moved(grid(1), 9.0)))
    before = corners(bpy.context.object.data)
    bpy.ops.ed.undo_push(message="Before")
    assert bpy.ops.pixal3d.clean_up_mesh("EXEC_DEFAULT", True) == {"FINISHED"}
    after = corners(bpy.context.object.data)
    assert len(bpy.context.object.data.vertices) == 8 + 114 and after != before
    assert bpy.ops.ed.undo() == {"FINISHED"}
    mesh = bpy.data.objects["Object"].data
    assert corners(mesh) == before and len(mesh.vertices) == 20 + 114 + 4
    assert bpy.ops.ed.redo() == {"FINISHED"}
    assert corners(bpy.data.objects["Object"].data) == after


def test_each_part_can_be_switched_off(operators: None, addon: Any, check: Any) -> None:
    obj = made(*joined(split(CUBE_POINTS, without(CUBE_FACES, 2)), moved(ball(), 5.0), moved(grid(1), 9.0)))
    bpy.ops.pixal3d.clean_up_mesh(fill_holes=False, remove_tiny_shells=False)
    assert check(obj.data).shells == 3 and check(obj.data).holes == 2 and check(obj.data).doubled_vertices == 0
    bpy.ops.pixal3d.clean_up_mesh(fill_holes=True, remove_tiny_shells=False)
    assert check(obj.data).shells == 3 and check(obj.data).holes == 1
    bpy.ops.pixal3d.clean_up_mesh(fill_holes=False, remove_tiny_shells=True)
    assert check(obj.data).shells == 2 and check(obj.data).holes == 0


def test_the_artist_is_told_what_was_done(operators: None, addon: Any, clean_up: Any) -> None:
    assert str(clean_up(made(*joined(split(*CUBE), moved(ball(), 5.0), moved(grid(1), 9.0))))) == (
        "Vertices 142 → 122, faces 135 → 134; vertices merged: 16, tiny shells removed: 1, holes filled: 0"
    )


@pytest.mark.parametrize("operator", ["check_mesh", "clean_up_mesh"])
def test_the_button_says_why_it_is_off(operators: None, addon: Any, operator: str) -> None:
    call = getattr(bpy.ops.pixal3d, operator)
    with pytest.raises(RuntimeError, match="not a mesh"):
        call()
    obj = made(*CUBE)
    assert call.poll()
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Go to Object Mode"):
        call()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert call() == {"FINISHED"}
    assert len(obj.data.vertices) == 8


def test_a_linked_mesh_can_be_checked_and_is_not_changed(operators: None, addon: Any, tmp_path: Path) -> None:
    obj = made(*split(*CUBE))
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {obj.data})
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.meshes = [obj.data.name]
    obj.data = wanted.meshes[0]
    assert obj.data.library is not None
    assert bpy.ops.pixal3d.check_mesh() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="linked"):
        bpy.ops.pixal3d.clean_up_mesh()
    assert len(obj.data.vertices) == 24


def test_all_users_of_a_mesh_see_the_clean_one(operators: None, addon: Any) -> None:
    obj = made(*split(*CUBE))
    other = bpy.data.objects.new("Other", obj.data)
    bpy.context.collection.objects.link(other)
    bpy.ops.pixal3d.clean_up_mesh()
    assert other.data == obj.data and len(other.data.vertices) == 8
