# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a model that is ready is placed now, later, or by the artist's click. Main thread; memory only."""

from __future__ import annotations

import enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import bpy

from ..generation import Generation, Placement
from . import open_file, session
from .redraw import is_of_blender

if TYPE_CHECKING:
    from ..generation import Manager


class Arrival(enum.StrEnum):
    """The artist's choice."""

    FILE = "FILE"
    """Placed by itself in the file of the click; in another one the artist is asked."""
    ANY = "ANY"
    """Placed by itself in whatever file is open."""
    ASK = "ASK"
    """Placed by a click only."""


def next_to_place(manager: Manager) -> Generation | None:
    """The model that is to be placed by itself, as soon as nothing stands against it."""
    choice = session.arrival()
    return next((g for g in manager.arrived() if _comes_by_itself(g.placement, choice)), None)


def comes_by_itself(generation: Generation) -> bool:
    """Whether it needs no click once it is ready."""
    return _comes_by_itself(generation.placement, session.arrival())


def question(generation: Generation) -> str:
    """Why it waits for a click."""
    if open_file.is_open(generation.placement):
        return "Ready to be placed"
    name = PurePath(generation.placement.blend_file).name
    return f"Made for {name}, which is not open" if name else "Made for a file that is not open"


def _comes_by_itself(placement: Placement, choice: Arrival) -> bool:
    return choice is Arrival.ANY or (choice is Arrival.FILE and open_file.is_open(placement))


def window_for(generation: Generation, context: bpy.types.Context) -> Any:
    """A window that shows the scene of the click: its mode and its selection are the ones that count."""
    for window in context.window_manager.windows:
        if window.scene.name == generation.placement.scene:
            return window
    return context.window


def wait_reason(context: bpy.types.Context) -> str:
    """Why nothing can be placed at this moment, empty if it can. Never is the artist's mode changed for it."""
    if context.mode != "OBJECT":
        return "Waiting for Object Mode"
    if bpy.app.is_job_running("RENDER") or bpy.app.is_job_running("OBJECT_BAKE"):
        return "Waiting for the render"
    if not context.scene.is_editable:
        return "Waiting for a scene that is not linked"
    for window in context.window_manager.windows:
        if window.screen.is_animation_playing:
            return "Waiting for the playback to stop"
        for operator in window.modal_operators:
            # Such as Move: its unfinished change would become part of our undo step.
            if is_of_blender(operator):
                return f"Waiting for {operator.name} to end"
    return ""
