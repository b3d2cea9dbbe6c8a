# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection breaks, hangs or does not come about: what is safe goes on, what is paid is known or told."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixal3d_addon.scenario import (
    CanceledError,
    Connection,
    Credentials,
    Pace,
    ScenarioClient,
    ScenarioError,
    ServiceTimeoutError,
    SubmissionUncertainError,
    UnreachableError,
)
from pixal3d_addon.scenario.dialing import dial
from tests.unit.scenario.conftest import GENERATE, IMPATIENT, KEY, QUICK, SECRET
from tests.unit.scenario.raw_server import listening, silent
from tests.unit.scenario.scripted_server import Service, closed_port, reply

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{"job":{"jobId":"j"}}'
BODY = {"image": "asset", "meshScale": 1}
CREDENTIALS = Credentials(KEY, SECRET)


def client_at(port: int, host: str = "127.0.0.1", pace: Pace = QUICK) -> ScenarioClient:
    return ScenarioClient(Connection(CREDENTIALS, f"http://{host}:{port}/v1"), pace=pace)


class Cutting:
    """Serves an API that cuts its first connections, each after so many bytes taken and given."""

    def __init__(self, taken: int, given: int, by_reset: bool, times: int) -> None:
        self.taken, self.given, self.by_reset, self.times = taken, given, by_reset, times
        self.whole_requests = 0
        self.body_bytes = 0
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket, over: threading.Event) -> None:
        with self._lock:
            self.times -= 1
            is_cut = self.times >= 0
        request = b""
        while not self._is_whole(request) and not (is_cut and len(request) >= self.taken):
            if not (more := connection.recv(self.taken - len(request) if is_cut else 65536)):
                return
            request += more
        with self._lock:
            self.body_bytes += len(request.partition(b"\r\n\r\n")[2])
            self.whole_requests += self._is_whole(request)
        if not is_cut or self._is_whole(request):
            connection.sendall(ANSWER[: self.given] if is_cut else ANSWER)
        if is_cut and self.by_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    @staticmethod
    def _is_whole(request: bytes) -> bool:
        head, end, body = request.partition(b"\r\n\r\n")
        if not end:
            return False
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return len(body) >= int(lengths[0].split(b":")[1]) if lengths else True


CUTS = given(
    taken=st.integers(0, 450), given=st.integers(0, len(ANSWER) - 1), by_reset=st.booleans(), times=st.integers(1, 3)
)


@settings(max_examples=40, deadline=None)
@CUTS
def test_a_paid_request_that_is_cut_anywhere_is_posted_whole_once_at_most_and_never_called_failed_if_it_was(
    taken: int, given: int, by_reset: bool, times: int
) -> None:
    server = Cutting(taken, given, by_reset, times)
    with listening(server) as port, client_at(port) as client:
        try:
            outcome = client.generate(BODY).job.id
        except SubmissionUncertainError:
            outcome = "uncertain"
        except ScenarioError:
            outcome = "failed"
    assert server.whole_requests <= 1
    if server.body_bytes:
        assert outcome != "failed"
    if outcome == "j":
        assert server.whole_requests == 1


@settings(max_examples=25, deadline=None)
@CUTS
def test_a_question_that_is_cut_anywhere_three_times_is_answered_the_fourth_time(
    taken: int, given: int, by_reset: bool, times: int
) -> None:
    with listening(Cutting(taken, given, by_reset, times)) as port, client_at(port) as client:
        assert client.job("j").id == "j"


@settings(max_examples=12, deadline=None)
@CUTS
def test_an_upload_that_is_cut_anywhere_is_repeated_whole(taken: int, given: int, by_reset: bool, times: int) -> None:
    server = Cutting(taken * 500, given, by_reset, times)
    with listening(server) as port, client_at(port) as client, contextlib.suppress(ScenarioError):
        client.upload_image("i.png", bytes(90_000), "image/png")
    assert server.whole_requests >= 1


