# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in of the Scenario API with a model that was made before, and with a count of what goes over the wire."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts.standin import Options, StandIn
from scripts.standin.faults import Fault
from scripts.standin.messages import Request, Response
from scripts.standin.model import Model

PIECE_BYTES, PIECE_SECONDS = 256 * 1024, 0.02
"""12 MB/s: a download over a line of 100 Mbit/s."""


class ReadyMade:
    """In the place of the stand-in's model maker."""

    def __init__(self, glb: Path) -> None:
        self._model = Model(glb.read_bytes(), b"RIFF\0\0\0\0WEBP", 0, 0, (1.0, 1.0, 1.0), "ready made")

    def make(self, image: bytes, parameters: Any, style: Any, done: Callable[[Any], None], *, reuse: bool) -> None:
        threading.Thread(target=done, args=(self._model,), daemon=True).start()

    def warm_up(self) -> None:
        """Nothing to be done."""

    def stop(self) -> None:
        """Nothing to be done."""


class Counted:
    """Requests and bytes, from this moment on."""

    def __init__(self, service: StandIn) -> None:
        self._answer = service.service.answer
        self._lock = threading.Lock()
        self.requests: list[str] = []
        self.sent_bytes = self.received_bytes = 0
        service.service.answer = self._counted  # type: ignore[method-assign]

    def _counted(self, request: Request) -> Response:
        response = self._answer(request)
        with self._lock:
            self.requests.append(f"{request.method} {request.path}")
            self.sent_bytes += len(request.body)
            self.received_bytes += len(response.body)
        return response


@contextlib.contextmanager
def started(glb: Path, job_seconds: float, *, is_slow: bool = True) -> Iterator[StandIn]:
    """:param is_slow: its files come at 12 MB/s; else as fast as this machine gives them."""
    with StandIn(Options(job_seconds=job_seconds)) as service:
        service.service.maker.stop()
        service.service.maker = ReadyMade(glb)  # type: ignore[assignment]
        if is_slow:
            service.faults.add(Fault("drip", path="^/cdn/", times=10_000, bytes=PIECE_BYTES, seconds=PIECE_SECONDS))
        yield service


def environment(service: StandIn) -> dict[str, str]:
    """By which the add-on finds it."""
    return {
        "SCENARIO_SDK_API_KEY": service.options.key,
        "SCENARIO_SDK_API_SECRET": service.options.secret,
        "SCENARIO_BASE_URL": service.base_url,
        "PIXAL3D_LOOPBACK_ONLY": "1",
    }
