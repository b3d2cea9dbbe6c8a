# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the subject of a picture: its own alpha if that says something, else the background is estimated and removed.

Two estimates of the background are tried, both on a thumbnail in CIE Lab:

* a smooth backdrop (sky, studio paper): a robust polynomial surface is fitted; what stands out of it is the subject;
* anything else: colour mixtures of the rim and of the middle are refined against each other, in the manner of GrabCut,
  and a random walker (scikit-image) settles the undecided pixels along the picture's edges.

If neither gives a believable subject, the whole picture becomes a rounded rectangle, so there always is one.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy import ndimage
from scipy.cluster.vq import kmeans2
from skimage import color, filters, morphology, segmentation

from . import model_limits as limits

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Subject:
    """A square around the subject. `rgb` is (side, side, 3) uint8, `mask` (side, side) bool, row 0 at the top."""

    rgb: NDArray[np.uint8]
    mask: Mask
    method: str


def find_subject(image: bytes) -> Subject:
    """Decode the picture and return the square around its subject. Raises `OSError` if Pillow cannot read it."""
    with Image.open(io.BytesIO(image)) as opened:
        upright = ImageOps.exif_transpose(opened)
        picture = upright.convert("RGBA")
    picture.thumbnail((limits.SOURCE_SIDE_PX, limits.SOURCE_SIDE_PX), Image.Resampling.LANCZOS)
    pixels = np.asarray(picture)
    rgb, opaque = pixels[..., :3], pixels[..., 3] >= limits.ALPHA_CUT
    if limits.ALPHA_SHARE < opaque.mean() < 1 - limits.ALPHA_SHARE:
        mask, method = morphology.remove_small_objects(opaque, max_size=max(4, round(opaque.sum() * 0.01))), "alpha"
    else:
        mask, method = _without_background(picture.convert("RGB"))
    return _square(rgb, mask, method)


def _without_background(picture: Image.Image) -> tuple[Mask, str]:
    small = picture.copy()
    small.thumbnail((limits.SEGMENT_SIDE_PX, limits.SEGMENT_SIDE_PX), Image.Resampling.LANCZOS)
    mask = None
    if min(small.size) >= 16:
        lab = color.rgb2lab(np.asarray(small))
        distance = _distance_from_smooth_backdrop(lab)
        if (distance < limits.SMOOTH_BACKGROUND_LAB).mean() > limits.SMOOTH_BACKGROUND_SHARE:
            mask, method = _stands_out(distance), "backdrop"
        else:
            mask, method = _by_colour(lab), "colour"
    low, high = limits.SUBJECT_SHARE
    if mask is None or not low < mask.mean() < high:
        return _rounded_rectangle(picture.height, picture.width), "rectangle"
    soft = Image.fromarray(ndimage.gaussian_filter(mask.astype(np.float32), 1.0))
    return np.asarray(soft.resize(picture.size, Image.Resampling.BICUBIC)) > 0.5, method


def _distance_from_smooth_backdrop(lab: Floats) -> Floats:
    """Distance in Lab of each pixel from a cubic surface (plus y^4, for a horizon).

    Fitted in rounds in which outliers, and always the middle, count little.
    """
    height, width = lab.shape[:2]
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j])
    terms = np.stack([x**i * y**j for i in range(4) for j in range(4 - i)] + [y**4], axis=1)
    target, rim = lab.reshape(-1, 3), 0.2 + x * x + y * y
    weight, distance = rim, np.zeros_like(x)
    for _ in range(12):
        root = np.sqrt(weight)[:, None]
        fit = np.linalg.lstsq(terms * root, target * root, rcond=None)[0]
        distance = np.linalg.norm(target - terms @ fit, axis=1)
        weight = rim / (1 + (distance / (1.5 * (np.median(distance) + 1))) ** 2) ** 2
    return distance.reshape(height, width)


def _stands_out(distance: Floats) -> Mask:
    smooth = ndimage.gaussian_filter(distance, 1.0)
    if np.ptp(smooth) < limits.SMOOTH_BACKGROUND_LAB:
        return np.zeros(distance.shape, bool)  # a picture of one colour
    return _one_body(ndimage.binary_closing(smooth > filters.threshold_otsu(smooth)), pull=4.0)


