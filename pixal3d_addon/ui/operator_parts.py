# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators share: who is asking, what speaks against it, and what becomes of an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import online, session, watcher
from ..blender.errors import ModelImportError
from ..generation import Generation, GenerationError
from ..parameters import ParameterError
from ..scenario import ScenarioError

if TYPE_CHECKING:
    from ..generation import Source
    from ..scenario import Connection


@contextmanager
def errors_reported(operator: bpy.types.Operator) -> Iterator[None]:
    """Our errors become the operator's report; in a script the caller gets them as ``RuntimeError``."""
    try:
        yield
    except (ScenarioError, GenerationError, ParameterError) as error:
        operator.report({"ERROR"}, str(error))


def carry_out(
    operator: bpy.types.Operator, generation: Generation, source: Source | None, connection: Connection
) -> None:
    """For an artist in the background, returning at once; for a script now, returning when the model is in the scene.

    :raises ScenarioError, GenerationError: the model can't be had.
    """
    manager = session.manager()
    if operator.options.is_invoke and not bpy.app.background:
        manager.start(generation, source, connection)
        watcher.watch()
        return
    manager.run(generation, source, connection)
    try:
        bpy.ops.pixal3d.import_model("EXEC_DEFAULT", True, generation=generation.id)  # type: ignore[attr-defined]
    except RuntimeError as error:  # that operator's own report
        raise ModelImportError(str(error).removeprefix("Error: ").strip()) from None


def ask(operator: bpy.types.Operator, context: Any, event: bpy.types.Event, title: str, message: str) -> set[str]:
    """Blender's own question; the operator's ``execute`` follows if the artist agrees."""
    answer: set[str] = context.window_manager.invoke_confirm(operator, event, title=title, message=message)
    return answer


def allowed(operator: type[bpy.types.Operator], reason: str) -> bool:
    """For ``poll``: whether nothing speaks against it; if something does, the button says what."""
    if reason:
        operator.poll_message_set(reason)
    return not reason


def can_ask_service(operator: type[bpy.types.Operator]) -> bool:
    """For ``poll``: whether there is a network and a key."""
    reason = online.offline_reason()
    if not reason and not session.key_source():
        reason = "No Scenario API key is set. Enter it in the add-on's preferences"
    return allowed(operator, reason)
