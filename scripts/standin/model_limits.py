# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and tolerances of the model maker. Lengths without a unit are shares of the square around the subject."""

from __future__ import annotations

from typing import Final

SOURCE_SIDE_PX: Final = 1024
"""The picture is scaled down to this before anything else, as Pixal3D's own preprocessing does."""
SEGMENT_SIDE_PX: Final = 256
"""Background removal works on a thumbnail: 0.5 s instead of 8 s, and colour statistics do not need more pixels."""
FIELD_SIDE_PX: Final = 256
"""Side of the square on which the inflated height is solved."""
PREVIEW_SIDE_PX: Final = 512

ALPHA_CUT: Final = 128
ALPHA_SHARE: Final = 0.005
"""Alpha says something when at least this share of the pixels lies on each side of the cut."""
SUBJECT_SHARE: Final = (0.01, 0.95)
"""A found subject that covers less or more of the picture than this is no subject; the rounded rectangle is used."""
SMOOTH_BACKGROUND_SHARE: Final = 0.55
SMOOTH_BACKGROUND_LAB: Final = 8.0
"""A smooth backdrop is one that a cubic surface in Lab meets within 8 units on 55 % of the pixels. Measured on
scikit-image's pictures: rocket 0.77, moon 0.95; chelsea 0.41, coffee 0.25, astronaut 0.19."""

CROP_MARGIN: Final = 0.04
FLATNESS_LENGTH: Final = 0.2
"""Screening length of the inflation: parts wider than about twice this become a rounded slab, not a ball."""
DEPTH: Final = 0.62
"""Depth against a ball's."""
DEPTH_JITTER: Final = 0.04
"""The seed moves the depth by up to this share."""
RELIEF: Final = 0.3
"""How much of the height the picture's own light and dark may change."""
MAX_GRID_VERTICES: Final = 130_000
"""A front half with more vertices is marched coarser and subdivided: a 2,000,000 vertex volume would need gigabytes."""
NODE_CLEARANCE: Final = 0.06
"""The field is kept this far from zero at grid nodes (in cells), so that marching cubes makes no empty triangles."""
CHART_MARGIN: Final = 0.02
"""Empty rim of a texture chart, filled with bled colours, so that filtering never reaches the other chart."""
