# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a generation has come. Apart from the record, since all that shows one needs it at Blender's start."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """Ours, on disk. The service's own status stands beside it, in :attr:`Generation.service_status`."""

    PREPARED = "prepared"
    """The image that will be sent is on disk; nothing has left the machine."""
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    """The paid request is about to leave or has left."""
    UNCERTAIN = "uncertain"
    """The reply to the paid request was lost. Never sent again by itself."""
    RUNNING = "running"
    """The service has a job for it: from here on the mesh is paid for."""
    DOWNLOADING = "downloading"
    READY = "ready"
    """The checked GLB is on disk."""
    IMPORTED = "imported"
    FAILED = "failed"
    ABANDONED = "abandoned"
    """The artist stopped waiting; the job can still be fetched."""


UNPAID = frozenset({State.PREPARED, State.UPLOADING})
"""Nothing was asked for yet."""

OWED = frozenset({State.SUBMITTING, State.UNCERTAIN, State.RUNNING, State.DOWNLOADING})
"""The mesh may be paid for and is not here yet: a worker gets it, now or later."""
