# SPDX-License-Identifier: GPL-3.0-or-later
"""A GLB on disk becomes objects in the scene: at its place, at its size, once, and called after its image."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy  # isort: skip  (it makes addon_utils importable)
import addon_utils
import pytest
from mathutils import Vector

SIDES = (0.5, 1.0, 0.25)
"""A box with a largest side of one meter, as the service's unit model has (glTF axes)."""


@pytest.fixture
def glb(tmp_path: Path) -> Callable[..., str]:
    """Writes a textured box like the service's model, off the ground, with Blender's own exporter; scene left empty."""

    def write(scale: float = 1.0, *, with_helper: bool = False, parts: int = 1) -> str:
        path = tmp_path / f"model-{scale}-{with_helper}-{parts}.glb"
        image = bpy.data.images.new("Image_0", 8, 8)
        image.pack()
        helper = bpy.data.objects.new("world", None)
        if with_helper:
            bpy.context.collection.objects.link(helper)
        for part in range(parts):
            bpy.ops.mesh.primitive_cube_add(size=1.0)
            box = bpy.context.object
            box.name = box.data.name = f"geometry_{part}"
            # glTF's (x, y, z) is Blender's (x, z, -y).
            for vertex in box.data.vertices:
                vertex.co = Vector((vertex.co.x * SIDES[0], vertex.co.y * SIDES[2], vertex.co.z * SIDES[1])) * scale
            box.location.x = part * scale
            if with_helper:
                box.parent = helper
            material = bpy.data.materials.new("Material_0")
            material.use_nodes = True
            tree = material.node_tree
            shader = next(n for n in tree.nodes if n.type == "BSDF_PRINCIPLED")
            texture, separate = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeSeparateColor")
            texture.image = image
            tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
            rough = tree.nodes.new("ShaderNodeTexImage")
            rough.image = bpy.data.images.new("Image_1", 8, 8)
            rough.image.colorspace_settings.name = "Non-Color"
            rough.image.pack()
            tree.links.new(rough.outputs["Color"], separate.inputs[0])
            tree.links.new(separate.outputs["Green"], shader.inputs["Roughness"])
            tree.links.new(separate.outputs["Blue"], shader.inputs["Metallic"])
            box.data.materials.append(material)
        bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB")
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        return str(path)

    return write


@pytest.fixture
def ready(room: Any) -> Callable[..., Any]:
    """A generation whose model is on disk."""

    def make(glb_file: str, mesh_scale: float = 1.0, delivered: float = 1.0, **changes: Any) -> Any:
        half = [side * delivered / 2 for side in SIDES]
        return room("generation").Generation(
            name="Chair",
            parameters=room("parameters").complete({"mesh_scale": mesh_scale, "seed": 7}),
            placement=changes.pop("placement", room("generation").Placement()),
            state=room("generation").State.READY,
            job_id="job_1",
            glb_file=glb_file,
            bounds=(tuple(-h for h in half), tuple(half)),
            **changes,
        )

    return make


@pytest.fixture
def imported(room: Any) -> Callable[..., list[bpy.types.Object]]:
    def call(generation: Any, choice: str = "AUTO") -> list[bpy.types.Object]:
        applied_by = room("generation.scale").AppliedBy(choice)
        return room("blender.importer").import_model(bpy.context, generation, applied_by)

    return call


def size_of(objects: list[bpy.types.Object]) -> tuple[Vector, Vector]:
    """Lowest and highest corner in world space, from the vertices themselves."""
    bpy.context.view_layer.update()
    points = [o.matrix_world @ v.co for o in objects if o.type == "MESH" for v in o.data.vertices]
    return Vector(map(min, zip(*points, strict=True))), Vector(map(max, zip(*points, strict=True)))


