# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the generations from Blender's main thread: redraws what has changed, and imports what is ready.

The watcher is a modal operator with an event timer. It owns nothing: everything it needs is in the manager's
snapshots, so it may end at any time. And it does: File > Open ends it, closing its window ends it, and it ends
itself now and then to let Blender auto-save. A persistent app timer starts it again whenever there is something to
watch; it also tells the manager what the artist has set meanwhile. In background mode neither ticks; there the
operators run the pipeline themselves.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import bpy

from .. import translations
from ..generation import State
from . import (
    arrival,
    errors,
    generation_list,
    limits,
    open_file,
    placeholder,
    prepared,
    provenance,
    redraw,
    session,
    shading,
)

if TYPE_CHECKING:
    from ..generation import Generation, Manager, Snapshot

_seen: tuple[Snapshot, ...] = ()
"""What the last tick saw, to redraw only when something has changed."""

_redraws_at = 0.0
"""When the time left is to be shown anew, on the monotonic clock."""

_drawn_at = 0.0
"""When the panels were last drawn anew, on the same clock."""

_stale: set[str] = set()
"""Generations whose placeholders are to go at the next safe moment."""

_timer: Any = None
"""The running watcher's event timer. Not the operator's: it is gone without a word when the add-on is disabled."""

_HOPELESS = frozenset({State.FAILED, State.ABANDONED})
"""Nothing will come by itself."""

_PREPARING = "Preparing the model"

_has_paused = False
"""Whether the last look at it found no watcher."""

waiting: str = ""
"""Why a model that is ready is not placed yet, for the panel."""


class PIXAL3D_OT_watch(bpy.types.Operator):
    """Watch the generations under way and place the models that arrive"""

    bl_idname = "pixal3d.watch"
    bl_label = "Watch Pixal3D Generations"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        _tick_every(limits.WATCH_INTERVAL_SECONDS, context)
        self._ends_at = time.monotonic() + limits.WATCH_TURN_SECONDS
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        manager = session.manager_or_none()
        if manager is None or not _tick(context, self) or time.monotonic() > self._ends_at:
            _remove_timer()
            return {"FINISHED", "PASS_THROUGH"}
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Called by Blender when the file or the window goes."""
        _remove_timer()


def watch() -> None:
    """Make sure that the generations are watched from now on. Call it after starting one; does nothing in background
    mode."""
    if bpy.app.background:
        return
    if bpy.app.timers.is_registered(_keep_watching):
        bpy.app.timers.unregister(_keep_watching)  # it may be in a long pause
    bpy.app.timers.register(_keep_watching, persistent=True)


def is_model_near() -> bool:
    """Whether one is being downloaded or prepared. Memory only."""
    manager = session.manager_or_none()
    downloads = manager and any(s.generation.state is State.DOWNLOADING for s in manager.snapshots())
    return bool(downloads) or waiting == _PREPARING


def close() -> None:
    """For ``unregister``: no timer of ours stays behind. Blender ends a running watcher without asking it."""
    global _seen, waiting, _has_paused
    _seen, waiting, _has_paused = (), "", False
    _stale.clear()
    _remove_timer()
    if bpy.app.timers.is_registered(_keep_watching):
        bpy.app.timers.unregister(_keep_watching)


def _keep_watching() -> float | None:
    global _has_paused
    manager = session.manager_or_none()
    if manager is None:
        redraw.redraw_panels()
        return None
    session.configure()
    open_file.recognize(manager)
    windows = bpy.context.window_manager.windows
    if not _is_needed(manager):
        _note_changes(manager, "")
        if windows:
            with bpy.context.temp_override(window=windows[0]):
                _remove_stale_placeholders(bpy.context)
        return limits.IDLE_INTERVAL_SECONDS
    if _is_watching():
        _has_paused = False
    elif not _has_paused:
        # The watcher may have ended in this very turn of Blender's main loop. Auto-save needs turns without it.
        _has_paused = True
    elif windows:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.pixal3d.watch("INVOKE_DEFAULT")  # type: ignore[attr-defined]
    return limits.WATCH_PAUSE_SECONDS


def _is_needed(manager: Manager) -> bool:
    return manager.is_busy or arrival.next_to_place(manager) is not None


def _is_watching() -> bool:
    """Blender's own list says so; a flag of ours would be wrong after File > Open."""
    return any(
        operator.bl_idname == "PIXAL3D_OT_watch"
        for window in bpy.context.window_manager.windows
        for operator in window.modal_operators
    )


def _tick_every(seconds: float, context: bpy.types.Context) -> None:
    """Blender's timers keep their interval, so another one takes over."""
    global _timer
    if _timer is None or not math.isclose(_timer.time_step, seconds, rel_tol=0.01):
        _remove_timer()
        _timer = context.window_manager.event_timer_add(seconds, window=context.window)


