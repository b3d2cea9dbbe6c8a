# SPDX-License-Identifier: GPL-3.0-or-later
"""What we know of one image becoming one mesh.

A :class:`Generation` is frozen: each step makes a new one and the store writes it before the next step begins.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..parameters import Value
from .fitting import fitted
from .state import State

_STATUSES_WITH_PERCENTAGE = frozenset({"in-progress", "finalizing"})
"""In others the service says 0, which tells nothing (scenario-sdk 2.4.0, types/job_retrieve_response.py)."""

FOLDER_NAME = re.compile(r"[0-9a-f]{32}")
"""A generation's id, after which its folder is called. Nothing else may be called so, and be deleted for it."""

_ID = re.compile(r"\w[\w -]{0,63}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{0,64}")
_MOST_SECONDS = 62_000_000_000.0
"""From 1970 to the first and the last year that may be meant: Python's dates begin with the year 1."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the mesh is to land. Names, since no reference into Blender's data outlives undo or File > Open."""

    scene: str = ""
    collection: str = ""
    location: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """World space, scene units: the point on which the model stands."""
    blend_file: str = ""
    """Path of the .blend file that was open, empty for one that was never saved."""
    opened: str = ""
    """Which opening of a file it was, so that a file without a path is known again too, as long as it stays open."""
    source_object: str = ""
    """The object whose material shows the image, if it comes from there."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the artist wants done with the mesh when it arrives. Any of it can be chosen anew then."""

    place_at: str = "PLANNED"
    """``PLANNED`` where the placeholder stands, or else at the click's place; ``CURSOR``, ``ORIGIN`` or ``OBJECT``
    (:attr:`Placement.source_object`) as they are when it arrives."""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """From that place, world space, scene units."""
    turn: int = 0
    """Degrees about the vertical axis, counter-clockwise seen from above."""
    height: float = 0.0
    """Scene units; 0 leaves the size to ``meshScale``."""
    shade_smooth: bool = False
    """Instead of the normals that were delivered."""
    merge_distance: float = 0.0
    """Scene units; 0 merges nothing."""
    is_asset: bool = False
    asset_catalog: str = ""
    """Path of the catalog, as ``Props/Chairs``."""
    textures: str = "PACK"
    """``PACK`` them into the .blend file, or keep them as ``FILES`` beside it."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One image on its way to one mesh."""

    name: str
    """What the artist calls it: the image's name without its file extension."""
    parameters: Mapping[str, Value]
    """All settings, by identifier, as :func:`..parameters.complete` returns them."""
    placement: Placement = field(default_factory=Placement)
    options: ImportOptions = field(default_factory=ImportOptions)
    is_click: bool = True
    """Of an artist: if it was not paid for when its Blender died, the next one carries it out. Who has killed a script
    is about to start it again, and would pay twice."""
    group: str = ""
    """Common to the variations that were asked for together."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_at: float = field(default_factory=time.time)
    """Seconds since the epoch, as all times here."""
    updated_at: float = 0.0
    submitted_at: float = 0.0
    """When the service took it."""
    ready_at: float = 0.0
    state: State = State.PREPARED

    folder: str = ""
    """Where its image and its GLB are."""
    bytes_on_disk: int = 0
    """Of the two."""
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
    model_asset_ids: tuple[str, ...] = ()
    """What the job made, at the service; one of them is the GLB."""
    cost: float | None = None
    """Creative units, if the service said."""
    seed: int | None = None
    """The seed that was used, if it was set or the service said."""

    glb_file: str = ""
    glb_sha256: str = ""
    bounds: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None
    """Lowest and highest corner of the delivered model, glTF axes, meters."""
    triangles: int = 0
    """Of the delivered model."""

    is_kept: bool = False
    """The imported mesh is in a saved .blend file, or the artist has ended Blender without saving it."""

    error: str = ""
    """What happened. With a state that a worker goes on from: the run was interrupted."""
    hint: str = ""
    """What to do next about the error."""

    @property
    def is_open(self) -> bool:
        """Whether it concerns the artist still: the mesh may come, or is not safe in a file yet.

        If its Blender dies, another one takes it over.
        """
        if self.state is State.IMPORTED:
            return not self.is_kept
        return self.state is not State.FAILED

    @property
    def is_expendable(self) -> bool:
        """Whether its files may go when the disk space is wanted: never those of a mesh that is not safe in a file."""
        return not self.is_open and (self.state is State.IMPORTED or not self.glb_file)

    @property
    def has_failed_job(self) -> bool:
        """Whether there is nothing to be fetched. A model that arrived broken can be: its job was a success."""
        return self.state is State.FAILED and self.service_status != "success"

    @property
    def trouble(self) -> str:
        """The error and the hint, for the artist; empty if all is well."""
        return f"{self.error} {self.hint}".strip()

    def changed(self, **changes: object) -> Generation:
        """The same generation with some fields changed, and the time of it noted."""
        return dataclasses.replace(self, **{"updated_at": time.time(), **changes})  # type: ignore[arg-type]

    def without_files(self) -> Generation:
        """The same after its files were deleted: an account of what was made."""
        return self.changed(folder="", source_file="", glb_file="", bytes_on_disk=0)

    def to_json(self) -> str:
        """One line of JSON with every field."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Generation:
        """The reverse of :meth:`to_json`. Fields that this version does not know are left out.

        :raises ValueError: the text is not a record, whatever else it may be.
        """
        try:
            values = fitted(cls, json.loads(text))
            record = cls(**values)
        except (TypeError, RecursionError) as error:  # no text at all, or without a name; nested too deep
            raise ValueError(str(error)) from None
        if not {"id", "state"} <= values.keys():
            raise ValueError("it does not say which one it is, or how far")
        if not (_ID.fullmatch(record.id) and _DIGEST.fullmatch(record.glb_sha256)):  # they are in the names of files
            raise ValueError("its id or its digest is none of ours")
        if any("\0" in name for name in (record.name, record.folder, record.source_file, record.glb_file)):
            raise ValueError("it has a name that no file and no object can have")
        times = (record.created_at, record.updated_at, record.submitted_at, record.ready_at)
        if not all(abs(seconds) <= _MOST_SECONDS for seconds in times) or not math.isfinite(record.cost or 0.0):
            raise ValueError("it is of no time that there is, or has no cost that can be added up")
        return record


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A generation at one moment, for those who look on."""

    generation: Generation
    progress: float | None = None
    """0 to 1 within the present state, ``None`` when nobody knows."""
    notice: str = ""
    """A passing difficulty, such as the network being away. Not stored."""
    is_queued: bool = False
    """Waits for one of this Blender's other generations to end."""

    @property
    def shown_progress(self) -> float | None:
        """:attr:`progress` where it tells something."""
        status = self.generation.service_status
        is_at_service = self.generation.state is State.RUNNING and bool(status)
        return None if is_at_service and status not in _STATUSES_WITH_PERCENTAGE else self.progress
