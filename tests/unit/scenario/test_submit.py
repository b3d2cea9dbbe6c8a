# SPDX-License-Identifier: GPL-3.0-or-later
"""Money: the paid POST goes out again only where the service can't have accepted it."""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import threading

import pytest
import requests.adapters
import trustme

from pixal3d_addon.scenario import (
    ApiError,
    CanceledError,
    Connection,
    Credentials,
    CreditsExhaustedError,
    InvalidRequestError,
    KeyRejectedError,
    ModeratedError,
    NotFoundError,
    OfflineError,
    Pace,
    ParallelLimitError,
    PlanRequiredError,
    ProtocolError,
    ProxyError,
    RateLimitedError,
    ScenarioClient,
    ServiceTimeoutError,
    SubmissionUncertainError,
    TlsError,
    TooLargeError,
    UnreachableError,
)
from tests.unit.scenario.conftest import GENERATE, KEY, QUICK, SECRET
from tests.unit.scenario.scripted_server import (
    Responder,
    Service,
    closed_port,
    cut_json,
    hang,
    hang_up,
    reply,
    reset,
    serving,
)

BODY = {"image": "asset_in", "remesh": True, "meshScale": 1}
JOB = {"job": {"jobId": "job_1", "status": "queued", "progress": 0, "metadata": {}}, "creativeUnitsCost": 60}


def test_a_submission_returns_the_job_and_its_cost(service: Service, client: ScenarioClient) -> None:
    service.on(GENERATE, reply(200, JOB))
    submission = client.generate(BODY)
    assert (submission.job.id, submission.job.status, submission.cost) == ("job_1", "queued", 60)
    assert service.requests[0].body == b'{"image":"asset_in","remesh":true,"meshScale":1}'


@pytest.mark.parametrize(
    "responder",
    [
        pytest.param(reset, id="reset"),
        pytest.param(hang_up, id="closed without an answer"),
        pytest.param(cut_json(200, JOB), id="answer cut"),
        pytest.param(reply(408, {"reason": "timeout"}), id="408"),
        pytest.param(reply(409, {"reason": "conflict"}), id="409"),
        pytest.param(reply(500, {"message": "oops"}), id="500"),
        pytest.param(reply(502, b"<html>bad gateway</html>", content_type="text/html"), id="502 page"),
        pytest.param(reply(503, {"message": "busy"}, retry_after="0", x_should_retry="true"), id="503 asks to retry"),
        pytest.param(reply(504, b""), id="504"),
        pytest.param(reply(200, b"<html>log in</html>", content_type="text/html"), id="web page"),
        pytest.param(reply(200, b""), id="empty"),
        pytest.param(reply(200, [1, 2]), id="not an object"),
        pytest.param(reply(200, {"job": {}}), id="no job id"),
        pytest.param(reply(269, {"creativeUnitsCost": 60}), id="a quote"),
        pytest.param(reply(307, b"", location="/v1/elsewhere"), id="redirect"),
        pytest.param(reply(303, b"", location="/v1/elsewhere"), id="see other"),
    ],
)
def test_a_lost_or_unclear_answer_is_uncertain_and_never_posted_again(
    service: Service, client: ScenarioClient, responder: Responder
) -> None:
    service.on(GENERATE, responder, reply(200, JOB))
    with pytest.raises(SubmissionUncertainError):
        client.generate(BODY)
    assert len(service.requests) == 1


def test_a_timeout_after_sending_is_uncertain_and_never_posted_again(
    service: Service, impatient: ScenarioClient
) -> None:
    service.on(GENERATE, hang, reply(200, JOB))
    with pytest.raises(SubmissionUncertainError):
        impatient.generate(BODY)
    assert len(service.requests) == 1


def test_a_refusal_that_is_cut_is_still_a_refusal(service: Service, client: ScenarioClient) -> None:
    service.on(GENERATE, cut_json(400, {"reason": "image parameter is required"}), reply(200, JOB))
    with pytest.raises(InvalidRequestError):
        client.generate(BODY)
    assert len(service.requests) == 1


