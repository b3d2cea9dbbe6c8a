# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client asks, to the letter, and what it makes of the answers."""

from __future__ import annotations

import json
import threading

import pytest

from pixal3d_addon.scenario import (
    USER_AGENT,
    ApiError,
    CanceledError,
    CancelNotPermitted,
    Connection,
    Credentials,
    KeyRejectedError,
    NotFoundError,
    Project,
    ProtocolError,
    Quote,
    RateLimitedError,
    ScenarioClient,
    ServerError,
    ServiceTimeoutError,
)
from tests.unit.scenario.conftest import GENERATE, QUICK
from tests.unit.scenario.scripted_server import Responder, Service, cut_json, hang, reply, reset

TEAMS = {
    "teams": [
        {"id": "team_1", "name": "Team", "plan": "cu-pro", "projects": [{"id": "proj_a", "name": "A"}]},
        {"id": "team_2", "name": "Other", "plan": "free", "projects": [{"id": "proj_b", "name": "B"}]},
    ]
}
BODY = {
    "image": "asset_in", "ssGuidanceStrength": 7.5, "ssSamplingSteps": 36, "shapeSlatRescaleT": 3, "remesh": True,
    "seed": 42,
}  # fmt: skip
SPELLED = (
    b'{"image":"asset_in","ssGuidanceStrength":7.5,"ssSamplingSteps":36,"shapeSlatRescaleT":3,"remesh":true,"seed":42}'
)
PRICE = {"creativeUnitsCost": 60, "creativeUnitsDiscount": 5, "costDetails": {"custom-generation": 60}}
JOB = {
    "jobId": "job_local1",
    "jobType": "custom",
    "status": "in-progress",
    "progress": 0.4,
    "statusHistory": [{"status": "queued", "date": "2026-11-22T12:00:00.000Z"}],
    "metadata": {"assetIds": ["asset_glb"], "input": {"image": "asset_in", "modelId": "model_pixal3d"}},
    "billing": {"cuCost": 60, "cuDiscount": 0},
    "createdAt": "2026-11-22T12:00:00.000Z",
    "updatedAt": "2026-11-22T12:00:01.000Z",
}
ASSET = {
    "id": "asset_glb",
    "url": "https://cdn.example/asset_glb?Signature=x",
    "mimeType": "model/gltf-binary",
    "kind": "3d",
    "status": "success",
    "properties": {"size": 70},
    "metadata": {"kind": "3d", "name": "chair.glb"},
}


def test_requests_have_the_official_sdks_headers_and_none_of_its_own(service: Service, connection: Connection) -> None:
    """scenario-sdk 2.4.0 with the placeholders key and secret sends this Authorization."""
    service.on("GET /v1/teams", reply(200, TEAMS))
    service.on(GENERATE, reply(200, {"job": JOB}))
    plain = Connection(Credentials("key", "secret"), connection.base_url)
    with ScenarioClient(plain, pace=QUICK) as client:
        client.check_key()
        client.generate(BODY)
    got, posted = (dict(request.headers) for request in service.requests)
    for headers in (got, posted):
        assert headers.pop("host") == service.url.removeprefix("http://")
        assert headers.pop("authorization") == "Basic a2V5OnNlY3JldA=="
        assert headers.pop("accept") == "application/json"
        assert headers.pop("accept-encoding") == "gzip, deflate"
        assert headers.pop("user-agent") == USER_AGENT
        headers.pop("connection", None)
    assert got == {}
    assert posted == {"content-type": "application/json", "content-length": str(len(SPELLED))}


def ask_jobs(client: ScenarioClient) -> object:
    return list(client.jobs(updated_after="2026-11-01T00:00:00Z"))


