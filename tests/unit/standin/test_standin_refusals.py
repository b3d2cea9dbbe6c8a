# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service must refuse is refused, with its documented words, and costs nothing."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from scripts.standin import Options, StandIn
from scripts.standin.parameters import INPUTS
from tests.unit.standin.support import SMALL, basic, finished, make_client, upload

RUN = "/generate/custom/model_pixal3d"


@pytest.fixture
def wire(standin: StandIn) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=standin.base_url, auth=basic(standin)) as client:
        yield client


@pytest.fixture
def image(standin: StandIn, ring: bytes) -> str:
    with make_client(standin) as client:
        return upload(client, ring)


def _bad_values() -> Iterator[tuple[str, Any]]:
    for item in INPUTS:
        wrong: list[Any] = ["1", None, [1]]
        wrong += [1, 0] if isinstance(item.default, bool) else [True]
        if item.low is not None and item.high is not None:
            wrong += [item.low - 0.01, item.high + 0.01]
        if item.whole:
            wrong.append((item.low or 0) + 1.5)
        if item.allowed:
            wrong += [512, 3000]
        yield from ((item.name, value) for value in wrong)


@pytest.mark.parametrize(("name", "value"), list(_bad_values()))
def test_a_value_out_of_range_or_of_the_wrong_type_is_refused(
        wire: httpx.Client, standin: StandIn, image: str, name: str, value: Any) -> None:
    answer = wire.post(RUN, json={"image": image, name: value})
    assert answer.status_code == 400 and f'"{name}"' in answer.json()["reason"] and answer.json()["trace_id"]
    assert standin.ledger.charges == ()


@pytest.mark.parametrize("item", INPUTS, ids=lambda item: item.name)
def test_both_ends_of_every_range_are_taken(wire: httpx.Client, image: str, item: Any) -> None:
    ends = (True, False) if isinstance(item.default, bool) else item.allowed or (item.low, item.high)
    for value in ends:
        assert wire.post(f"{RUN}?dryRun=true", json={"image": image, item.name: value}).status_code == 269


@pytest.mark.parametrize(("body", "status", "words"), [
    ({}, 400, "image is required"), ({"image": 5}, 400, "must be a string"),
    ({"image": "asset_none"}, 404, "asset_none not found")])
def test_a_run_without_a_known_image_is_refused(
        wire: httpx.Client, standin: StandIn, body: dict[str, Any], status: int, words: str) -> None:
    answer = wire.post(RUN, json=body)
    assert answer.status_code == status and words in answer.json()["reason"]
    assert standin.ledger.charges == ()
    standin.set_options(dryRunChecksImage=False)
    assert wire.post(f"{RUN}?dryRun=true", json=body).status_code == 269


def test_too_few_creative_units_are_402(wire: httpx.Client, standin: StandIn, image: str) -> None:
    standin.set_options(creativeUnits=50)
    assert [wire.post(RUN, json={"image": image, **SMALL}).status_code for _ in range(2)] == [200, 402]
    assert standin.ledger.spent == 30


@pytest.mark.parametrize(("body", "words"), [
    ({"image": "AAAA"}, '"name" is required'), ({"name": "a"}, "Either 'image' or 'canvas' must be provided"),
    ({"name": "a", "image": "not base64!"}, "Unhandled image format"),
    ({"name": "a", "image": base64.b64encode(b"plain text").decode()}, "Unhandled image format")])
def test_what_is_no_image_is_no_asset(wire: httpx.Client, body: dict[str, Any], words: str) -> None:
    answer = wire.post("/assets", json=body)
    assert (answer.status_code, answer.json()["reason"]) == (400, words)


def test_an_image_of_six_megabytes_has_to_go_in_parts(wire: httpx.Client) -> None:
    big = base64.b64encode(bytes(6_000_000)).decode()
    answer = wire.post("/assets", json={"name": "a", "image": big})
    assert answer.status_code == 400 and "multipart" in answer.json()["reason"]
    over = wire.post("/assets", json={"name": "a", "image": big * 2})
    assert (over.status_code, over.json()) == (413, {"message": "Request Too Long"})


@pytest.mark.parametrize("change", [
    {"kind": "picture"}, {"kind": "image", "contentType": "model/gltf-binary"}, {"parts": 0}, {"parts": 10_001},
    {"fileSize": True}, {"fileName": ""}, {"url": "https://example.com/a.png"}])
def test_an_impossible_upload_is_not_begun(wire: httpx.Client, change: dict[str, Any]) -> None:
    good = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": 10}
    assert wire.post("/uploads", json=good).status_code == 200
    assert wire.post("/uploads", json={**good, **change}).status_code == 400


