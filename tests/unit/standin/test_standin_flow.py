# SPDX-License-Identifier: GPL-3.0-or-later
"""The official SDK, with strict response validation, goes through everything the add-on needs."""

from __future__ import annotations

import hashlib
import io
import json

import httpx
import numpy as np
import pytest
import scenario_sdk
from PIL import Image
from scenario_sdk import Scenario

from scripts.standin import Options, StandIn
from tests.unit.standin.support import SMALL, basic, finished, make_client, png, until, upload

# The request bodies that scenario-sdk 2.4.0 was seen to send, without the image id.
SDK_BODY = {
    "ssGuidanceStrength": 7.5, "ssGuidanceRescale": 0.7, "ssSamplingSteps": 36, "shapeSlatGuidanceStrength": 7.5,
    "shapeSlatGuidanceRescale": 0.5, "shapeSlatSamplingSteps": 36, "shapeSlatRescaleT": 3,
    "texSlatGuidanceStrength": 1, "texSlatGuidanceRescale": 0, "texSlatSamplingSteps": 36, "texSlatRescaleT": 3,
    "meshScale": 1, "maxNumTokens": 49152, "decimationTarget": 200000, "generationResolution": 1536,
    "resolution": 4096, "remesh": True, "seed": 42}
ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_the_account_and_the_model_can_be_read(client: Scenario, standin: StandIn) -> None:
    team = client.teams.list().teams[0]
    assert team.projects[0].id == standin.options.project_id
    assert client.teams.retrieve_limits(team.id).limits.creative_units == 1_000_000
    assert [model.id for model in client.models.list(privacy="public", page_size=1)] == ["model_pixal3d"]
    model = client.models.retrieve("model_pixal3d").model
    inputs = {item.name: item for item in model.inputs or []}
    assert set(inputs) == {"image", *SDK_BODY}
    assert "stand-in" in (model.name or "")
    assert {name: item.default for name, item in inputs.items() if name not in ("image", "seed")} == {
        name: value for name, value in SDK_BODY.items() if name != "seed"}


def test_an_image_becomes_a_downloaded_model(client: Scenario, standin: StandIn, ring: bytes) -> None:
    image = upload(client, ring)
    answer = client.generate.run_model("model_pixal3d", body={"image": image, **SMALL})
    assert answer.job.status == "queued" and answer.creative_units_cost == 30
    job = finished(client, answer.job.job_id)
    assert [step.status for step in job.status_history] == [
        "queued", "warming-up", "in-progress", "finalizing", "success"]
    assert job.metadata.input == {"modelId": "model_pixal3d", "image": image, **SMALL}
    preview, model = client.assets.get_bulk(asset_ids=[*job.metadata.asset_ids, "asset_unknown"]).assets
    assert (preview.kind, preview.mime_type) == ("image", "image/webp")
    assert Image.open(io.BytesIO(httpx.get(preview.url).content)).size == (512, 512)
    asset = client.assets.retrieve(model.id).asset
    assert (asset.kind, asset.mime_type, asset.source) == ("3d", "model/gltf-binary", "img23d")
    data = httpx.get(asset.url).content
    assert data[:4] == b"glTF" and len(data) == asset.properties.size
    link = client.assets.download.request(asset.id, target_format="glb")
    assert httpx.get(link.url).content == data
    assert [charge.creative_units for charge in standin.ledger.charges] == [30]


def test_the_glb_alone_can_be_listed(ring: bytes) -> None:
    with StandIn(Options(job_seconds=0, glb_only=True)) as service, make_client(service) as client:
        answer = client.generate.run_model("model_pixal3d", body={"image": upload(client, ring), **SMALL})
        (only,) = finished(client, answer.job.job_id).metadata.asset_ids
        assert client.assets.retrieve(only).asset.kind == "3d"


def test_a_big_image_goes_up_in_presigned_parts(client: Scenario) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1700, 1600, 3), dtype=np.uint8)
    data = png(Image.fromarray(noise))
    first = 6_000_000
    made = client.uploads.create(file_name="big.png", content_type="image/png", kind="image", parts=2,
                                 file_size=len(data)).upload
    assert made.status == "pending" and [part.number for part in made.parts or []] == [1, 2]
    for part, piece in zip(made.parts or [], (data[:first], data[first:]), strict=True):
        assert httpx.put(part.url, content=piece).status_code == 200
    assert client.uploads.trigger_action(made.id, action="complete").upload.status == "validating"
    seen = []
    upload_ = until(lambda: seen.append(client.uploads.retrieve(made.id).upload) or seen[-1],
                    lambda one: one.status in ("imported", "failed"))
    assert upload_.status == "imported"
    assert {one.status for one in seen} <= {"validating", "validated", "imported"}
    asset = client.assets.retrieve(upload_.entity_id).asset
    assert hashlib.sha256(httpx.get(asset.url).content).digest() == hashlib.sha256(data).digest()
    job = client.jobs.retrieve(made.job_id).job
    assert job.job_type == "upload" and job.metadata.output == {"entityId": asset.id}


@pytest.mark.parametrize(("parts", "announced", "sent", "why"), [
    (1, 20, [b"this is not an image"], "Unhandled image format"),
    (1, 99, [b"short"], "announced"),
    (2, 12, [b"ABCDEF", b"ABCDEF"], "5 MB"),
    (2, 12, [b"ABCDEF"], "missing"),
])
def test_a_bad_upload_fails_with_its_reason(
        client: Scenario, parts: int, announced: int, sent: list[bytes], why: str) -> None:
    made = client.uploads.create(file_name="big.png", content_type="image/png", kind="image", parts=parts,
                                 file_size=announced).upload
    for part, piece in zip(made.parts or [], sent, strict=False):
        assert httpx.put(part.url, content=piece).status_code == 200
    client.uploads.trigger_action(made.id, action="complete")
    failed = until(lambda: client.uploads.retrieve(made.id).upload, lambda one: one.status in ("imported", "failed"))
    assert failed.status == "failed" and why in (failed.error_message or "")


