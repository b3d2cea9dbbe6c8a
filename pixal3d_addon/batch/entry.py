# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manifest says of one item, and how it stands there: one line of JSON, without what is as usual."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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

        :raises ValueError, KeyError, TypeError: the line is not an entry.
        """
        data = json.loads(line)
        values = {name: data[name] for name in _NAMES if name in data}
        values["state"] = EntryState(values["state"])
        return cls(**values)


_dumps: Final = functools.partial(json.dumps, separators=(",", ":"))
_USUAL: Final[dict[str, object]] = {**{f.name: f.default for f in dataclasses.fields(Entry)}, "parameters": {}}
_NAMES: Final = frozenset(f.name for f in dataclasses.fields(Entry))