@pytest.mark.parametrize("mesh_scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("is_applied_by_service", [True, False])
def test_the_model_is_mesh_scale_times_the_unit_model_whoever_scaled_it(
    addon: Any, glb: Any, ready: Any, imported: Any, mesh_scale: float, is_applied_by_service: bool
) -> None:
    delivered = mesh_scale if is_applied_by_service else 1.0
    objects = imported(ready(glb(delivered), mesh_scale, delivered))
    low, high = size_of(objects)
    assert tuple(high - low) == pytest.approx((0.5 * mesh_scale, 0.25 * mesh_scale, 1.0 * mesh_scale), rel=1e-5)
    if mesh_scale != 1.0:
        assert objects[0]["pixal3d"]["mesh_scale_applied_by"] == ("SERVICE" if is_applied_by_service else "IMPORT")


def test_the_artists_choice_of_who_scales_is_kept_to(addon: Any, glb: Any, ready: Any, imported: Any) -> None:
    low, high = size_of(imported(ready(glb(2.0), 2.0, 2.0), "IMPORT"))
    assert high.z - low.z == pytest.approx(4.0, rel=1e-5)


def test_the_model_stands_where_the_cursor_was_at_the_click(
    addon: Any, glb: Any, ready: Any, imported: Any, room: Any
) -> None:
    path = glb(2.0)
    bpy.context.scene.cursor.location = (3.0, -4.0, 5.0)
    placement = room("blender.open_file").placement_here(bpy.context)
    bpy.context.scene.cursor.location = (0.0, 0.0, 0.0)
    low, high = size_of(imported(ready(path, 2.0, 2.0, placement=placement)))
    assert tuple((low + high) / 2)[:2] == pytest.approx((3.0, -4.0), abs=1e-5)
    assert low.z == pytest.approx(5.0, abs=1e-5)


def test_everything_is_called_after_the_image_and_is_selected_and_active(
    addon: Any, glb: Any, ready: Any, imported: Any
) -> None:
    path = glb()
    bpy.ops.mesh.primitive_cube_add()
    other = bpy.context.object
    (obj,) = imported(ready(path))
    assert (obj.name, obj.data.name, obj.type) == ("Chair", "Chair", "MESH")
    assert [m.name for m in obj.data.materials] == ["Chair"]
    assert bpy.context.selected_objects == [obj] and bpy.context.active_object == obj
    assert not other.select_get()
    assert obj.rotation_mode == "XYZ"


def test_the_textures_are_packed_and_wired_to_color_metal_and_roughness(
    addon: Any, glb: Any, ready: Any, imported: Any
) -> None:
    (obj,) = imported(ready(glb()))
    tree = obj.data.materials[0].node_tree
    shader = next(n for n in tree.nodes if n.type == "BSDF_PRINCIPLED")

    def image_behind(name: str) -> bpy.types.Image:
        node = shader.inputs[name].links[0].from_node
        while node.type != "TEX_IMAGE":
            node = node.inputs[0].links[0].from_node
        return node.image

    color, rough = image_behind("Base Color"), image_behind("Roughness")
    assert rough == image_behind("Metallic")
    assert (color.name, color.colorspace_settings.name) == ("Chair Base Color", "sRGB")
    assert (rough.name, rough.colorspace_settings.name) == ("Chair Metallic Roughness", "Non-Color")
    assert color.packed_file and rough.packed_file


def test_a_helper_above_a_lone_mesh_is_not_left_in_the_scene(addon: Any, glb: Any, ready: Any, imported: Any) -> None:
    objects = imported(ready(glb(with_helper=True)))
    assert [o.name for o in bpy.data.objects] == [o.name for o in objects] == ["Chair"]
    assert objects[0].parent is None


def test_a_model_of_several_parts_gets_one_object_to_hold_on_to(
    addon: Any, glb: Any, ready: Any, imported: Any
) -> None:
    objects = imported(ready(glb(parts=3), mesh_scale=2.0))
    assert objects[0].name == "Chair" and objects[0].type == "EMPTY"
    assert {o.parent for o in objects[1:]} == {objects[0]} and len(objects) == 4
    low, _ = size_of(objects)
    assert low.z == pytest.approx(0.0, abs=1e-5)


def test_the_model_lands_in_the_collection_of_the_click(
    addon: Any, glb: Any, ready: Any, imported: Any, room: Any
) -> None:
    path = glb()
    props = bpy.data.collections.new("Props")
    bpy.context.scene.collection.children.link(props)
    (obj,) = imported(ready(path, placement=room("generation").Placement("Scene", "Props")))
    assert obj.users_collection == (props,)


def test_a_collection_or_scene_that_is_gone_does_not_lose_the_model(
    addon: Any, glb: Any, ready: Any, imported: Any, room: Any
) -> None:
    path = glb()
    for placement in (room("generation").Placement("Scene", "Gone"), room("generation").Placement("Gone", "Gone")):
        (obj,) = imported(ready(path, placement=placement))
        assert obj.users_collection == (bpy.context.collection,)


def test_a_collection_that_was_excluded_meanwhile_does_not_hide_the_model(
    addon: Any, glb: Any, ready: Any, imported: Any, room: Any
) -> None:
    path = glb()
    outer, inner = bpy.data.collections.new("Outer"), bpy.data.collections.new("Inner")
    bpy.context.scene.collection.children.link(outer)
    outer.children.link(inner)
    bpy.context.view_layer.layer_collection.children["Outer"].exclude = True
    for name in ("Outer", "Inner"):
        (obj,) = imported(ready(path, placement=room("generation").Placement("Scene", name)))
        assert obj.users_collection == (bpy.context.scene.collection,)
        assert bpy.context.active_object == obj


def test_the_model_lands_in_the_scene_of_the_click_when_another_is_open(
    addon: Any, glb: Any, ready: Any, imported: Any, room: Any
) -> None:
    path = glb()
    other = bpy.data.scenes.new("Other")
    placement = room("generation").Placement("Other", other.collection.name, (0.0, 0.0, 2.0))
    (obj,) = imported(ready(path, placement=placement))
    assert obj.users_scene == (other,)
    assert obj.location.z == pytest.approx(2.5, abs=1e-5)


def test_a_scene_in_centimeters_gets_the_same_size_in_the_real_world(
    addon: Any, glb: Any, ready: Any, imported: Any
) -> None:
    path = glb()
    bpy.context.scene.unit_settings.scale_length = 0.01
    low, high = size_of(imported(ready(path)))
    assert high.z - low.z == pytest.approx(100.0, rel=1e-4)


def datablocks() -> dict[str, list[str]]:
    kinds = ("objects", "meshes", "materials", "images", "collections", "scenes", "node_groups")
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}


