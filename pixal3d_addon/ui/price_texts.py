# SPDX-License-Identifier: GPL-3.0-or-later
"""The Generate button with its price, and the question at the spending limit. Memory only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import pricing
from . import properties
from .layout_parts import draw_text
from .texts import said

if TYPE_CHECKING:
    from ..generation.quotes import Price


def draw_generate(layout: Any, context: bpy.types.Context, image: str = "", *, is_enabled: bool = True) -> None:
    """The button, with the price if it is known; beside it a way to ask for it, if it won't be asked for by itself.

    :param image: name of an image, if it is not the one set in the scene.
    """
    price = pricing.price(properties.parameter_values(context.scene.pixal3d))
    row = layout.row(align=True)
    row.scale_y = 1.5
    row.enabled = is_enabled
    row.operator("pixal3d.generate", text=generate_text(price), icon="MESH_MONKEY", translate=False).image = image
    row.operator("pixal3d.variations", text="", icon="MOD_ARRAY").image = image
    if (price is None or price.is_old) and not pricing.is_due():
        row.operator("pixal3d.quote", text="", icon="FILE_REFRESH").image = image
    if trouble := pricing.trouble():
        draw_text(layout, context, trouble, icon="ERROR")


def generate_text(price: Price | None) -> str:
    """The button's label. A question mark says that the price is of other settings, or was asked for long ago."""
    if price is None:
        return said("Generate")
    if price.is_old:
        return said("Generate · {price} CU?", price=units(price.cost))
    return said("Generate · {price} CU", price=units(price.cost))


def question(parameters: Mapping[str, object], count: int = 1) -> str:
    """What is to be asked before `count` models are generated, for the spending limit; empty if nothing is."""
    excess = pricing.excess(parameters, count)
    if excess is None:
        return ""
    spent, limit = units(excess.spent), units(excess.limit)
    if excess.price is None:
        return said(
            "This session has spent {spent} CU of your limit of {limit} CU. The price is not known.",
            spent=spent,
            limit=limit,
        )
    after = units(excess.spent + excess.price.cost * count)
    if excess.price.is_old:
        after = said("about {price}", price=after)
    return said(
        "This session has spent {spent} CU. With this it would be {after} CU, over your limit of {limit} CU.",
        spent=spent,
        after=after,
        limit=limit,
    )


def units(number: float) -> str:
    """Creative units without needless decimals."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
