# SPDX-License-Identifier: GPL-3.0-or-later
"""requests' way to the network, made stricter. It imports requests and urllib3, so the first call imports it.

- A host's addresses share one time (:mod:`.dialing`), and believed is who is trusted (:mod:`.trust`).
- An answer has a time for all of it. A socket's timeout begins anew with each byte that trickles in: into a status
  line, into headers, ``100 Continue`` without end, a chunk's length or a proxy's answer. http.client has no other.
- Sending gets the timeout for silence. urllib3 leaves a new connection the one for connecting; uploads stall longer.
- Of an answer, requests looks at nothing: not at cookies, nor at the character set, on which 2.27 stumbles.
"""

from __future__ import annotations

import http.client
import io
import math
import socket
import time
from functools import partial
from typing import Any

import requests
import requests.adapters
import requests.structures
import requests.utils
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from .dialing import dial
from .trust import trusting_context


class Clock:
    """Ends what would trickle on for ever, at most a socket's timeout late."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = math.inf

    def start(self) -> None:
        """From now on it takes no longer than the seconds."""
        self._ends_at = time.monotonic() + self._seconds

    def check(self) -> None:
        """
        :raises TimeoutError: it does.
        """
        if time.monotonic() > self._ends_at:
            raise TimeoutError


class StrictAdapter(requests.adapters.HTTPAdapter):
    """One thread at a time.

    :ivar clock: starts with connecting and again when the request is out.
    :param send_seconds: how long the network may take nothing of what is sent.
    :param answer_seconds: for all of an answer, unless the clock is started again meanwhile.
    :raises TlsError: see :mod:`.trust`.
    """

    def __init__(self, send_seconds: float, answer_seconds: float) -> None:
        self.clock = Clock(answer_seconds)
        self._context = trusting_context()
        self._pools = {
            "http": _pool(HTTPConnectionPool, HTTPConnection, self.clock, send_seconds),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, self.clock, send_seconds),
        }
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, proxy_ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def close(self) -> None:
        """urllib3 2 leaves the connections to the garbage collector, which may come late after an error."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():
                manager.pools[key].close()
        super().close()

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context has what it takes."""
        conn.cert_reqs = "CERT_REQUIRED"

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = resp.status
        response.headers = requests.structures.CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response


def proxy_of(url: str) -> str | None:
    """The proxy that the environment or the system names for `url`."""
    found: str | None = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    return found


def _pool(pool: Any, connection: Any, clock: Clock, send_seconds: float) -> Any:
    mine = {"clock": clock, "send_seconds": send_seconds, "response_class": staticmethod(partial(_Response, clock))}
    strict = type(connection.__name__, (_Strict, connection), mine)
    return type(pool.__name__, (pool,), {"ConnectionCls": strict})


class _Strict:
    """Mixed into urllib3's connections, whose methods these are, in 1.26 and in 2."""

    clock: Clock
    send_seconds: float

    def _new_conn(self: Any) -> socket.socket:
        try:
            return dial(self._dns_host, self.port, self.timeout, self.socket_options or ())
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "timeout") from error
        except OSError as error:
            raise NewConnectionError(self, "connection") from error

    def connect(self: Any) -> None:
        self.clock.start()
        super().connect()  # type: ignore[misc]
        self.sock.settimeout(self.send_seconds)

    def getresponse(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.clock.start()
        return super().getresponse(*args, **kwargs)  # type: ignore[misc]


class _Response(http.client.HTTPResponse):
    """Reads by the clock."""

    def __init__(self, clock: Clock, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: io.BufferedReader = io.BufferedReader(_Reader(self.fp.detach(), clock))


class _Reader(io.RawIOBase):
    def __init__(self, raw: Any, clock: Clock) -> None:
        self._raw: Any = raw
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._clock.check()
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
