# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a generation in a few words: its state, its age, its price. Memory only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..generation import UNPAID, State
from .price_texts import units
from .texts import said

if TYPE_CHECKING:
    from ..generation import Generation

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def state_text(state: State) -> str:
    match state:
        case State.PREPARED:
            return said("Preparing the image")
        case State.UPLOADING:
            return said("Uploading the image")
        case State.SUBMITTING:
            return said("Asking for the model")
        case State.RUNNING:
            return said("Generating")
        case State.DOWNLOADING:
            return said("Downloading the model")
        case State.READY:
            return said("Ready")
        case State.IMPORTED:
            return said("Imported")
        case State.FAILED:
            return said("Failed")
        case State.ABANDONED:
            return said("No longer waited for")
        case State.UNCERTAIN:
            return said("Looking for the job")


def icon(state: State, *, is_running: bool) -> Any:
    """Blender's own, with the meaning they have elsewhere."""
    if is_running:
        return "TIME"
    if state is State.IMPORTED:
        return "CHECKMARK"
    if state is State.READY:
        return "IMPORT"
    if state is State.ABANDONED or state in UNPAID:
        return "PAUSE"
    return "ERROR"


def age(seconds: float) -> str:
    """How long ago something was, as short as can be."""
    if seconds < _MINUTE:
        return said("now")
    if seconds < _HOUR:
        return said("{count} min", count=int(seconds / _MINUTE))
    if seconds < _DAY:
        return said("{count} h", count=int(seconds / _HOUR))
    return said("{count} d", count=int(seconds / _DAY))


def duration(seconds: float) -> str:
    """How long something took."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return said("{count} s", count=rest)
    return said("{minutes} min {seconds} s", minutes=minutes, seconds=rest)


def time_left(seconds: float) -> str:
    """No finer than it is known."""
    minutes = round(seconds / _MINUTE)
    if minutes < 1:
        return said("Less than a minute left")
    return said("About {count} min left", count=minutes)


def cost(generation: Generation) -> str:
    """Empty if the service did not say."""
    return "" if generation.cost is None else said("{price} CU", price=units(generation.cost))
