# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of the model, in one table.

Everything that speaks of a parameter reads this table: the request body, Blender's properties, the operator's
arguments, the checks and their messages. Adding a parameter is one line.

Sources. Names and defaults: Scenario's API reference page of ``model_pixal3d``. Ranges and choices: Scenario's
parameter page for 3D models, which agrees with the model's entry at fal.ai. Steps are a choice of the user
interface (the sliders of TRELLIS.2's own app); the service names none. The range of ``seed`` is not documented
for this model; it is what the sibling models take.

No bpy here. Any thread may call.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .errors import Pixal3DError

Value = float | int | bool | None
"""A parameter's value as Python holds it. ``None`` only for a random seed."""


class Kind(enum.Enum):
    """What a parameter's value is."""

    IMAGE = "image"
    """An asset id, known only after the upload."""
    NUMBER = "number"
    WHOLE = "whole number"
    CHOICE = "choice"
    SWITCH = "switch"
    SEED = "seed"
    """A whole number, or ``None`` for a random one (left out of the request)."""


class Group(enum.Enum):
    """Where an artist looks for a parameter. The order is the order on screen."""

    SOURCE = "Source"
    QUALITY = "Quality"
    MESH = "Mesh"
    TEXTURE = "Texture"
    STRUCTURE_SAMPLING = "Structure Sampling"
    SHAPE_SAMPLING = "Shape Sampling"
    TEXTURE_SAMPLING = "Texture Sampling"


class Parameter(NamedTuple):
    """One input of the model."""

    name: str
    """The service's name, as in the request body (``camelCase``)."""
    identifier: str
    """Our name in Python, in Blender and in records (``snake_case``)."""
    kind: Kind
    group: Group
    label: str
    tooltip: str
    default: Value = None
    minimum: float = 0
    maximum: float = 0
    step: float = 0
    choices: tuple[int, ...] = ()
    short: str = ""
    """A shorter label, for where the group's name stands above it; the label itself if empty."""


class ParameterError(Pixal3DError, ValueError):
    """Values that the model can't take. The message names each parameter, its range and the value given."""


_G, _K, _P = Group, Kind, Parameter

# name, identifier, kind, group, label, tooltip, default, minimum, maximum, step, choices
INPUTS: tuple[Parameter, ...] = (
    _P("image", "image", _K.IMAGE, _G.SOURCE, "Image", "Image to turn into a 3D model"),
    _P("generationResolution", "generation_resolution", _K.CHOICE, _G.QUALITY, "Geometry Resolution",
       "Resolution at which the shape is worked out. Higher shows finer forms and takes longer",
       1536, choices=(1024, 1536), short="Geometry"),
    _P("maxNumTokens", "max_num_tokens", _K.WHOLE, _G.QUALITY, "Detail Budget",
       "Most high-resolution tokens that the shape may use. More allow finer geometry on intricate subjects",
       49152, 4096, 131072, 1024, short="Detail"),
    _P("seed", "seed", _K.SEED, _G.QUALITY, "Seed",
       "Number that makes a result repeatable. Leave at -1 for a random one",
       None, 0, 2147483647, 1),
    _P("meshScale", "mesh_scale", _K.NUMBER, _G.MESH, "Mesh Scale",
       "Size of the model: 1 fits it into a cube of one meter",
       1.0, 0.1, 4.0, 0.1, short="Scale"),
    _P("decimationTarget", "decimation_target", _K.WHOLE, _G.MESH, "Target Vertices",
       "About how many vertices the mesh ends with. Fewer give a lighter mesh with less detail",
       200000, 5000, 2000000, 10000, short="Vertices"),
    _P("remesh", "remesh", _K.SWITCH, _G.MESH, "Remesh",
       "Rebuild the topology for cleaner triangles and a single-sided surface", True),
    _P("resolution", "resolution", _K.CHOICE, _G.TEXTURE, "Texture Size",
       "Width and height of the textures in pixels. Higher shows sharper surfaces, and may cost more",
       4096, choices=(1024, 2048, 4096), short="Size"),
    _P("ssGuidanceStrength", "ss_guidance_strength", _K.NUMBER, _G.STRUCTURE_SAMPLING, "Guidance",
       "How closely the overall form follows the image. Higher is more faithful and may add noise",
       7.5, 0.0, 10.0, 0.1),
    _P("ssGuidanceRescale", "ss_guidance_rescale", _K.NUMBER, _G.STRUCTURE_SAMPLING, "Guidance Rescale",
       "Calms the artifacts that strong guidance leaves in the overall form",
       0.7, 0.0, 1.0, 0.01, short="Rescale"),
    _P("ssSamplingSteps", "ss_sampling_steps", _K.WHOLE, _G.STRUCTURE_SAMPLING, "Steps",
       "Denoising steps for the overall form. More is cleaner and slower",
       36, 1, 50, 1),
    _P("shapeSlatGuidanceStrength", "shape_slat_guidance_strength", _K.NUMBER, _G.SHAPE_SAMPLING, "Guidance",
       "How closely the detailed surface follows the image. Higher adds detail and may add noise",
       7.5, 0.0, 10.0, 0.1),
    _P("shapeSlatGuidanceRescale", "shape_slat_guidance_rescale", _K.NUMBER, _G.SHAPE_SAMPLING, "Guidance Rescale",
       "Calms the artifacts that strong guidance leaves in the detailed surface",
       0.5, 0.0, 1.0, 0.01, short="Rescale"),
    _P("shapeSlatSamplingSteps", "shape_slat_sampling_steps", _K.WHOLE, _G.SHAPE_SAMPLING, "Steps",
       "Denoising steps for the detailed surface. More is cleaner and slower",
       36, 1, 50, 1),
    _P("shapeSlatRescaleT", "shape_slat_rescale_t", _K.NUMBER, _G.SHAPE_SAMPLING, "Noise Schedule",
       "How sharply the noise falls while the surface is refined",
       3.0, 1.0, 6.0, 0.1),
    _P("texSlatGuidanceStrength", "tex_slat_guidance_strength", _K.NUMBER, _G.TEXTURE_SAMPLING, "Guidance",
       "How closely the texture follows the colors of the image. Higher is more vivid and may oversaturate",
       1.0, 0.0, 10.0, 0.1),
    _P("texSlatGuidanceRescale", "tex_slat_guidance_rescale", _K.NUMBER, _G.TEXTURE_SAMPLING, "Guidance Rescale",
       "Calms the artifacts that strong guidance leaves in the texture",
       0.0, 0.0, 1.0, 0.01, short="Rescale"),
    _P("texSlatSamplingSteps", "tex_slat_sampling_steps", _K.WHOLE, _G.TEXTURE_SAMPLING, "Steps",
       "Denoising steps for the texture. More is cleaner and slower",
       36, 1, 50, 1),
    _P("texSlatRescaleT", "tex_slat_rescale_t", _K.NUMBER, _G.TEXTURE_SAMPLING, "Noise Schedule",
       "How sharply the noise falls while the texture is refined",
       3.0, 1.0, 6.0, 0.1),
)  # fmt: skip

SETTINGS: tuple[Parameter, ...] = tuple(p for p in INPUTS if p.kind is not Kind.IMAGE)
"""The inputs that an artist sets; the image is the one that an artist selects."""

_BY_IDENTIFIER = {p.identifier: p for p in SETTINGS}


def in_group(group: Group) -> Iterator[Parameter]:
    """The settings of one group, in the order of the screen."""
    return (p for p in SETTINGS if p.group is group)


def complete(values: Mapping[str, object]) -> dict[str, Value]:
    """All settings, by identifier: those given, checked, and the defaults for the rest.

    :raises ParameterError: one message that lists everything that is wrong.
    """
    problems = [f"There is no parameter named {name!r}" for name in values if name not in _BY_IDENTIFIER]
    result: dict[str, Value] = {}
    for parameter in SETTINGS:
        try:
            given = values.get(parameter.identifier, parameter.default)
            result[parameter.identifier] = _checked(parameter, given)
        except ParameterError as error:
            problems.append(str(error))
    if problems:
        raise ParameterError(". ".join(problems))
    return result


def request_body(values: Mapping[str, object], image_asset_id: str) -> dict[str, str | float | int | bool]:
    """The body of the generate request: every parameter by the service's name.

    Whole values are sent as integers, as the service's own examples do (``"meshScale": 1``); a random seed is left out.

    :raises ParameterError: as :func:`complete`.
    """
    body: dict[str, str | float | int | bool] = {"image": image_asset_id}
    for identifier, value in complete(values).items():
        if value is None:
            continue
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        body[_BY_IDENTIFIER[identifier].name] = value
    return body


def from_request(body: Mapping[str, object]) -> dict[str, Value]:
    """The settings that a request of anybody's was made with: :func:`readable`, by the service's names."""
    return readable({p.identifier: body[p.name] for p in SETTINGS if p.name in body})


def readable(values: Mapping[str, object]) -> dict[str, Value]:
    """All settings, by identifier, from where anything may stand; what is not valid, and the rest, are defaults."""
    found: dict[str, Value] = {}
    for parameter in SETTINGS:
        try:
            found[parameter.identifier] = _checked(parameter, values.get(parameter.identifier, parameter.default))
        except ParameterError:
            found[parameter.identifier] = parameter.default
    return found


def _checked(parameter: Parameter, value: object) -> Value:
    if parameter.kind is Kind.SEED and value in (None, -1, "-1"):
        return None
    named = f"{parameter.label} ({parameter.name})"
    if parameter.kind is Kind.SWITCH:
        if isinstance(value, bool):
            return value
        raise ParameterError(f"{named} is on or off (True or False), not {value!r}")

    number = _number_or_none(value)
    if parameter.kind is Kind.CHOICE:
        if number in parameter.choices:
            return int(number)
        allowed = ", ".join(map(str, parameter.choices))
        raise ParameterError(f"{named} must be one of {allowed}, not {value!r}")

    whole = parameter.kind in (Kind.WHOLE, Kind.SEED)
    if number is None or not parameter.minimum <= number <= parameter.maximum or (whole and not number.is_integer()):
        sort = "a whole number" if whole else "a number"
        raise ParameterError(
            f"{named} must be {sort} from {parameter.minimum:g} to {_plain(parameter.maximum)}, not {value!r}"
        )
    return int(number) if whole else number


def _number_or_none(value: object) -> float | None:
    """A finite number from a number or from text (a choice in Blender is text); ``True`` is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    # Blender's numbers are 32 bit: its 0.7 arrives as 0.699999988079071.
    return round(number, 6) if math.isfinite(number) else None


def _plain(number: float) -> str:
    """2147483647 rather than 2.14748e+09."""
    return str(int(number)) if float(number).is_integer() else str(number)
