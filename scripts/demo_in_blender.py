# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's part inside Blender: enables the add-on, runs its operator, saves and renders what came of it.

``python scripts/demo_in_blender.py IMAGE OUTPUT_FOLDER`` in an environment with bpy; ``scripts/demo.py`` calls it.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["BLENDER_USER_RESOURCES"] = _profile = tempfile.mkdtemp(prefix="pixal3d-demo-")

import bpy  # isort: skip  (it makes addon_utils importable)
import addon_utils
from mathutils import Vector

ROOT = Path(__file__).resolve().parent.parent
ADDON = "bl_ext.demo.pixal3d_addon"
RENDER_SIDE_PX = 640
RENDER_SAMPLES = 24
LOOK_INTERVAL_SECONDS = 0.02


def main(image: Path, output: Path) -> None:
    with _addon():
        with _stages_printed():
            try:
                bpy.ops.pixal3d.generate(image=str(image))
            except RuntimeError as error:
                raise SystemExit(str(error)) from None
        obj = bpy.context.active_object
        mesh = obj.data
        print(f"{obj.name}: {len(mesh.vertices):,} vertices, {len(mesh.polygons):,} triangles, "
              f"{max(obj.dimensions):.2f} m, textures {[tuple(i.size) for i in _textures(obj)]}")  # fmt: skip
        (snapshot,) = _manager().snapshots()
        shutil.copyfile(snapshot.generation.glb_file, output / f"{image.stem}.glb")
        bpy.ops.wm.save_as_mainfile(filepath=str(output / f"{image.stem}.blend"), compress=True)
        started = time.monotonic()
        for view, azimuth in (("front", 0.0), ("turned", 50.0)):
            _render(obj, azimuth, output / f"{image.stem}-{view}.png")
        _print_stage("Rendering two views", started)


@contextmanager
def _addon() -> Iterator[None]:
    """The add-on, enabled from the project's folder, in an empty scene."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    preferences = bpy.context.preferences
    preferences.system.use_online_access = True
    preferences.filepaths.save_version = 0
    repo = preferences.extensions.repos.new(name="demo", module="demo", custom_directory=str(ROOT), source="USER")
    addon_utils.enable(ADDON, default_set=True)
    try:
        yield
    finally:
        with _blender_silenced():
            addon_utils.disable(ADDON, default_set=True)
            preferences.extensions.repos.remove(repo)
        shutil.rmtree(_profile, ignore_errors=True)


def _manager() -> Any:
    return sys.modules[f"{ADDON}.blender.session"].manager()


@contextmanager
def _stages_printed() -> Iterator[None]:
    """A thread that looks on while the operator blocks, as the watcher does in Blender's window."""
    manager, done = _manager(), threading.Event()

    def look_on() -> None:
        stage, started = "", time.monotonic()
        while not done.wait(LOOK_INTERVAL_SECONDS):
            for snapshot in manager.snapshots():
                generation = snapshot.generation
                status = f": {generation.service_status}" if generation.state == "running" else ""
                now = f"{generation.state.value}{status}"
                if now != stage:
                    if stage:
                        _print_stage(stage.capitalize(), started)
                    stage, started = now, time.monotonic()
        if stage not in ("", "imported"):
            _print_stage(stage.capitalize(), started)

    thread = threading.Thread(target=look_on, name="demo-onlooker", daemon=True)
    started = time.monotonic()
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    _print_stage("Image to mesh in the scene", started)


@contextmanager
def _blender_silenced() -> Iterator[None]:
    """Blender prints a line for each step of a render, past Python's own output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _textures(obj: bpy.types.Object) -> list[bpy.types.Image]:
    return [n.image for n in obj.data.materials[0].node_tree.nodes if n.type == "TEX_IMAGE"]


def _render(obj: bpy.types.Object, azimuth_degrees: float, path: Path) -> None:
    """With Cycles, which needs no screen. The lights and the camera are made once, after the file was saved."""
    scene = bpy.context.scene
    bpy.context.view_layer.update()
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    center = sum(corners, Vector()) / 8
    radius = max((corner - center).length for corner in corners)
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        scene.camera.data.lens = 70
        scene.collection.objects.link(scene.camera)
        scene.world = bpy.data.worlds.new("World")
        scene.world.color = (0.6, 0.6, 0.6)
        for angle, energy in ((-40.0, 3.0), (60.0, 1.5)):
            sun = bpy.data.lights.new("Sun", "SUN")
            sun.energy = energy
            lamp = bpy.data.objects.new("Sun", sun)
            lamp.rotation_euler = (math.radians(50), 0.0, math.radians(angle))
            scene.collection.objects.link(lamp)
        scene.render.engine = "CYCLES"
        scene.cycles.samples = RENDER_SAMPLES
        scene.cycles.use_denoising = False
        scene.render.film_transparent = True
        scene.render.resolution_x = scene.render.resolution_y = RENDER_SIDE_PX
        scene.view_settings.view_transform = "Standard"
    angle = math.radians(azimuth_degrees)
    direction = Vector((math.sin(angle), -math.cos(angle), 0.15)).normalized()
    scene.camera.location = center + direction * radius * 3.9
    scene.camera.rotation_euler = (-direction).to_track_quat("-Z", "Y").to_euler()
    scene.render.filepath = str(path)
    with _blender_silenced():
        bpy.ops.render.render(write_still=True)


def _print_stage(name: str, started: float) -> None:
    print(f"{name:<28} {time.monotonic() - started:6.1f} s", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
