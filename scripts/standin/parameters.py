# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of model_pixal3d as the stand-in checks them.

Names and defaults: the API reference page of model_pixal3d. Ranges and allowed values: docs.scenario.com, "Tencent 3D
models". The range of `seed` is not documented for this model; that of its siblings is used. Written apart from the
add-on's own table on purpose: the two are compared by the tests, as a second opinion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from . import limits
from .errors import ApiRefusal


@dataclass(frozen=True, slots=True)
class Input:
    """One number (with a range or allowed values) or one boolean."""

    name: str
    default: float | bool | None
    low: float | None = None
    high: float | None = None
    allowed: tuple[int, ...] = ()
    whole: bool = False
    cost_impact: bool = False
    description: str = ""

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, in the service's words, or None."""
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else f'"{self.name}" must be a boolean'
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
            return f'"{self.name}" must be a number'
        if self.allowed and value not in self.allowed:
            return f'"{self.name}" must be one of [{", ".join(map(str, self.allowed))}]'
        if self.whole and value != int(value):
            return f'"{self.name}" must be an integer'
        if self.low is not None and value < self.low:
            return f'"{self.name}" must be greater than or equal to {self.low:g}'
        if self.high is not None and value > self.high:
            return f'"{self.name}" must be less than or equal to {self.high:.0f}'
        return None

    def described(self) -> dict[str, Any]:
        """One item of `inputs` in GET /models/model_pixal3d."""
        item: dict[str, Any] = {
            "name": self.name, "type": "boolean" if isinstance(self.default, bool) else "number",
            "label": self.name, "description": self.description or self.name}
        for key, value in (("default", self.default), ("min", self.low), ("max", self.high)):
            if value is not None:
                item[key] = value
        if self.allowed:
            item["allowedValues"] = list(self.allowed)
        if self.cost_impact:
            item["costImpact"] = True
        return item


def _stage(prefix: str, strength: float, rescale: float) -> tuple[Input, ...]:
    return (Input(f"{prefix}GuidanceStrength", strength, 0, 10), Input(f"{prefix}GuidanceRescale", rescale, 0, 1),
            Input(f"{prefix}SamplingSteps", 36, 1, 50, whole=True))


INPUTS: Final = (
    *_stage("ss", 7.5, 0.7),
    *_stage("shapeSlat", 7.5, 0.5),
    Input("shapeSlatRescaleT", 3, 1, 6),
    *_stage("texSlat", 1, 0),
    Input("texSlatRescaleT", 3, 1, 6),
    Input("meshScale", 1, 0.1, 4, description="Scale factor applied to the inferred mesh."),
    Input("maxNumTokens", 49152, 4096, 131072, whole=True),
    Input("decimationTarget", 200000, 5000, 2000000, whole=True,
          description="Target number of vertices in the final mesh."),
    Input("generationResolution", 1536, allowed=(1024, 1536), whole=True),
    Input("resolution", 4096, allowed=(1024, 2048, 4096), whole=True, cost_impact=True,
          description="Texture resolution for the generated 3D model."),
    Input("remesh", True),
    Input("seed", None, 0, limits.SEED_MAX, whole=True, description="Leave blank to use a random seed."),
)
IMAGE_INPUT: Final[dict[str, Any]] = {
    "name": "image", "type": "file", "kind": "image", "label": "image", "required": {"always": True},
    "description": "Input image to convert into a 3D model."}


def checked(body: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The given numbers and booleans, and the names the model does not know. Raises `ApiRefusal` 400.

    Names the model does not know are ignored (`dryRun` in the body is known to be, from the official plugin's notes).
    """
    given: dict[str, Any] = {}
    for item in INPUTS:
        if item.name in body:
            problem = item.problem(body[item.name])
            if problem:
                raise ApiRefusal(400, problem)
            given[item.name] = body[item.name]
    return given, sorted(set(body) - set(given) - {"image"})


def with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every input but the image; `seed` is None unless given."""
    return {item.name: given.get(item.name, item.default) for item in INPUTS}