def test_a_quote_in_the_query_is_never_charged(standin: StandIn, ring: bytes) -> None:
    with make_client(standin, _strict_response_validation=False) as client:  # its answer has no job, the type wants one
        image = upload(client, ring)
        for dry_run in ("true", "api"):
            raw = client.generate.with_raw_response.run_model(
                "model_pixal3d", body={"image": image, **SDK_BODY}, dry_run=dry_run)
            assert raw.http_response.status_code == 269
            assert json.loads(raw.http_response.content) == {
                "creativeUnitsCost": 42, "creativeUnitsDiscount": 0, "costDetails": {"custom-generation": 42}}
        assert client.jobs.list(types=["custom"]).jobs == []
    assert standin.ledger.charges == () and standin.ledger.quotes == 2


def test_a_quote_in_the_body_is_ignored_and_charged(client: Scenario, standin: StandIn, ring: bytes) -> None:
    client.generate.run_model("model_pixal3d", body={"image": upload(client, ring), "dryRun": True, **SMALL})
    (charge,) = standin.ledger.charges
    assert charge.ignored == ("dryRun",) and standin.ledger.spent == 30


def test_what_the_sdk_puts_on_the_wire_is_taken(standin: StandIn) -> None:
    """The request targets and bodies of scenario-sdk 2.4.0, as captured, sent as they are."""
    with httpx.Client(base_url=standin.origin, auth=basic(standin)) as wire:
        project = standin.options.project_id
        wire.get("/v1/teams").raise_for_status()
        wire.get("/v1/models?pageSize=1&privacy=public").raise_for_status()
        wire.post("/v1/assets", json={"name": "chair.png", "image": ONE_PIXEL}).raise_for_status()
        hidden = wire.post(f"/v1/assets?projectId={project}",
                           json={"name": "chair.png", "hide": True, "image": f"data:image/png;base64,{ONE_PIXEL}"})
        image = hidden.raise_for_status().json()["asset"]["id"]
        wire.post("/v1/uploads", json={"contentType": "image/png", "fileName": "big.png", "fileSize": 12,
                                       "kind": "image", "parts": 2}).raise_for_status()
        quote = wire.post(f"/v1/generate/custom/model_pixal3d?dryRun=true&ipDetection=true&projectId={project}",
                          json={"image": image, **SDK_BODY})
        assert quote.status_code == 269
        run = wire.post("/v1/generate/custom/model_pixal3d", json={"image": image, **SMALL})
        job = run.raise_for_status().json()["job"]["jobId"]
        listed = wire.get("/v1/jobs?hideResults=true&pageSize=50&types=custom%2Cupload"
                          "&updatedAfter=2026-01-01T00%3A00%3A00.000Z")
        assert job in [one["jobId"] for one in listed.raise_for_status().json()["jobs"]]
        wire.get(f"/v1/assets/{image}?originalAssets=true&projectId={project}").raise_for_status()
        bulk = wire.post("/v1/assets/get-bulk", json={"assetIds": [image, "asset_2"]}).raise_for_status()
        assert [asset["id"] for asset in bulk.json()["assets"]] == [image]
        wire.post(f"/v1/assets/{image}/download", json={}).raise_for_status()
        cancel = wire.post(f"/v1/jobs/{job}/action", json={"action": "cancel"})
        assert (cancel.status_code, cancel.json()["reason"]) == (
            400, "Cannot cancel this type of job. Action not permitted.")


def test_jobs_are_listed_in_pages_without_gaps(client: Scenario, ring: bytes) -> None:
    image = upload(client, ring)
    made = {client.generate.run_model("model_pixal3d", body={"image": image, **SMALL}).job.job_id for _ in range(5)}
    seen: list[str] = []
    token = None
    while True:
        more = {"pagination_token": token} if token else {}
        page = client.jobs.list(page_size=2, types=["custom"], **more)
        assert len(page.jobs) <= 2
        seen += [job.job_id for job in page.jobs]
        token = page.next_pagination_token
        if not token:
            break
    assert len(seen) == 5 and set(seen) == made
    assert client.jobs.list(type="upload").jobs == []
    assert client.jobs.list(created_after="2999-01-01T00:00:00.000Z").jobs == []


def test_a_failed_job_says_why_and_is_given_back(standin: StandIn, client: Scenario, ring: bytes) -> None:
    standin.set_options(jobOutcome="failure")
    answer = client.generate.run_model("model_pixal3d", body={"image": upload(client, ring), **SMALL})
    job = finished(client, answer.job.job_id)
    assert job.status == "failure" and job.metadata.error and job.metadata.hint and not job.metadata.asset_ids
    assert standin.ledger.spent == 0 and standin.ledger.charges[0].refunded


def test_a_picture_that_cannot_be_decoded_fails_its_job(standin: StandIn, client: Scenario) -> None:
    whole = io.BytesIO()
    Image.effect_noise((400, 400), 90).save(whole, "JPEG")
    image = upload(client, whole.getvalue()[:9000])  # the header is good, the rest is not there
    job = finished(client, client.generate.run_model("model_pixal3d", body={"image": image, **SMALL}).job.job_id)
    assert job.status == "failure" and "truncated" in (job.metadata.error or "")
    assert standin.ledger.spent == 0


def test_the_sdk_sees_wrong_credentials_as_its_authentication_error(standin: StandIn) -> None:
    with make_client(standin, api_secret="wrong") as client, pytest.raises(scenario_sdk.AuthenticationError):
        client.teams.list()
