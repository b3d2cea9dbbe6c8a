# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals, in the two shapes the real service uses.

    Refusal
        ApiRefusal      JSON: {"reason": ..., "trace_id": ...}, or {"message": ...} where the gateway speaks
        StorageRefusal  XML, from presigned part addresses and from the CDN
"""

from __future__ import annotations

import secrets
from typing import Any
from xml.sax.saxutils import escape

from .messages import Response, json_response


class Refusal(Exception):
    """Caught once, where the answer is written."""

    def response(self) -> Response:
        raise NotImplementedError


class ApiRefusal(Refusal):
    """A JSON error. `gateway=True` words it as {"message": ...} without a trace."""

    def __init__(self, status: int, text: str, *, gateway: bool = False, **more: Any) -> None:
        super().__init__(text)
        self.status = status
        self.body = {"message": text} if gateway else {"reason": text, "trace_id": secrets.token_hex(16)}
        self.body.update(more)

    def response(self) -> Response:
        return json_response(self.body, self.status)


class StorageRefusal(Refusal):
    """An XML error as object storage writes it."""

    def __init__(self, status: int = 403, code: str = "AccessDenied", text: str = "Access Denied") -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text

    def response(self) -> Response:
        xml = ('<?xml version="1.0" encoding="UTF-8"?>\n'
               f"<Error><Code>{escape(self.code)}</Code><Message>{escape(self.text)}</Message></Error>")
        return Response(self.status, xml.encode(), {"Content-Type": "application/xml"})
