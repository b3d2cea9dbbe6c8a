# SPDX-License-Identifier: GPL-3.0-or-later
"""What we know of one image becoming one mesh.

A :class:`Generation` is frozen: each step makes a new one and the store writes it before the next step begins.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..parameters import Value


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

    @property
    def is_working(self) -> bool:
        """Whether there is something left for a worker to do."""
        return self in _WORKING


_WORKING = frozenset({State.PREPARED, State.UPLOADING, State.SUBMITTING, State.RUNNING, State.DOWNLOADING})


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the mesh is to land. Names, since no reference into Blender's data outlives undo or File > Open."""

    scene: str = ""
    collection: str = ""
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """World space, scene units: the point on which the model stands."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One image on its way to one mesh."""

    name: str
    """What the artist calls it: the image's name without its file extension."""
    parameters: Mapping[str, Value]
    """All settings, by identifier, as :func:`..parameters.complete` returns them."""
    placement: Placement = field(default_factory=Placement)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_at: float = field(default_factory=time.time)
    """Seconds since the epoch, as all times here."""
    updated_at: float = 0.0
    state: State = State.PREPARED

    source_file: str = ""
    """The image as sent, in the generation's folder."""
    source_mime: str = ""
    source_sha256: str = ""

    account: str = ""
    """Fingerprint of the account that pays, never the key."""
    asset_id: str = ""
    """The uploaded image, at the service."""
    job_id: str = ""
    service_status: str = ""
    """As the service says it: ``queued``, ``in-progress`` …"""
    status_history: tuple[tuple[str, str], ...] = ()
    """(status, ISO date) as the service reports them."""
    cost: float | None = None
    """Creative units, if the service said."""
    seed: int | None = None
    """The seed that was used, if it was set or the service said."""

    glb_file: str = ""
    glb_sha256: str = ""
    bounds: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None
    """Lowest and highest corner of the delivered model, glTF axes, meters."""

    is_dismissed: bool = False
    """Taken off the list by the artist."""

    error: str = ""
    """What happened and what to do next. With a state that is still working: the run was interrupted and can go on."""

    def changed(self, **changes: object) -> Generation:
        """The same generation with some fields changed, and the time of it noted."""
        return dataclasses.replace(self, **{"updated_at": time.time(), **changes})  # type: ignore[arg-type]

    def to_json(self) -> str:
        """One line of JSON with every field."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Generation:
        """The reverse of :meth:`to_json`. Fields that this version does not know are left out.

        :raises ValueError, KeyError, TypeError: the text is not a record.
        """
        data = json.loads(text)
        known = {f.name for f in dataclasses.fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        values["state"] = State(values["state"])
        placement = values["placement"]
        values["placement"] = Placement(**{**placement, "location": tuple(placement["location"])})
        values["status_history"] = tuple((status, date) for status, date in values.get("status_history", ()))
        if values.get("bounds"):
            low, high = values["bounds"]
            values["bounds"] = (tuple(low), tuple(high))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A generation at one moment, for those who look on."""

    generation: Generation
    progress: float | None = None
    """0 to 1 within the present state, ``None`` when nobody knows."""
    notice: str = ""
    """A passing difficulty, such as the network being away. Not stored."""
