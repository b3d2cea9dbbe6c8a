# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way an image lives in Blender becomes the picture that the artist sees, and the datablock stays as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

WIDTH, HEIGHT = 6, 4
RED, GREEN, BLUE, GRAY = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0), (0.5, 0.5, 0.5, 1.0)


def corners() -> np.ndarray:
    """Gray, with a red bottom left, a green bottom right and a blue top left pixel. Rows from the bottom."""
    picture = np.empty((HEIGHT, WIDTH, 4), np.float32)
    picture[:] = GRAY
    picture[0, 0], picture[0, -1], picture[-1, 0] = RED, GREEN, BLUE
    return picture


def decoded(png: bytes) -> np.ndarray:
    """The PNG's pixels, top row first, by Blender's own reader."""
    path = Path(bpy.app.tempdir) / "decoded.png"
    path.write_bytes(png)
    image = bpy.data.images.load(str(path), check_existing=False)
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    shape = image.size[1], image.size[0], 4
    bpy.data.images.remove(image)
    return values.reshape(shape)[::-1]


@pytest.fixture
def sent(room: Any, tmp_path: Path) -> Callable[[bpy.types.Image], bytes]:
    """What would be sent of an image, through the add-on's own two halves: main thread and worker."""

    def as_sent(image: bpy.types.Image) -> bytes:
        source = room("blender.image_source").source_image(image)
        folder = tmp_path / "sent"
        folder.mkdir(exist_ok=True)
        return room("generation.source").write_source(source, folder, threading.Event()).path.read_bytes()

    return as_sent


def state_of(image: bpy.types.Image) -> tuple[Any, ...]:
    packed = bytes(image.packed_file.data) if image.packed_file else None
    return (image.name, image.filepath, image.filepath_raw, image.source, image.is_dirty, packed, image.users)


def painted(name: str = "Painted", **options: Any) -> bpy.types.Image:
    image = bpy.data.images.new(name, WIDTH, HEIGHT, alpha=True, **options)
    image.pixels.foreach_set(corners().ravel())
    image.update()
    return image


def saved(path: Path, **options: Any) -> bpy.types.Image:
    image = painted(**options)
    image.filepath_raw = str(path)
    image.file_format = {".png": "PNG", ".jpg": "JPEG", ".tga": "TARGA", ".exr": "OPEN_EXR", ".webp": "WEBP"}[
        path.suffix
    ]
    image.save()
    bpy.data.images.remove(image)
    return bpy.data.images.load(str(path), check_existing=False)


def assert_shows_the_corners(png: bytes, tolerance: float = 0.004) -> None:
    picture = decoded(png)
    assert picture.shape == (HEIGHT, WIDTH, 4)
    np.testing.assert_allclose(picture, corners()[::-1], atol=tolerance)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_clean_file_is_sent_byte_for_byte_and_never_decoded(
    addon: Any, sent: Any, tmp_path: Path, suffix: str
) -> None:
    image = saved(tmp_path / f"clean{suffix}")
    before = state_of(image)
    assert sent(image) == (tmp_path / f"clean{suffix}").read_bytes()
    assert not image.has_data, "reading the pixels would have stopped Blender to decode the file"
    assert state_of(image) == before


def test_a_packed_image_is_sent_as_its_packed_bytes(addon: Any, sent: Any, tmp_path: Path) -> None:
    image = saved(tmp_path / "packed.png")
    image.pack()
    (tmp_path / "packed.png").unlink()
    before = state_of(image)
    assert sent(image) == before[5]
    assert state_of(image) == before


def test_a_painted_generated_image_is_sent_as_painted(addon: Any, sent: Any) -> None:
    image = painted()
    before = state_of(image)
    assert image.is_dirty
    assert_shows_the_corners(sent(image))
    assert state_of(image) == before


