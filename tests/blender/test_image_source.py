# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way an image lives in Blender becomes the picture that the artist sees, and the datablock stays as it was."""

from __future__ import annotations

import os
import sys
import threading
import time
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
def sent(room: Any, tmp_path: Path) -> Callable[..., bytes]:
    """What would be sent of an image, through the add-on's own two halves: main thread and worker."""

    def as_sent(image: bpy.types.Image, udim_tile: int = 0, frame: int = 0) -> bytes:
        module = room("blender.image_source")
        source = module.source_image(image, part=module.Part(udim_tile, frame))
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


TILE_COLORS = {1001: RED, 1002: GREEN, 1011: BLUE}


def plain(path: Path, color: tuple[float, ...]) -> None:
    """An image file of one color."""
    image = bpy.data.images.new("Plain", WIDTH, HEIGHT)
    image.pixels.foreach_set(np.tile(np.array(color, np.float32), WIDTH * HEIGHT))
    image.filepath_raw = str(path)
    image.file_format = "TARGA" if path.suffix == ".tga" else "PNG"
    image.save()
    bpy.data.images.remove(image)


def udim(folder: Path, suffix: str = ".png") -> bpy.types.Image:
    """A UDIM image of three files, as Open Image with Detect UDIMs makes it."""
    for tile, color in TILE_COLORS.items():
        plain(folder / f"skin.{tile}{suffix}", color)
    image = bpy.data.images.load(str(folder / f"skin.1001{suffix}"), check_existing=False)
    image.source = "TILED"
    image.filepath = str(folder / f"skin.<UDIM>{suffix}")
    for tile in (1002, 1011):
        image.tiles.new(tile)
    return image


@pytest.mark.parametrize("tile", [0, 1001, 1002, 1011])
def test_of_a_udim_image_the_chosen_tiles_file_is_sent_and_nothing_is_decoded(
    addon: Any, sent: Any, tmp_path: Path, tile: int
) -> None:
    image = udim(tmp_path)
    before = state_of(image)
    assert sent(image, tile) == (tmp_path / f"skin.{tile or 1001}.png").read_bytes()
    assert not image.has_data and state_of(image) == before


def test_a_tile_of_a_name_by_columns_and_rows_is_found(addon: Any, sent: Any, tmp_path: Path) -> None:
    image = udim(tmp_path)
    for tile, name in ((1001, "u1_v1"), (1002, "u2_v1"), (1011, "u1_v2")):
        (tmp_path / f"skin.{tile}.png").rename(tmp_path / f"skin.{name}.png")
    image.filepath = str(tmp_path / "skin.<UVTILE>.png")
    assert sent(image, 1011) == (tmp_path / "skin.u1_v2.png").read_bytes()
    assert sent(image, 1002) == (tmp_path / "skin.u2_v1.png").read_bytes()


@pytest.mark.parametrize("tile", list(TILE_COLORS))
def test_a_tile_in_another_format_is_converted_and_leaves_no_datablock(
    addon: Any, sent: Any, tmp_path: Path, tile: int
) -> None:
    image = udim(tmp_path, ".tga")
    images = len(bpy.data.images)
    np.testing.assert_allclose(decoded(sent(image, tile))[0, 0], TILE_COLORS[tile], atol=0.004)
    assert len(bpy.data.images) == images


@pytest.mark.parametrize("suffix", [".png", ".tga"])
def test_of_packed_tiles_the_chosen_one_is_sent(addon: Any, sent: Any, tmp_path: Path, suffix: str) -> None:
    image = udim(tmp_path, suffix)
    image.pack()
    for tile in TILE_COLORS:
        (tmp_path / f"skin.{tile}{suffix}").unlink()
    images = len(bpy.data.images)
    for tile, color in TILE_COLORS.items():
        np.testing.assert_allclose(decoded(sent(image, tile))[0, 0], color, atol=0.004)
    assert len(bpy.data.images) == images and len(image.packed_files) == 3


def test_a_tile_that_is_not_there_is_refused_with_those_that_are(
    addon: Any, room: Any, sent: Any, tmp_path: Path
) -> None:
    with pytest.raises(room("generation").SourceImageError, match=r"no tile 1003\. Its tiles are: 1001, 1002, 1011\."):
        sent(udim(tmp_path), 1003)


def test_of_a_painted_udim_image_the_first_tile_is_sent_as_painted_and_others_wait_for_a_save(
    addon: Any, room: Any, sent: Any, tmp_path: Path
) -> None:
    image = udim(tmp_path)
    image.pixels.foreach_set(corners().ravel())
    assert image.is_dirty
    assert_shows_the_corners(sent(image))
    with pytest.raises(room("generation").SourceImageError, match=r"Tile 1002 .* before it is saved\. Save the image"):
        sent(image, 1002)


