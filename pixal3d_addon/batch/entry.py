# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manifest says of one item, and how it stands there: one line of JSON, without what is as usual."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..generation.fitting import fitted
from ..parameters import Value


class EntryState(enum.StrEnum):
    """How far an item is."""

    CLAIMED = "claimed"
    """Somebody is at it; nothing was asked for yet that costs."""
    SUBMITTING = "submitting"
    """The paid request is about to leave or has left."""
    UNCERTAIN = "uncertain"
    """The reply to the paid request was lost. Looked for by every run, never sent again by itself."""
    RUNNING = "running"
    """The service has a job for it: it is paid for."""
    READY = "ready"
    """The checked model is on disk, under ``.work``."""
    DONE = "done"
    """The result's file is there."""
    FAILED = "failed"
    """Says why. With a :attr:`Entry.job_id` the job failed, or its model can't be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The newest that is known of an item."""

    key: str
    """See :class:`..batch.Item`."""
    name: str
    """The result's name without an extension. No other item of the folder has it."""
    image: str
    """Path of the image, as the process saw it that began the item."""
    state: EntryState
    file: str = ""
    """The result, relative to the folder of the manifest; empty until it is done."""
    job_id: str = ""
    asset_id: str = ""
    """The uploaded image, at the service."""
    cost: float | None = None
    """Creative units: what was quoted while claimed, then what the service said. ``None`` if it did not."""
    seed: int | None = None
    """The seed that was used, if it was set or the service said."""
    error: str = ""
    hint: str = ""
    """What to do next about the error."""
    at: float = 0.0
    """When the line was written, in seconds since the epoch."""
    submitted_at: float = 0.0
    """When the paid request left."""
    seconds: float | None = None
    """From the paid request to the checked model on disk."""
    service_status: str = ""
    """The service's last word on the job."""
    owner: str = ""
    """Token of the process that is at it; empty if nobody is."""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """By identifier; those that differ from the defaults."""

    @property
    def trouble(self) -> str:
        """The error and the hint; empty if all is well."""
        return f"{self.error} {self.hint}".strip()

    def changed(self, **changes: Any) -> Entry:
        """The same with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_line(self) -> bytes:
        """One line of JSON in UTF-8, with its end. Fields that are as usual are left out."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        told = {name: value for name, value in values.items() if value is not None and value != _USUAL.get(name)}
        try:
            return f"{_dumps(told, ensure_ascii=False)}\n".encode()
        except UnicodeEncodeError:  # an image's name that is not valid Unicode, as Linux allows
            return f"{_dumps(told)}\n".encode()

    @classmethod
    def from_line(cls, line: bytes) -> Entry:
        """The reverse of :meth:`to_line`. Fields that this version does not know are left out.

        :raises ForeignEntryError: it tells of an item what no batch has written.
        :raises ValueError: the line is not an entry.
        """
        try:
            data = json.loads(line)
        except RecursionError:
            raise ValueError("nested too deep") from None
        if not (isinstance(data, dict) and {"key", "name", "image", "state"} <= data.keys()):
            raise ValueError("it is no entry, or not all of one")
        try:
            entry = cls(**fitted(cls, data))
        except ValueError as error:
            raise ForeignEntryError(str(error)) from None
        if not (_KEY.fullmatch(entry.key) and all(map(_is_name, (entry.name, entry.file, entry.job_id, entry.owner)))):
            raise ForeignEntryError("its files would not be in the folder")
        if not all(map(math.isfinite, (entry.cost or 0.0, entry.at, entry.submitted_at, entry.seconds or 0.0))):
            raise ForeignEntryError("a limit of the cost could not be held against it")
        return entry


class ForeignEntryError(ValueError):
    """Somebody else has written or changed the line."""


_KEY: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""It is the name of a folder."""


def _is_name(name: str) -> bool:
    """Whether it leads nowhere as the name of a file; empty is none yet. That it works on all systems is seen to when
    it is chosen."""
    if any(c in "/\\:" or unicodedata.category(c) in ("Cc", "Cs") for c in name):
        return False
    return not name or name.strip(".") != ""


_dumps: Final = functools.partial(json.dumps, separators=(",", ":"))
_USUAL: Final[dict[str, object]] = {**{f.name: f.default for f in dataclasses.fields(Entry)}, "parameters": {}}