def test_a_file_that_was_painted_on_is_sent_as_painted_not_as_on_disk(addon: Any, sent: Any, tmp_path: Path) -> None:
    image = saved(tmp_path / "old.png")
    image.pixels.foreach_set(np.zeros(WIDTH * HEIGHT * 4, np.float32))
    image.pixels.foreach_set(corners()[::-1].ravel())  # upside down
    assert image.is_dirty
    np.testing.assert_allclose(decoded(sent(image)), corners(), atol=0.004)
    assert image.is_dirty


def test_a_packed_image_that_was_painted_on_is_sent_as_painted(addon: Any, sent: Any, tmp_path: Path) -> None:
    image = saved(tmp_path / "old.png")
    image.pack()
    image.pixels.foreach_set(corners()[::-1].ravel())
    np.testing.assert_allclose(decoded(sent(image)), corners(), atol=0.004)


def test_a_generated_image_that_nobody_painted_is_sent_with_its_pattern(addon: Any, sent: Any) -> None:
    image = bpy.data.images.new("Grid", 64, 32)
    image.generated_type = "COLOR_GRID"
    picture = decoded(sent(image))
    assert picture.shape == (32, 64, 4)
    assert len(np.unique(picture.reshape(-1, 4), axis=0)) > 4


def test_a_float_image_is_sent_in_srgb(addon: Any, sent: Any) -> None:
    image = bpy.data.images.new("Float", WIDTH, HEIGHT, alpha=True, float_buffer=True)
    linear = corners()
    linear[linear == 0.5] = 0.2140411
    image.pixels.foreach_set(linear.ravel())
    assert_shows_the_corners(sent(image))


def test_an_exr_file_is_converted(addon: Any, sent: Any, tmp_path: Path) -> None:
    image = bpy.data.images.new("Exr", WIDTH, HEIGHT, alpha=True, float_buffer=True)
    image.pixels.foreach_set(corners().ravel())
    image.filepath_raw, image.file_format = str(tmp_path / "linear.exr"), "OPEN_EXR"
    image.save()
    image = bpy.data.images.load(str(tmp_path / "linear.exr"), check_existing=False)
    # What is in the file is Blender's affair (4.2 and 5.2 write a float image differently): as loaded, it is linear.
    gray = image.pixels[4]
    expected = corners()
    expected[expected == 0.5] = 1.055 * gray ** (1 / 2.4) - 0.055
    np.testing.assert_allclose(decoded(sent(image)), expected[::-1], atol=0.004)


def test_a_format_that_the_service_may_not_take_is_converted(addon: Any, sent: Any, tmp_path: Path) -> None:
    assert_shows_the_corners(sent(saved(tmp_path / "old.tga")))


def test_the_first_tile_of_a_udim_image_is_sent(addon: Any, sent: Any, tmp_path: Path) -> None:
    bpy.data.images.remove(saved(tmp_path / "skin.1001.png"))
    image = bpy.data.images.load(str(tmp_path / "skin.1001.png"), check_existing=False)
    image.source = "TILED"
    image.filepath = str(tmp_path / "skin.<UDIM>.png")
    assert_shows_the_corners(sent(image))


def test_alpha_that_the_artist_switched_off_is_not_sent(addon: Any, sent: Any, tmp_path: Path) -> None:
    picture = corners()
    picture[:, :, 3] = 0.25
    image = bpy.data.images.new("Ghost", WIDTH, HEIGHT, alpha=True)
    image.pixels.foreach_set(picture.ravel())
    image.filepath_raw, image.file_format = str(tmp_path / "ghost.png"), "PNG"
    image.save()
    loaded = bpy.data.images.load(str(tmp_path / "ghost.png"), check_existing=False)
    assert decoded(sent(loaded))[0, 0, 3] == pytest.approx(0.25, abs=0.01)
    loaded.alpha_mode = "NONE"
    assert decoded(sent(loaded))[0, 0, 3] == 1.0


