# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard that all tests run under: nothing leaves this machine."""

from __future__ import annotations

import socket

import pytest

ELSEWHERE = "192.0.2.1"  # RFC 5737: an address for documents, nobody's


def test_another_machine_is_out_of_reach_by_address_and_by_name() -> None:
    with pytest.raises(RuntimeError, match="this machine only"):
        socket.create_connection((ELSEWHERE, 80), timeout=1)
    with socket.socket() as raw, pytest.raises(RuntimeError, match="this machine only"):
        raw.connect((ELSEWHERE, 80))
    with pytest.raises(RuntimeError, match="this machine only"):
        socket.getaddrinfo("example.org", 443)


def test_a_name_that_never_resolves_does_not_resolve() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("service.invalid", 443)


def test_this_machine_is_within_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