# What scenario-sdk 2.4.0 puts on the wire for the same thing (captured), with and without a project.
@pytest.mark.parametrize(
    ("ask", "method", "target", "body", "answer"),
    [
        (lambda c: c.check_key(), "GET", "/v1/teams", b"", TEAMS),
        (lambda c: c.quote(BODY), "POST", "/v1/generate/custom/model_pixal3d?dryRun=true", SPELLED, PRICE),
        (lambda c: c.generate(BODY), "POST", "/v1/generate/custom/model_pixal3d", SPELLED, {"job": JOB}),
        (lambda c: c.job("job_local1"), "GET", "/v1/jobs/job_local1", b"", {"job": JOB}),
        (
            ask_jobs,
            "GET",
            "/v1/jobs?pageSize=50&types=custom&updatedAfter=2026-11-01T00%3A00%3A00Z",
            b"",
            {"jobs": []},
        ),
        (
            lambda c: c.cancel_job("job_local1"),
            "POST",
            "/v1/jobs/job_local1/action",
            b'{"action":"cancel"}',
            {"job": JOB},
        ),
        (lambda c: c.asset("asset_glb"), "GET", "/v1/assets/asset_glb", b"", {"asset": ASSET}),
        (
            lambda c: c.assets(["asset_glb", "asset_2"]),
            "POST",
            "/v1/assets/get-bulk",
            b'{"assetIds":["asset_glb","asset_2"]}',
            {"assets": [ASSET]},
        ),
        (
            lambda c: c.upload_image("chair.png", b"ABCDEF", "image/png"),
            "POST",
            "/v1/assets",
            b'{"name":"chair.png","image":"QUJDREVG"}',
            {"asset": {"id": "asset_in"}},
        ),
    ],
)
@pytest.mark.parametrize("project", ["", "proj_local"])
def test_requests_are_spelled_as_the_official_sdk_does(
    service: Service, connection: Connection, project: str, ask, method: str, target: str, body: bytes, answer: object
) -> None:
    service.on(f"{method} {target.partition('?')[0]}", reply(269 if "dryRun" in target else 200, answer))
    with ScenarioClient(Connection(connection.credentials, connection.base_url, project), pace=QUICK) as client:
        ask(client)
    if project:
        path, _, query = target.partition("?")
        parts = sorted(
            [*filter(None, query.split("&")), "projectId=proj_local"], key=lambda part: part.partition("=")[0]
        )
        target = f"{path}?{'&'.join(parts)}"
    (request,) = service.requests
    assert (request.method, request.target, request.body) == (method, target, body)


def test_the_key_is_checked_and_its_project_named(service: Service, client: ScenarioClient) -> None:
    service.on("GET /v1/teams", reply(200, TEAMS))
    assert client.check_key() == Project("proj_a", "A", "Team", "cu-pro")


def test_the_project_of_the_preferences_is_the_one_named(service: Service, connection: Connection) -> None:
    service.on("GET /v1/teams", reply(200, TEAMS))
    chosen = Connection(connection.credentials, connection.base_url, "proj_b")
    with ScenarioClient(chosen, pace=QUICK) as client:
        assert client.check_key() == Project("proj_b", "B", "Other", "free")


def test_a_key_that_may_not_list_teams_is_checked_at_the_models(service: Service, client: ScenarioClient) -> None:
    service.on("GET /v1/teams", reply(403, {"message": "API Keys cannot access protected resources"}))
    service.on("GET /v1/models", reply(200, {"models": []}))
    assert client.check_key() == Project()
    assert service.requests[1].target == "/v1/models?pageSize=1&privacy=public"


@pytest.mark.parametrize("status", [401, 403])
def test_a_bad_key_is_rejected(service: Service, client: ScenarioClient, status: int) -> None:
    service.on("GET /v1/teams", reply(status, {"message": "Unauthorized"}))
    service.on("GET /v1/models", reply(status, {"message": "Unauthorized"}))
    with pytest.raises(KeyRejectedError, match="Unauthorized"):
        client.check_key()


def test_a_quote_is_read_from_status_269(service: Service, client: ScenarioClient) -> None:
    service.on(GENERATE, reply(269, PRICE))
    assert client.quote(BODY) == Quote(60, 5, {"custom-generation": 60})


def test_a_quote_that_started_a_job_is_not_passed_over(service: Service, client: ScenarioClient) -> None:
    service.on(GENERATE, reply(200, {"job": JOB, "creativeUnitsCost": 60}))
    with pytest.raises(ProtocolError) as caught:
        client.quote(BODY)
    assert caught.value.reason == "job_local1"


def test_a_job_is_read(service: Service, client: ScenarioClient) -> None:
    service.on("GET /v1/jobs/job_local1", reply(200, {"job": JOB}))
    job = client.job("job_local1")
    assert (job.id, job.status, job.progress, job.cost) == ("job_local1", "in-progress", 0.4, 60)
    assert job.asset_ids == ("asset_glb",)
    assert job.input["modelId"] == "model_pixal3d"
    assert job.status_history == (("queued", "2026-11-22T12:00:00.000Z"),)
    assert (job.created_at, job.updated_at) == (JOB["createdAt"], JOB["updatedAt"])


