# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP on 127.0.0.1: reads requests, plays scripted faults, serves the control endpoints under /__standin__/."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import queue
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import limits, traffic
from .errors import ApiRefusal, Refusal, StorageRefusal
from .faults import Fault, FaultBook
from .ledger import Ledger
from .messages import LoggedRequest, Request, RequestLog, Response, json_response
from .options import Options
from .service import Service


class StandIn:
    """A running stand-in: `with StandIn(Options(job_seconds=1)) as service:`. Threads of this process serve it."""

    def __init__(self, options: Options | None = None, *, log: Callable[[str], None] | None = None) -> None:
        options = options or Options()
        self._log = RequestLog()
        self.write_log = log or (lambda line: None)
        self.faults = FaultBook()
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", options.port), _Handler, self)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.service = Service(options, self.origin)
        self._thread = threading.Thread(target=self._server.serve, name="pixal3d-standin", daemon=True)

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def options(self) -> Options:
        return self.service.options

    @property
    def ledger(self) -> Ledger:
        return self.service.ledger

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        return self._log.entries()

    def set_options(self, **changes: Any) -> None:
        """Change what may change while it runs. Raises `ValueError`."""
        self.service.options = self.service.options.changed(changes)

    def start(self) -> StandIn:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, drop every connection and end the model maker; a second call does nothing."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(limits.STOP_JOIN_SECONDS)
        self._server.server_close()
        self._server.drop_connections()
        self.service.maker.stop()

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *details: object) -> None:
        self.stop()

    def note(self, request: Request, fault: Fault | None, connection: int) -> None:
        traffic.keep(request)
        options, action = self.options, fault.action if fault else None
        self._log.add(request, key=options.key, secret=options.secret, fault=action, connection=connection)

    def control(self, request: Request) -> Response:
        """GET ledger, jobs, requests, options, faults; POST options, faults; DELETE requests, faults. Needs no key."""
        what = (request.method, request.path.removeprefix("/__standin__/"))
        try:
            body = json.loads(request.body or b"null")
            if what == ("POST", "options"):
                self.set_options(**body)
            elif what == ("POST", "faults"):
                self.faults.add(*[Fault(**fault) for fault in (body if isinstance(body, list) else [body])])
            elif what == ("DELETE", "faults"):
                self.faults.clear()
            elif what == ("DELETE", "requests"):
                self._log.clear()
        except (TypeError, ValueError) as error:
            raise ApiRefusal(400, str(error)) from error
        if what == ("GET", "ledger"):
            return json_response(self.ledger.as_json())
        if what == ("GET", "jobs"):
            return json_response({"jobs": self.service.custom_jobs()})
        if what[1] == "requests" and what[0] in ("GET", "DELETE"):
            return json_response({"requests": [dataclasses.asdict(entry) for entry in self.requests]})
        if what[1] == "options" and what[0] in ("GET", "POST"):
            shown = dataclasses.asdict(self.options)
            return json_response({name: value for name, value in shown.items() if name not in ("key", "secret")})
        if what[1] == "faults" and what[0] in ("GET", "POST", "DELETE"):
            return json_response({"faults": [dataclasses.asdict(fault) for fault in self.faults.left()]})
        raise ApiRefusal(404, f"No control endpoint {request.method} {request.path}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    timeout = limits.ACCEPT_POLL_SECONDS

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], standin: StandIn) -> None:
        self.standin = standin
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._refusals: queue.SimpleQueue[tuple[float, threading.Event]] = queue.SimpleQueue()
        super().__init__(address, handler)

    def serve(self) -> None:
        """Until the stand-in stops. Not `serve_forever`: the socket it selects cannot be closed and replaced."""
        stopping = self.standin.stopping
        while not stopping.is_set():
            self.handle_request()
            while not self._refusals.empty():
                seconds, closed = self._refusals.get()
                self.socket.close()
                self.drop_connections()
                # Bound again at once and not listening: refused all the same, and nobody else gets the port meanwhile.
                self.socket = socket.socket(self.address_family, self.socket_type)
                self.server_bind()
                closed.set()
                if not stopping.wait(seconds) and self._refusals.empty():
                    self.server_activate()

    def refuse(self, seconds: float) -> None:
        """Take no connection for `seconds`; returns once that has begun, or the stand-in stops. A handler's thread."""
        closed = threading.Event()
        self._refusals.put((seconds, closed))
        while not closed.wait(limits.ACCEPT_POLL_SECONDS) and not self.standin.stopping.is_set():
            pass

    def server_bind(self) -> None:
        # HTTPServer.server_bind asks the resolver for the machine's name, which can take seconds offline.
        if sys.platform != "win32":  # there it would let two servers share a port
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client was quicker
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a client that goes away is nothing to report
            self.standin.write_log(f"{type(error).__name__}: {error}")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Pixal3DStandIn", ""
    timeout = limits.IDLE_CONNECTION_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def _serve(self) -> None:
        standin = self.server.standin
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self._read_body(headers, path)
        except Refusal as refusal:
            self.send(refusal.response())
            return
        request = Request(self.command, path, query, headers, body)
        if path.startswith("/__standin__/"):
            self.send(self._answer(request, standin.control))
            return
        fault = standin.faults.take(request)
        standin.note(request, fault, self.client_address[1])
        if fault:
            standin.write_log(f"{request.method} {request.path} fault {fault.action}")
            FaultBook.play(fault, request, self, lambda: self._answer(request, standin.service.answer))
        else:
            self.send(self._answer(request, standin.service.answer))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815 - the library's names

    def _answer(self, request: Request, work: Callable[[Request], Response]) -> Response:
        if request.method == "HEAD":
            request = dataclasses.replace(request, method="GET")
        try:
            response = work(request)
        except Refusal as refusal:
            response = refusal.response()
        except Exception as error:  # the border of the server: a fault of the stand-in must be seen, not hang a client
            self.server.standin.write_log(f"{type(error).__name__}: {error}")
            response = json_response({"message": "Internal server error"}, 500)
        self.server.standin.write_log(f"{self.command} {request.path} {response.status}")
        return response

    def _read_body(self, headers: dict[str, str], path: str) -> bytes:
        if "transfer-encoding" in headers:
            self.close_connection = True
            raise StorageRefusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        text = headers.get("content-length", "0")
        length = int(text) if text.isdigit() else 0
        most = limits.PUT_BODY_MAX_BYTES if path.startswith("/storage/") else limits.JSON_BODY_MAX_BYTES
        if length > most:
            self.close_connection = True
            for _ in range(0, min(length, limits.DISCARD_MAX_BYTES), limits.STREAM_CHUNK_BYTES):
                if not self.rfile.read(min(length, limits.STREAM_CHUNK_BYTES)):
                    break
                length -= limits.STREAM_CHUNK_BYTES
            if path.startswith("/storage/"):
                raise StorageRefusal(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
            raise ApiRefusal(413, "Request Too Long", gateway=True)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the client went away in the middle of its body")
        return body

    # What a fault can do to the connection (faults.Wire)

    def send(self, response: Response, *, only_bytes: int | None = None, announced: int | None = None) -> None:
        self._send_head(response, len(response.body) if announced is None else announced)
        if self.command != "HEAD":
            self.wfile.write(response.body if only_bytes is None else response.body[:only_bytes])
        self.wfile.flush()
        if only_bytes is not None or announced is not None:
            self.drop()

    def drip(self, response: Response, piece_bytes: int, seconds: float) -> None:
        self._send_head(response, len(response.body))
        body = b"" if self.command == "HEAD" else response.body
        for start in range(0, len(body), piece_bytes):
            if start and not self.wait(seconds):
                self.drop()
                return
            self.wfile.write(body[start : start + piece_bytes])
            self.wfile.flush()
        self.wfile.flush()

    def _send_head(self, response: Response, length: int) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):  # the client was quicker
            self.connection.shutdown(socket.SHUT_RDWR)

    def refuse(self, seconds: float) -> None:
        self.server.refuse(seconds)
        self.drop()

    def wait(self, seconds: float) -> bool:
        return not self.server.standin.stopping.wait(seconds)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Lines are written by `_answer`, where the fault is known too."""

    def log_message(self, format: str, *arguments: Any) -> None:
        self.server.standin.write_log(format % arguments)
