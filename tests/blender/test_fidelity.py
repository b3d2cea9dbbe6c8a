# SPDX-License-Identifier: GPL-3.0-or-later
"""A prepared model differs in nothing from one imported directly, shown with models that nobody here made."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

from scripts import environments
from tests.support.datablocks import described_data, differences

AT_LEAST = 30
PATIENCE_SECONDS = 300


@pytest.fixture(scope="session")
def models() -> dict[str, Path]:
    """By a short name; each once."""
    environments.python("models")
    folder = environments.location("models") / "node_modules"
    found = {hashlib.sha256(path.read_bytes()).digest(): path for path in sorted(folder.rglob("*.glb"))}
    return {"/".join(path.parts[-2:]): path for path in found.values()}


@pytest.fixture
def generation_of(room: Callable[[str], Any], tmp_path: Path) -> Callable[[str, Path], Any]:
    """A generation that has brought this model, which is said to be large."""

    def make(name: str, glb: Path) -> Any:
        folder = tmp_path / name.replace("/", "-")
        folder.mkdir()
        return room("generation").Generation(
            name="Chair",
            parameters=room("parameters").complete({}),
            state=room("generation").State.READY,
            folder=str(folder),
            glb_file=str(shutil.copy(glb, folder / "model.glb")),
            glb_sha256=hashlib.sha256(glb.read_bytes()).hexdigest(),
            triangles=room("blender.limits").PREPARE_TRIANGLES,
        )

    return make


def empty_file() -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)


def imported(room: Any, *generations: Any) -> dict[str, Any]:
    """What is in a file into which they were imported, and nothing else."""
    empty_file()
    for generation in generations:
        room("blender.importer").import_model(bpy.context, generation, room("generation.scale").AppliedBy.AUTO)
    return described_data()


def imported_directly(room: Any, *generations: Any) -> dict[str, Any]:
    """However far their preparation is: one without a folder of its own has no prepared file."""
    return imported(room, *(dataclasses.replace(generation, folder="") for generation in generations))


def prepare(room: Any, generations: list[Any]) -> None:
    prepared = room("blender.prepared")
    prepared.look_ahead([], generations, bpy.context.scene)


def wait(room: Any, generations: list[Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(room("blender.prepared").is_awaited(generation, bpy.context.scene) for generation in generations):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for generation in generations:
        if is_prepared(generation):
            Path(generation.glb_file).unlink()  # so that no direct import could do it


def is_prepared(generation: Any) -> bool:
    return any(Path(generation.folder).glob("prepared-*.blend"))


def test_models_that_nobody_here_made_arrive_prepared_as_they_do_directly(
    room: Any, generation_of: Any, models: dict[str, Path]
) -> None:
    errors, inspect_glb = room("blender.errors"), room("scenario").inspect_glb
    generations, not_prepared = {}, {}
    for name, path in models.items():
        try:
            inspect_glb(path)
            generations[name] = generation_of(name, path)
        except room("scenario").ScenarioError as error:
            not_prepared[name] = f"our check refuses it: {error}"
    empty_file()
    prepare(room, list(generations.values()))
    direct = {}
    for name, generation in generations.items():
        try:
            direct[name] = imported_directly(room, generation)
        except errors.ModelImportError as error:
            not_prepared[name] = f"Blender refuses it: {error}"
    wait(room, [generations[name] for name in direct])
    for name in [name for name in direct if not is_prepared(generations[name])]:
        not_prepared[name] = "it is left to the direct import"
        del direct[name]
    found = {name: differences(direct[name], imported(room, generations[name])) for name in direct}
    print(table(direct, found, not_prepared))
    assert not {name: lines[:10] for name, lines in found.items() if lines}
    assert len(direct) >= AT_LEAST
    assert list(not_prepared) == ["models/Soldier.glb"], "it is animated, and the only one that is"


def table(direct: dict[str, Any], found: dict[str, list[str]], not_prepared: dict[str, str]) -> str:
    kinds = Counter(block.split()[0] for data in direct.values() for block in data)
    lines = [
        f"Blender {bpy.app.version_string}: {len(direct)} models, {sum(map(len, found.values()))} differences",
        ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())),
    ]
    lines += [f"  {name}: {line}" for name, each in found.items() for line in each]
    return "\n".join([*lines, *(f"  not compared: {name}: {why}" for name, why in not_prepared.items())])


def image_of(name: str, space: str = "sRGB") -> bpy.types.Image:
    image = bpy.data.images.new(name, 8, 8, alpha=True)
    image.colorspace_settings.name = space
    image.pack()
    return image


def material_of(name: str, alpha: str) -> bpy.types.Material:
    """Textured, with occlusion, for which the importer makes a node group."""
    material: Any = bpy.data.materials.new(name)
    material.use_nodes = True
    material.use_backface_culling = alpha == "OPAQUE"
    material["kind"] = alpha
    tree = material.node_tree
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    color, other = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeTexImage")
    color.image, other.image = image_of("Color"), image_of("Other", "Non-Color")
    tree.links.new(color.outputs["Color"], shader.inputs["Base Color"])
    if alpha != "OPAQUE":
        tree.links.new(color.outputs["Alpha"], shader.inputs["Alpha"])
    separate, group = tree.nodes.new("ShaderNodeSeparateColor"), tree.nodes.new("ShaderNodeGroup")
    tree.links.new(other.outputs["Color"], separate.inputs[0])
    tree.links.new(separate.outputs["Green"], shader.inputs["Roughness"])
    settings = bpy.data.node_groups.get("glTF Material Output")
    if settings is None:
        settings = bpy.data.node_groups.new("glTF Material Output", "ShaderNodeTree")
        settings.interface.new_socket("Occlusion", in_out="INPUT", socket_type="NodeSocketFloat")
    group.node_tree = settings
    tree.links.new(separate.outputs["Red"], group.inputs["Occlusion"])
    return material


def make(path: Path, *, is_animated: bool = False) -> Path:
    """A model with what the others lack: lights, a camera, shape keys, two kinds of alpha, colors, properties."""
    empty_file()
    bpy.ops.mesh.primitive_uv_sphere_add(segments=8, ring_count=6)
    ball: Any = bpy.context.object
    ball.name = ball.data.name = "Ball"
    ball["price"] = 12.5
    ball.data["tags"] = ["a", "b"]
    ball.data.uv_layers.new(name="Second")
    ball.data.color_attributes.new("Paint", "FLOAT_COLOR", "POINT")
    for alpha in ("OPAQUE", "BLEND"):
        ball.data.materials.append(material_of(alpha.title(), alpha))
    for polygon in ball.data.polygons:
        polygon.material_index, polygon.use_smooth = polygon.index % 2, polygon.index % 3 > 0
    ball.shape_key_add(name="Basis")
    ball.shape_key_add(name="Fat").data[0].co.z = 3.0
    ball.vertex_groups.new(name="Bone").add(range(10), 0.5, "REPLACE")
    bpy.ops.object.armature_add()
    bones: Any = bpy.context.object
    bones.name = bones.data.name = "Bones"
    ball.parent = bones
    ball.modifiers.new("Armature", "ARMATURE").object = bones
    bpy.ops.object.light_add(type="SPOT")
    bpy.ops.object.camera_add()
    if is_animated:
        for frame in (1, 20):
            bones.location.x = frame / 20
            bones.keyframe_insert("location", frame=frame)
    bpy.context.scene["note"] = "of a scene"
    bpy.ops.export_scene.gltf(filepath=str(path), export_cameras=True, export_lights=True, export_extras=True)
    empty_file()
    return path


def test_a_model_with_lights_cameras_shape_keys_and_properties_does_too(
    room: Any, generation_of: Any, tmp_path: Path
) -> None:
    generation = generation_of("made", make(tmp_path / "made.glb"))
    prepare(room, [generation])
    direct = imported_directly(room, generation)
    kinds = {block.split()[0] for block in direct}
    assert kinds >= {"Object", "Mesh", "Key", "Armature", "Image", "Material", "Camera", "SpotLight", "ShaderNodeTree"}
    wait(room, [generation])
    assert is_prepared(generation)
    found = differences(direct, imported(room, generation))
    if bpy.app.version < (4, 5):  # its importer writes them onto the artist's scene, and can't be told not to
        found.remove("Scene Scene > properties > note: only in the first")
    assert found == []


def test_a_second_one_into_the_same_file_does_too(room: Any, generation_of: Any, tmp_path: Path) -> None:
    """Where names are taken, and what the importer shares is there already."""
    made = make(tmp_path / "made.glb")
    once, again = generation_of("once", made), generation_of("again", made)
    prepare(room, [once, again])
    direct = imported_directly(room, once, again)
    wait(room, [once, again])
    found = differences(direct, imported(room, once, again))
    assert [line for line in found if "Scene > properties > note" not in line] == []


def test_an_animated_model_is_left_to_the_direct_import(
    room: Any, generation_of: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generation = generation_of("made", make(tmp_path / "made.glb", is_animated=True))
    with caplog.at_level(logging.WARNING):
        prepare(room, [generation])
        wait(room, [generation])
    assert "It is animated" in caplog.text and not is_prepared(generation)
    assert any(block.startswith("Action") for block in imported(room, generation))


def move_a_vertex() -> None:
    ball().vertices[7].co.x += 0.001


def move_a_uv() -> None:
    ball().uv_layers[1].data[3].uv.x += 0.001


def bend_a_normal() -> None:
    normals = [corner.vector.copy() for corner in ball().corner_normals]
    normals[5].x += 0.1
    ball().normals_split_custom_set(normals)


def turn_a_face() -> None:
    ball().polygons[0].material_index = 0 if ball().polygons[0].material_index else 1


def change_a_color() -> None:
    ball().color_attributes[0].data[0].color[0] = 0.123


def change_a_weight() -> None:
    mesh_object().vertex_groups[0].add([3], 0.25, "REPLACE")


def change_a_pixel() -> None:
    bpy.data.images[0].pixels[0] = 0.5
    bpy.data.images[0].pack()


def change_a_color_space() -> None:
    bpy.data.images[0].colorspace_settings.name = "Linear Rec.709"


def change_a_shape_key() -> None:
    ball().shape_keys.key_blocks[1].data[2].co.y += 0.001


def remove_a_link() -> None:
    tree = ball().materials[0].node_tree
    tree.links.remove(tree.links[0])


def move_a_link() -> None:
    """To the same socket of another node."""
    tree = ball().materials[0].node_tree
    link = next(each for each in tree.links if each.from_node.type == "TEX_IMAGE")
    other = next(node for node in tree.nodes if node.type == "TEX_IMAGE" and node != link.from_node)
    tree.links.new(other.outputs[link.from_socket.name], link.to_socket)


def change_a_socket() -> None:
    next(n for n in ball().materials[1].node_tree.nodes if n.type == "BSDF_PRINCIPLED").inputs["IOR"].default_value += 1


def show_the_back() -> None:
    ball().materials[0].use_backface_culling ^= True


def change_a_property() -> None:
    mesh_object()["price"] = 1.0


def change_a_light() -> None:
    bpy.data.lights[0].energy += 1


def move_a_bone() -> None:
    bpy.data.objects["Bones"].pose.bones[0].location.x += 0.1


def mesh_object() -> Any:
    return next(obj for obj in bpy.data.objects if obj.type == "MESH")


def ball() -> Any:
    return mesh_object().data


CHANGES = (
    *(move_a_vertex, move_a_uv, bend_a_normal, turn_a_face, change_a_color, change_a_weight, change_a_pixel),
    *(change_a_color_space, change_a_shape_key, remove_a_link, change_a_socket, show_the_back, change_a_property),
    *(change_a_light, move_a_bone, move_a_link),
)


def test_each_of_these_changes_would_have_been_noticed(room: Any, generation_of: Any, tmp_path: Path) -> None:
    generation = generation_of("made", make(tmp_path / "made.glb"))
    before = imported(room, generation)
    for change in CHANGES:
        assert imported(room, generation) == before
        change()
        bpy.context.view_layer.update()
        assert differences(before, described_data()), change.__name__