@pytest.mark.parametrize(
    ("status", "finished", "succeeded"),
    [
        *((status, False, False) for status in ("pending", "queued", "warming-up", "in-progress", "finalizing")),
        *((status, False, False) for status in ("processing", "a-new-one", "")),
        ("success", True, True),
        *((status, True, False) for status in ("failure", "failed", "canceled", "cancelled")),
    ],
)
def test_a_status_that_is_not_known_is_still_running(
    service: Service, client: ScenarioClient, status: str, finished: bool, succeeded: bool
) -> None:
    service.on("GET /v1/jobs/j", reply(200, {"job": {"jobId": "j", "status": status}}))
    job = client.job("j")
    assert (job.finished, job.succeeded, job.failed) == (finished, succeeded, finished and not succeeded)


@pytest.mark.parametrize("progress", [None, "half", True, [], {}])
def test_an_unknown_progress_is_none_and_the_job_still_read(
    service: Service, client: ScenarioClient, progress: object
) -> None:
    odd = {"jobId": "j", "status": 7, "progress": progress, "metadata": None, "billing": [], "statusHistory": [3]}
    service.on("GET /v1/jobs/j", reply(200, {"job": odd}))
    assert client.job("j").progress is None


def test_the_error_of_a_failed_job_has_no_signed_query(service: Service, client: ScenarioClient) -> None:
    error = "can't fetch https://bucket.example/in.png?X-Amz-Signature=abcdef"
    service.on(
        "GET /v1/jobs/j", reply(200, {"job": {"jobId": "j", "metadata": {"error": error, "hint": {"message": "h"}}}})
    )
    job = client.job("j")
    assert "abcdef" not in job.error
    assert job.error.startswith("can't fetch https://bucket.example/in.png")
    assert job.hint == "h"


def test_all_pages_of_jobs_come_short_and_empty_ones_too(service: Service, client: ScenarioClient) -> None:
    service.on(
        "GET /v1/jobs",
        reply(200, {"jobs": [{"jobId": "a"}], "nextPaginationToken": "t 2"}),
        reply(200, {"jobs": [], "nextPaginationToken": "t3"}),
        reply(200, {"jobs": [{"jobId": "a"}, {"jobId": "b"}]}),
    )
    assert [job.id for job in client.jobs(page_size=500)] == ["a", "b"]
    assert [request.target for request in service.requests] == [
        "/v1/jobs?pageSize=100&types=custom",
        "/v1/jobs?pageSize=100&types=custom&paginationToken=t+2",
        "/v1/jobs?pageSize=100&types=custom&paginationToken=t3",
    ]


def test_pages_in_a_circle_end_with_an_error_and_not_as_a_complete_list(
    service: Service, client: ScenarioClient
) -> None:
    service.on("GET /v1/jobs", reply(200, {"jobs": [], "nextPaginationToken": "same"}))
    with pytest.raises(ProtocolError):
        list(client.jobs())
    assert len(service.requests) == 2


def test_the_documented_refusal_to_cancel_is_its_own_error(service: Service, client: ScenarioClient) -> None:
    service.on(
        "POST /v1/jobs/j/action", reply(400, {"reason": "Cannot cancel this type of job. Action not permitted."})
    )
    with pytest.raises(CancelNotPermitted) as caught:
        client.cancel_job("j")
    assert caught.value.reason.startswith("Cannot cancel")


def test_an_asset_is_read_and_its_repr_hides_the_signed_url(service: Service, client: ScenarioClient) -> None:
    service.on("GET /v1/assets/asset_glb", reply(200, {"asset": ASSET}))
    asset = client.asset("asset_glb")
    assert (asset.url, asset.mime_type, asset.kind) == (ASSET["url"], "model/gltf-binary", "3d")
    assert (asset.status, asset.size, asset.name) == ("success", 70, "chair.glb")
    assert "Signature" not in repr(asset)