def test_a_transparent_float_images_colors_are_not_darkened_by_its_alpha(addon: Any, sent: Any) -> None:
    image = bpy.data.images.new("Glass", 1, 1, alpha=True, float_buffer=True)
    image.pixels.foreach_set(np.array([0.2140411 * 0.5, 0.0, 0.5, 0.5], np.float32))  # premultiplied, as Blender has it
    np.testing.assert_allclose(decoded(sent(image))[0, 0], (0.5, 0.0, 1.0, 0.5), atol=0.005)


def test_a_large_file_is_sent_scaled_down(addon: Any, sent: Any, tmp_path: Path, monkeypatch: Any, room: Any) -> None:
    monkeypatch.setattr(room("generation.limits"), "MAX_SOURCE_BYTES", 40_000)
    monkeypatch.setattr(room("generation.limits"), "MAX_SOURCE_SIDE_PX", 64)
    noise = np.random.default_rng(1).random((128, 128, 4), np.float32)
    noise[:, :, 3] = 1.0
    image = bpy.data.images.new("Noise", 128, 128)
    image.pixels.foreach_set(noise.ravel())
    image.filepath_raw, image.file_format = str(tmp_path / "noise.png"), "PNG"
    image.save()
    image = bpy.data.images.load(str(tmp_path / "noise.png"), check_existing=False)
    assert (tmp_path / "noise.png").stat().st_size > 40_000
    assert decoded(sent(image)).shape == (64, 64, 4)


def test_a_missing_file_is_refused_with_a_remedy(addon: Any, room: Any, tmp_path: Path) -> None:
    image = saved(tmp_path / "gone.png")
    (tmp_path / "gone.png").unlink()
    with pytest.raises(room("generation").SourceImageError, match=r"has no pixels\. Check that its file is there"):
        room("blender.image_source").source_image(image)


def test_a_render_result_is_refused_with_a_way_out(addon: Any, room: Any) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.render.resolution_x = scene.render.resolution_y = 8
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    bpy.ops.render.render()
    image = next(image for image in bpy.data.images if image.type == "RENDER_RESULT")
    with pytest.raises(room("generation").SourceImageError, match="Save the render as an image"):
        room("blender.image_source").source_image(image)


def test_of_an_image_sequence_the_frame_that_its_path_names_is_sent(addon: Any, sent: Any, tmp_path: Path) -> None:
    for frame in (1, 2):
        bpy.data.images.remove(saved(tmp_path / f"walk.{frame:04}.png"))
    image = bpy.data.images.load(str(tmp_path / "walk.0002.png"), check_existing=False)
    image.source = "SEQUENCE"
    assert sent(image) == (tmp_path / "walk.0002.png").read_bytes()


def test_of_a_sequence_in_another_format_the_pixels_are_sent(addon: Any, sent: Any, tmp_path: Path) -> None:
    bpy.data.images.remove(saved(tmp_path / "walk.0001.tga"))
    image = bpy.data.images.load(str(tmp_path / "walk.0001.tga"), check_existing=False)
    image.source = "SEQUENCE"
    images = len(bpy.data.images)
    assert_shows_the_corners(sent(image))
    assert len(bpy.data.images) == images


def test_a_float_image_of_plain_data_is_sent_without_a_curve(addon: Any, sent: Any) -> None:
    image = bpy.data.images.new("Mask", 1, 1, alpha=True, float_buffer=True)
    image.colorspace_settings.name = "Non-Color"
    image.pixels.foreach_set(np.array([0.5, 0.25, 1.0, 1.0], np.float32))
    np.testing.assert_allclose(decoded(sent(image))[0, 0], (0.5, 0.25, 1.0, 1.0), atol=0.004)


def test_a_path_with_an_unknown_format_is_converted_and_leaves_no_datablock(
    addon: Any, room: Any, tmp_path: Path
) -> None:
    bpy.data.images.remove(saved(tmp_path / "old.tga"))
    images = len(bpy.data.images)
    source = room("blender.image_source").find_image(str(tmp_path / "old.tga"))
    assert source.title == "old"
    assert isinstance(source.content, room("generation").Pixels)
    assert len(bpy.data.images) == images


