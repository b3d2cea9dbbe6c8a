# SPDX-License-Identifier: GPL-3.0-or-later
"""``meshScale``, exactly once.

The service says that it applies ``meshScale`` to the mesh; whether the delivered file shows it is not known (the
upstream model uses the number for its camera). So the delivered size is looked at. The service's unit model fills a
cube of one meter: its largest side is near 1 (TRELLIS.2, ``o_voxel/postprocess.py``).
"""

from __future__ import annotations

import enum
import math

Bounds = tuple[tuple[float, float, float], tuple[float, float, float]]


class AppliedBy(enum.Enum):
    """Who makes the model ``meshScale`` times as large."""

    AUTO = "AUTO"
    """Whoever has not: the delivered size decides."""
    SERVICE = "SERVICE"
    IMPORT = "IMPORT"


_LARGEST_UNIT_SIDE_M = 1.02
"""A model larger than this was scaled by the service (2 % for rounding and voxel borders)."""


def import_scale(mesh_scale: float, bounds: Bounds | None, choice: AppliedBy) -> tuple[float, AppliedBy]:
    """The factor by which the importer must scale the delivered model, and who is found to apply ``meshScale``.

    With :attr:`AppliedBy.AUTO`, of the two readings (scaled already, not yet) the one that has the unit model's
    largest side nearer to one meter is taken; they meet at the square root of `mesh_scale`.
    """
    if choice is AppliedBy.AUTO:
        choice = AppliedBy.SERVICE if bounds is None or _is_applied(mesh_scale, bounds) else AppliedBy.IMPORT
    return (1.0 if choice is AppliedBy.SERVICE else mesh_scale), choice


def _is_applied(mesh_scale: float, bounds: Bounds) -> bool:
    low, high = bounds
    side = max(b - a for a, b in zip(low, high, strict=True))
    if side <= 0.0 or mesh_scale == 1.0:
        return True
    if mesh_scale > 1.0 and side > _LARGEST_UNIT_SIDE_M:
        return True
    return abs(math.log(side / mesh_scale)) <= abs(math.log(side))
