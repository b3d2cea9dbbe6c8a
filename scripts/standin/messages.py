# SPDX-License-Identifier: GPL-3.0-or-later
"""One request as the stand-in sees it, one answer as it gives it, and the log of requests."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from . import limits


@dataclass(frozen=True, slots=True)
class Request:
    """`query` keeps the last of repeated names; `headers` has lower-case names; `path` has no query."""

    method: str
    path: str
    query_text: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_text, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(body: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def authorization_is_valid(header: str | None, key: str, secret: str) -> bool:
    """Whether this is HTTP Basic with exactly this key and secret."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return False
    return hmac.compare_digest(given, f"{key}:{secret}".encode())


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """What came in. `authorization` is absent, valid or invalid; the header itself is not kept, nor base64 images.

    `connection` is the client's port: the same for all requests that came over one connection.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    authorization: str
    body_bytes: int
    json: Any
    fault: str | None
    connection: int


class RequestLog:
    """The last REQUEST_LOG_ENTRIES requests; any thread."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=limits.REQUEST_LOG_ENTRIES)
        self._lock = threading.Lock()

    def add(self, request: Request, *, key: str, secret: str, fault: str | None, connection: int) -> None:
        header = request.headers.get("authorization")
        known = "absent" if header is None else (
            "valid" if authorization_is_valid(header, key, secret) else "invalid")
        entry = LoggedRequest(
            at=time.time(), method=request.method, path=request.path, query=request.query,
            headers={name: value for name, value in request.headers.items() if name != "authorization"},
            authorization=known, body_bytes=len(request.body), json=_readable(request), fault=fault,
            connection=connection)
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def entries(self) -> tuple[LoggedRequest, ...]:
        with self._lock:
            return tuple(self._entries)


def _readable(request: Request) -> Any:
    if "json" not in request.headers.get("content-type", ""):
        return None
    try:
        body = json.loads(request.body)
    except ValueError:
        return None
    if isinstance(body, dict) and request.path.endswith("/assets"):
        image = body.get("image")
        if isinstance(image, str):
            body["image"] = f"<{len(image)} characters of base64>"
    return body
