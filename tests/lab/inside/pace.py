# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's patience, made short: the lab has hundreds of runs, and what takes minutes teaches no more than seconds.

Only numbers are changed, in the process of this Blender: no code of the add-on runs another way than it does outside.
"""

from __future__ import annotations

import importlib
from typing import Any

from tests.support.blender_process import ADDON

_GENERATION = {
    "POLL_FIRST_SECONDS": 0.2,
    "POLL_LAST_SECONDS": 0.4,
    "LOOKUP_PAUSES_SECONDS": (0.0, 0.1, 0.2, 0.4),
    "OUTAGE_PATIENCE_SECONDS": 3.0,
    "UNKNOWN_JOB_PATIENCE_SECONDS": 1.0,
    "BUSY_PAUSE_SECONDS": 0.5,
    "RETRY_PAUSES_SECONDS": (0.5, 1.0, 1.0, 1.0, 1.0, 1.0),
    "KEEPER_SECONDS": 0.2,
    "TAKE_OVER_SECONDS": 1.0,
    "PLACE_CHECK_SECONDS": 0.1,
}
_SCENARIO = {
    "TURN_SECONDS": 0.02,
    "BACKOFF_FIRST_SECONDS": 0.1,
    "BACKOFF_LAST_SECONDS": 0.4,
    "UPLOAD_POLL_SECONDS": 0.2,
}
_PACE = {"connect_seconds": 2.0, "read_seconds": 2.0, "submit_read_seconds": 2.0, "answer_seconds": 4.0}
_BLENDER = {"RESUME_DELAY_SECONDS": 0.2}


def module(name: str) -> Any:
    """A module of the installed add-on."""
    return importlib.import_module(f"{ADDON}.{name}")


def hurry() -> None:
    """Before the add-on does anything. A limit that is not there any more is an error: the lab must learn of it."""
    for room, values in (("generation", _GENERATION), ("scenario", _SCENARIO), ("blender", _BLENDER)):
        limits = module(f"{room}.limits")
        for name, value in values.items():
            getattr(limits, name)
            setattr(limits, name, value)
    # The pace is a default value, bound when the class was made.
    defaults = module("scenario.client").ScenarioClient.__init__.__kwdefaults__
    defaults["pace"] = module("scenario.limits").Pace(**_PACE)


def send_in_parts(in_parts: bool) -> None:
    """Whether the image takes the way of the large ones."""
    module("scenario.limits").ONE_SHOT_IMAGE_BYTES = 0 if in_parts else 3_500_000


def forget_clicks_after(seconds: float) -> None:
    """How old a click may be that the next Blender still carries out."""
    module("generation.limits").INTENT_SECONDS = seconds
