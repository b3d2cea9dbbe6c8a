# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet of a batch: what its second Blender draws, what the page says, and what happens when it dies."""

from __future__ import annotations

import hashlib
import html.parser
import json
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

CHILD_PATIENCE_SECONDS = 60

ODD_NAME = 'Tom\'s <b>"best" & {brightest}<b> 木 #1 100%'

FAKE_CHILD = """
import json, os, pathlib, sys, time
pathlib.Path(os.environ["STARTS"]).open("a").write(json.dumps(sorted(os.environ)) + "\\n")
for line in sys.stdin:
    order = json.loads(line)
    model = pathlib.Path(order.get("model", "")).stem
    if model.startswith("crash"):
        os.abort()
    if model == "hang":
        time.sleep(1000)
    pathlib.Path(order["picture"]).write_bytes(b"picture")
    print("Blender says something, too", end="")
    print("\\n" + sys.argv[1] + json.dumps({"error": ""}), flush=True)
"""


class Page(html.parser.HTMLParser):
    """What a browser would find."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag == "img":
            assert values["loading"] == "lazy"
            self.pictures.append(values["src"] or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def export_cube(file: Path, color: tuple[float, float, float], size: float = 1.0) -> Path:
    """A cube of one color, as any file that a batch delivers."""
    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.materials])
    bpy.ops.mesh.primitive_cube_add(size=size)
    material = bpy.data.materials.new("Paint")
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*color, 1.0)
    bpy.context.object.data.materials.append(material)
    match file.suffix:
        case ".glb":
            bpy.ops.export_scene.gltf(filepath=str(file))
        case ".obj":
            bpy.ops.wm.obj_export(filepath=str(file))
        case ".blend":
            bpy.ops.wm.save_as_mainfile(filepath=str(file), copy=True)
        case ".fbx":
            bpy.ops.export_scene.fbx(filepath=str(file))
        case _:
            bpy.ops.wm.usd_export(filepath=str(file))
    return file


def pixels_of(file: Path) -> Any:
    image = bpy.data.images.load(str(file))
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(values)
    bpy.data.images.remove(image)
    return values.reshape(height, width, 4)


@pytest.fixture
def batch(room: Callable[[str], Any]) -> ModuleType:
    return room("batch")


@pytest.fixture
def note(batch: Any, tmp_path: Path) -> Callable[..., None]:
    """``note(name, file=…)`` writes a line into the manifest of `tmp_path`."""

    def write(name: str, **fields: Any) -> None:
        state = batch.EntryState(fields.pop("state", "done"))
        key = hashlib.sha256(name.encode()).hexdigest()[:16]
        entry = batch.Entry(key=key, name=name, image=f"{name}.png", state=state, **fields)
        line = entry.to_line()
        with (tmp_path / batch.MANIFEST_NAME).open("ab") as file:
            file.write(line if isinstance(line, bytes) else f"{line}\n".encode())

    return write


@pytest.fixture
def fake_child(room: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second Blender that is none; returns the file that gets a line at each of its starts."""
    script = tmp_path / "fake_child.py"
    script.write_text(FAKE_CHILD)
    starts = tmp_path / "starts"
    second_blender = room("blender.second_blender")
    monkeypatch.setenv("STARTS", str(starts))
    monkeypatch.setattr(second_blender, "command", lambda name: [sys.executable, str(script), second_blender.MARK])
    return starts


