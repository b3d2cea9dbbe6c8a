# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a job that somebody asks for by its ID."""

from __future__ import annotations

from pathlib import Path

from ..parameters import complete
from .errors import GenerationError, TakenError
from .record import Generation
from .state import UNPAID, State
from .store import Store

_SHORTEST_ID = 8
"""Of our own IDs: as many digits as ``jobs`` shows of them."""


def find_record(store: Store, word: str) -> Generation:
    """What this computer knows of the job, this process's from now on; or a new record, to be fetched from the service.
    Reads the disk.

    :param word: the service's ID of a job, or the beginning of one of ours.
    :raises GenerationError: it was never asked for, or another Blender is at it that does not know the job yet.
    """
    known = store.all(limit=-1) if store.exists else []
    found = [g for g in known if g.job_id == word or (len(word) >= _SHORTEST_ID and g.id.startswith(word))]
    if not found:
        return _new(word)
    record = next((g for g in found if Path(g.glb_file).is_file()), found[0])
    try:
        record = store.take(record.id) or record
    except TakenError:
        if not record.job_id:
            raise
        return _new(record.job_id)  # fetched once more, beside the other Blender
    if record.state in UNPAID or (record.state is State.FAILED and not record.job_id):
        raise GenerationError(f"{record.name} was never asked for, and not charged.", "Generate it.")
    return record


def _new(job_id: str) -> Generation:
    return Generation(job_id, complete({}), state=State.RUNNING, job_id=job_id)
