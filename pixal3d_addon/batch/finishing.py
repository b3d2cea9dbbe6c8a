# SPDX-License-Identifier: GPL-3.0-or-later
"""From a model that is on disk to the result in its place. In the thread that runs the batch."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from ..errors import Pixal3DError
from ..generation.glb_scale import write_scaled
from ..generation.scale import AppliedBy, import_scale
from ..parameters import readable
from ..scenario import inspect_glb
from .claims import Claims, LostClaimError
from .entry import Entry, EntryState
from .errors import OutputError

Finish = Callable[[Entry, Path, Path], None]
"""``finish(entry, delivered, target)``: make the file `target` from the delivered GLB. It may raise a Pixal3DError or
an OSError: then the model is kept, and the next run tries again. It may be called again for a `target` that is there,
after the process has died in it."""

_log = logging.getLogger(__name__)


def deliver_glb(entry: Entry, delivered: Path, target: Path) -> None:
    """The GLB itself, ``meshScale`` times the unit model exactly once."""
    info = inspect_glb(delivered)
    mesh_scale = float(readable(entry.parameters)["mesh_scale"] or 1.0)
    factor, _ = import_scale(mesh_scale, (info.bounds_min, info.bounds_max), AppliedBy.AUTO)
    write_scaled(delivered, target, factor)


class Finisher:
    """
    :ivar failures: models that are here and paid for, and of which no result could be made.
    """

    def __init__(self, claims: Claims, finish: Finish) -> None:
        self.failures = 0
        self.done = 0
        self._claims = claims
        self._finish = finish

    def finish(self, key: str, delivered: Path) -> Entry | None:
        """Make the result and write it down. ``None`` if another process has the item by now.

        :returns: the newest line: done, or ready with the error.
        :raises OutputError: the output can't be used any more. The model is kept, and the next run goes on from it.
        """
        try:
            entry, target = self._own_target(key)
            try:
                self._finish(entry, delivered, target)
            except (Pixal3DError, OSError) as error:
                return self._failed(key, error)
            except Exception as error:
                _log.exception("No result of %s", entry.name)
                return self._failed(key, error)
            entry = self._claims.write(
                key, sync=True, state=EntryState.DONE, owner="", file=target.name, error="", hint=""
            )
        except LostClaimError as error:
            _log.warning("%s", error)
            return None
        self.done += 1
        shutil.rmtree(self._claims.folder_of(key), ignore_errors=True)
        return entry

    def _failed(self, key: str, error: Exception) -> Entry:
        self._claims.check_output()
        self.failures += 1
        words = getattr(error, "message", None) or str(error) or type(error).__name__
        hint = getattr(error, "remedy", "") or "The model is kept; the next run tries again, and nothing is paid again."
        return self._claims.write(key, owner="", error=words, hint=hint)

    def _own_target(self, key: str) -> tuple[Entry, Path]:
        """The item, and the file that is its own from now on: one that is there already is it only if a process has
        noted so and died before it was done."""
        entry = self._claims.entry(key)
        note = self._claims.folder_of(key) / "target"
        target = self._claims.target(entry.name)
        try:
            if note.exists() and note.read_text(encoding="utf-8") == target.name:
                return entry, target
            if target.exists():
                entry = self._claims.rename(key)
                target = self._claims.target(entry.name)
            note.write_text(target.name, encoding="utf-8")
        except OSError as error:
            self._claims.check_output()
            raise OutputError(f"{note.parent} can't be written ({error.strerror}).") from error
        return entry, target