def _remove_timer() -> None:
    global _timer
    if _timer is not None:
        bpy.context.window_manager.event_timer_remove(_timer)
        _timer = None


def _tick(context: bpy.types.Context, operator: bpy.types.Operator) -> bool:
    """One look, in which one model at most is placed, or a step taken towards it. Returns whether to watch on."""
    manager = session.manager()
    prepared.look_ahead(manager.snapshots(), manager.arrived(), context.scene)
    generation = arrival.next_to_place(manager)
    reason = ""
    if generation:
        with context.temp_override(window=arrival.window_for(generation, context)):
            reason = _PREPARING if prepared.is_awaited(generation, context.scene) else arrival.wait_reason(bpy.context)
            if not reason and _is_staged_further(generation, bpy.context):
                return True  # the panels are drawn with the model: before it they would only keep it waiting
            if not reason:
                _place(generation.id, operator)
    _note_changes(manager, reason)
    _tick_every(limits.ARRIVAL_INTERVAL_SECONDS if is_model_near() else limits.WATCH_INTERVAL_SECONDS, context)
    _remove_stale_placeholders(context)
    return _is_needed(manager)


def _is_staged_further(generation: Generation, context: bpy.types.Context) -> bool:
    return shading.any_view_shows_textures(context) and prepared.stage(generation, context.scene)


def _note_changes(manager: Manager, reason: str) -> None:
    global _seen, _redraws_at, _drawn_at, waiting
    has_changed = generation_list.sync(manager)
    snapshots = manager.snapshots()
    now = time.monotonic()
    if snapshots is not _seen:
        _note_stale_placeholders(_seen, snapshots)
        is_due = now > _drawn_at + limits.PROGRESS_REDRAW_SECONDS
        has_changed = has_changed or is_due or not _is_only_progress(_seen, snapshots)
    if has_changed or reason != waiting or (manager.is_busy and now > _redraws_at):
        _seen, waiting, _drawn_at = snapshots, reason, now
        _redraws_at = now + limits.REDRAW_SECONDS
        redraw.redraw_panels()


def _is_only_progress(before: tuple[Snapshot, ...], now: tuple[Snapshot, ...]) -> bool:
    return len(before) == len(now) and all(
        a.generation is b.generation and (a.notice, a.is_queued) == (b.notice, b.is_queued)
        for a, b in zip(before, now, strict=True)
    )


def _note_stale_placeholders(before: tuple[Snapshot, ...], now: tuple[Snapshot, ...]) -> None:
    """Of generations that have failed, or are waited for no longer, since the last look, or are gone."""
    current = {snapshot.generation.id: snapshot.generation.state for snapshot in now}
    for snapshot in before:
        if snapshot.generation.id not in current:
            _stale.add(snapshot.generation.id)
    earlier = {snapshot.generation.id: snapshot.generation.state for snapshot in before}
    for generation_id, state in current.items():
        if state in _HOPELESS and earlier.get(generation_id) not in _HOPELESS:
            _stale.add(generation_id)
        elif state not in _HOPELESS:
            _stale.discard(generation_id)  # it is fetched again


def _remove_stale_placeholders(context: bpy.types.Context) -> None:
    """At a moment at which a model could be placed too: an object that is being moved must not go. As an undo step of
    its own: else it would be back with the artist's next undo."""
    if _stale and not arrival.wait_reason(context):
        if placeholder.sweep(_stale):
            bpy.ops.ed.undo_push(message="Remove Placeholder")
        _stale.clear()


def _place(generation_id: str, operator: bpy.types.Operator) -> None:
    """One undo step of its own: without the ``True``, undo would take back the artist's last action with it."""
    try:
        bpy.ops.pixal3d.import_model("EXEC_DEFAULT", True, generation=generation_id)  # type: ignore[attr-defined]
    except RuntimeError as error:
        _report(operator, "ERROR", errors.reported(error))
    else:
        manager = session.manager()
        if snapshot := manager.get(generation_id):
            _report(operator, "INFO", _arrival_text(snapshot.generation))


def _report(operator: bpy.types.Operator, kind: Any, text: str) -> None:
    operator.report({kind}, translations.translated(text, bpy.app.translations.locale))


def _arrival_text(generation: Generation) -> str:
    vertices = provenance.vertices_of(generation.id)
    if generation.cost is None:
        return f"{generation.name} is in the scene: {vertices:,} vertices"
    return f"{generation.name} is in the scene: {vertices:,} vertices, {generation.cost:g} CU"


classes = (PIXAL3D_OT_watch,)
