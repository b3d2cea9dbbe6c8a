# SPDX-License-Identifier: GPL-3.0-or-later
"""What a batch tells of itself: the plan, what happens, and how it has ended."""

from __future__ import annotations

from dataclasses import dataclass

from .entry import Entry


@dataclass(frozen=True, slots=True)
class Plan:
    """What :meth:`Batch.run` would do. ``items == done + under_way + missing + failed``."""

    items: int
    done: int
    under_way: int
    """Paid for already, and only to be fetched or finished."""
    missing: int
    """To be generated, and to be paid for."""
    failed: int
    """Not tried again (see `retry_failed`): failed jobs, and those of which it is not known whether they were taken."""
    cost: float | None
    """Creative units for what is missing; ``None`` if it is not known."""
    prices: tuple[tuple[float, int], ...] = ()
    """(creative units, how many of the missing cost so much), the cheapest first."""
    trouble: str = ""
    """Why there is no price."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run has ended. ``done + skipped + failed + uncertain + left`` is the number of items."""

    done: int
    """In this run."""
    skipped: int
    """Done before, or by another process meanwhile."""
    other_format: int
    """Of those done, now and before: in another format than this run's."""
    failed: int
    uncertain: int
    left: int
    """Not begun, or not finished: the limit, a stop, the network."""
    cost: float
    """Creative units that the service charged in this run, as far as it said."""
    seconds: float
    requests: int
    """Asked of the service's API."""
    stray_jobs: tuple[str, ...] = ()
    """Paid for by an earlier run, and not in the list any more: their models did not come into the folder. Not known of
    a part of a list."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something has changed."""

    entry: Entry
    progress: float | None
    """0 to 1 within the present state, ``None`` when nobody knows."""
    status: str
    """The service's own."""
    notice: str
    """A passing difficulty."""
    done: int
    """Of the whole list, those done before included."""
    failed: int
    total: int | None