def test_a_generated_tile_waits_for_a_save(addon: Any, room: Any, sent: Any) -> None:
    image = bpy.data.images.new("New", WIDTH, HEIGHT, tiled=True)
    image.tiles.new(1002)
    assert decoded(sent(image)).size
    with pytest.raises(room("generation").SourceImageError, match="Save the image"):
        sent(image, 1002)


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


def rendered_half() -> bpy.types.Image:
    """A render whose right half is a red plane, and whose left half is empty and transparent; 32 by 16 pixels."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.render.resolution_x, scene.render.resolution_y, scene.render.film_transparent = 32, 16, True
    camera = bpy.data.cameras.new("Camera")
    camera.type, camera.ortho_scale = "ORTHO", 2.0
    scene.camera = bpy.data.objects.new("Camera", camera)
    scene.camera.location.z = 5.0
    scene.collection.objects.link(scene.camera)
    bpy.ops.mesh.primitive_plane_add(size=2.0, location=(1.0, 0.0, 0.0))
    material = bpy.data.materials.new("Red")
    material.use_nodes = True
    nodes = material.node_tree.nodes
    light = nodes.new("ShaderNodeEmission")
    light.inputs["Color"].default_value = (1.0, 0.0, 0.0, 1.0)
    material.node_tree.links.new(light.outputs[0], material.node_tree.get_output_node("ALL").inputs["Surface"])
    bpy.context.object.data.materials.append(material)
    bpy.ops.render.render()
    return next(image for image in bpy.data.images if image.type == "RENDER_RESULT")


def assert_is_the_half(picture: np.ndarray) -> None:
    """With the view transform, as the artist sees it: AgX makes pure red lighter and less red."""
    assert picture.shape == (16, 32, 4)
    assert picture[8, 4, 3] == 0.0 and picture[8, 28, 3] == 1.0
    assert picture[8, 28, 0] > 0.6 and 0.02 < picture[8, 28, 1] < 0.5


OUTPUTS = (
    {"file_format": "PNG", "color_mode": "RGB", "color_depth": "16"},
    {"file_format": "JPEG", "color_mode": "BW"},
    {"media_type": "MULTI_LAYER_IMAGE", "file_format": "OPEN_EXR_MULTILAYER", "color_depth": "16"},
    {"media_type": "VIDEO", "file_format": "FFMPEG", "color_mode": "RGB"},
)


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output["file_format"])
def test_a_render_result_is_sent_as_seen_and_the_output_settings_stay(addon: Any, sent: Any, output: Any) -> None:
    settings: Any = bpy.context.scene.render.image_settings
    for name, value in output.items():
        if hasattr(settings, name):
            setattr(settings, name, value)
    names = [
        name
        for name in (*OUTPUTS[0], "media_type", "quality", "exr_codec", "color_management")
        if hasattr(settings, name)
    ]
    before = {name: getattr(settings, name) for name in names}
    image = rendered_half()
    files, images = sorted(os.listdir(bpy.app.tempdir)), len(bpy.data.images)
    picture = sent(image)
    assert sorted(os.listdir(bpy.app.tempdir)) == files and len(bpy.data.images) == images
    assert {name: getattr(settings, name) for name in names} == before
    assert_is_the_half(decoded(picture))


def test_before_the_first_render_a_render_result_is_refused(addon: Any, room: Any, sent: Any) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    settings: Any = bpy.context.scene.render.image_settings
    image = bpy.data.images.get("Render Result") or rendered_half()
    bpy.context.window.scene = bpy.data.scenes.new("Never Rendered")
    with pytest.raises(room("generation").SourceImageError, match=r"Nothing was rendered .* Render an image"):
        sent(image)
    settings = bpy.context.scene.render.image_settings
    assert (settings.file_format, settings.color_mode) == ("PNG", "RGBA"), "put back after the error too"


def sequence(folder: Path, suffix: str = ".png", frames: Any = range(1, 6), name: str = "walk2.") -> bpy.types.Image:
    """Frames of rising red, opened at the third one."""
    for frame in frames:
        plain(folder / f"{name}{frame:04}{suffix}", (frame / 10, 0.0, 0.0, 1.0))
    image = bpy.data.images.load(str(folder / f"{name}{frames[2]:04}{suffix}"), check_existing=False)
    image.source = "SEQUENCE"
    return image


def test_of_an_image_sequence_the_chosen_frames_file_is_sent(addon: Any, sent: Any, tmp_path: Path) -> None:
    image = sequence(tmp_path)
    before = state_of(image)
    for frame in (1, 4, 5):
        assert sent(image, frame=frame) == (tmp_path / f"walk2.{frame:04}.png").read_bytes()
    assert state_of(image) == before


def test_without_a_choice_the_scenes_current_frame_of_a_sequence_is_sent(addon: Any, sent: Any, tmp_path: Path) -> None:
    image = sequence(tmp_path)
    bpy.context.scene.frame_set(2)
    assert sent(image) == (tmp_path / "walk2.0002.png").read_bytes()


def test_if_the_sequence_has_no_such_frame_the_one_that_its_path_names_is_sent(
    addon: Any, sent: Any, tmp_path: Path
) -> None:
    image = sequence(tmp_path, frames=range(101, 106))
    assert sent(image) == (tmp_path / "walk2.0103.png").read_bytes()


def test_the_frame_that_an_image_editor_shows_goes_before_the_scenes(addon: Any, sent: Any, tmp_path: Path) -> None:
    image = sequence(tmp_path)
    area = bpy.context.screen.areas[0]
    kind = area.ui_type
    area.type = "IMAGE_EDITOR"
    area.spaces.active.image = image
    area.spaces.active.image_user.frame_current = 5
    try:
        assert sent(image) == (tmp_path / "walk2.0005.png").read_bytes()
    finally:
        area.ui_type = kind


def test_a_frame_that_a_sequence_does_not_have_is_refused(addon: Any, room: Any, sent: Any, tmp_path: Path) -> None:
    image = sequence(tmp_path)
    with pytest.raises(
        room("generation").SourceImageError, match=r"has no frame 9\. There is no such file: .*walk2\.0009"
    ):
        sent(image, frame=9)


def test_a_painted_sequence_is_sent_as_painted_and_its_other_frames_wait_for_a_save(
    addon: Any, room: Any, sent: Any, tmp_path: Path
) -> None:
    image = sequence(tmp_path)
    texture = bpy.data.textures.new("Shown", "IMAGE")
    texture.image, texture.image_user.frame_current = image, 3
    texture.evaluate((0.0, 0.0, 0.0))  # as an editor would, so that there are pixels to paint on
    image.pixels.foreach_set(corners().ravel())
    assert image.is_dirty
    assert_shows_the_corners(sent(image))
    with pytest.raises(room("generation").SourceImageError, match="Save the image"):
        sent(image, frame=2)


@pytest.mark.parametrize("frame", [1, 4])
def test_of_a_sequence_in_another_format_the_pixels_are_sent(addon: Any, sent: Any, tmp_path: Path, frame: int) -> None:
    image = sequence(tmp_path, ".tga")
    images = len(bpy.data.images)
    assert decoded(sent(image, frame=frame))[0, 0, 0] == pytest.approx(frame / 10, abs=0.004)
    assert len(bpy.data.images) == images


@pytest.fixture
def movie(addon: Any, tmp_path: Path) -> bpy.types.Image:
    """Five frames of rising red, 32 by 16, written by Blender."""
    (tmp_path / "frames").mkdir()
    for frame in range(1, 6):
        image = bpy.data.images.new("Frame", 32, 16)
        image.pixels.foreach_set(np.tile(np.array((frame / 10, 0.0, 0.0, 1.0), np.float32), 32 * 16))
        image.filepath_raw, image.file_format = str(tmp_path / f"frames/{frame:04}.png"), "PNG"
        image.save()
        bpy.data.images.remove(image)
    scene = bpy.data.scenes.new("Cut")
    editor: Any = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image("Frames", str(tmp_path / "frames/0001.png"), 1, 1)
    for frame in range(2, 6):
        strip.elements.append(f"{frame:04}.png")
    render: Any = scene.render
    scene.frame_end, render.resolution_x, render.resolution_y = 5, 32, 16
    scene.view_settings.view_transform = "Standard"
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec, render.ffmpeg.constant_rate_factor = "MPEG4", "H264", "LOSSLESS"
    render.filepath = str(tmp_path / "walk.mp4")
    bpy.ops.render.render(animation=True, scene="Cut")
    bpy.data.scenes.remove(scene)
    return bpy.data.images.load(str(tmp_path / "walk.mp4"), check_existing=False)


def datablocks() -> tuple[int, ...]:
    return len(bpy.data.images), len(bpy.data.textures), len(bpy.data.scenes)


@pytest.mark.parametrize("frame", [1, 2, 5])
def test_of_a_movie_the_chosen_frame_is_sent_and_leaves_no_datablock(
    sent: Any, movie: bpy.types.Image, frame: int
) -> None:
    assert movie.source == "MOVIE"
    before, count = state_of(movie), datablocks()
    picture = decoded(sent(movie, frame=frame))
    assert picture.shape == (16, 32, 4)
    assert picture[8, 16, 0] == pytest.approx(frame / 10, abs=0.02)
    assert state_of(movie) == before and datablocks() == count


@pytest.mark.parametrize(("current", "shown"), [(0, 1), (3, 3), (250, 5)])
def test_without_a_choice_the_scenes_current_frame_of_a_movie_is_sent(
    sent: Any, movie: bpy.types.Image, current: int, shown: int
) -> None:
    bpy.context.scene.frame_set(current)
    assert decoded(sent(movie))[8, 16, 0] == pytest.approx(shown / 10, abs=0.02)


def test_a_frame_that_a_movie_does_not_have_is_refused(room: Any, sent: Any, movie: bpy.types.Image) -> None:
    count = datablocks()
    with pytest.raises(room("generation").SourceImageError, match=r"has no frame 6\. Its last frame is 5\."):
        sent(movie, frame=6)
    assert datablocks() == count


def test_a_movie_whose_file_is_gone_is_refused(room: Any, sent: Any, movie: bpy.types.Image, tmp_path: Path) -> None:
    (tmp_path / "walk.mp4").unlink()
    with pytest.raises(room("generation").SourceImageError, match="Check that it is there"):
        sent(movie, frame=2)


def test_a_frame_of_a_movie_is_sent_by_its_path(room: Any, movie: bpy.types.Image, tmp_path: Path) -> None:
    module, framing = room("blender.image_source"), room("generation").Framing()
    source = module.find_image(str(tmp_path / "walk.mp4"), framing, module.Part(frame=4))
    assert source.title == "walk"
    assert source.content.values[0] == pytest.approx(0.4, abs=0.02)


def test_the_tile_and_frame_set_in_a_scene_hold_for_its_image_only(addon: Any, room: Any) -> None:
    settings, properties = bpy.context.scene.pixal3d, room("ui.properties")
    settings.udim_tile, settings.frame, settings.image = 1002, 3, painted("Selected")
    assert properties.part(settings, settings.image) == room("blender.image_source").Part(1002, 3)
    assert properties.part(settings, painted("In an editor")) == room("blender.image_source").Part()
    settings.image = None
    assert properties.part(settings, painted("Active texture")).frame == 3


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


@pytest.mark.parametrize("space", ["Linear Rec.709", "Non-Color"])
def test_a_frame_in_floats_is_read_in_the_color_space_that_the_artist_set(
    addon: Any, sent: Any, tmp_path: Path, space: str
) -> None:
    for frame in (1, 2):
        image = bpy.data.images.new("Exr", 1, 1, float_buffer=True)
        image.colorspace_settings.name = "Non-Color"  # written as it is
        image.pixels.foreach_set(np.array((0.25 * frame, 0.0, 0.0, 1.0), np.float32))
        image.filepath_raw, image.file_format = str(tmp_path / f"walk.{frame:04}.exr"), "OPEN_EXR"
        image.save()
        bpy.data.images.remove(image)
    image = bpy.data.images.load(str(tmp_path / "walk.0001.exr"), check_existing=False)
    image.source = "SEQUENCE"
    image.colorspace_settings.name = space
    expected = 0.5 if space == "Non-Color" else 1.055 * 0.5 ** (1 / 2.4) - 0.055
    assert decoded(sent(image, frame=2))[0, 0, 0] == pytest.approx(expected, abs=0.006)


# The traps of the other ways out, so that nobody takes one of them later.


def test_reading_an_images_size_decodes_it(addon: Any, tmp_path: Path) -> None:
    image = saved(tmp_path / "clean.png")
    assert not image.has_data
    assert tuple(image.size) == (WIDTH, HEIGHT)
    assert image.has_data


def test_a_copy_of_a_file_that_was_painted_on_is_what_is_on_disk(addon: Any, tmp_path: Path) -> None:
    image = saved(tmp_path / "old.png")
    image.pixels.foreach_set(corners()[::-1].ravel())
    copy = image.copy()
    values = np.empty(WIDTH * HEIGHT * 4, np.float32)
    copy.pixels.foreach_get(values)
    np.testing.assert_allclose(values.reshape(HEIGHT, WIDTH, 4), corners(), atol=0.004)


def test_save_render_bakes_the_view_transform_in_and_what_is_sent_has_none(
    addon: Any, sent: Any, tmp_path: Path
) -> None:
    image = painted()
    scene: Any = bpy.context.scene
    scene.view_settings.view_transform = "AgX"
    scene.render.image_settings.file_format = "PNG"
    image.save_render(str(tmp_path / "baked.png"), scene=scene)
    baked = decoded((tmp_path / "baked.png").read_bytes())
    assert np.abs(baked - corners()[::-1]).max() > 0.1
    assert_shows_the_corners(sent(image))


class Watched:
    """Stands in front of an image datablock and notes what is read of it."""

    def __init__(self, image: bpy.types.Image) -> None:
        self.__dict__.update(_image=image, read=[])

    def __getattr__(self, name: str) -> Any:
        self.read.append(name)
        return getattr(self._image, name)


WAYS_OUT: dict[str, tuple[Callable[[Path], Any], int]] = {
    "file": (lambda folder: saved(folder / "a.png"), 0),
    "jpeg": (lambda folder: saved(folder / "a.jpg"), 0),
    "packed": (lambda folder: packed(saved(folder / "a.png")), 0),
    "painted file": (lambda folder: painted_over(saved(folder / "a.png")), 1),
    "painted packed": (lambda folder: painted_over(packed(saved(folder / "a.png"))), 1),
    "generated": (lambda folder: bpy.data.images.new("Plain", WIDTH, HEIGHT), 1),
    "painted generated": (lambda folder: painted(), 1),
    "float": (lambda folder: painted(float_buffer=True), 1),
    "other format": (lambda folder: saved(folder / "a.tga"), 1),
}
"""An image of each kind, and how often its pixels are copied."""


def packed(image: bpy.types.Image) -> bpy.types.Image:
    image.pack()
    return image


def painted_over(image: bpy.types.Image) -> bpy.types.Image:
    image.pixels.foreach_set(corners().ravel())
    return image


@pytest.mark.parametrize("kind", WAYS_OUT)
def test_the_main_thread_copies_pixels_at_most_once_and_encodes_and_hashes_nothing(
    addon: Any, room: Any, tmp_path: Path, kind: str
) -> None:
    make, copies = WAYS_OUT[kind]
    image = Watched(make(tmp_path))
    called: list[tuple[str, str]] = []

    def note(frame: Any, event: str, function: Any) -> None:
        if event == "c_call":
            called.append((getattr(function, "__module__", None) or "", function.__name__))

    sys.setprofile(note)
    try:
        source = room("blender.image_source").source_image(image)
    finally:
        sys.setprofile(None)
    names = [name for _, name in called]
    assert names.count("foreach_get") == copies
    assert image.read.count("pixels") == copies
    assert not {"copy", "scale", "save", "save_render", "pack", "reload", "update", "buffers_free"} & set(image.read)
    modules = {module.split(".")[0] for module, _ in called}
    assert not modules & {"zlib", "_hashlib", "hashlib", "_sha2", "binascii", "_json", "json", "struct", "_struct"}
    assert {name for module, name in called if module.startswith("numpy")} <= {"empty"}
    if not copies:
        assert not {"size", "channels", "file_format", "has_data"} & set(image.read), "they decode it"
    if isinstance(source.content, bytes):
        assert source.content == bytes(image.packed_file.data)


@pytest.mark.parametrize("kind", WAYS_OUT)
def test_encoding_and_hashing_are_done_in_the_worker(
    room: Any, service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Through the manager, as a click in a window goes."""
    source = room("blender.image_source").source_image(WAYS_OUT[kind][0](tmp_path))
    main, at_work = threading.get_ident(), set()
    write_source = room("generation.worker").write_source

    def noted(*arguments: Any) -> Any:
        at_work.add(threading.get_ident())
        return write_source(*arguments)

    monkeypatch.setattr(room("generation.worker"), "write_source", noted)
    manager, session = room("blender.session").manager(), room("blender.session")
    generation = room("generation").Generation(name="Chair", parameters=room("parameters").complete({}))
    busy: list[str] = []

    def note(frame: Any, event: str, function: Any) -> None:
        if event == "c_call" and (getattr(function, "__module__", None) or "").split(".")[0] in {"zlib", "_hashlib"}:
            busy.append(function.__name__)

    sys.setprofile(note)
    try:
        manager.start(generation, source, session.connection())
    finally:
        sys.setprofile(None)
    deadline = time.monotonic() + 60
    while not at_work:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    manager.stop(generation.id)
    assert busy == [] and main not in at_work
