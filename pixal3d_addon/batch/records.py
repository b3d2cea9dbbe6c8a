# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest as the place where a run keeps its records (:class:`..generation.snapshots.Records`).

A run saves each step. Here a line is written for those that somebody else would have to know of: the paid request
leaves, or has come back refused; nobody knows what became of it; there is a job; the model is on disk. How an item ends
is written down by who runs the batch.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

from ..generation import Generation, State, StoreError, TakenError
from ..parameters import complete
from .claims import Claim, Claims, LostClaimError
from .entry import Entry, EntryState
from .errors import OutputError
from .manifest import unusable

_STATES = {
    EntryState.CLAIMED: State.PREPARED,
    EntryState.SUBMITTING: State.SUBMITTING,
    EntryState.UNCERTAIN: State.UNCERTAIN,
    EntryState.RUNNING: State.RUNNING,
    EntryState.READY: State.DOWNLOADING,  # for when its file is gone
}
_ENTRY_STATES = {
    State.PREPARED: EntryState.CLAIMED,
    State.UPLOADING: EntryState.CLAIMED,
    State.SUBMITTING: EntryState.SUBMITTING,
    State.UNCERTAIN: EntryState.UNCERTAIN,
    State.RUNNING: EntryState.RUNNING,
    State.DOWNLOADING: EntryState.RUNNING,
    State.READY: EntryState.READY,
}


class Records:
    """Workers."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def save(self, generation: Generation) -> Generation:
        """
        :raises TakenError, StoreError: the line can't be written.
        """
        try:
            before = self._claims.entry(generation.id)
        except LostClaimError as error:
            raise TakenError(str(error)) from error
        state = _ENTRY_STATES.get(generation.state, before.state)
        if generation.state is State.FAILED and not generation.job_id:
            state = EntryState.CLAIMED  # refused: nothing is on its way any more
        if (state, generation.job_id) == (before.state, before.job_id):
            return generation
        changes = {
            "state": state,
            "asset_id": generation.asset_id,
            "job_id": generation.job_id,
            "seed": generation.seed,
            "cost": before.cost if generation.cost is None else generation.cost,
        }
        if state is EntryState.SUBMITTING:
            changes["submitted_at"] = round(time.time(), 3)
        if state is EntryState.READY and before.submitted_at:
            changes["seconds"] = round(generation.ready_at - before.submitted_at, 3)
        try:
            # Only what nobody would pay for twice may be lost with the machine's power.
            self._claims.write(generation.id, sync=state is not EntryState.CLAIMED, **changes)
        except LostClaimError as error:
            raise TakenError(str(error)) from error
        except OutputError as error:
            raise StoreError(str(error)) from error
        if state is EntryState.RUNNING and before.state in (EntryState.SUBMITTING, EntryState.UNCERTAIN):
            self._claims.note_charge(generation.cost or 0.0)
        return generation

    def get(self, generation_id: str) -> Generation | None:
        """Nothing is kept here but what runs."""
        return None

    def make_folder(self, generation: Generation, results: Path | None = None) -> Path:
        """
        :raises StoreError: it can't be made.
        """
        folder = self._claims.folder_of(generation.id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if folder.is_symlink():  # put there by somebody who may write to the results, but not to where it leads
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        except OSError as error:
            raise StoreError(str(unusable(folder, error))) from error
        return folder

    def claim_job(self, generation_id: str, job_id: str) -> bool:
        """
        :raises StoreError: the manifest can't be read.
        """
        try:
            return not self._claims.has_other_job(job_id, generation_id)
        except OutputError as error:
            raise StoreError(str(error)) from error


def generation_of(claim: Claim, entry: Entry, folder: Path) -> Generation:
    """To be gone on with from where the entry says; a new one if it says nothing yet."""
    return Generation(
        name=entry.name,
        parameters=complete(claim.item.parameters),
        id=entry.key,
        created_at=entry.submitted_at or time.time(),
        submitted_at=entry.submitted_at,
        state=_STATES[entry.state],
        folder=str(folder),
        asset_id=entry.asset_id,
        job_id=entry.job_id,
        cost=entry.cost if entry.job_id else None,
        seed=entry.seed,
    )


def entry_of(generation: Generation, entry: Entry) -> Entry:
    """What is known now, for those who look on; what is in the manifest may be a little older."""
    return entry.changed(
        state=_ENTRY_STATES.get(generation.state, entry.state),
        job_id=generation.job_id,
        cost=entry.cost if generation.cost is None else generation.cost,
        seed=entry.seed if generation.seed is None else generation.seed,
        service_status=generation.service_status,
    )