def test_an_image_that_is_neither_here_nor_on_disk_is_named(addon: Any, room: Any) -> None:
    with pytest.raises(room("blender.errors").NoImageError, match="'Chair'"):
        room("blender.image_source").find_image("Chair")


def material_with(build: Callable[[Any, Any], None]) -> None:
    """A cube whose new material's nodes `build` connects: it gets the tree and the Principled node."""
    bpy.ops.mesh.primitive_cube_add()
    material = bpy.data.materials.new("Painted")
    material.use_nodes = True
    bpy.context.object.data.materials.append(material)
    build(material.node_tree, next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED"))


def texture(tree: Any, image: bpy.types.Image | None) -> Any:
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return node


def test_the_texture_that_colors_the_material_is_found_not_its_roughness_or_normal(addon: Any, room: Any) -> None:
    wanted, other = painted("Color"), painted("Other")

    def build(tree: Any, shader: Any) -> None:
        tree.links.new(texture(tree, other).outputs["Color"], shader.inputs["Roughness"])
        normal = tree.nodes.new("ShaderNodeNormalMap")
        tree.links.new(texture(tree, other).outputs["Color"], normal.inputs["Color"])
        tree.links.new(normal.outputs[0], shader.inputs["Normal"])
        texture(tree, other)  # connected to nothing
        hue = tree.nodes.new("ShaderNodeHueSaturation")
        tree.links.new(texture(tree, wanted).outputs["Color"], hue.inputs["Color"])
        reroute = tree.nodes.new("NodeReroute")
        tree.links.new(hue.outputs[0], reroute.inputs[0])
        tree.links.new(reroute.outputs[0], shader.inputs["Base Color"])

    material_with(build)
    assert room("blender.image_source").active_material_image(bpy.context) == wanted


def test_the_texture_is_found_through_node_groups(addon: Any, room: Any) -> None:
    wanted = painted("Color")

    def build(tree: Any, shader: Any) -> None:
        group = bpy.data.node_groups.new("Tint", "ShaderNodeTree")
        group.interface.new_socket("In", in_out="INPUT", socket_type="NodeSocketColor")
        group.interface.new_socket("Out", in_out="OUTPUT", socket_type="NodeSocketColor")
        entry, exit_ = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
        group.links.new(entry.outputs[0], exit_.inputs[0])
        node = tree.nodes.new("ShaderNodeGroup")
        node.node_tree = group
        tree.links.new(texture(tree, wanted).outputs["Color"], node.inputs[0])
        tree.links.new(node.outputs[0], shader.inputs["Base Color"])

    material_with(build)
    assert room("blender.image_source").active_material_image(bpy.context) == wanted


def test_a_material_without_a_texture_is_told_so(addon: Any) -> None:
    material_with(lambda tree, shader: None)
    with pytest.raises(RuntimeError, match="No image texture colors"):
        bpy.ops.pixal3d.use_active_texture()


def test_use_active_texture_selects_it(addon: Any) -> None:
    wanted = painted("Color")
    material_with(
        lambda tree, shader: tree.links.new(texture(tree, wanted).outputs["Color"], shader.inputs["Base Color"])
    )
    assert bpy.ops.pixal3d.use_active_texture() == {"FINISHED"}
    assert bpy.context.scene.pixal3d.image == wanted


# The trap that the pixels' own way out avoids, so that nobody takes the shorter way later.
def test_blenders_copy_of_a_painted_image_is_not_what_was_painted(addon: Any) -> None:
    image = painted()
    copy = image.copy()
    values = np.empty(WIDTH * HEIGHT * 4, np.float32)
    copy.pixels.foreach_get(values)
    assert not np.allclose(values.reshape(HEIGHT, WIDTH, 4), corners(), atol=0.01)
