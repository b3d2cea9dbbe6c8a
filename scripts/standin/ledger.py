# SPDX-License-Identifier: GPL-3.0-or-later
"""What was quoted, charged and given back, in creative units."""

from __future__ import annotations

import dataclasses
import threading
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Charge:
    """One paid run. `image` is an asset id, `image_name` the name that the client gave it, so that a test can tell its
    clicks apart. `ignored` are body fields the model does not know, `dryRun` among them.
    """

    job_id: str
    image: str
    image_name: str
    creative_units: float
    ignored: tuple[str, ...]
    at: float
    refunded: bool = False


class Ledger:
    """Any thread."""

    def __init__(self) -> None:
        self._charges: dict[str, Charge] = {}
        self._quotes = 0
        self._lock = threading.Lock()

    def charge(self, job_id: str, image: str, image_name: str, creative_units: float, ignored: list[str]) -> None:
        with self._lock:
            self._charges[job_id] = Charge(job_id, image, image_name, creative_units, tuple(ignored), time.time())

    def refund(self, job_id: str) -> None:
        with self._lock:
            self._charges[job_id] = dataclasses.replace(self._charges[job_id], refunded=True)

    def count_quote(self) -> None:
        with self._lock:
            self._quotes += 1

    @property
    def quotes(self) -> int:
        return self._quotes

    @property
    def charges(self) -> tuple[Charge, ...]:
        """Every paid run, refunded ones too, in the order they came."""
        with self._lock:
            return tuple(self._charges.values())

    @property
    def spent(self) -> float:
        """Creative units charged and not given back."""
        return sum(charge.creative_units for charge in self.charges if not charge.refunded)

    def as_json(self) -> dict[str, Any]:
        return {"quotes": self.quotes, "spent": self.spent, "charges": [dataclasses.asdict(c) for c in self.charges]}