def test_a_model_is_imported_once_even_if_it_cannot_be_placed(
    addon: Any, glb: Any, ready: Any, room: Any, monkeypatch: Any
) -> None:
    """Whatever goes wrong, it is not tried again by itself, and the paid model stays ready for the artist."""
    generation = ready(glb())
    manager = room("blender.session").manager()
    manager._snapshots.put(generation)
    assert manager.arrived() == [generation]

    def fault(*_: Any) -> None:
        raise KeyError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(room("blender.importer"), "finish", fault)
        with pytest.raises(RuntimeError, match="inside the add-on"):
            bpy.ops.pixal3d.import_model(generation=generation.id)
    after = manager.get(generation.id).generation
    assert after.state == "ready" and after.error and after.hint and manager.arrived() == []
    assert bpy.ops.pixal3d.import_model(generation=generation.id) == {"FINISHED"}
    assert manager.get(generation.id).generation.state == "imported"


def test_without_blenders_gltf_importer_it_is_said_before_anything_is_paid(addon: Any, room: Any) -> None:
    addon_utils.disable("io_scene_gltf2")
    try:
        with pytest.raises(room("blender.errors").ModelImportError, match=r"glTF importer is switched off\. Enable"):
            room("blender.importer").ensure_can_import(bpy.context)
    finally:
        addon_utils.enable("io_scene_gltf2")


def test_an_active_collection_that_is_linked_does_not_keep_the_model_out(
    addon: Any, glb: Any, ready: Any, imported: Any, room: Any, tmp_path: Path
) -> None:
    path = glb()
    library = bpy.data.collections.new("Library")
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {library})
    bpy.data.collections.remove(library)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.collections = ["Library"]
    linked = wanted.collections[0]
    bpy.context.scene.collection.children.link(linked)
    layer = bpy.context.view_layer
    layer.active_layer_collection = layer.layer_collection.children["Library"]
    for name in ("Gone", "Library"):
        (obj,) = imported(ready(path, placement=room("generation").Placement("Scene", name)))
        assert obj.users_collection == (bpy.context.scene.collection,)


def test_importing_twice_gives_two_models(addon: Any, glb: Any, ready: Any, imported: Any) -> None:
    generation = ready(glb())
    first, second = imported(generation)[0], imported(generation)[0]
    assert (first.name, second.name) == ("Chair", "Chair.001")


def test_where_the_model_comes_from_is_noted_on_the_object(addon: Any, glb: Any, ready: Any, imported: Any) -> None:
    (obj,) = imported(ready(glb(), cost=12.0, seed=7, source_sha256="abc"))
    noted = obj["pixal3d"].to_dict()
    assert (noted["job_id"], noted["source"], noted["seed"], noted["cost"]) == ("job_1", "Chair", 7, 12.0)
    assert noted["parameters"]["decimation_target"] == 200000
    assert noted["made_with"].startswith("Pixal3D-Blender/")


