# SPDX-License-Identifier: GPL-3.0-or-later
"""What one client is told about the pace holds for all that share its gate."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter

import pytest

from pixal3d_addon.scenario import Connection, Gate, Pace, ParallelLimitError, RateLimitedError, ScenarioClient, limits
from tests.unit.scenario.conftest import GENERATE
from tests.unit.scenario.scripted_server import Service, reply

RUNNING = {"job": {"jobId": "job_1", "status": "in-progress"}}
BODY = {"image": "asset_1"}


def times_of(service: Service) -> list[float]:
    """When each request to the job comes in, from now on."""
    times: list[float] = []

    def note(handler, request) -> None:
        times.append(time.monotonic())
        reply(200, RUNNING)(handler, request)

    service.on("GET /v1/jobs/job_1", note)
    return times


@pytest.mark.parametrize(
    "answer", [reply(429, {"remainingSeconds": 1.0}), reply(429, {}, retry_after="1")], ids=["body", "header"]
)
def test_what_one_client_is_told_holds_all_that_share_its_gate(
    service: Service, connection: Connection, answer
) -> None:
    times = times_of(service)
    service.on(GENERATE, answer)
    gate = Gate()
    with ScenarioClient(connection, gate=gate) as one, pytest.raises(RateLimitedError):
        one.generate(BODY)
    told = time.monotonic()
    clients = [ScenarioClient(connection, gate=gate) for _ in range(3)]
    threads = [threading.Thread(target=client.job, args=("job_1",)) for client in clients]
    for thread in threads:
        thread.start()
    with ScenarioClient(connection) as stranger:
        stranger.job("job_1")
    for thread in threads:
        thread.join()
    for client in clients:
        client.close()
    assert len(times) == 4
    assert times[0] - told < 0.9, "one with a gate of its own was not told"
    assert times[1] - told >= 0.95


def test_without_a_time_all_pause_for_a_moment(service: Service, connection: Connection) -> None:
    gate = Gate()
    service.on(GENERATE, reply(429, {}))
    with ScenarioClient(connection, gate=gate) as client, pytest.raises(RateLimitedError):
        client.generate(BODY)
    assert 0.2 < gate.seconds_left() <= limits.BACKOFF_FIRST_SECONDS


def test_as_many_jobs_as_the_plan_allows_holds_nobody_up(service: Service, connection: Connection) -> None:
    """It ends when a job does, and asking after those is welcome."""
    times = times_of(service)
    details = {"actionName": "parallelCustomJobs", "actionLimit": 1}
    service.on(GENERATE, reply(429, {"remainingSeconds": 50, "details": details}))
    gate = Gate()
    with ScenarioClient(connection, gate=gate) as client:
        with pytest.raises(ParallelLimitError):
            client.generate(BODY)
        assert gate.seconds_left() <= 0
        client.job("job_1")
    assert len(times) == 1


def test_a_wait_that_is_longer_than_a_minute_does_not_close_the_gate_for_longer(
    service: Service, connection: Connection
) -> None:
    gate = Gate()
    service.on(GENERATE, reply(429, {"remainingSeconds": 86400}))
    with ScenarioClient(connection, gate=gate) as client, pytest.raises(RateLimitedError) as caught:
        client.generate(BODY)
    assert caught.value.seconds == 86400
    assert 0 < gate.seconds_left() <= limits.RETRY_AFTER_CAP_SECONDS


def test_a_stop_ends_the_wait_at_the_gate(service: Service, connection: Connection) -> None:
    gate, cancel = Gate(), threading.Event()
    service.on(GENERATE, reply(429, {"remainingSeconds": 50}))
    with ScenarioClient(connection, gate=gate, cancel=cancel, pace=Pace()) as client:
        with pytest.raises(RateLimitedError):
            client.generate(BODY)
        threading.Timer(0.1, cancel.set).start()
        with pytest.raises(Exception, match="Stopped"):
            client.job("job_1")
    assert service.sent("GET /v1/jobs/job_1") == []


def test_turns_are_spaced_and_in_the_order_of_asking() -> None:
    gate = Gate()
    turns = [gate.turn_seconds() for _ in range(30)]
    assert turns[0] == 0
    for number, (earlier, later) in enumerate(itertools.pairwise(turns)):
        assert later - earlier == pytest.approx(limits.TURN_SECONDS, abs=0.02), number


def test_nobody_saves_up_turns_while_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN_SECONDS", 0.05)
    gate = Gate()
    gate.turn_seconds()
    time.sleep(0.3)
    assert gate.turn_seconds() == 0
    assert gate.turn_seconds() == pytest.approx(0.05, abs=0.02)


def test_turns_begin_when_the_gate_opens_and_not_all_at_once(service: Service, connection: Connection) -> None:
    gate = Gate()
    service.on(GENERATE, reply(429, {"remainingSeconds": 2}))
    with ScenarioClient(connection, gate=gate) as client, pytest.raises(RateLimitedError):
        client.generate(BODY)
    turns = [gate.turn_seconds() for _ in range(3)]
    assert turns[0] == pytest.approx(2.0, abs=0.2)
    assert turns[2] - turns[0] == pytest.approx(2 * limits.TURN_SECONDS, abs=0.02)


def test_thirty_that_ask_again_and_again_are_served_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is served much more often than another, but for those who come before the others have started."""
    monkeypatch.setattr(limits, "TURN_SECONDS", 0.005)
    gate, over = Gate(), threading.Event()
    served: list[int] = []

    def ask(number: int) -> None:
        while not over.is_set():
            over.wait(gate.turn_seconds())
            served.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    over.set()
    seconds = time.monotonic() - started
    for thread in threads:
        thread.join()
    counts = Counter(served[: len(served) - 30])  # those who were woken by the end had no turn
    assert len(counts) == 30 and max(counts.values()) - min(counts.values()) <= 6
    assert len(served) - 30 <= seconds / 0.005 + 30