def test_every_model_is_drawn_and_a_later_run_draws_only_what_is_missing(
    room: Callable[[str], Any], note: Callable[..., None], tmp_path: Path
) -> None:
    sheet = room("blender.contact_sheet")
    colors = {"red": (0.8, 0.05, 0.05), "green": (0.05, 0.6, 0.05), ODD_NAME: (0.05, 0.05, 0.8)}
    for size, (name, color) in enumerate(colors.items(), 1):
        export_cube(tmp_path / f"{name}.glb", color, size=0.01 * 10**size)
        note(name, file=f"{name}.glb", cost=30.0, seed=7)
    first = sheet.ContactSheet(tmp_path)
    first.add("red", tmp_path / "red.glb")
    assert first.close() == tmp_path / "contact_sheet.html"
    for channel, name in enumerate(colors):
        picture = pixels_of(tmp_path / "thumbnails" / f"{name}.png")
        assert picture.shape == (256, 256, 4)
        assert picture[[0, 0, -1, -1], [0, -1, 0, -1], 3].max() == 0.0, "the corners are empty"
        seen = picture[:, :, 3] > 0.5
        assert max(np.ptp(np.nonzero(seen)[axis]) for axis in (0, 1)) > 220, "it fills the picture, whatever its size"
        assert np.argmax(picture[seen][:, :3].mean(axis=0)) == channel
    assert pixels_of(tmp_path / "contact_sheet.png").shape == (264 + 32, 3 * 264, 4)

    drawn = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "thumbnails").iterdir()}
    os.utime(tmp_path / "green.glb")
    (tmp_path / "thumbnails" / "red.png").unlink()
    sheet.ContactSheet(tmp_path).close()
    again = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "thumbnails").iterdir()}
    assert {name for name in drawn if again[name] != drawn[name]} == {"red.png", "green.png"}


@pytest.mark.parametrize("suffix", [".blend", ".obj", ".fbx", ".usd"])
def test_what_is_delivered_in_other_formats_is_drawn_too(
    room: Callable[[str], Any], tmp_path: Path, suffix: str
) -> None:
    model = export_cube(tmp_path / f"cube{suffix}", (0.8, 0.05, 0.05))
    painter = room("blender.contact_sheet")._Painter()
    painter.draw(model, tmp_path / "cube.png")
    painter.end()
    assert (pixels_of(tmp_path / "cube.png")[:, :, 3] > 0.5).mean() > 0.3


def test_the_page_tells_of_every_item_and_its_links_lead_to_the_files(
    room: Callable[[str], Any], note: Callable[..., None], tmp_path: Path, fake_child: Path
) -> None:
    (tmp_path / f"{ODD_NAME}.glb").write_bytes(b"a model")
    note(ODD_NAME, file=f"{ODD_NAME}.glb", cost=42.5, seed=123456)
    note("broken", state="failed", error="The <image> can't be read.", hint="Save it again.")
    note("waiting", state="running", cost=30.0)
    file = room("blender.contact_sheet").ContactSheet(tmp_path).close()
    page = Page(file)
    assert not {"b", "image"} & set(page.tags), "no name and no reason is taken for HTML"
    assert ODD_NAME in page.text
    for text in ("3 images: 1 done, 1 failed, 1 running. 72.5 CU", "42.5 CU · seed 123456", "running · 30 CU"):
        assert text in page.text
    for text in ("broken", "The <image> can't be read.", "Save it again."):
        assert text in page.text
    for address in {*page.links, *page.pictures}:
        assert (tmp_path / urllib.parse.unquote(address)).is_file(), address
    assert len(page.pictures) == 1


