# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a GLB on the disk before Blender's importer does: is it whole and harmless, and can it be read?

glTF 2.0, "GLB File Format"; what the importer takes was read in io_scene_gltf2 of Blender 4.2, 4.5 and 5.2, and tried
with mutated files (``tests/fuzz``). A model is paid for, so only what Blender can't take, or should not, is refused:

=====================================================  =================================================================
What is found                                          What becomes of it
=====================================================  =================================================================
Headers, chunks or JSON damaged; cut short             refused
JSON too long, too deep, of too many values            refused: Blender's main thread would read it
External URIs                                          refused: the importer opens any path
``data:`` URIs                                         taken, if base64; what they hold is looked at as all else is
Extensions required that 4.2 can't read; Draco and     refused: 4.2's list is the shortest one, and each decoder is a
meshopt wherever they are                              library that the file would be the input of
Types and indices that the importer trips over         refused (:mod:`.glb_schema`)
Nodes in a circle, with two parents, 200 deep          refused: the importer walks until the memory is full
Views, accessors, sparse ones beyond their data        refused (:mod:`.glb_data`)
Corners without a vertex, or left over                 refused: the importer fails; 4.2 and 4.5 crash
Attributes shorter than the highest index              refused; longer ones are taken
Positions that are no numbers                          taken: Blender puts those vertices to the origin
Bounds that are not those of the vertices, or absent   taken: the vertices count
A model larger than 1000 km                            refused
More than Blender should make: vertices, nodes, keys   refused (:mod:`.glb_weight`)
Pictures that are no PNG, JPEG or WebP                 refused (:mod:`.glb_images`): other decoders would try them
Pictures of more than 16384 px, or 2 GiB unpacked      refused
Names of any length, with control characters           taken: Blender shortens them
``null`` for a value that need not be there            taken, as not there
Animations, skins, cameras, lights, ``extras``         taken, within the limits above
Whatever the importer does not read                    not looked at
=====================================================  =================================================================

A refused file stays where it is, and the error names it: whoever wants it can still import it by hand.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from . import limits
from .answers import listing, mapping, string
from .errors import ModelFileError, UnreadableModelError
from .glb_data import Data
from .glb_images import check_images
from .glb_scene import Scene, Vector, read_scene
from .glb_schema import check_plain, check_schema
from .glb_weight import check_weight

_HEADER: Final = struct.Struct("<4sII")
_CHUNK: Final = struct.Struct("<I4s")

# `extensions_managed` of the importer, less Draco, whose library Linux distributions' Blenders and the wheels lack.
_READABLE_EXTENSIONS: Final = frozenset(
    {
        "EXT_mesh_gpu_instancing",
        "EXT_texture_webp",
        "KHR_animation_pointer",
        "KHR_lights_punctual",
        "KHR_materials_anisotropy",
        "KHR_materials_clearcoat",
        "KHR_materials_emissive_strength",
        "KHR_materials_ior",
        "KHR_materials_pbrSpecularGlossiness",
        "KHR_materials_sheen",
        "KHR_materials_specular",
        "KHR_materials_transmission",
        "KHR_materials_unlit",
        "KHR_materials_variants",
        "KHR_materials_volume",
        "KHR_mesh_quantization",
        "KHR_texture_transform",
    }
)
_COMPRESSIONS: Final = {
    "KHR_draco_mesh_compression": "Draco",
    "EXT_meshopt_compression": "meshopt",
    "KHR_meshopt_compression": "meshopt",
}


@dataclass(frozen=True, slots=True)
class GlbInfo:
    """What a GLB holds. Bounds are of the whole scene, in glTF's axes (Y up) and meters.

    :ivar json_bytes: length of the JSON chunk.
    :ivar vertices: of all meshes in the scene, each counted once; `triangles` likewise.
    :ivar textures: MIME type of each image, ``""`` where the file does not tell.
    """

    version: int
    json_bytes: int
    vertices: int
    triangles: int
    bounds_min: Vector
    bounds_max: Vector
    textures: tuple[str, ...]
    extensions_required: tuple[str, ...]
    generator: str


