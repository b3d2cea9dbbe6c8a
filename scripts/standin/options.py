# SPDX-License-Identifier: GPL-3.0-or-later
"""How a stand-in behaves: one frozen dataclass, the same choices on the command line and under /__standin__/options."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

MeshScale = Literal["honoured", "ignored"]
TextureFormat = Literal["webp", "png", "jpeg"]
Variant = Literal["normal", "draco", "meshopt", "broken"]
Outcome = Literal["success", "failure"]

KEY_VARIABLE: Final = "PIXAL3D_STANDIN_KEY"
SECRET_VARIABLE: Final = "PIXAL3D_STANDIN_SECRET"
"""What every stand-in takes for its key and secret: the test run's, which is looked for afterwards."""
FIXED_AT_START: Final = frozenset({"port", "key", "secret", "project_id"})


@dataclass(frozen=True, slots=True)
class Options:
    """Times in seconds, prices in creative units. The default credentials are fakes and work nowhere else."""

    port: int = 0
    """0 takes a free port. The address is always 127.0.0.1."""
    key: str = field(
        default_factory=lambda: os.environ.get(KEY_VARIABLE) or "api_standin_not_a_real_key", repr=False)
    secret: str = field(
        default_factory=lambda: os.environ.get(SECRET_VARIABLE) or "standin-not-a-real-secret", repr=False)
    project_id: str = "proj_standin"
    job_seconds: float = 4.0
    upload_seconds: float = 0.6
    url_lifetime_seconds: float = 3600.0
    """How long a link to a finished file works. The real service's work for at least a day."""
    mesh_scale: MeshScale = "honoured"
    texture_format: TextureFormat = "webp"
    variant: Variant = "normal"
    job_outcome: Outcome = "success"
    glb_only: bool = False
    """A finished job lists the GLB alone instead of a preview picture and then the GLB."""
    dry_run_checks_image: bool = True
    """Whether a quote needs a known image. The real service's way is not documented."""
    creative_units: float | None = None
    """What is left to spend; None is without end."""
    prices: tuple[tuple[int, float], ...] = ((1024, 30), (2048, 42), (4096, 42))
    """(texture resolution, price) pairs; invented, the real price is not documented."""
    list_lag_seconds: float = 0.0
    """GET /jobs leaves out custom jobs younger than this: the list comes after."""
    job_lag_seconds: float = 0.0
    """GET /jobs/{id} does not know jobs younger than this."""
    parallel_jobs: int | None = None
    """While so many custom jobs are not over, the next is refused with 429; None is without end."""
    model_cache: bool = False
    """Make one model for the same image, parameters and style, even without a seed, and reuse its bytes."""

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}")
        for name in _SECONDS:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e6:
                raise ValueError(f"{name} must be a number of seconds, 0 or more")
        for name in ("glb_only", "dry_run_checks_image", "model_cache"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false")
        units = self.creative_units
        if units is not None and (isinstance(units, bool) or not isinstance(units, (int, float))):
            raise ValueError("creative_units must be a number or null")
        most: Any = self.parallel_jobs
        if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
            raise ValueError("parallel_jobs must be a whole number, 0 or more, or null")
        pairs = self.prices.items() if isinstance(self.prices, Mapping) else self.prices
        object.__setattr__(self, "prices", tuple((int(side), float(price)) for side, price in pairs))

    def price(self, resolution: int) -> float:
        """Creative units for a run with this texture resolution."""
        return dict(self.prices).get(resolution, max(price for _, price in self.prices))

    def changed(self, changes: Mapping[str, Any]) -> Options:
        """A copy with camelCase or snake_case changes. Raises `ValueError` naming what is wrong."""
        named = {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in changes.items()}
        known = {field.name for field in dataclasses.fields(self)}
        for name in named:
            if name not in known:
                raise ValueError(f"There is no option {name}")
            if name in FIXED_AT_START:
                raise ValueError(f"{name} cannot change while the stand-in runs")
        return dataclasses.replace(self, **named)


_SECONDS: Final = ("job_seconds", "upload_seconds", "url_lifetime_seconds", "list_lag_seconds", "job_lag_seconds")
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "mesh_scale": get_args(MeshScale), "texture_format": get_args(TextureFormat),
    "variant": get_args(Variant), "job_outcome": get_args(Outcome),
}


def _price(text: str) -> tuple[int, float]:
    side, _, price = text.partition("=")
    return int(side), float(price)


def parse_arguments(arguments: Sequence[str] | None = None) -> tuple[Options, argparse.Namespace]:
    """The options, and beside them `parent_pid` and `stop_on_stdin_eof` of the command line."""
    usual = Options()
    parser = argparse.ArgumentParser(
        prog="python -m scripts.standin",
        description="The Scenario API for Pixal3D on 127.0.0.1, for demo, tests and offline work. "
        "It makes its own simple models and charges nothing. The first line on standard output is JSON.")
    parser.add_argument("--port", type=int, default=usual.port, help="0 takes a free one (default)")
    for name in ("key", "secret", "project_id"):
        parser.add_argument(f"--{name.replace('_', '-')}", default=getattr(usual, name))
    for name in _SECONDS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(usual, name))
    for name, allowed in _CHOICES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", choices=allowed, default=getattr(usual, name))
    parser.add_argument("--glb-only", action="store_true", help="list the GLB alone, without a preview before it")
    parser.add_argument("--dry-run-ignores-image", action="store_true", help="quote without looking at the image")
    parser.add_argument("--creative-units", type=float, help="what is left to spend (default: without end)")
    parser.add_argument("--parallel-jobs", type=int, help="how many may run at a time (default: without end)")
    parser.add_argument("--model-cache", action="store_true", help="make the same model only once and reuse it")
    parser.add_argument("--price", type=_price, action="append", metavar="RESOLUTION=UNITS")
    parser.add_argument("--parent-pid", type=int, help="stop when this process is gone (not on Windows)")
    parser.add_argument("--stop-on-stdin-eof", action="store_true", help="stop when standard input ends")
    found = parser.parse_args(arguments)
    names = {field.name for field in dataclasses.fields(Options)} - {"prices", "dry_run_checks_image"}
    chosen = {name: getattr(found, name) for name in names}
    prices = {**dict(usual.prices), **dict(found.price or [])}
    try:
        return Options(**chosen, dry_run_checks_image=not found.dry_run_ignores_image,
                       prices=tuple(prices.items())), found
    except ValueError as error:
        parser.error(str(error))
