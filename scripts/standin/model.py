# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a real textured mesh out of one picture: a stand-in's idea of it, never Pixal3D's.

What the parameters do here:

* `decimationTarget`: vertices of the file, met within a few per cent.
* `resolution`: side of both textures in pixels.
* `remesh`: false makes the material double sided, as upstream does; the mesh is the same.
* `meshScale`: multiplies the model, if the stand-in is set to honour it.
* `generationResolution`: 1536 keeps finer relief than 1024.
* `seed`: moves the depth by up to four per cent. The same picture, parameters and seed give the same bytes on the same
  library versions; without a seed every run differs.
* The guidance, rescale and step parameters and `maxNumTokens` have no effect: there is no sampler.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import model_limits as limits
from .glb import GENERATOR, claim_compression, write_glb
from .subject import find_subject
from .surface import HeightField, make_surface
from .texture import bake, make_atlas, preview


@dataclass(frozen=True, slots=True)
class ModelStyle:
    """How the file is written, apart from the request's parameters."""

    mesh_scale_honoured: bool = True
    texture_format: str = "webp"
    variant: str = "normal"
    """normal; draco or meshopt: only claims to be compressed; broken: the file ends in the middle."""


@dataclass(frozen=True, slots=True)
class Model:
    """`glb` and a WebP `preview` as bytes, with what the service tells about the model. `size` is (x, y, z)."""

    glb: bytes
    preview: bytes
    vertices: int
    faces: int
    size: tuple[float, float, float]
    method: str


def make_model(image: bytes, parameters: Mapping[str, Any], style: ModelStyle = ModelStyle()) -> Model:
    """Make the model. `parameters` are the request's, with defaults filled in; any thread, a few seconds of CPU.

    Raises `OSError` if the picture cannot be read.
    """
    seed = parameters.get("seed")
    random = np.random.default_rng(secrets.randbits(31) if seed is None else int(seed))
    depth = limits.DEPTH * (1 + limits.DEPTH_JITTER * float(random.uniform(-1, 1)))
    subject = find_subject(image)
    sigma = 1.2 if parameters["generationResolution"] >= 1536 else 2.0
    field = HeightField(subject, depth=depth, relief_sigma=sigma)
    surface = make_surface(field, int(parameters["decimationTarget"]))
    atlas = make_atlas(surface)
    base, rough = bake(subject, atlas, int(parameters["resolution"]))
    scale = float(parameters["meshScale"]) if style.mesh_scale_honoured else 1.0
    extras = {"standin": True, "maker": GENERATOR, "subject": subject.method}
    glb, vertices, faces = write_glb(
        surface, atlas, base, rough, scale=scale, texture_format=style.texture_format,
        double_sided=not parameters["remesh"], extras=extras)
    if style.variant in ("draco", "meshopt"):
        glb = claim_compression(glb, style.variant)
    elif style.variant == "broken":
        glb = glb[: len(glb) * 2 // 3]
    span = np.ptp(surface.vertices, axis=0)
    x, y, z = (float(value) for value in span / span.max() * scale)
    picture = io.BytesIO()
    preview(subject, field.height).save(picture, "WEBP", quality=80)
    return Model(glb, picture.getvalue(), vertices, faces, (x, y, z), subject.method)
