# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of an image before a click. That it is shown, and stops nothing: tests/gui/test_look.py."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest


@pytest.fixture
def calm(room: Any) -> Any:
    return room("blender.calm_pixels")


def painted(side: int = 64, **options: Any) -> Any:
    image: Any = bpy.data.images.new("Painted", side, side, alpha=True, **options)
    image.pixels.foreach_set(np.linspace(0.0, 1.0, side * side * 4, dtype=np.float32))
    return image


def saved(path: Path, file_format: str = "PNG") -> Any:
    image = painted()
    image.filepath_raw, image.file_format = str(path), file_format
    image.save()
    bpy.data.images.remove(image)
    loaded: Any = bpy.data.images.load(str(path), check_existing=False)
    assert loaded.size[0], "loaded, as `calm_pixels` asks for it"
    return loaded


def test_in_background_mode_nothing_is_looked_at(room: Any) -> None:
    module = room("blender.image_look")
    assert module.look(painted(), room("generation").Framing()) is None
    assert not bpy.app.timers.is_registered(module._tick)
    assert not [thread for thread in threading.enumerate() if thread.name == "pixal3d-image-look"]


@pytest.mark.parametrize("options", [{}, {"float_buffer": True}])
def test_what_is_judged_is_what_would_be_sent(room: Any, calm: Any, options: dict[str, Any]) -> None:
    image = painted(**options)
    sent = room("blender.image_source").source_image(image).content
    judged = calm.copied(image, room("generation.look").written_memory(64 * 64 * 4))
    np.testing.assert_array_equal(judged.values, sent.values)
    for name in ("width", "height", "channels", "is_linear", "has_alpha"):
        assert getattr(judged, name) == getattr(sent, name), name


def test_pixels_of_another_number_than_expected_are_not_copied(room: Any, calm: Any) -> None:
    image = painted()
    image.scale(32, 32)
    assert calm.copied(image, room("generation.look").written_memory(64 * 64 * 4)) is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TARGA", "painted", "packed", "premultiplied", "gone"])
def test_it_knows_whether_a_file_goes_as_it_is_as_a_click_does(room: Any, calm: Any, kind: str, tmp_path: Path) -> None:
    file_format = kind if kind.isupper() else "PNG"
    image = saved(tmp_path / f"image.{file_format.lower()}", file_format)
    if kind == "painted":
        image.pixels[0] = 0.5
    elif kind == "packed":
        image.pack()
    elif kind == "premultiplied":
        image.alpha_mode = "PREMUL"
    elif kind == "gone":
        (tmp_path / "image.png").unlink()
    if not image.has_data:
        assert image.size[0]
    pixels = calm.copied(image, room("generation.look").written_memory(64 * 64 * 4))
    seen, _ = room("generation.look").see(pixels, calm.original(image))
    sent = room("blender.image_source").source_image(image).content
    assert seen.goes_as_it_is == (not isinstance(sent, room("generation").Pixels))
    assert seen.goes_as_it_is == (kind in {"PNG", "JPEG", "WEBP", "packed"})


def test_every_change_of_an_image_is_noticed(calm: Any, tmp_path: Path) -> None:
    image = saved(tmp_path / "image.png")
    keys = {calm.key(image)}

    def is_noticed() -> bool:
        before = len(keys)
        keys.add(calm.key(image))
        return len(keys) > before

    assert not is_noticed()
    image.alpha_mode = "CHANNEL_PACKED"
    assert is_noticed()
    image.colorspace_settings.name = "Non-Color"
    assert is_noticed()
    assert image.size[0]
    image.pixels[0] = 0.5
    assert is_noticed()
    image.pack()
    assert is_noticed()
    image.source = "GENERATED"
    assert is_noticed()
    image.generated_width = 32
    assert is_noticed()


def test_a_file_that_is_not_there_is_said_as_a_click_says_it(room: Any, calm: Any, tmp_path: Path) -> None:
    image = saved(tmp_path / "image.png")
    (tmp_path / "image.png").unlink()
    image.reload()
    with pytest.raises(room("generation").SourceImageError) as error:
        room("blender.image_source").source_image(image)
    assert calm.problem_of(image) == str(error.value) != ""


def test_what_has_no_pixels_before_a_click_is_left_to_it(room: Any) -> None:
    module, part = room("blender.image_look"), room("blender.image_source").Part
    tiled: Any = bpy.data.images.new("Tiled", 8, 8, tiled=True)
    tiled.tiles.new(1002)
    assert module._can_be_looked_at(tiled, part())
    assert module._can_be_looked_at(tiled, part(udim_tile=1001))
    assert not module._can_be_looked_at(tiled, part(udim_tile=1002))
    for source in ("SEQUENCE", "MOVIE"):
        image: Any = bpy.data.images.new(source, 8, 8)
        image.source = source
        assert not module._can_be_looked_at(image, part())


def test_only_the_last_images_are_remembered_each_with_icons_of_its_own(room: Any) -> None:
    module = room("blender.image_look")
    number = room("blender.limits").LOOKS
    for uid in range(2 * number):
        module._entry_of(uid)
        module._entry_of(0)
    assert list(module._entries) == [*range(number + 1, 2 * number), 0]
    assert sorted(entry.slot for entry in module._entries.values()) == list(range(number))
    module.close()
    assert not module._entries