def test_an_answer_that_is_too_large_is_uncertain(service: Service, client: ScenarioClient) -> None:
    service.on(GENERATE, reply(200, {"job": "x" * 9_000_000}), reply(200, JOB))
    with pytest.raises(SubmissionUncertainError):
        client.generate(BODY)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"reason": "image parameter is required"}, InvalidRequestError),
        (400, {"reason": "Image was flagged by the safety system"}, ModeratedError),
        (401, {"message": "Unauthorized"}, KeyRejectedError),
        (402, {"reason": "pay"}, CreditsExhaustedError),
        (403, {"message": "API Keys cannot access protected resources"}, KeyRejectedError),
        (403, {"reason": "Model Pixal3D needs plan cu-pro"}, PlanRequiredError),
        (403, {"reason": "Not enough creative units"}, CreditsExhaustedError),
        (404, {"reason": "asset not found"}, NotFoundError),
        (413, {"message": "too large"}, TooLargeError),
        (422, {"detail": [{"message": "resolution"}]}, InvalidRequestError),
        (418, {}, ApiError),
    ],
)
def test_a_clear_refusal_is_its_own_error_and_not_posted_again(
    service: Service, client: ScenarioClient, status: int, body: object, expected: type[ApiError]
) -> None:
    service.on(GENERATE, reply(status, body, x_should_retry="true"), reply(200, JOB))
    with pytest.raises(expected) as caught:
        client.generate(BODY)
    assert type(caught.value) is expected
    assert caught.value.status == status
    assert len(service.requests) == 1


@pytest.mark.parametrize("fields, seconds", [({"remainingSeconds": 3}, 3), ({}, None)])
def test_a_429_is_told_at_once_with_the_seconds_to_wait(
    service: Service, client: ScenarioClient, fields: dict, seconds: float | None
) -> None:
    """Nothing was accepted, so it may be sent again; when, is for those who can note that nothing is on its way."""
    service.on(GENERATE, reply(429, {"reason": "cooldown", **fields}), reply(200, JOB))
    with pytest.raises(RateLimitedError) as caught:
        client.generate(BODY)
    assert caught.value.seconds == seconds
    assert len(service.requests) == 1


def test_the_limit_of_parallel_jobs_is_told_at_once(service: Service, client: ScenarioClient) -> None:
    service.on(GENERATE, reply(429, {"reason": "limit", "details": {"actionName": "custom", "actionLimit": 2}}))
    with pytest.raises(ParallelLimitError):
        client.generate(BODY)
    assert len(service.requests) == 1


def test_a_refused_connection_is_certain_and_tried_again() -> None:
    port = closed_port()
    connection = Connection(Credentials(KEY, SECRET), f"http://127.0.0.1:{port}/v1")
    with ScenarioClient(connection, pace=QUICK) as client, pytest.raises(UnreachableError):
        client.generate(BODY)