@pytest.mark.parametrize("content", [b"", b"glTF" + bytes(100), b"no model at all"], ids=["empty", "zeros", "text"])
def test_a_file_that_blender_refuses_is_a_sentence_and_leaves_the_scene_alone(
    addon: Any, ready: Any, imported: Any, room: Any, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "broken.glb"
    path.write_bytes(content)
    bpy.ops.mesh.primitive_cube_add()
    before = datablocks()
    with pytest.raises(
        room("blender.errors").ModelImportError, match=r"could not read the model of Chair\. Fetch it again"
    ):
        imported(ready(str(path)))
    assert datablocks() == before
    assert path.exists()


def of_many_kinds(path: Path, bone: Any = None, **changes: Any) -> str:
    """A triangle in each of two scenes, one of them with bones and shape keys, a camera and a light."""
    positions = struct.pack("<9f", -1, 0, 0, 1, 0, 0, 0, 2, 0.5) + struct.pack("<4f", 1, 0, 0, 0) * 3 + bytes(12)
    views = [(0, 36), (36, 48), (84, 12)]
    document = {
        "asset": {"version": "2.0"},
        "extensionsUsed": ["KHR_lights_punctual"],
        "extensions": {"KHR_lights_punctual": {"lights": [{"type": "point"}]}},
        "scene": 0,
        "scenes": [{"nodes": [0, 1, 3, 4]}, {"nodes": [5]}],
        "nodes": [
            {"mesh": 0, "skin": 0},
            {"children": [2]},
            bone or {},
            {"camera": 0, "extras": {"pixal3d": {"generation": "another"}, "price": 3}},
            {"extensions": {"KHR_lights_punctual": {"light": 0}}},
            {"mesh": 1},
            {"name": "in no scene"},
        ],
        "cameras": [{"type": "perspective", "perspective": {"yfov": 1, "znear": 1}}],
        "skins": [{"joints": [1, 2]}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 0, "WEIGHTS_0": 1, "JOINTS_0": 2}, "targets": [{"POSITION": 0}]}
                ]
            },
            {"primitives": [{"attributes": {"POSITION": 0}, "material": 0}]},
        ],
        "materials": [{}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 3, "type": "VEC4"},
            {"bufferView": 2, "componentType": 5121, "count": 3, "type": "VEC4"},
        ],
        "bufferViews": [{"buffer": 0, "byteOffset": start, "byteLength": length} for start, length in views],
        "buffers": [{"byteLength": len(positions)}],
        **changes,
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(positions), b"BIN\0") + positions
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
    return str(path)


BAD_FACTOR = [{"extensions": {"KHR_materials_ior": {"ior": "much"}}}]
"""Where our check leaves it to the importer, which has made the rest by then."""
BAD_BONE = {"extras": {"half a character \ud800": 1}}
"""At which it fails when it wants to print that it can't take it."""


@pytest.mark.parametrize("where", ["in a material", "in the middle of the bones"])
def test_what_the_importer_has_made_when_it_fails_is_taken_back(
    addon: Any, ready: Any, imported: Any, room: Any, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "utf-8", "strict"))
    changes: dict[str, Any] = {"materials": BAD_FACTOR} if where == "in a material" else {"bone": BAD_BONE}
    path = of_many_kinds(tmp_path / "bad.glb", **changes)
    room("scenario").inspect_glb(Path(path))
    bpy.ops.mesh.primitive_cube_add()
    cube, before = bpy.context.object, all_datablocks()
    with pytest.raises(room("blender.errors").ModelImportError):
        imported(ready(path))
    assert all_datablocks() == before
    assert bpy.context.mode == "OBJECT" and bpy.context.object == cube


def test_a_file_of_many_kinds_leaves_no_scene_or_collection_beside_the_artists(
    addon: Any, ready: Any, imported: Any, tmp_path: Path
) -> None:
    scenes, collections = len(bpy.data.scenes), len(bpy.data.collections)
    objects = imported(ready(of_many_kinds(tmp_path / "many.glb")))
    assert {obj.type for obj in objects} >= {"MESH", "ARMATURE", "CAMERA", "LIGHT"}
    assert (len(bpy.data.scenes), len(bpy.data.collections)) == (scenes, collections)
    assert all(obj.users_scene for obj in objects)
    assert [obj for obj in objects if "pixal3d" in obj] == objects[:1], "the file can't say that it is another model"
    assert any("price" in obj for obj in objects)


def all_datablocks() -> dict[str, list[str]]:
    """Of every kind."""
    kinds = [p.identifier for p in bpy.data.bl_rna.properties if p.type == "COLLECTION"]
    return {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in kinds}
