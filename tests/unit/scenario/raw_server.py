# SPDX-License-Identifier: GPL-3.0-or-later
"""What a well-kept HTTP server can't be brought to do: sockets on 127.0.0.1 that a test talks through itself.

Also a proxy that takes CONNECT, or what a test has it do instead.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Talk = Callable[[socket.socket, threading.Event], None]
"""Gets the connection, and the event that the test is over."""


@contextlib.contextmanager
def listening(talk: Talk, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[int]:
    """The port on which each connection is given to `talk`, in a thread of its own, and then closed."""
    over = threading.Event()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if context is None:
                talk(connection, over)
            else:
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    talk(encrypted, over)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection, _ = listener.accept()
                connection.settimeout(10)
                threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *threads):
            thread.join(10)


def head_of(connection: socket.socket) -> bytes:
    """A request up to its empty line, and what came with it."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (more := connection.recv(65536)):
            raise ConnectionAbortedError
        head += more
    return head


def answering(*pieces: bytes) -> Talk:
    """Reads one request and answers with `pieces`, then closes."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        head_of(connection)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):  # a RST would throw away what has been sent
            connection.settimeout(0.2)
            while connection.recv(65536):
                pass

    return talk


def trickling(start: bytes, again: bytes, pause: float = 0.02) -> Talk:
    """Reads one request, answers `start`, and then `again` and again, for ever."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        head_of(connection)
        connection.sendall(start)
        while not over.wait(pause):
            connection.sendall(again)

    return talk


def silent(connection: socket.socket, over: threading.Event) -> None:
    """Accepts and says nothing."""
    over.wait(30)


@dataclass
class Proxy:
    """`heads`: the requests that it got; `passed`: the bytes that it was given for the other side."""

    url: str = ""
    heads: list[bytes] = field(default_factory=list)
    passed: bytearray = field(default_factory=bytearray)


@contextlib.contextmanager
def proxying(port: int, answer: Talk | None = None, user: str = "") -> Iterator[Proxy]:
    """A proxy that leads to `port` of this machine, wherever it is asked to lead.

    :param answer: talks instead, after a CONNECT was read.
    """
    proxy = Proxy()

    def talk(connection: socket.socket, over: threading.Event) -> None:
        head = head_of(connection)
        proxy.heads.append(head)
        if answer is not None:
            answer(connection, over)
            return
        with socket.create_connection(("127.0.0.1", port), 10) as onward:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := connection.recv(65536):
                    proxy.passed += data
                    onward.sendall(data)
                onward.shutdown(socket.SHUT_WR)
            back.join(10)

    with listening(talk) as own_port:
        proxy.url = f"http://{user}127.0.0.1:{own_port}"
        yield proxy


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