def test_many_items_are_spread_over_pages(
    room: Callable[[str], Any], note: Callable[..., None], tmp_path: Path, fake_child: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(room("blender.limits"), "CONTACT_SHEET_PAGE", 2)
    monkeypatch.setattr(room("blender.limits"), "CONTACT_SHEET_CELLS", 3)
    for number in range(5):
        note(f"item {number}", state="failed", error="No.")
    room("blender.contact_sheet").ContactSheet(tmp_path).close()
    pages = [Page(tmp_path / f"contact_sheet{number}.html") for number in ("", "-2", "-3")]
    assert [[f"item {n}" in page.text for n in range(5)] for page in pages] == [
        [True, True, False, False, False],
        [False, False, True, True, False],
        [False, False, False, False, True],
    ]
    assert {"contact_sheet-2.html", "contact_sheet-3.html", "contact_sheet.png"} <= set(pages[0].links)
    assert "the first 3" in pages[0].text


def test_a_model_that_crashes_or_hangs_the_second_blender_costs_its_own_picture_only(
    room: Callable[[str], Any], note: Callable[..., None], tmp_path: Path, fake_child: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(room("blender.limits"), "CONTACT_SHEET_ORDER_SECONDS", 2.0)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "not for others")
    names = ["one", "crash", "two", "hang", "three"]
    for name in names:
        (tmp_path / f"{name}.glb").write_bytes(b"a model")
        note(name, file=f"{name}.glb")
    page = Page(room("blender.contact_sheet").ContactSheet(tmp_path).close())
    assert {file.stem for file in (tmp_path / "thumbnails").iterdir()} == {"one", "two", "three"}
    assert page.text.count("no picture") == 2
    starts = [json.loads(line) for line in fake_child.read_text().splitlines()]
    assert len(starts) == 3
    assert not [name for names in starts for name in names if name.startswith("SCENARIO")], "it is given no key"


def test_a_second_blender_that_never_works_is_given_up_and_the_page_is_written(
    room: Callable[[str], Any], note: Callable[..., None], tmp_path: Path, fake_child: Path
) -> None:
    for number in range(6):
        (tmp_path / f"crash {number}.glb").write_bytes(b"a model")
        note(f"crash {number}", file=f"crash {number}.glb")
    assert Page(room("blender.contact_sheet").ContactSheet(tmp_path).close()).text.count("no picture") == 6
    assert len(fake_child.read_text().splitlines()) == room("blender.limits").CONTACT_SHEET_LOST_BLENDERS


def test_the_second_blender_is_started_anew_after_some_pictures(
    room: Callable[[str], Any], note: Callable[..., None], tmp_path: Path, fake_child: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(room("blender.limits"), "CONTACT_SHEET_ORDERS_PER_BLENDER", 2)
    for number in range(4):
        (tmp_path / f"{number}.glb").write_bytes(b"a model")
        note(str(number), file=f"{number}.glb")
    room("blender.contact_sheet").ContactSheet(tmp_path).close()
    assert len(fake_child.read_text().splitlines()) == 3  # the third draws the sheet


def test_stopped_it_writes_the_page_with_what_there_is(
    room: Callable[[str], Any], note: Callable[..., None], tmp_path: Path, fake_child: Path
) -> None:
    (tmp_path / "hang.glb").write_bytes(b"a model")
    note("hang", file="hang.glb")
    sheet = room("blender.contact_sheet").ContactSheet(tmp_path)
    sheet.add("hang", tmp_path / "hang.glb")
    sheet.stop()
    assert "no picture" in Page(sheet.close()).text


def test_one_of_several_workers_draws_and_leaves_the_page_to_the_last(
    room: Callable[[str], Any], note: Callable[..., None], tmp_path: Path, fake_child: Path
) -> None:
    (tmp_path / "one.glb").write_bytes(b"a model")
    note("one", file="one.glb")
    sheet = room("blender.contact_sheet").ContactSheet(tmp_path)
    sheet.add("one", tmp_path / "one.glb")
    assert sheet.close(pages=False) is None
    assert (tmp_path / "thumbnails" / "one.png").exists()
    assert not (tmp_path / "contact_sheet.html").exists()


def test_the_second_blender_ends_with_its_input_even_while_it_draws(room: Callable[[str], Any], tmp_path: Path) -> None:
    """Its input ends when its parent does, SIGKILL included."""
    model = export_cube(tmp_path / "cube.glb", (0.8, 0.05, 0.05))
    command = room("blender.second_blender").command("contact_sheet_in_blender.py")
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    order = {"model": str(model), "picture": str(tmp_path / "cube.png")}
    child.stdin.write(f"{json.dumps(order)}\n".encode() * 1000)
    child.stdin.flush()
    while not (tmp_path / "cube.png").exists():
        assert child.stdout.readline(), "it ended before it drew anything"
    child.stdin.close()
    try:
        assert child.wait(CHILD_PATIENCE_SECONDS) == 0
    finally:
        child.kill()
        child.stdout.close()
