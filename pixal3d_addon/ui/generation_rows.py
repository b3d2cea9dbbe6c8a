# SPDX-License-Identifier: GPL-3.0-or-later
"""The generations in a panel. Drawing reads memory only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..blender import arrival, session, watcher
from ..generation import UNPAID, Generation, Manager, Snapshot, State
from .layout_parts import draw_text

_STATE_TEXT = {
    State.PREPARED: "Preparing the image",
    State.UPLOADING: "Uploading the image",
    State.SUBMITTING: "Asking for the model",
    State.RUNNING: "Generating",
    State.DOWNLOADING: "Downloading the model",
    State.READY: "Ready",
    State.IMPORTED: "In the scene",
    State.FAILED: "Failed",
    State.ABANDONED: "No longer waited for",
    State.UNCERTAIN: "Looking for the job",
}

_STATUSES_WITH_PERCENTAGE = frozenset({"in-progress", "finalizing"})
"""In others the service says 0, which tells nothing (scenario-sdk 2.4.0, types/job_retrieve_response.py)."""


def draw_generations(layout: Any, context: bpy.types.Context) -> None:
    """Those of this session, the newest first. Also without a key or a network: what was made is the artist's."""
    manager = session.manager_or_none()
    if manager is None:
        return
    if manager.notice:
        _draw_notice(layout, context, manager.notice)
    for snapshot in reversed(manager.snapshots()):
        _draw_generation(layout, context, snapshot, manager)


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
    row.label(text=generation.name, icon=_icon(generation.state, is_running), translate=False)
    if is_running:
        row.operator("pixal3d.stop_waiting", text="", icon="X").generation = generation.id
        _draw_progress(box, context, snapshot)
        return
    if generation.state is State.IMPORTED and not generation.error:  # nothing to decide: one line is enough
        row.operator("pixal3d.import_model", text="", icon="IMPORT").generation = generation.id
        row.operator("pixal3d.remove", text="", icon="X").generation = generation.id
        return
    row.operator("pixal3d.remove", text="", icon="X").generation = generation.id
    if generation.error:
        draw_text(box, context, generation.trouble)
        if manager.is_retried(generation.id):
            box.label(text="It is tried again by itself", icon="TIME")
    elif generation.state is State.READY and arrival.comes_by_itself(generation):
        box.label(text=watcher.waiting or "Ready", icon="TIME")
        return
    elif generation.state is State.READY:
        draw_text(box, context, arrival.question(generation), icon="TIME")
    else:
        box.label(text=_STATE_TEXT[generation.state])
    for operator, text, icon in _ways_on(generation):
        box.operator(operator, text=text, icon=icon).generation = generation.id


def _draw_progress(box: Any, context: bpy.types.Context, snapshot: Snapshot) -> None:
    generation = snapshot.generation
    status = generation.service_status if generation.state is State.RUNNING else ""
    text = "Waiting for its turn" if snapshot.is_queued else _STATE_TEXT[generation.state]
    if status:
        text = f"{text}: {status}"
    if snapshot.progress is None or (status and status not in _STATUSES_WITH_PERCENTAGE):
        box.label(text=text)
    else:
        box.progress(factor=snapshot.progress, text=f"{text} {snapshot.progress:.0%}")
    if snapshot.notice:
        draw_text(box, context, snapshot.notice, icon="ERROR")


def _ways_on(generation: Generation) -> Iterator[tuple[str, str, Any]]:
    """What the artist can do with a generation that no worker is at: operator, label, icon."""
    state = generation.state
    if state is State.READY:
        yield "pixal3d.import_model", "Import Here", "IMPORT"
    elif state is State.IMPORTED:
        yield "pixal3d.import_model", "Import Again", "IMPORT"
    elif state in UNPAID:
        yield "pixal3d.go_on", "Generate Now", "PLAY"
    elif state is State.UNCERTAIN:
        yield "pixal3d.fetch_again", "Look Again", "FILE_REFRESH"
    is_fetchable = bool(generation.job_id) and not generation.has_failed_job
    if is_fetchable and (generation.error or state not in {State.READY, State.IMPORTED, State.UNCERTAIN}):
        yield "pixal3d.fetch_again", "Fetch Again", "FILE_REFRESH"
    if state in {State.UNCERTAIN, State.FAILED} and generation.source_file:
        yield "pixal3d.try_again", "Try Again", "LOOP_BACK"


def _icon(state: State, is_running: bool) -> Any:
    if is_running:
        return "TIME"
    if state in {State.READY, State.IMPORTED}:
        return "CHECKMARK"
    return "ERROR"
