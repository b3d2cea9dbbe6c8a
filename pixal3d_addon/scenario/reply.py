# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what comes back over HTTP, of which nothing is believed: size, packing, form and time are bounded."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from . import limits
from .errors import ConfigurationError
from .faults import fault_of, transport_error
from .retry import Outcome

if TYPE_CHECKING:
    import requests

    from .adapter import Clock

_NOT_OURS: Final = "Scenario's answer is not one that the add-on understands."
_PAGE: Final = "A web page came instead of Scenario's answer."


@dataclass(frozen=True, slots=True)
class Reply:
    """How one attempt ended. `problem` says why a 2xx can't be used; ``""`` if it can."""

    outcome: Outcome
    problem: str = ""

    @property
    def fields(self) -> Mapping[str, object]:
        """The JSON object; empty if there is none."""
        return self.outcome.fields

    @property
    def is_good(self) -> bool:
        """2xx with a JSON object where one was wanted. Scenario answers a dry run with 269."""
        status = self.outcome.status
        return status is not None and 200 <= status < 300 and not self.problem


@dataclass(slots=True)
class Stream:
    """An answer whose body has not been read yet. Names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    _response: requests.Response = field(repr=False)
    _clock: Clock = field(repr=False)

    @classmethod
    def of(cls, response: requests.Response, clock: Clock) -> Stream:
        """The answer of a request made with ``stream``."""
        return cls(response.status_code, _headers_of(response), response, clock)

    def more_time(self) -> None:
        """The rest is worth waiting for."""
        self._clock.start()

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes over the wire, still packed.

        :raises TransportError: it broke off, or there was no :meth:`more_time` for it.
        """
        raw, fault = self._response.raw, None
        try:
            while chunk := _some(raw):
                yield chunk
        except network_errors() as error:
            fault = fault_of(error, sent=True)
        if fault is not None:
            raise transport_error(fault)

    def close(self) -> None:
        """Drop what has not been read."""
        self._response.close()


def network_errors() -> tuple[type[Exception], ...]:
    """What requests and all below it raise when no answer can be had.

    :raises ConfigurationError: there is no requests.
    """
    import http.client

    try:
        import requests
        import urllib3
    except ImportError:  # a Linux distribution's Blender may lack what the official one bundles
        raise ConfigurationError(
            "Blender's Python lacks the module requests.", "Install it, or use Blender from blender.org."
        ) from None
    return requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError


def read_reply(response: requests.Response, *, want_json: bool) -> Reply:
    """All of a small answer.

    :raises Exception: one of :func:`network_errors`, if it broke off. Not for a 4xx: its status says it all.
    """
    status, headers = response.status_code, _headers_of(response)
    is_page = "html" in headers.get("content-type", "").lower()
    fields: object = None
    problem = ""
    try:
        data = _read_bytes(response, headers.get("content-encoding", ""))
        if want_json:
            if not data and status != 204 and length_of(headers.get("content-length")) is None:
                raise ConnectionAbortedError  # http.client takes a head that is cut for a whole one
            fields = _json(data)
            problem = "" if isinstance(fields, dict) else _NOT_OURS
        elif is_page:
            problem = _PAGE
    except _UnusableError as error:
        problem = str(error)
    except (ValueError, RecursionError):
        problem = _PAGE if is_page else _NOT_OURS
    except network_errors():
        if not 400 <= status < 500:
            raise
    return Reply(Outcome(status, headers, fields if isinstance(fields, dict) else {}), problem)


def length_of(text: str | None) -> int | None:
    """The number of a header; ``None`` if there is none that makes sense."""
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) <= limits.INTEGER_DIGITS
    return int(text) if text is not None and is_number else None


class _UnusableError(Exception):
    """The text says why."""


def _some(raw: Any) -> bytes:
    """What has come by now, at least one byte and at most a chunk, still packed; ``b""`` at the end.

    ``read`` waits for a whole chunk, and each byte that trickles in restarts the socket's timeout: so a slow answer
    would outlast every deadline, and nobody would look at the cancel event meanwhile. urllib3 1.26 has no ``read1``.
    """
    if hasattr(raw, "read1"):
        return bytes(raw.read1(limits.CHUNK_BYTES, decode_content=False))
    with raw._error_catcher():  # turns errors into urllib3's
        chunk = bytes(raw._fp.read1(limits.CHUNK_BYTES))
    return chunk or bytes(raw.read(limits.CHUNK_BYTES, decode_content=False))  # at the end: gives the connection back


def _json(data: bytes) -> object:
    """What any part of the add-on can keep: no NaN, nothing infinite, no endless number, no half of a character.

    :raises ValueError, RecursionError: it is not JSON.
    """
    fields: object = json.loads(data, parse_float=_finite, parse_int=_whole, parse_constant=lambda name: None)
    if b"\\ud" in data.lower():  # \ud83d without its other half can't be written to a file
        fields = json.loads(json.dumps(fields, ensure_ascii=False).encode(errors="replace"))
    return fields


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= limits.INTEGER_DIGITS else None


def _headers_of(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _read_bytes(response: requests.Response, encoding: str) -> bytes:
    """Unpacked here, because urllib3 lets 64 KB become 64 MB in one call."""
    unpacker = None
    match encoding.strip().lower():
        case "" | "identity":
            pass
        case "gzip" | "x-gzip" | "deflate":
            unpacker = zlib.decompressobj(wbits=47)  # 32 + 15: takes a gzip and a zlib header
        case _:
            raise _UnusableError("Scenario's answer is packed in a way that was not asked for.")
    wire_bytes, data = 0, bytearray()
    while chunk := _some(response.raw):
        wire_bytes += len(chunk)
        if unpacker is not None:
            try:
                chunk = unpacker.decompress(chunk, limits.JSON_ANSWER_BYTES + 1 - len(data))
            except zlib.error:
                raise _UnusableError("Scenario's answer is damaged.") from None
        data += chunk
        if max(wire_bytes, len(data)) > limits.JSON_ANSWER_BYTES:
            raise _UnusableError("Scenario's answer is far larger than it should be.")
    announced = length_of(response.headers.get("Content-Length"))
    is_bodiless = response.status_code in (204, 304)
    if announced is not None and wire_bytes < announced and not is_bodiless:  # urllib3 1.26 takes a cut for the end
        raise ConnectionAbortedError
    return bytes(data)