def test_a_service_that_comes_up_between_two_attempts_gets_the_post_once(
    service: Service, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operating system refuses the first two connections; what the client makes of that is real."""
    service.on(GENERATE, reply(200, JOB))
    refused = []
    real = socket.socket.connect_ex

    def connect(self: socket.socket, address: object) -> int:
        if len(refused) < 2:
            refused.append(address)
            return errno.ECONNREFUSED
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    with ScenarioClient(connection, pace=QUICK) as client:
        assert client.generate(BODY).job.id == "job_1"
    assert len(refused) == 2
    assert len(service.requests) == 1


def test_a_name_that_cannot_be_looked_up_is_offline_and_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*args: object, **kwargs: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    connection = Connection(Credentials(KEY, SECRET), "https://api.invalid/v1")
    with ScenarioClient(connection, pace=QUICK) as client, pytest.raises(OfflineError):
        client.generate(BODY)


def test_a_connection_that_does_not_come_about_in_time_is_certain() -> None:
    """A listener whose queue is full answers nobody any more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as queue:
        address = listener.getsockname()
        for _ in range(3):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        connection = Connection(Credentials(KEY, SECRET), f"http://127.0.0.1:{address[1]}/v1")
        pace = Pace(connect_seconds=0.1, wait_scale=0.002)
        with ScenarioClient(connection, pace=pace) as client, pytest.raises(ServiceTimeoutError):
            client.generate(BODY)


def test_an_untrusted_certificate_is_certain_and_nothing_is_sent() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(context) as service:
        connection = Connection(Credentials(KEY, SECRET), f"{service.url}/v1")
        with ScenarioClient(connection, pace=QUICK) as client, pytest.raises(TlsError):
            client.generate(BODY)
        assert service.requests == []


def test_a_proxy_that_is_down_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("PIXAL3D_LOOPBACK_ONLY")
    connection = Connection(Credentials(KEY, SECRET), "https://api.invalid/v1")
    with ScenarioClient(connection, pace=QUICK) as client, pytest.raises(ProxyError):
        client.generate(BODY)


def test_a_kept_connection_that_the_server_closes_does_not_make_it_uncertain(
    service: Service, client: ScenarioClient
) -> None:
    """A server closes idle connections when it likes, also in the moment in which the next request is on its way."""
    used = set()

    def answer_once(handler, request) -> None:
        if handler in used:
            reset(handler, request)
        else:
            used.add(handler)
            reply(200, JOB)(handler, request)

    service.on("GET /v1/jobs/job_1", answer_once)
    service.on(GENERATE, answer_once)
    client.job("job_1")
    assert client.generate(BODY).job.id == "job_1"
    assert client.generate(BODY).job.id == "job_1"


def test_a_set_cancel_event_sends_nothing(service: Service, connection: Connection) -> None:
    cancel = threading.Event()
    cancel.set()
    with ScenarioClient(connection, cancel=cancel, pace=QUICK) as client, pytest.raises(CanceledError):
        client.generate(BODY)
    assert service.requests == []


def test_a_cancel_while_the_answer_is_awaited_still_brings_the_job(service: Service, connection: Connection) -> None:
    cancel = threading.Event()

    def respond(handler, request) -> None:
        cancel.set()
        reply(200, JOB)(handler, request)

    service.on(GENERATE, respond)
    with ScenarioClient(connection, cancel=cancel, pace=QUICK) as client:
        assert client.generate(BODY).job.id == "job_1"


def test_a_cancel_while_waiting_to_repeat_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    cancel, refused = threading.Event(), []

    def connect(self: socket.socket, address: object) -> int:
        refused.append(address)
        cancel.set()
        return errno.ECONNREFUSED

    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    connection = Connection(Credentials(KEY, SECRET), "http://127.0.0.1:1/v1")
    with ScenarioClient(connection, cancel=cancel, pace=Pace()) as client, pytest.raises(CanceledError):
        client.generate(BODY)
    assert len(refused) == 1


def test_a_bug_after_sending_is_uncertain_and_not_a_clean_failure(
    service: Service, client: ScenarioClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = requests.adapters.HTTPAdapter.send

    def broken(self, *args, **kwargs):
        real(self, *args, **kwargs)
        raise RuntimeError("a bug in a library")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", broken)
    service.on(GENERATE, reply(200, JOB))
    with pytest.raises(SubmissionUncertainError):
        client.generate(BODY)
    assert len(service.requests) == 1


def test_a_page_of_the_network_instead_of_a_refusal_is_said(service: Service, client: ScenarioClient) -> None:
    service.on(GENERATE, reply(403, b"<html>blocked</html>", content_type="text/html"))
    with pytest.raises(ProtocolError, match=r"proxy|login"):
        client.generate(BODY)


def test_dry_run_is_no_body_field(service: Service, client: ScenarioClient) -> None:
    for ask in (client.generate, client.quote):
        with pytest.raises(InvalidRequestError):
            ask({**BODY, "dryRun": True})
    assert service.requests == []


def test_a_value_that_json_has_no_word_for_is_not_sent(service: Service, client: ScenarioClient) -> None:
    with pytest.raises(InvalidRequestError):
        client.generate({**BODY, "meshScale": float("nan")})
    assert service.requests == []
