# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's list widget shows: names and identifiers, since it wants a collection of Blender's own.

A copy in the window manager, which is not saved in a .blend file (measured in 4.2, 4.3.2 and 5.2) and is emptied by
File > Open. It is brought up to date outside of ``draw``, where Blender's data must not be changed. Everything else is
asked of the manager for the rows that are drawn. Main thread; memory only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..generation import State

if TYPE_CHECKING:
    from ..generation import Generation, Manager, Snapshot

_seen: tuple[Snapshot, ...] | None = None
_attention: tuple[tuple[Snapshot, ...], tuple[Snapshot, ...]] = ((), ())
"""What :func:`needing_attention` found, and in what."""


class PIXAL3D_PG_listed(bpy.types.PropertyGroup):
    """One row; Blender searches in ``name``."""

    __annotations__ = {"generation": bpy.props.StringProperty()}


class PIXAL3D_PG_list(bpy.types.PropertyGroup):
    """All of them, the newest first."""

    __annotations__ = {
        "rows": bpy.props.CollectionProperty(type=PIXAL3D_PG_listed),
        "active_index": bpy.props.IntProperty(name="Active Generation", description="Generation that is shown below"),
    }


def of(context: bpy.types.Context) -> Any:
    """The list itself (:class:`PIXAL3D_PG_list`)."""
    return context.window_manager.pixal3d_generations  # type: ignore[attr-defined]


def sync(manager: Manager) -> bool:
    """Bring it up to date. The same generation stays the active one; at first it is the newest.

    :returns: whether anything has changed since the last call. If not, it costs next to nothing.
    """
    global _seen
    history, shown = manager.history(), of(bpy.context)
    if history is _seen and len(shown.rows) == len(history):
        return False
    _seen = history
    wanted = [(snapshot.generation.id, snapshot.generation.name) for snapshot in reversed(history)]
    if wanted == [(row.generation, row.name) for row in shown.rows]:
        return True
    active = active_id(bpy.context)
    shown.rows.clear()
    for generation_id, name in wanted:
        row = shown.rows.add()
        row.generation, row.name = generation_id, name
    ids = [generation_id for generation_id, _ in wanted]
    # None instead of one that is gone: the next one may be hidden by a search, and would not be meant.
    shown.active_index = ids.index(active) if active in ids else -1 if active else 0
    return True


def active_id(context: bpy.types.Context) -> str:
    """Of the generation that the artist has chosen in the list; empty if there is none."""
    shown = of(context)
    if 0 <= shown.active_index < len(shown.rows):
        return str(shown.rows[shown.active_index].generation)
    return ""


def needing_attention(manager: Manager) -> tuple[Snapshot, ...]:
    """Those of this session that are not done with, the newest first, but those that only wait for their turn last.
    Looked for again only if something changed."""
    global _attention
    snapshots = manager.snapshots()
    if snapshots is not _attention[0]:
        found = (s for s in reversed(snapshots) if _needs_attention(s.generation, manager))
        _attention = snapshots, tuple(sorted(found, key=lambda snapshot: snapshot.is_queued))
    return _attention[1]


def _needs_attention(generation: Generation, manager: Manager) -> bool:
    if generation.state is State.IMPORTED:
        return bool(generation.error)
    # In an earlier session the artist decided not to wait, and knows.
    return not (generation.state is State.ABANDONED and manager.is_inherited(generation.id))


def register() -> None:
    bpy.types.WindowManager.pixal3d_generations = bpy.props.PointerProperty(  # type: ignore[attr-defined]
        type=PIXAL3D_PG_list
    )


def unregister() -> None:
    global _seen, _attention
    del bpy.types.WindowManager.pixal3d_generations  # type: ignore[attr-defined]
    _seen, _attention = None, ((), ())


classes = (PIXAL3D_PG_listed, PIXAL3D_PG_list)
