# SPDX-License-Identifier: GPL-3.0-or-later
"""From a model that is on disk to the result in its place. In the thread that runs the batch."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from ..errors import Pixal3DError
from ..files import without_link
from ..generation import GenerationError
from ..generation.glb_scale import write_scaled
from ..generation.scale import AppliedBy, import_scale
from ..parameters import readable
from ..scenario import inspect_glb
from . import limits
from .claims import Claims, LostClaimError
from .entry import Entry, EntryState
from .errors import OutputError

Finish = Callable[[Entry, Path, Path], None]
"""``finish(entry, delivered, target)``: make the file `target` from the delivered GLB. It may raise a Pixal3DError or
an OSError: then the model is kept, and the next run tries again. It may be called again for a `target` that is there,
after the process has died in it."""

_NOTE_CHARACTERS = 1 << 16

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
            if self._tries(key) > limits.TRIES:
                # One model, which may take more memory than there is, must not keep all others from being done.
                words = f"The making of this result has ended the program {limits.TRIES} times."
                return self._failed(key, GenerationError(words, "The model is kept; `fetch` brings it."))
            try:
                self._finish(entry, delivered, target)
            except Exception as error:
                if not isinstance(error, Pixal3DError | OSError):
                    _log.exception("No result of %s", entry.name)
                with contextlib.suppress(OSError):
                    self._write(key, "w", target.name)
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

    def _note(self, key: str) -> Path:
        """A line with the result's name for each time that its making was begun and has not ended."""
        return self._claims.folder_of(key) / "target"

    def _tries(self, key: str) -> int:
        return len(self._noted(key))

    def _noted(self, key: str) -> list[str]:
        with open(self._note(key), encoding="utf-8", errors="replace", opener=without_link) as file:
            return file.read(_NOTE_CHARACTERS).splitlines()

    def _write(self, key: str, mode: str, name: str) -> None:
        with open(self._note(key), mode, encoding="utf-8", opener=without_link) as file:
            file.write(f"{name}\n")

    def _own_target(self, key: str) -> tuple[Entry, Path]:
        """The item, and the file that is its own from now on: one that is there already is it only if a process has
        noted so and died before it was done."""
        entry = self._claims.entry(key)
        note = self._note(key)
        target = self._claims.target(entry.name)
        try:
            is_own = note.exists() and target.name in self._noted(key)
            if target.exists() and not is_own:
                entry = self._claims.rename(key)
                target = self._claims.target(entry.name)
            self._write(key, "a", target.name)
        except OSError as error:
            self._claims.check_output()
            raise OutputError(f"{note.parent} can't be written ({error.strerror}).") from error
        return entry, target
