# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations in a panel. Drawing reads memory only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import bpy

from ..blender import arrival, generation_list, limits, session, watcher
from ..generation import UNPAID, State
from .generation_texts import icon, state_text, time_left
from .layout_parts import draw_text
from .texts import said, translated

if TYPE_CHECKING:
    from ..generation import Generation, Manager, Snapshot


def draw_generations(layout: Any, context: bpy.types.Context) -> None:
    """Those that need attention, the newest first. Also without a key or a network: what was made is the artist's."""
    manager = session.manager_or_none()
    if manager is None:
        return
    if manager.notice:
        _draw_notice(layout, context, manager.notice)
    snapshots = generation_list.needing_attention(manager)
    for snapshot in snapshots[: limits.ROWS_IN_PANEL]:
        _draw_generation(layout, context, snapshot, manager)
    if (more := len(snapshots) - limits.ROWS_IN_PANEL) > 0:
        layout.label(text=said("And {count} more in the list", count=more), icon="BLANK1", translate=False)


def _draw_notice(layout: Any, context: bpy.types.Context, notice: str) -> None:
    box = layout.box()
    row = box.row()
    row.label(text="Generations", icon="ERROR")
    row.operator("pixal3d.dismiss_notice", text="", icon="X")
    draw_text(box, context, notice)


def _draw_generation(layout: Any, context: bpy.types.Context, snapshot: Snapshot, manager: Manager) -> None:
    generation = snapshot.generation
    box = layout.box()
    row = box.row()
    is_running = manager.is_running(generation.id)
    row.label(text=generation.name, icon=icon(generation.state, is_running=is_running), translate=False)
    operator = "pixal3d.stop_waiting" if is_running else "pixal3d.remove"
    row.operator(operator, text="", icon="X").generation = generation.id
    draw_condition(box, context, snapshot, manager)


def draw_condition(layout: Any, context: bpy.types.Context, snapshot: Snapshot, manager: Manager) -> None:
    """How a generation is getting on, and what the artist can do about it."""
    generation = snapshot.generation
    if manager.is_running(generation.id):
        _draw_progress(layout, context, snapshot, manager)
        return
    if generation.error:
        draw_text(layout, context, generation.trouble)
        if manager.is_retried(generation.id):
            layout.label(text="It is tried again by itself", icon="TIME")
    elif generation.state is State.READY and arrival.comes_by_itself(generation):
        text = translated(watcher.waiting) or state_text(State.READY)
        layout.label(text=text, icon="TIME", translate=False)
        return
    elif generation.state is State.READY:
        draw_text(layout, context, arrival.question(generation), icon="QUESTION")
    elif generation.state is not State.IMPORTED:
        layout.label(text=state_text(generation.state), translate=False)
    for operator, text, sign in _ways_on(generation):
        layout.operator(operator, text=text, icon=sign).generation = generation.id


def _draw_progress(layout: Any, context: bpy.types.Context, snapshot: Snapshot, manager: Manager) -> None:
    generation = snapshot.generation
    status = generation.service_status if generation.state is State.RUNNING else ""
    text = said("Waiting for its turn") if snapshot.is_queued else state_text(generation.state)
    if status:
        text = f"{text}: {status}"
    if (progress := snapshot.shown_progress) is None:
        layout.label(text=text, translate=False)
    else:
        layout.progress(factor=progress, text=f"{text} {progress:.0%}", translate=False)
    if (seconds := manager.seconds_left(generation)) is not None:
        layout.label(text=time_left(seconds), translate=False)
    if snapshot.notice:
        draw_text(layout, context, snapshot.notice, icon="ERROR")


def _ways_on(generation: Generation) -> Iterator[tuple[str, str, Any]]:
    """What the artist can do with a generation that no worker is at: operator, label, icon."""
    state = generation.state
    if state is State.READY:
        yield "pixal3d.import_model", "Import Here", "IMPORT"
    elif state is State.IMPORTED and generation.glb_file:
        yield "pixal3d.import_model", "Import Again", "IMPORT"
    elif state in UNPAID:
        yield "pixal3d.go_on", "Generate Now", "PLAY"
    elif state is State.UNCERTAIN:
        yield "pixal3d.fetch_again", "Look Again", "FILE_REFRESH"
    is_fetchable = bool(generation.job_id) and not generation.has_failed_job
    is_here = state is State.READY or (state is State.IMPORTED and generation.glb_file)
    if is_fetchable and (generation.error or not (is_here or state is State.UNCERTAIN)):
        yield "pixal3d.fetch_again", "Fetch Again", "FILE_REFRESH"
    if state in {State.UNCERTAIN, State.FAILED} and generation.source_file:
        yield "pixal3d.try_again", "Try Again", "LOOP_BACK"