@contextlib.contextmanager
def hanging() -> Iterator[int]:
    """A port whose queue is full: it neither takes a connection nor refuses one."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as queue:
        address = listener.getsockname()
        for _ in range(3):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[int | tuple[str, int]]:
    """What ``localhost`` is looked up to: ports of this machine, or an IPv6 address and a port."""
    found: list[int | tuple[str, int]] = []

    def getaddrinfo(*args: Any, **kwargs: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", one))
            if isinstance(one, int)
            else (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (*one, 0, 0))
            for one in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return found


def test_an_address_that_hangs_does_not_keep_the_next_one_from_its_turn(addresses: list[Any], service: Service) -> None:
    service.on("GET /v1/jobs/j", reply(200, {"job": {"jobId": "j"}}))
    service.on(GENERATE, reply(200, {"job": {"jobId": "j"}}))
    port = int(service.url.rpartition(":")[2])
    with hanging() as hung, client_at(port, "localhost") as client:
        addresses += [hung, hung, port]
        assert client.job("j").id == "j"
        assert client.generate(BODY).job.id == "j"
    assert len(service.sent(GENERATE)) == 1


def test_the_families_take_turns(addresses: list[Any], service: Service) -> None:
    """Three IPv6 addresses that refuse, as on a machine that has an address but no way, and one of IPv4 behind them."""
    port = int(service.url.rpartition(":")[2])
    service.on("GET /v1/jobs/j", reply(200, {"job": {"jobId": "j"}}))
    addresses += [("::1", closed_port())] * 3 + [port]
    with client_at(port, "localhost") as client:
        assert client.job("j").id == "j"


def test_all_addresses_together_have_one_time(addresses: list[Any]) -> None:
    with hanging() as hung:
        addresses += [hung] * 50
        with pytest.raises(TimeoutError):
            dial("localhost", 1, 0.5)
        with client_at(1, "localhost", Pace(connect_seconds=0.1, wait_scale=0.002)) as client:
            with pytest.raises(ServiceTimeoutError):
                client.generate(BODY)


def test_a_refusal_of_all_addresses_is_told_at_once(addresses: list[Any]) -> None:
    addresses += [("::1", closed_port()), closed_port(), closed_port()]
    with client_at(1, "localhost") as client, pytest.raises(UnreachableError):
        client.job("j")


def test_a_host_without_an_address_is_unreachable(addresses: list[Any]) -> None:
    with client_at(1, "localhost") as client, pytest.raises(UnreachableError):
        client.job("j")


def test_a_lookup_that_hangs_holds_up_nobody_who_closes(
    service: Service, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """getaddrinfo can't be stopped: whoever waits for it is alone with it, and ends without sending anything."""
    looking, may_end, cancel = threading.Event(), threading.Event(), threading.Event()
    real, errors = socket.getaddrinfo, []

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        looking.set()
        may_end.wait(10)
        return real(*args, **kwargs)

    def ask() -> None:
        try:
            client.job("j")
        except ScenarioError as error:
            errors.append(error)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    service.on("GET /v1/jobs/j", reply(503, b""))
    with ScenarioClient(connection, cancel=cancel, pace=QUICK) as client:
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        assert looking.wait(10)
        cancel.set()
        client.close()
        assert asking.is_alive()
    may_end.set()
    asking.join(10)
    assert [type(error) for error in errors] == [CanceledError]


def test_a_server_that_takes_the_connection_and_never_answers_ends(connection: Connection) -> None:
    with listening(silent) as port, client_at(port, pace=IMPATIENT) as client:
        with pytest.raises(ServiceTimeoutError):
            client.job("j")
        with pytest.raises(SubmissionUncertainError):
            client.generate(BODY)


def test_a_server_that_takes_no_bytes_of_an_upload_ends() -> None:
    """The kernel takes what fits into its buffers; then nothing moves any more."""
    pace = Pace(read_seconds=0.3, wait_scale=0.002)
    with listening(silent) as port, client_at(port, pace=pace) as client, pytest.raises(ServiceTimeoutError):
        client.upload_image("i.png", bytes(3_400_000), "image/png")


def test_an_upload_that_stalls_for_longer_than_connecting_may_take_goes_on() -> None:
    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        over.wait(0.5)
        request = b""
        while not request.endswith(b'"}'):
            request += connection.recv(1 << 20)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n{"asset":{"id":"a_1"}}')

    pace = Pace(connect_seconds=0.2, read_seconds=5, wait_scale=0.002)
    with listening(talk) as port, client_at(port, pace=pace) as client:
        assert client.upload_image("i.png", bytes(3_400_000), "image/png") == "a_1"


def test_a_kept_connection_that_died_silently_costs_a_question_one_more_try() -> None:
    """Its peer is gone without a word, as after a laptop's sleep: only the timeout tells."""
    connections = 0

    def talk(connection: socket.socket, over: threading.Event) -> None:
        nonlocal connections
        connections += 1
        is_first = connections == 1
        while data := connection.recv(65536):
            if data.startswith(b"GET /v1/jobs/second") and is_first:
                over.wait(10)
            connection.sendall(ANSWER)

    with listening(talk) as port, client_at(port, pace=IMPATIENT) as client:
        assert client.job("first").id == "j"
        assert client.job("second").id == "j"
    assert connections == 2
