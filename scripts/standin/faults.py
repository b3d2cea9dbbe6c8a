# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted faults: what goes wrong with which request, and how often. The one place to add another kind.

A kind is a name in `ACTIONS` and its branch in `FaultBook.play`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from . import limits
from .messages import Request, Response
from .signing import expired

ACTIONS: Final = ("status", "close", "hang", "cut", "html", "accept_then_close", "refuse", "slow", "drip",
                  "accept_then_hang", "wrong_length", "wrong_type", "expired")


class Wire(Protocol):
    """What a fault can do to the connection."""

    def send(self, response: Response, *, only_bytes: int | None = None, announced: int | None = None) -> None:
        """Answer. With `only_bytes` of the body, or another length `announced`, the connection is dropped after it."""

    def drip(self, response: Response, piece_bytes: int, seconds: float) -> None:
        """Answer in pieces, with `seconds` between them; drop the connection if the stand-in stops before the end."""

    def drop(self) -> None:
        """Close the connection without a word."""

    def refuse(self, seconds: float) -> None:
        """Drop every connection and take no new one for `seconds`. Returns once nothing listens any more."""

    def wait(self, seconds: float) -> bool:
        """Sleep. False, and sooner, if the stand-in stops."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`path` is a regular expression searched in the path without the query; `method` "*" is any.

    The first `skip` requests that match pass by; the next `times` get the fault.

    status: answer `status`, `headers` and `body` (JSON, or text as it is), the work is not done.
    html: answer `status` with a web page. close: drop the connection, the work is not done.
    hang: keep silent for `seconds`, then drop it. accept_then_close: do the work, then drop it without an answer.
    accept_then_hang: do the work, keep silent for `seconds`, then drop it.
    cut: do the work, send the headers and `bytes` of the body, then drop it.
    refuse: the work is not done; this connection and all others are dropped, and for `seconds` nothing listens on the
    port (ECONNREFUSED), the control endpoints neither.
    slow: keep silent for `seconds`, then do the work and answer, even if the client has gone.
    drip: do the work, send the body in pieces of `bytes` with `seconds` between them.
    wrong_length: do the work, announce `bytes` more (or less, if negative) than the body has, send it, then drop it.
    wrong_type: do the work, send it with `headers` over its own and, if there is one, `body` in its place.
    expired: the work is not done; what an address under /cdn/ or /storage/ says after its time. No other path matches.
    """

    action: str
    method: str = "*"
    path: str = ""
    times: int = 1
    skip: int = 0
    status: int = 503
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = limits.FAULT_HANG_SECONDS
    bytes: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}")
        for name in ("times", "skip", "status", "bytes"):
            value = getattr(self, name)
            may_be_less = name == "bytes" and self.action == "wrong_length"
            if isinstance(value, bool) or not isinstance(value, int) or (value < 0 and not may_be_less):
                raise ValueError(f"{name} must be a whole number{'' if may_be_less else ', 0 or more'}")
        if not 200 <= self.status <= 599:
            raise ValueError("status must be 200 to 599")
        if self.bytes == 0 and self.action in ("drip", "wrong_length"):
            raise ValueError(f"bytes must not be 0 for {self.action}")
        seconds: Any = self.seconds  # JSON may bring anything
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e6:
            raise ValueError("seconds must be a number of seconds, 0 or more")
        headers: Any = self.headers
        if not isinstance(headers, Mapping) or not all(isinstance(text, str) for text in (*headers, *headers.values())):
            raise ValueError("headers must be names with texts")
        if not isinstance(self.method, str) or not isinstance(self.path, str):
            raise ValueError("method and path must be texts")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is not a regular expression: {error}") from error

    def matches(self, request: Request) -> bool:
        if self.action == "expired" and not request.path.startswith(("/cdn/", "/storage/")):
            return False
        return self.method in ("*", request.method) and re.search(self.path, request.path) is not None


class FaultBook:
    """The faults still to come; the first that matches is used. Any thread."""

    def __init__(self) -> None:
        self._left: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._left.extend(fault for fault in faults if fault.times)

    def clear(self) -> None:
        with self._lock:
            self._left.clear()

    def left(self) -> tuple[Fault, ...]:
        """With the `skip` and `times` that are still to come."""
        with self._lock:
            return tuple(self._left)

    def take(self, request: Request) -> Fault | None:
        """The fault for this request, counted down."""
        with self._lock:
            for index, fault in enumerate(self._left):
                if not fault.matches(request):
                    continue
                if fault.skip:  # passes by this one; a later one may still want the request
                    self._left[index] = dataclasses.replace(fault, skip=fault.skip - 1)
                    continue
                more = fault.times - 1
                self._left[index : index + 1] = [dataclasses.replace(fault, times=more)] if more else []
                return fault
        return None

    @staticmethod
    def play(fault: Fault, request: Request, wire: Wire, work: Callable[[], Response]) -> None:
        """Do to the connection what the fault says; `work` is the real answer."""
        match fault.action:
            case "status":
                body = _told(fault)
                text = "text/plain" if isinstance(fault.body, str) else "application/json"
                kind = {"Content-Type": text} if body else {}
                wire.send(Response(fault.status, body, {**kind, **fault.headers}))
            case "html":
                page = fault.body if isinstance(fault.body, str) else "<html><body><h1>Bad Gateway</h1></body></html>"
                wire.send(Response(fault.status, page.encode(), {"Content-Type": "text/html", **fault.headers}))
            case "expired":
                wire.send(expired(request.path).response())
            case "close":
                wire.drop()
            case "hang":
                wire.wait(fault.seconds)
                wire.drop()
            case "accept_then_close":
                work()
                wire.drop()
            case "accept_then_hang":
                work()
                wire.wait(fault.seconds)
                wire.drop()
            case "refuse":
                wire.refuse(fault.seconds)
            case "slow":
                if wire.wait(fault.seconds):
                    wire.send(work())
                else:
                    wire.drop()
            case "cut":
                wire.send(work(), only_bytes=fault.bytes)
            case "drip":
                wire.drip(work(), fault.bytes, fault.seconds)
            case "wrong_length":
                real = work()
                wire.send(real, announced=max(0, len(real.body) + fault.bytes))
            case "wrong_type":
                real = work()
                body = real.body if fault.body is None else _told(fault)
                given = {name.lower() for name in fault.headers}
                kept = {name: value for name, value in real.headers.items() if name.lower() not in given}
                wire.send(Response(real.status, body, {**kept, **fault.headers}))


def _told(fault: Fault) -> bytes:
    """The fault's `body` on the wire: a text as it is, all else as JSON."""
    if fault.body is None:
        return b""
    return (fault.body if isinstance(fault.body, str) else json.dumps(fault.body)).encode()
