# SPDX-License-Identifier: GPL-3.0-or-later
"""How a model is to arrive: the settings of a scene, and the same as arguments of operators."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import bpy

from ..translations import OUR_CONTEXT

if TYPE_CHECKING:
    from ..generation import ImportOptions

_TURNS = (
    ("0", "Front", "As it is delivered"),
    ("90", "Right", "Turned by 90 degrees"),
    ("180", "Back", "Turned by 180 degrees"),
    ("270", "Left", "Turned by 270 degrees"),
)
_PLACES = (
    ("CURSOR", "3D Cursor", "Where the 3D cursor is", "PIVOT_CURSOR", 0),
    ("ORIGIN", "World Origin", "In the middle of the world", "WORLD", 1),
    ("OBJECT", "Source Object", "Where the object stands that the image comes from, else at the 3D cursor",
     "OBJECT_DATA", 2),
)  # fmt: skip
_PLANNED = ("PLANNED", "As Planned", "Where its placeholder stands, or else where it was planned", "EMPTY_AXIS", 3)


def import_properties(*, for_operator: bool = False) -> dict[str, Any]:
    """By the names of :class:`..generation.ImportOptions`, and ``use_`` switches for those that may be off."""
    options: dict[str, Any] = {"options": {"SKIP_SAVE"}} if for_operator else {}
    return {
        "turn": bpy.props.EnumProperty(
            name="Facing",
            description="Which way the model's front is turned",
            items=_TURNS,
            default="0",
            translation_context=OUR_CONTEXT,
            **options,
        ),
        "use_height": bpy.props.BoolProperty(
            name="Use Height", description="Make the model so high, whatever Mesh Scale says", **options
        ),
        "height": bpy.props.FloatProperty(
            name="Height",
            description="Height of the model in the scene",
            subtype="DISTANCE",
            unit="LENGTH",
            default=1.8,
            min=0.001,
            soft_max=100.0,
            **options,
        ),
        "shade_smooth": bpy.props.BoolProperty(
            name="Shade Smooth", description="Shade smoothly, instead of with the normals that are delivered", **options
        ),
        "use_merge": bpy.props.BoolProperty(
            name="Use Merge", description="Merge vertices that are close to each other", **options
        ),
        "merge_distance": bpy.props.FloatProperty(
            name="Merge by Distance",
            description="Vertices that are closer are merged",
            subtype="DISTANCE",
            unit="LENGTH",
            default=0.0001,
            min=0.0,
            soft_max=0.1,
            precision=5,
            **options,
        ),
        "is_asset": bpy.props.BoolProperty(
            name="Mark as Asset", description="Show the model in the Asset Browser, with a preview", **options
        ),
        "asset_catalog": bpy.props.StringProperty(
            name="Catalog",
            description="Path of the asset catalog, such as Props/Chairs. It is made if there is none. "
            "Needs a saved file",
            **options,
        ),
        "textures": bpy.props.EnumProperty(
            name="Textures",
            description="Where the textures are kept",
            items=(
                ("PACK", "In the File", "Packed into the .blend file"),
                ("FILES", "Beside the File", "In the folder textures beside the .blend file, if that is saved"),
            ),
            default="PACK",
            **options,
        ),
    }


def place_property(*, for_operator: bool = False, is_planned: bool = False) -> Any:
    """:param is_planned: whether it may be where the placeholder is; that is the default then."""
    options: dict[str, Any] = {"options": {"SKIP_SAVE"}} if for_operator else {}
    return bpy.props.EnumProperty(
        name="Place At",
        description="Where the model stands",
        items=(_PLANNED, *_PLACES) if is_planned else _PLACES,
        default="PLANNED" if is_planned else "CURSOR",
        **options,
    )


def import_options(owner: Any, **changes: Any) -> ImportOptions:
    """What `owner` (an operator or a scene's settings) says of it."""
    from ..generation import ImportOptions

    values: dict[str, Any] = {
        # Empty is a choice that only a newer version knows.
        "turn": int(owner.turn or 0),
        "height": owner.height if owner.use_height else 0.0,
        "shade_smooth": owner.shade_smooth,
        "merge_distance": owner.merge_distance if owner.use_merge else 0.0,
        "is_asset": owner.is_asset,
        "asset_catalog": owner.asset_catalog,
        "textures": owner.textures or "PACK",
    }
    return ImportOptions(**{**values, **changes})


def set_import_options(owner: bpy.types.Operator, options: ImportOptions) -> None:
    """The reverse of :func:`import_options`, for an operator; what its caller has set stays."""
    values: dict[str, Any] = {
        "turn": str(options.turn),
        "use_height": options.height > 0.0,
        "shade_smooth": options.shade_smooth,
        "use_merge": options.merge_distance > 0.0,
        "is_asset": options.is_asset,
        "asset_catalog": options.asset_catalog,
        "textures": options.textures,
    }
    if options.height > 0.0:
        values["height"] = options.height
    if options.merge_distance > 0.0:
        values["merge_distance"] = options.merge_distance
    for name, value in values.items():
        if not owner.properties.is_property_set(name):
            with contextlib.suppress(TypeError, OverflowError):  # what a newer version has noted; the usual is done
                setattr(owner, name, value)


def draw_import_options(layout: Any, owner: Any) -> None:
    """In a panel and in Adjust Last Operation. Memory only."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    layout.prop(owner, "place_at")
    if hasattr(owner, "offset"):
        layout.prop(owner, "offset")
    layout.prop(owner, "turn")
    _draw_switched(layout, owner, "Height", "use_height", "height")
    layout.prop(owner, "shade_smooth")
    _draw_switched(layout, owner, "Merge", "use_merge", "merge_distance")
    layout.prop(owner, "textures")
    layout.prop(owner, "is_asset")
    row = layout.row()
    row.active = owner.is_asset
    row.prop(owner, "asset_catalog")


def _draw_switched(layout: Any, owner: Any, heading: str, switch: str, value: str) -> None:
    """A value that may be off, as Blender's own panels show it: the check box stands before the value."""
    row = layout.row(align=True, heading=heading)
    row.prop(owner, switch, text="")
    field = row.row()
    field.active = getattr(owner, switch)
    field.prop(owner, value, text="")
