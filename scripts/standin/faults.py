# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted faults: what goes wrong with which request, and how often. The one place to add another kind.

A kind is a name in `ACTIONS` and its branch in `FaultBook.play`.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from . import limits
from .messages import Request, Response

ACTIONS: Final = ("status", "close", "hang", "cut", "html", "accept_then_close")


class Wire(Protocol):
    """What a fault can do to the connection."""

    def send(self, response: Response, *, only_bytes: int | None = None) -> None:
        """Answer; with `only_bytes` announce the whole length, send that much of the body, and drop the connection."""

    def drop(self) -> None:
        """Close the connection without a word."""

    def wait(self, seconds: float) -> None:
        """Sleep, or less if the stand-in stops."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`path` is a regular expression searched in the path without the query; `method` "*" is any.

    status: answer `status`, `headers` and `body` (JSON, or text as it is), the work is not done.
    html: answer `status` with a web page. close: drop the connection, the work is not done.
    hang: keep silent for `seconds`, then drop it. accept_then_close: do the work, then drop it without an answer.
    cut: do the work, send the headers and `bytes` of the body, then drop it.
    """

    action: str
    method: str = "*"
    path: str = ""
    times: int = 1
    status: int = 503
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = limits.FAULT_HANG_SECONDS
    bytes: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}")
        for name in ("times", "status", "bytes"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} must be a whole number, 0 or more")
        if not 200 <= self.status <= 599:
            raise ValueError("status must be 200 to 599")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is not a regular expression: {error}") from error

    def matches(self, request: Request) -> bool:
        return self.method in ("*", request.method) and re.search(self.path, request.path) is not None


class FaultBook:
    """The faults still to come; the first that matches is used. Any thread."""

    def __init__(self) -> None:
        self._left: list[tuple[Fault, int]] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._left.extend((fault, fault.times) for fault in faults if fault.times)

    def clear(self) -> None:
        with self._lock:
            self._left.clear()

    def left(self) -> tuple[tuple[Fault, int], ...]:
        with self._lock:
            return tuple(self._left)

    def take(self, request: Request) -> Fault | None:
        """The fault for this request, counted down."""
        with self._lock:
            for index, (fault, times) in enumerate(self._left):
                if fault.matches(request):
                    self._left[index : index + 1] = [(fault, times - 1)] if times > 1 else []
                    return fault
        return None

    @staticmethod
    def play(fault: Fault, wire: Wire, work: Callable[[], Response]) -> None:
        """Do to the connection what the fault says; `work` is the real answer."""
        if fault.action == "status":
            text = isinstance(fault.body, str)
            body = b"" if fault.body is None else (fault.body if text else json.dumps(fault.body)).encode()
            kind = {"Content-Type": "text/plain" if text else "application/json"} if body else {}
            wire.send(Response(fault.status, body, {**kind, **fault.headers}))
        elif fault.action == "html":
            page = fault.body if isinstance(fault.body, str) else "<html><body><h1>Bad Gateway</h1></body></html>"
            wire.send(Response(fault.status, page.encode(), {"Content-Type": "text/html", **fault.headers}))
        elif fault.action == "cut":
            wire.send(work(), only_bytes=fault.bytes)
        else:
            if fault.action == "hang":
                wire.wait(fault.seconds)
            elif fault.action == "accept_then_close":
                work()
            wire.drop()
