# SPDX-License-Identifier: GPL-3.0-or-later
"""A real HTTP server on 127.0.0.1 that does what a test wrote down, good or bad, and remembers what it was sent."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Responder = Callable[[BaseHTTPRequestHandler, Request], None]


def reply(status: int, body: object = b"", /, **headers: str) -> Responder:
    """A whole answer; anything but bytes goes as JSON. ``content_type`` becomes ``Content-Type``."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def respond(handler: BaseHTTPRequestHandler, request: Request) -> None:
        handler.send_response(status)
        if not isinstance(body, bytes) and "content_type" not in headers:
            handler.send_header("Content-Type", "application/json")
        if "content_length" not in headers:
            handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-").title(), value)
        handler.end_headers()
        handler.wfile.write(data)

    return respond


def reset(handler: BaseHTTPRequestHandler, request: Request) -> None:
    """Reads the request, then breaks the connection with RST."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler, request: Request) -> None:
    """Reads the request, then closes politely without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def hang(handler: BaseHTTPRequestHandler, request: Request) -> None:
    """Says nothing until the server stops."""
    server = handler.server
    assert isinstance(server, Server)
    server.stopping.wait(30)
    handler.close_connection = True


def cut(status: int, body: bytes, after: int, **headers: str) -> Responder:
    """Announces all of `body`, sends `after` bytes of it and closes."""

    def respond(handler: BaseHTTPRequestHandler, request: Request) -> None:
        reply(status, body[:after], content_length=str(len(body)), **headers)(handler, request)
        handler.close_connection = True

    return respond


def cut_json(status: int, body: object) -> Responder:
    """Closes in the middle of the JSON."""
    data = json.dumps(body).encode()
    return cut(status, data, len(data) // 2, content_type="application/json")


def ranged(data: bytes, *, cut_after: int | None = None, etag: str = '"e1"', **headers: str) -> Responder:
    """A file as a CDN serves it, Range and all; with `cut_after`, no answer brings more than so many bytes."""

    def respond(handler: BaseHTTPRequestHandler, request: Request) -> None:
        start, status, extra = 0, 200, {"etag": etag, "content_type": "application/octet-stream", **headers}
        wanted = request.headers.get("range", "")
        if wanted and request.headers.get("if-range", etag) == etag:
            start, status = int(wanted.removeprefix("bytes=").removesuffix("-")), 206
            extra["content_range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        rest = data[start:]
        cut(status, rest, len(rest) if cut_after is None else cut_after, **extra)(handler, request)

    return respond


class Server(ThreadingHTTPServer):
    daemon_threads = True
    stopping: threading.Event

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what some tests are about."""


@dataclass
class Service:
    """Routes are ``"GET /path"``, without the query. The last responder of a route answers from then on."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    routes: dict[str, list[Responder]] = field(default_factory=lambda: defaultdict(list))
    connections: int = 0

    def on(self, route: str, *responders: Responder) -> None:
        self.routes[route] = list(responders)

    def sent(self, route: str) -> list[Request]:
        return [r for r in self.requests if f"{r.method} {r.path}" == route]

    def respond(self, handler: BaseHTTPRequestHandler, request: Request) -> None:
        self.requests.append(request)
        responders = self.routes[f"{request.method} {request.path}"]
        if not responders:
            reply(404, {"reason": f"{request.path} not found"})(handler, request)
            return
        responder = responders.pop(0) if len(responders) > 1 else responders[0]
        responder(handler, request)


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Service]:
    """A running server; with `context`, over TLS."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            service.connections += 1
            super().setup()

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.respond(self, Request(self.command, self.path, headers, body))

        do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = handle_any  # noqa: N815  # http.server names them

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.stopping = threading.Event()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    service.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