def _by_colour(lab: Floats) -> Mask:
    """Refine a mixture of the rim's colours against one of the middle's; see the module's docstring."""
    height, width = lab.shape[:2]
    pixels = lab.reshape(-1, 3)
    rim = np.ones((height, width), bool)
    edge = max(2, round(min(height, width) * 0.04))
    rim[edge:-edge, edge:-edge] = False
    radius = _radius(height, width)
    background, foreground = _mixture(pixels[rim.ravel()]), _mixture(pixels[(radius < 0.45).ravel()])
    score = np.zeros((height, width))
    for _ in range(5):
        evidence = (_surprise(pixels, background) - _surprise(pixels, foreground)).reshape(height, width)
        score = np.clip(evidence, -6, 6) + 2 * (1 - radius) - 3 * rim
        score = ndimage.gaussian_filter(score, 1.5)
        inside = (score > 0).ravel()
        if not limits.SUBJECT_SHARE[0] < inside.mean() < limits.SUBJECT_SHARE[1]:
            return np.zeros((height, width), bool)
        background, foreground = _mixture(pixels[~inside]), _mixture(pixels[inside])
    sure = np.where(score > 3, 1, np.where(score < -3, 2, 0))
    mask = score > 0
    if (sure == 1).any() and (sure == 2).any() and (sure == 0).any():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about the loose tolerance; only > 0.5 is used
            mask = segmentation.random_walker(lab, sure, beta=300, mode="cg_j", tol=1e-3, channel_axis=-1) == 1
    opened = morphology.opening(ndimage.binary_fill_holes(mask), morphology.disk(2))
    return _one_body(morphology.closing(np.pad(opened, 8), morphology.disk(4))[8:-8, 8:-8])


def _mixture(pixels: Floats, parts: int = 5) -> list[tuple[Floats, Floats, float]]:
    """Gaussians (mean, inverse covariance, constant) around k-means centres."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "one of the clusters is empty": such a cluster is left out below
        _, label = kmeans2(pixels, parts, minit="++", seed=0, iter=20)
    mixture: list[tuple[Floats, Floats, float]] = []
    for part in range(parts):
        chosen = pixels[label == part]
        if len(chosen) >= 8:
            covariance = np.cov(chosen.T) + np.eye(3) * 6
            constant = 0.5 * np.log(np.linalg.det(covariance)) - np.log(len(chosen) / len(pixels))
            inverse = np.linalg.inv(covariance).astype(np.float64)
            mixture.append((chosen.mean(axis=0), inverse, float(constant)))
    return mixture or [(pixels.mean(axis=0), np.eye(3) / 100, 0.0)]


def _surprise(pixels: Floats, mixture: list[tuple[Floats, Floats, float]]) -> Floats:
    """Negative log likelihood of each pixel."""
    each = [0.5 * np.einsum("ni,ij,nj->n", pixels - mean, inv, pixels - mean) + c for mean, inv, c in mixture]
    return -np.logaddexp.reduce(-np.array(each), axis=0)


def _radius(height: int, width: int) -> Floats:
    """Squared distance from the middle, 1 where the subject usually ends."""
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    return (x / 0.42) ** 2 + (y / 0.42) ** 2


def _one_body(mask: Mask, pull: float = 1.5) -> Mask:
    """The connected part with most weight near the middle (the more so with a higher `pull`), without holes."""
    label, count = ndimage.label(mask)
    if not count:
        return mask
    weight = ndimage.sum_labels(np.exp(-pull * _radius(*mask.shape)), label, range(1, count + 1))
    return ndimage.binary_fill_holes(label == 1 + int(np.argmax(weight)))


def _rounded_rectangle(height: int, width: int) -> Mask:
    side = min(height, width)
    margin, corner = 0.02 * side, 0.12 * side
    y, x = np.mgrid[0:height, 0:width] + 0.5
    dx = np.abs(x - width / 2) - (width / 2 - margin - corner)
    dy = np.abs(y - height / 2) - (height / 2 - margin - corner)
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) <= corner


def _square(rgb: NDArray[np.uint8], mask: Mask, method: str) -> Subject:
    """Cut the square with a margin around the mask; outside the picture the mask is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        mask, method = _rounded_rectangle(*mask.shape), "rectangle"
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    side = max(bottom - top, right - left)
    side += 2 * max(2, round(side * limits.CROP_MARGIN))
    y0, x0 = (top + bottom - side) // 2, (left + right - side) // 2

    def cut(array: NDArray[Any], mode: Any) -> NDArray[Any]:
        y1, x1 = min(y0 + side, array.shape[0]), min(x0 + side, array.shape[1])
        part = array[max(y0, 0) : y1, max(x0, 0) : x1]
        pad = [(max(-y0, 0), y0 + side - y1), (max(-x0, 0), x0 + side - x1)] + [(0, 0)] * (array.ndim - 2)
        return np.pad(part, pad, mode=mode)

    return Subject(cut(rgb, "edge"), cut(mask, "constant"), method)