def inspect_glb(path: Path) -> GlbInfo:
    """What the GLB at `path` holds. Reads all of its geometry (60 MB with a million vertices: 0.07 s and 8 MB of
    memory), so not on the main thread.

    :raises UnreadableModelError: Blender could not import it, or should not, and why. Its `reason` is the place in the
        document, for whoever looks into it.
    :raises ModelFileError: the disk does not give it.
    """
    try:
        with path.open("rb") as file:
            document, json_bytes, binary_bytes = _read_chunks(file, os.fstat(file.fileno()).st_size)
            required = _check_versions(document)
            _check_uris(document)
            check_plain(document)
            check_schema(document)
            data = Data(document, file, _HEADER.size + 2 * _CHUNK.size + json_bytes, binary_bytes)
            check_weight(document, data)
            check_images(document, data)
            scene: Scene = read_scene(document, data)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelFileError(f"The model file can't be opened ({reason}).", "Fetch the model again.") from None
    return GlbInfo(
        version=2,
        json_bytes=json_bytes,
        vertices=scene.vertices,
        triangles=scene.triangles,
        bounds_min=scene.bounds_min,
        bounds_max=scene.bounds_max,
        textures=tuple(_mime_type(mapping(image)) for image in listing(document.get("images"))),
        extensions_required=required,
        generator=string(mapping(document.get("asset")).get("generator")),
    )


def _read_chunks(file: BinaryIO, size: int) -> tuple[Mapping[str, object], int, int]:
    """The JSON, its length in bytes, and the length of the binary chunk (0 without one)."""
    header = file.read(_HEADER.size)
    if header[:4] != b"glTF":
        raise UnreadableModelError("The file is not a GLB model.")
    if len(header) < _HEADER.size:
        raise _truncated()
    _, version, declared = _HEADER.unpack(header)
    if version != 2:
        raise UnreadableModelError(f"The model file is of GLB version {version}; Blender reads version 2.")
    if size < declared:
        raise _truncated()
    if size != declared:
        raise UnreadableModelError("The model file is longer than it says.")
    json_bytes, kind = _read_chunk_header(file, size)
    if kind != b"JSON":
        raise UnreadableModelError("The model file does not begin with its description.")
    if json_bytes > limits.GLB_JSON_BYTES:
        raise UnreadableModelError("The model file's description is far larger than it should be.")
    text = file.read(json_bytes)
    if sum(map(text.count, (b",", b"[", b"{"))) > limits.GLB_JSON_VALUES:
        raise UnreadableModelError("The model file's description is far larger than it should be.")
    try:
        document = json.loads(str(text, "utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise UnreadableModelError("The model file's description is damaged.")
    binary_bytes = 0
    if file.tell() < size:
        length, kind = _read_chunk_header(file, size)
        binary_bytes = length if kind == b"BIN\0" else 0
    return document, json_bytes, binary_bytes


def _read_chunk_header(file: BinaryIO, size: int) -> tuple[int, bytes]:
    data = file.read(_CHUNK.size)
    if len(data) < _CHUNK.size:
        raise _truncated()
    length, kind = _CHUNK.unpack(data)
    if file.tell() + length > size:
        raise _truncated()
    return length, kind


def _check_versions(document: Mapping[str, object]) -> tuple[str, ...]:
    """The extensions that the file requires, all of which Blender reads."""
    asset = mapping(document.get("asset"))
    if asset.get("version") != "2.0" or asset.get("minVersion") not in (None, "2.0"):
        raise UnreadableModelError("The model file is not of glTF version 2.0, the one that Blender reads.")
    required = tuple(map(str, listing(document.get("extensionsRequired"))))
    holders = list(listing(document.get("bufferViews")))
    for mesh in listing(document.get("meshes")):
        holders += listing(mapping(mesh).get("primitives"))
    for name in (*required, *(name for each in holders for name in mapping(mapping(each).get("extensions")))):
        if method := _COMPRESSIONS.get(name):
            raise UnreadableModelError(
                f"The model is compressed with {method} ({name}), which Blender can't be relied on to read.",
                "Download it from your Scenario project in another format, or ask for it without compression.",
            )
    for name in required:
        if name not in _READABLE_EXTENSIONS:
            raise UnreadableModelError(f"The model needs the glTF extension {name[:100]}, which Blender does not read.")
        if name not in listing(document.get("extensionsUsed")):  # the importer refuses such a file
            raise UnreadableModelError(f"The model file contradicts itself about the extension {name}.")
    return required


def _check_uris(document: Mapping[str, object]) -> None:
    """The importer opens any URI that is not base64 data as a path beside the model."""
    for kind in ("buffers", "images"):
        for item in listing(document.get(kind)):
            uri = mapping(item).get("uri")
            if uri is not None and not (isinstance(uri, str) and uri.startswith("data:") and ";base64," in uri):
                raise UnreadableModelError("The model file refers to other files, which were not delivered with it.")


def _mime_type(image: Mapping[str, object]) -> str:
    uri = string(image.get("uri"))
    return string(image.get("mimeType")) or uri.removeprefix("data:").partition(";")[0]


def _truncated() -> UnreadableModelError:
    return UnreadableModelError("The model file is cut short.")


def _refuse_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity: no JSON, and the importer refuses them
