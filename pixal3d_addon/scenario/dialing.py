# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to the first of a host's addresses that answers, within one time for all of them.

urllib3 tries them one after the other and gives each the whole timeout: where a network's IPv6 leads nowhere, it takes
many times that until the address that works has its turn. So here each has a head start over the next only, as in
RFC 8305 (Happy Eyeballs). The lookup has no timeout of ours; the operating system's ends it, in half a minute or so.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

from . import limits

_UNDER_WAY: Final = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0)}

_Address = tuple[socket.AddressFamily, Any]
_Options = Iterable[Sequence[Any]]


def dial(host: str, port: int, seconds: float, options: _Options = ()) -> socket.socket:
    """A connected socket whose timeout is `seconds`.

    :param options: for ``setsockopt``.
    :raises OSError: what the last address said; ``socket.gaierror``: it has none; ``TimeoutError``: no answer in time.
    """
    try:
        # In a URL, the zone of an IPv6 address follows "%25" (RFC 6874).
        found = socket.getaddrinfo(host.strip("[]").replace("%25", "%"), port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a part of the name is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "name") from None
    sock = _first_connected(_by_turns([(family, address) for family, *_, address in found]), seconds, tuple(options))
    sock.settimeout(seconds)
    return sock


def _by_turns(addresses: Sequence[_Address]) -> list[_Address]:
    """The two families by turns, the preferred one first."""
    first = [a for a in addresses if a[0] == addresses[0][0]]
    others = [a for a in addresses if a[0] != addresses[0][0]]
    turns: list[_Address] = []
    while first or others:
        turns += first[:1] + others[:1]
        first, others = first[1:], others[1:]
    return turns


def _first_connected(addresses: list[_Address], seconds: float, options: _Options) -> socket.socket:
    waiting, failure = deque(addresses), OSError(errno.EHOSTUNREACH, "address")
    begun: set[socket.socket] = set()
    deadline = time.monotonic() + seconds
    try:
        with selectors.DefaultSelector() as selector:
            while waiting or begun:
                if waiting:
                    try:
                        sock = _begin(*waiting.popleft(), options)
                    except OSError as error:  # this machine has no IPv6, for instance
                        failure = error
                        continue
                    begun.add(sock)
                    selector.register(sock, selectors.EVENT_WRITE)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                for key, _ in selector.select(min(left, limits.HEAD_START_SECONDS) if waiting else left):
                    sock = key.fileobj  # type: ignore[assignment]
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    begun.remove(sock)
                    selector.unregister(sock)
                    if not code:
                        return sock
                    failure = OSError(code, os.strerror(code))
                    sock.close()
        raise failure
    finally:
        for sock in begun:
            sock.close()


def _begin(family: socket.AddressFamily, address: Any, options: _Options) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.setblocking(False)
        if (code := sock.connect_ex(address)) not in _UNDER_WAY:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock
