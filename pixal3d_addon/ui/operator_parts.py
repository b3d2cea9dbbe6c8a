# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators share: who is asking, what speaks against it, and what becomes of an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import image_look, online, ordering, placeholder, session
from ..errors import Pixal3DError
from .texts import translated

if TYPE_CHECKING:
    from ..generation import Generation, Pixels


@contextmanager
def errors_reported(operator: bpy.types.Operator) -> Iterator[None]:
    """Our errors become the operator's report, in the artist's language; in a script the caller gets them as
    ``RuntimeError``, in English."""
    try:
        yield
    except Pixal3DError as error:
        report_error(operator, error)


def report_error(operator: bpy.types.Operator, error: Exception) -> None:
    """As :func:`errors_reported` does it."""
    text = str(error)
    operator.report({"ERROR"}, translated(text, is_report=True) if is_from_window(operator) else text)


def known_generation(generation_id: str) -> Generation:
    """
    :raises GenerationError: it was removed meanwhile.
    """
    return ordering.known(session.manager(), generation_id)


def carry_out(operator: bpy.types.Operator, *orders: ordering.Order) -> None:
    """For an artist in the background, returning at once, with placeholders in the scene; for a script now, one after
    the other, returning when the models are in the scene.

    :raises ScenarioError, GenerationError: a model can't be had.
    """
    if is_from_window(operator):
        _begin(orders)
    else:
        for order in orders:
            ordering.run(order)


def _begin(orders: Sequence[ordering.Order]) -> None:
    has_placeholder = False
    for order in orders:
        ordering.begin(order)
        _note_click(order.generation.id)
        added = placeholder.add(bpy.context, order.generation, _picture(order))
        has_placeholder = has_placeholder or added is not None
    if has_placeholder:
        bpy.ops.ed.undo_push(message="Generate")


def _note_click(generation_id: str) -> None:
    """Blender's timers run after what this click has changed was drawn, and before a click that was made meanwhile."""
    manager = session.manager()
    manager.note_click(generation_id)

    def note() -> None:
        manager.note_shown(generation_id)

    bpy.app.timers.register(note)


def _picture(order: ordering.Order) -> Pixels | None:
    """What the panel showed before the click."""
    from ..generation import SourceImage

    if order.image is None or not isinstance(order.source, SourceImage):
        return None
    return image_look.picture(order.image, order.source.framing)


def is_from_window(operator: bpy.types.Operator) -> bool:
    """Whether an artist is asking, also after a question of :func:`ask`; else it is a script."""
    return operator.options.is_invoke and not bpy.app.background


def ask(operator: bpy.types.Operator, context: Any, event: bpy.types.Event, title: str, message: str) -> set[str]:
    """Blender's own question; the operator's ``execute`` follows if the artist agrees."""
    answer: set[str] = context.window_manager.invoke_confirm(operator, event, title=title, message=message)
    return answer


def allowed(operator: type[bpy.types.Operator], reason: str) -> bool:
    """For ``poll``: whether nothing speaks against it; if something does, the button says what."""
    if reason:
        # Not a function: Blender keeps it until it ends, and 4.2 crashed on letting go of it then.
        operator.poll_message_set(translated(reason))
    return not reason


def can_ask_service(operator: type[bpy.types.Operator]) -> bool:
    """For ``poll``: whether there is a network and a key."""
    reason = online.offline_reason()
    if not reason and not session.key_source():
        reason = no_key_reason()
    return allowed(operator, reason)


def no_key_reason() -> str:
    """Why there is no key. Memory only."""
    if session.is_reading_key():
        return "The key is being read"
    return session.key_problem() or "No Scenario API key is set. Enter it in the add-on's preferences"