@pytest.mark.parametrize("query", [
    "createdAfter=2026-01-01T00:00:00Z&types=custom", "createdAfter=2026-01-01T00:00:00Z&status=success",
    "updatedAfter=2026-01-01T00:00:00Z", "pageSize=0", "pageSize=101", "pageSize=x", "status=processing",
    "paginationToken=%FF", "type=custom&types=upload"])
def test_a_job_list_that_breaks_a_rule_is_refused(wire: httpx.Client, query: str) -> None:
    assert wire.get(f"/jobs?{query}").status_code == 400


def test_a_bad_date_is_refused_even_with_jobs_to_compare(wire: httpx.Client, image: str) -> None:
    wire.post(RUN, json={"image": image, **SMALL}).raise_for_status()
    assert wire.get("/jobs?createdAfter=yesterday").status_code == 400


def test_credentials_and_project_are_checked(standin: StandIn) -> None:
    url = f"{standin.base_url}/teams"
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, auth=("wrong", standin.options.secret)).status_code == 401
    assert httpx.get(url, headers={"Authorization": "Bearer abc"}).status_code == 401
    assert httpx.get(url, headers={"Authorization": "Basic ###"}).status_code == 401
    assert httpx.get(url, auth=basic(standin), params={"projectId": "proj_other"}).status_code == 403
    assert httpx.get(f"{standin.base_url}/me", auth=basic(standin)).json() == {
        "message": "API Keys cannot access protected resources"}


@pytest.mark.parametrize("path", ["/jobs/job_none", "/assets/asset_none", "/uploads/upload_none", "/models/model_x"])
def test_what_is_not_there_is_404(wire: httpx.Client, path: str) -> None:
    answer = wire.get(path)
    assert answer.status_code == 404 and "not found" in answer.json()["reason"]


def test_a_presigned_part_wants_its_signature_and_no_authorization(wire: httpx.Client, standin: StandIn) -> None:
    body = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": 10}
    url = wire.post("/uploads", json=body).json()["upload"]["parts"][0]["url"]
    for refused in (httpx.put(url, content=b"x", auth=basic(standin)), httpx.put(url + "0", content=b"x"),
                    httpx.put(url.partition("?")[0], content=b"x")):
        assert refused.status_code == 403 and "<Error><Code>" in refused.text
    assert httpx.put(url, content=iter([b"x"])).status_code == 411  # object storage wants a Content-Length
    assert httpx.put(url, content=b"x").status_code == 200


def test_a_file_address_is_signed_expires_and_takes_no_authorization(
        wire: httpx.Client, standin: StandIn, image: str, ring: bytes) -> None:
    url = httpx.URL(wire.get(f"/assets/{image}").json()["asset"]["url"])
    assert httpx.get(url).content == ring
    for bad in (url.copy_remove_param("Signature"), url.copy_set_param("Policy", "e30"), url.copy_add_param("a", "b"),
                url.copy_with(path="/cdn/assets/asset_other.png")):
        refused = httpx.get(bad)
        assert refused.status_code == 403 and "AccessDenied" in refused.text
    assert httpx.get(url, auth=basic(standin)).status_code == 403
    standin.set_options(urlLifetimeSeconds=0)
    late = wire.get(f"/assets/{image}").json()["asset"]["url"]
    time.sleep(0.01)
    expired = httpx.get(late)
    assert expired.status_code == 403 and expired.headers["content-type"] == "application/xml"


@pytest.mark.parametrize(("wanted", "status", "part"), [
    ("bytes=0-3", 206, slice(0, 4)), ("bytes=10-", 206, slice(10, None)), ("bytes=-5", 206, slice(-5, None)),
    ("bytes=9999999-", 416, None), ("lines=1-2", 200, slice(None))])
def test_a_file_can_be_read_in_ranges(
        wire: httpx.Client, image: str, ring: bytes, wanted: str, status: int, part: slice | None) -> None:
    url = wire.get(f"/assets/{image}").json()["asset"]["url"]
    answer = httpx.get(url, headers={"Range": wanted})
    assert answer.status_code == status and answer.content == (ring[part] if part else b"")


def test_a_model_is_not_an_input_image(ring: bytes) -> None:
    with StandIn(Options(job_seconds=0)) as service, make_client(service) as client:
        run = client.generate.run_model("model_pixal3d", body={"image": upload(client, ring), **SMALL})
        model = finished(client, run.job.job_id).metadata.asset_ids[1]
        answer = httpx.post(service.base_url + RUN, json={"image": model}, auth=basic(service))
        assert answer.status_code == 400 and "not an image" in answer.json()["reason"]
