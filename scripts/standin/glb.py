# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the surface as a GLB in the shape of the real service's files, and say in it that it is a stand-in's.

The layout follows TRELLIS.2's `to_glb` (o-voxel postprocess.py): one mesh `geometry_0` with one primitive, positions,
normals and one set of texture coordinates, one opaque PBR material with two square textures.
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import trimesh
from PIL import Image

from .surface import Surface
from .texture import Atlas

GENERATOR = "Pixal3D stand-in (not made by Pixal3D)"
_COMPRESSION = {"draco": "KHR_draco_mesh_compression", "meshopt": "EXT_meshopt_compression"}


def write_glb(surface: Surface, atlas: Atlas, base: Image.Image, rough: Image.Image, *, scale: float,
              texture_format: str, double_sided: bool, extras: dict[str, Any]) -> tuple[bytes, int, int]:
    """The file, its vertex count (the seam's vertices count twice) and its face count.

    The model is centred; its largest side is exactly `scale`. `texture_format` is webp, png or jpeg.
    """
    front, rim = surface.front, surface.rim
    back = np.concatenate([np.arange(rim), np.arange(front, len(surface.vertices))])
    place = np.empty(len(surface.vertices), np.int64)
    place[back] = front + np.arange(len(back))
    faces = np.concatenate([surface.faces[: surface.front_faces], place[surface.faces[surface.front_faces :]]])
    source = np.concatenate([np.arange(front), back])
    uv = np.concatenate([atlas.uv(surface.vertices[:front], front=True), atlas.uv(surface.vertices[back], front=False)])
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=base, metallicRoughnessTexture=rough, baseColorFactor=[255, 255, 255, 255],
        metallicFactor=1.0, roughnessFactor=1.0, alphaMode="OPAQUE", doubleSided=double_sided)
    if texture_format == "jpeg":
        material.baseColorTexture, material.metallicRoughnessTexture = _as_jpeg(base), _as_jpeg(rough)
    mesh = trimesh.Trimesh(
        vertices=_unit(surface.vertices, scale)[source], faces=faces, vertex_normals=surface.normals[source],
        visual=trimesh.visual.TextureVisuals(uv=uv, material=material), process=False)
    scene = trimesh.Scene()
    scene.add_geometry(mesh, node_name="geometry_0", geom_name="geometry_0")

    def name_the_maker(tree: dict[str, Any]) -> None:
        tree["asset"] = {"version": "2.0", "generator": GENERATOR, "extras": extras}
        for key in ("extensionsUsed", "extensionsRequired"):
            if key in tree:
                tree[key] = sorted(tree[key])  # trimesh fills these from a set, whose order is not fixed

    data = trimesh.exchange.gltf.export_glb(
        scene, include_normals=True, extension_webp=texture_format == "webp", tree_postprocessor=name_the_maker)
    return data, len(source), len(faces)


def claim_compression(data: bytes, kind: str) -> bytes:
    """The same file, saying that `kind` ("draco" or "meshopt") is required to read it. Nothing is really compressed."""
    length = struct.unpack_from("<I", data, 12)[0]
    tree = json.loads(data[20 : 20 + length])
    for key in ("extensionsUsed", "extensionsRequired"):
        tree[key] = sorted({*tree.get(key, []), _COMPRESSION[kind]})
    chunk = json.dumps(tree, separators=(",", ":")).encode()
    chunk += b" " * (-len(chunk) % 4)
    rest = data[20 + length :]
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(chunk) + len(rest), len(chunk), b"JSON") + chunk + rest


def _unit(vertices: np.ndarray, scale: float) -> np.ndarray:
    """Centred, largest side `scale`, rounded so that the float32 bounds in the file are exact."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    unit = (vertices - (low + high) / 2) / (high - low).max()
    return (np.clip(unit, -0.5, 0.5) * scale).astype(np.float32).astype(np.float64)


def _as_jpeg(image: Image.Image) -> Image.Image:
    """trimesh writes a JPEG only from a picture that says it came from one."""
    copy = image.convert("RGB")
    copy.format = "JPEG"
    return copy