def test_many_assets_are_asked_in_groups_of_200_and_come_in_order(service: Service, client: ScenarioClient) -> None:
    def answer(handler, request) -> None:
        ids = sorted(json.loads(request.body)["assetIds"])
        reply(200, {"assets": [{"id": i} for i in ids if i != "asset_7"]})(handler, request)

    service.on("POST /v1/assets/get-bulk", answer)
    ids = [f"asset_{n}" for n in range(450)]
    assert [asset.id for asset in client.assets(ids)] == [i for i in ids if i != "asset_7"]
    assert [len(request.json["assetIds"]) for request in service.requests] == [200, 200, 50]


@pytest.mark.parametrize("bad", ["..", ".", "", "a/b", "a?b", "a%2fb", "../teams", "ä"])
def test_an_id_can_not_lead_to_another_endpoint(service: Service, client: ScenarioClient, bad: str) -> None:
    for ask in (client.job, client.asset, client.cancel_job):
        with pytest.raises(ProtocolError):
            ask(bad)
    assert service.requests == []


@pytest.mark.parametrize(
    "trouble", [reset, cut_json(200, {"job": JOB}), reply(503, b""), reply(429, {"remainingSeconds": 1})]
)
def test_reading_and_pricing_go_on_after_a_passing_trouble(
    service: Service, client: ScenarioClient, trouble: Responder
) -> None:
    service.on("GET /v1/jobs/j", trouble, reply(200, {"job": {"jobId": "j"}}))
    service.on(GENERATE, trouble, reply(269, PRICE))
    assert client.job("j").id == "j"
    assert client.quote(BODY).cost == 60


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [(reply(503, {"message": "busy"}), ServerError), (reply(429, {}), RateLimitedError)],
)
def test_a_lasting_trouble_ends_after_four_attempts(
    service: Service, client: ScenarioClient, trouble: Responder, expected: type[Exception]
) -> None:
    service.on("GET /v1/jobs/j", trouble)
    with pytest.raises(expected):
        client.job("j")
    assert len(service.requests) == 4


def test_silence_is_a_passing_trouble_too(service: Service, impatient: ScenarioClient) -> None:
    service.on("GET /v1/jobs/j", hang, reply(200, {"job": {"jobId": "j"}}))
    service.on("GET /v1/jobs/silent", hang)
    assert impatient.job("j").id == "j"
    with pytest.raises(ServiceTimeoutError):
        impatient.job("silent")
    assert len(service.sent("GET /v1/jobs/silent")) == 4


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"reason": "r", "message": "m", "error": "e", "detail": "d"}, "r"),
        ({"message": "m", "error": "e", "detail": "d"}, "m"),
        ({"error": "e", "detail": "d"}, "e"),
        ({"detail": "d"}, "d"),
        ({"error": {"code": 5, "message": "inner"}}, "inner"),
        ({"detail": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        ({"reason": "", "message": "m"}, "m"),
        ({"reason": "x" * 10_000}, "x" * 299 + "…"),
        ({"reason": "two\nlines\x00\x1b[31m"}, "two lines [31m"),
        ({}, ""),
    ],
)
@pytest.mark.parametrize("trace", ["trace_id", "traceId"])
def test_the_services_words_are_found_where_it_puts_them(
    service: Service, client: ScenarioClient, body: dict, reason: str, trace: str
) -> None:
    service.on("GET /v1/jobs/j", reply(404, {**body, trace: "t-1"}))
    with pytest.raises(NotFoundError) as caught:
        client.job("j")
    assert (caught.value.reason, caught.value.trace_id, caught.value.status) == (reason, "t-1", 404)


def test_a_set_cancel_event_ends_the_wait_between_two_attempts(service: Service, connection: Connection) -> None:
    cancel = threading.Event()

    def busy(handler, request) -> None:
        cancel.set()
        reply(503, {}, retry_after="50")(handler, request)

    service.on("GET /v1/jobs/j", busy)
    with ScenarioClient(connection, cancel=cancel) as client, pytest.raises(CanceledError):
        client.job("j")
    assert len(service.requests) == 1


def test_an_unknown_refusal_is_still_an_api_error(service: Service, client: ScenarioClient) -> None:
    service.on("GET /v1/jobs/j", reply(409, {"reason": "conflict"}))
    with pytest.raises(ApiError, match="conflict"):
        client.job("j")


def test_a_client_can_be_closed_and_closed_again(service: Service, client: ScenarioClient) -> None:
    service.on("GET /v1/teams", reply(200, TEAMS))
    client.check_key()
    client.close()
    client.close()
