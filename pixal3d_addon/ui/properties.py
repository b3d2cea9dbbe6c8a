# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender properties made from the table of parameters, and the settings that a scene keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import image_source
from ..parameters import SETTINGS, Kind, Parameter
from ..translations import OUR_CONTEXT
from .import_settings import import_properties, place_property

if TYPE_CHECKING:
    from ..generation import Framing

RANDOM_SEED = -1
"""Blender's whole numbers know no ``None``."""


def parameter_properties(*, for_operator: bool = False) -> dict[str, Any]:
    """A Blender property for each setting of the model, by identifier.

    The sliders of a scene can't leave the range. An operator's arguments can: there Blender would change a wrong
    number to the nearest right one without a word, so they are checked, and refused with a sentence, when it runs.
    """
    return {parameter.identifier: _property(parameter, for_operator) for parameter in SETTINGS}


def parameter_values(owner: Any) -> dict[str, Any]:
    """The settings' values that `owner` (a scene's settings or an operator) holds, by identifier. What a newer version
    has written and this one doesn't know, which Blender tells as an empty choice, is the default."""
    values = {parameter.identifier: getattr(owner, parameter.identifier) for parameter in SETTINGS}
    return {p.identifier: str(p.default) if values[p.identifier] == "" else values[p.identifier] for p in SETTINGS}


def set_parameter_values(owner: Any, values: Mapping[str, Any]) -> None:
    """The reverse of :func:`parameter_values`: a choice is text in Blender, a random seed a number."""
    for parameter in SETTINGS:
        value = values[parameter.identifier]
        if parameter.kind is Kind.CHOICE:
            value = str(value)
        setattr(owner, parameter.identifier, RANDOM_SEED if value is None else value)


def given_parameter_values(operator: bpy.types.Operator) -> Mapping[str, Any]:
    """Only those that the caller set."""
    values = parameter_values(operator)
    return {name: value for name, value in values.items() if operator.properties.is_property_set(name)}


def _property(parameter: Parameter, for_operator: bool) -> Any:
    common: dict[str, Any] = {
        "name": parameter.label,
        "description": parameter.tooltip,
        "translation_context": OUR_CONTEXT,
    }
    if for_operator:
        common["options"] = {"SKIP_SAVE"}  # the values of the last call must not leak into the next
    match parameter.kind:
        case Kind.SWITCH:
            return bpy.props.BoolProperty(default=bool(parameter.default), **common)
        case Kind.CHOICE:
            items = [(str(choice), str(choice), parameter.tooltip) for choice in parameter.choices]
            return bpy.props.EnumProperty(items=items, default=str(parameter.default), **common)
    whole = parameter.kind is not Kind.NUMBER
    number: Any = int if whole else float
    minimum = RANDOM_SEED if parameter.kind is Kind.SEED else number(parameter.minimum)
    limits = {"soft_min": minimum, "soft_max": number(parameter.maximum)}
    if not for_operator:
        limits |= {"min": minimum, "max": number(parameter.maximum)}
    if whole:
        default = RANDOM_SEED if parameter.default is None else int(parameter.default)
        return bpy.props.IntProperty(default=default, step=int(parameter.step), **limits, **common)
    # Blender counts a float's step in hundredths.
    return bpy.props.FloatProperty(
        default=float(parameter.default or 0.0), step=round(parameter.step * 100), precision=2, **limits, **common
    )


def image_property() -> Any:
    """Of an operator: which image it is about."""
    return bpy.props.StringProperty(
        name="Image",
        description="Name of an image in this file, or path of an image file. "
        "If empty, the image set in the scene, or else the active material's texture",
        options={"SKIP_SAVE"},
    )


def framing_properties(*, for_operator: bool = False) -> dict[str, Any]:
    """What of the image is sent, by the names of :class:`..generation.Framing`."""
    options: dict[str, Any] = {"options": {"SKIP_SAVE"}} if for_operator else {}
    return {
        "crop_to_subject": bpy.props.BoolProperty(
            name="Crop to Subject",
            description="Send only what is not background, with a margin. The image itself stays as it is",
            **options,
        ),
        "pad_to_square": bpy.props.BoolProperty(
            name="Pad to Square",
            description="Send a square, filled up with transparency or with the background. "
            "The image itself stays as it is",
            **options,
        ),
    }


def framing(owner: Any) -> Framing:
    """What `owner` (an operator or a scene's settings) says of it."""
    from ..generation import Framing

    return Framing(crop_to_subject=owner.crop_to_subject, pad_to_square=owner.pad_to_square)


def part_properties(*, for_operator: bool = False) -> dict[str, Any]:
    """Which picture is sent of an image with several, by the names of :class:`..blender.image_source.Part`."""
    options: dict[str, Any] = {"options": {"SKIP_SAVE"}} if for_operator else {}
    return {
        "udim_tile": bpy.props.IntProperty(
            name="Tile",
            description="UDIM tile that is sent, such as 1001; 0 for the first one",
            min=0,
            translation_context=OUR_CONTEXT,
            **options,
        ),
        "frame": bpy.props.IntProperty(
            name="Frame",
            description="Frame of the movie or image sequence that is sent; 0 for the one shown now",
            min=0,
            **options,
        ),
    }


def part(owner: Any, image: bpy.types.Image | None) -> image_source.Part:
    """What `owner` says of it. What is set in a scene is said of the image that is selected there, and of no other."""
    if isinstance(owner, PIXAL3D_PG_settings) and owner.image not in (None, image):  # type: ignore[attr-defined]
        return image_source.Part()
    return image_source.Part(udim_tile=owner.udim_tile, frame=owner.frame)  # type: ignore[attr-defined]


class PIXAL3D_PG_settings(bpy.types.PropertyGroup):
    """What the artist has set in this scene."""

    __annotations__ = {
        "image": bpy.props.PointerProperty(
            type=bpy.types.Image, name="Image", description="Image to turn into a 3D model"
        ),
        **framing_properties(),
        **part_properties(),
        "place_at": place_property(),
        **import_properties(),
        **parameter_properties(),
    }


def register() -> None:
    bpy.types.Scene.pixal3d = bpy.props.PointerProperty(type=PIXAL3D_PG_settings)  # type: ignore[attr-defined]


def unregister() -> None:
    del bpy.types.Scene.pixal3d  # type: ignore[attr-defined]


classes = (PIXAL3D_PG_settings,)
