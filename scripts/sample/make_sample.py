# SPDX-License-Identifier: GPL-3.0-or-later
"""How ``mushroom.png`` was made: ``python scripts/sample/make_sample.py`` in an environment with bpy.

A picture of our own, with alpha, so that the project can ship one: a mushroom of primitives, rendered with Cycles.
"""

from __future__ import annotations

import math
from pathlib import Path

import bpy
from mathutils import Vector

SIDE_PX = 1024
SAMPLES = 96


def material(name: str, color: tuple[float, float, float], roughness: float = 0.55) -> bpy.types.Material:
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = next(n for n in made.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*color, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    return made


def lathe(name: str, profile: list[tuple[float, float]], surface: bpy.types.Material) -> bpy.types.Object:
    """A smooth body of revolution from (radius, height) pairs."""
    turns = 96
    vertices = [
        (r * math.cos(2 * math.pi * t / turns), r * math.sin(2 * math.pi * t / turns), z)
        for r, z in profile
        for t in range(turns)
    ]
    faces = [
        (row * turns + t, row * turns + (t + 1) % turns, (row + 1) * turns + (t + 1) % turns, (row + 1) * turns + t)
        for row in range(len(profile) - 1)
        for t in range(turns)
    ]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    mesh.shade_smooth()
    mesh.materials.append(surface)
    body = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(body)
    return body


def curve(points: list[tuple[float, float]], steps: int = 60) -> list[tuple[float, float]]:
    """A Catmull-Rom curve through the points."""
    padded = [points[0], *points, points[-1]]
    result = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for step in range(steps):
            t = step / steps
            result.append(
                tuple(
                    0.5 * (2 * b[i] + (c[i] - a[i]) * t + (2 * a[i] - 5 * b[i] + 4 * c[i] - d[i]) * t**2
                           + (3 * b[i] - a[i] - 3 * c[i] + d[i]) * t**3)
                    for i in (0, 1)
                )
            )  # fmt: skip
    return [*result, points[-1]]


def main() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    red = material("Cap", (0.62, 0.03, 0.02), 0.35)
    white = material("Stem", (0.85, 0.76, 0.60))
    cream = material("Dots", (0.90, 0.85, 0.72))
    green = material("Moss", (0.10, 0.27, 0.04), 0.8)

    lathe("Stem", curve([(0.34, 0.0), (0.30, 0.15), (0.22, 0.5), (0.19, 0.85), (0.22, 1.0)]), white)
    lathe("Skirt", curve([(0.19, 0.78), (0.32, 0.66), (0.34, 0.62), (0.20, 0.70)]), cream)
    top = [
        (0.02, 0.86),
        (0.45, 0.84),
        (0.70, 0.86),
        (0.78, 0.95),
        (0.70, 1.16),
        (0.48, 1.38),
        (0.22, 1.49),
        (0.0, 1.51),
    ]
    lathe("Cap", curve(top), red)
    lathe("Moss", curve([(0.0, 0.10), (0.32, 0.10), (0.5, 0.05), (0.56, -0.04), (0.0, -0.06)]), green)

    center = Vector((0.0, 0.0, 0.92))
    spots = [(-90, 55, 0.13), (-52, 30, 0.10), (-128, 28, 0.11), (-88, 16, 0.12), (-20, 20, 0.09), (-160, 22, 0.09),
             (-60, 62, 0.08), (-122, 58, 0.07), (-100, 85, 0.1), (-38, 48, 0.07), (-146, 46, 0.07)]  # fmt: skip
    graph = bpy.context.evaluated_depsgraph_get()
    for azimuth, elevation, radius in spots:
        a, e = math.radians(azimuth), math.radians(elevation)
        direction = Vector((math.cos(a) * math.cos(e), math.sin(a) * math.cos(e), math.sin(e)))
        hit, where, normal, *_ = scene.ray_cast(graph, center + direction * 3, -direction)
        if hit:
            bpy.ops.mesh.primitive_uv_sphere_add(radius=radius, segments=32, ring_count=16, location=where)
            dot = bpy.context.object
            dot.rotation_mode = "QUATERNION"
            dot.rotation_quaternion = normal.to_track_quat("Z", "Y")
            dot.scale.z = 0.35
            dot.data.shade_smooth()
            dot.data.materials.append(cream)

    for location, energy, size in (
        ((-2.5, -3.0, 3.5), 260, 2.0),
        ((3.0, -2.0, 1.5), 90, 3.0),
        ((0.0, 3.0, 3.0), 160, 2.0),
    ):
        light = bpy.data.lights.new("Light", "AREA")
        light.energy, light.size = energy, size
        lamp = bpy.data.objects.new("Light", light)
        lamp.location = location
        lamp.rotation_euler = (center - lamp.location).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(lamp)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location = (0.0, -5.2, 1.35)
    camera.rotation_euler = (Vector((0.0, 0.0, 0.72)) - camera.location).to_track_quat("-Z", "Y").to_euler()
    camera.data.lens = 88
    scene.collection.objects.link(camera)

    scene.camera = camera
    scene.world = bpy.data.worlds.new("World")
    scene.render.engine = "CYCLES"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_denoising = False
    scene.render.film_transparent = True
    scene.render.resolution_x = scene.render.resolution_y = SIDE_PX
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(Path(__file__).with_name("mushroom.png"))
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()
