# SPDX-License-Identifier: GPL-3.0-or-later
"""Texture charts and images: the picture projected from the front onto both halves, in two charts of one square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from . import model_limits as limits
from .subject import Floats, Subject
from .surface import Surface


@dataclass(frozen=True, slots=True)
class Atlas:
    """Where the charts lie. `box` is (left, bottom, right, top) of the mesh with a rim, in the square's units."""

    box: tuple[float, float, float, float]
    stacked: bool
    """True: front above back (a wide subject). False: front left of back."""

    def uv(self, vertices: Floats, *, front: bool) -> Floats:
        """Texture coordinates, (n, 2), u right and v up. The back chart is mirrored: it reads as seen from behind."""
        left, bottom, right, top = self.box
        u, v = (vertices[:, 0] - left) / (right - left), (vertices[:, 1] - bottom) / (top - bottom)
        if not front:
            u = 1 - u
        if self.stacked:
            return np.stack([u, v / 2 + (0.5 if front else 0.0)], axis=1)
        return np.stack([u / 2 + (0.0 if front else 0.5), v], axis=1)


def make_atlas(surface: Surface) -> Atlas:
    low, high = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    rim = (high - low) * limits.CHART_MARGIN
    (left, bottom, _), (right, top, _) = low - rim, high + rim
    return Atlas((float(left), float(bottom), float(right), float(top)), bool(right - left >= top - bottom))


def bake(subject: Subject, atlas: Atlas, side: int) -> tuple[Image.Image, Image.Image]:
    """Base color (RGBA, opaque) and metallic-roughness (RGB: G roughness, B metal), both `side` pixels square."""
    source = Image.fromarray(_bled(subject))
    left, bottom, right, top = atlas.box
    scale = source.width
    crop = ((left + 0.5) * scale, (0.5 - top) * scale, (right + 0.5) * scale, (0.5 - bottom) * scale)
    box = tuple(min(max(value, 0.0), float(scale)) for value in crop)
    size = (side, side // 2) if atlas.stacked else (side // 2, side)
    front = source.resize(size, Image.Resampling.BICUBIC, box=box)  # type: ignore[arg-type]
    base = Image.new("RGB", (side, side))
    base.paste(front, (0, 0))
    base.paste(front.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (0, side // 2) if atlas.stacked else (side // 2, 0))
    rough = base.convert("L").point([round(205 - 0.25 * value) for value in range(256)])  # dark is duller
    nothing = Image.new("L", (side, side))
    base.putalpha(255)
    return base, Image.merge("RGB", (nothing, rough, nothing))


def _bled(subject: Subject) -> np.ndarray:
    """The picture with the subject's colours carried outwards, so that no background shows at the silhouette."""
    depth = ndimage.distance_transform_edt(subject.mask)
    sure = depth > max(1.5, 0.006 * len(subject.mask))  # the outermost pixels are mixed with the background
    if sure.sum() < 0.3 * subject.mask.sum():
        sure = subject.mask
    away, (row, column) = ndimage.distance_transform_edt(~sure, return_indices=True)
    filled = subject.rgb[row, column].astype(np.float32)
    soft = np.stack([ndimage.gaussian_filter(filled[..., c], 2.0) for c in range(3)], axis=-1)
    blend = np.clip(away / 4, 0, 1)[..., None]
    return np.rint(filled * (1 - blend) + soft * blend).astype(np.uint8)


def preview(subject: Subject, height: Floats, side: int = limits.PREVIEW_SIDE_PX) -> Image.Image:
    """A shaded picture of the front, on gray: the first asset of a finished job."""
    def scaled(grid: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(grid.astype(np.float32)).resize((side, side), Image.Resampling.BILINEAR))

    z = np.sqrt(np.maximum(scaled(height), 0))
    dy, dx = np.gradient(ndimage.gaussian_filter(z, 1.5), 1 / side)
    light = (0.8 - 0.35 * dx - 0.45 * dy) / np.sqrt(dx * dx + dy * dy + 1)
    colour = np.asarray(Image.fromarray(_bled(subject)).resize((side, side)), dtype=np.float32)
    shade = colour * np.clip(0.45 + 0.7 * light, 0, 1.2)[..., None]
    cover = np.clip(scaled(subject.mask) * 1.0, 0, 1)[..., None]
    return Image.fromarray(np.clip(shade * cover + 72 * (1 - cover), 0, 255).astype(np.uint8))
