# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that is late, full or thrifty, and what a test can read of its jobs and charges."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scenario_sdk import Scenario

from scripts.standin import Options, StandIn
from scripts.standin.options import parse_arguments
from scripts.standin.process import StandInProcess
from tests.unit.standin.support import SMALL, basic, finished, make_client, until, upload

RUN = "/generate/custom/model_pixal3d"
NO_SEED = {name: value for name, value in SMALL.items() if name != "seed"}


@pytest.fixture
def wire(standin: StandIn) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=standin.base_url, auth=basic(standin), timeout=20) as client:
        yield client


@pytest.fixture
def image(client: Scenario, ring: bytes) -> str:
    return upload(client, ring)


def _run(wire: httpx.Client, image: str, **parameters: Any) -> str:
    answer = wire.post(RUN, json={"image": image, **SMALL, **parameters})
    job: str = answer.raise_for_status().json()["job"]["jobId"]
    return job


def _listed(wire: httpx.Client) -> list[str]:
    return [job["jobId"] for job in wire.get("/jobs").raise_for_status().json()["jobs"]]


def test_the_list_can_be_behind_while_the_job_is_known(wire: httpx.Client, standin: StandIn, image: str) -> None:
    standin.set_options(listLagSeconds=1)
    begun = time.monotonic()
    job = _run(wire, image)
    assert _listed(wire) == [] and wire.get(f"/jobs/{job}").status_code == 200
    until(lambda: _listed(wire), lambda ids: ids == [job])
    assert time.monotonic() - begun > 0.9
    second = _run(wire, image)
    assert _listed(wire) == [job]  # the old one stays
    assert [one["id"] for one in httpx.get(f"{standin.origin}/__standin__/jobs").json()["jobs"]] == [job, second]


def test_an_upload_is_listed_whatever_the_lag_of_custom_jobs(wire: httpx.Client, standin: StandIn, image: str) -> None:
    standin.set_options(listLagSeconds=600)
    begun = wire.post("/uploads", json={"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1,
                                        "fileSize": 10}).json()["upload"]
    _run(wire, image)
    assert _listed(wire) == [begun["jobId"]]


def test_a_new_job_can_be_unknown_for_a_while(wire: httpx.Client, standin: StandIn, image: str) -> None:
    standin.set_options(jobLagSeconds=1)
    begun = time.monotonic()
    job = _run(wire, image)
    early = wire.get(f"/jobs/{job}")
    assert early.status_code == 404 and early.json()["reason"] == f"Job {job} not found"
    assert _listed(wire) == [job]
    until(lambda: wire.get(f"/jobs/{job}").status_code, lambda status: status == 200)
    assert time.monotonic() - begun > 0.9


def test_too_many_jobs_at_a_time_are_429_and_cost_nothing(wire: httpx.Client, standin: StandIn, image: str) -> None:
    standin.set_options(parallelJobs=2, jobSeconds=600)
    running = [_run(wire, image), _run(wire, image)]
    refused = wire.post(RUN, json={"image": image, **SMALL})
    assert refused.status_code == 429 and refused.json()["reason"]
    assert refused.json()["details"] == {"actionName": "parallelCustomJobs", "actionLimit": 2}
    assert [charge.job_id for charge in standin.ledger.charges] == running and len(_listed(wire)) == 2
    assert wire.post(f"{RUN}?dryRun=true", json={"image": image, **SMALL}).status_code == 269
    assert wire.get("/teams/team_standin/limits").json()["limits"]["parallelCustomJobs"] == 2
    standin.set_options(parallelJobs=3)
    _run(wire, image)


def test_a_job_that_is_over_makes_room(wire: httpx.Client, standin: StandIn, image: str, client: Scenario) -> None:
    standin.set_options(parallelJobs=1)
    first = _run(wire, image)
    assert wire.post(RUN, json={"image": image, **SMALL}).status_code == 429
    assert finished(client, first).status == "success"
    standin.set_options(jobOutcome="failure", jobSeconds=0)
    assert all(finished(client, _run(wire, image)).status == "failure" for _ in range(2))


def _glb(client: Scenario, job_id: str) -> tuple[str, bytes]:
    model = client.assets.retrieve(finished(client, job_id).metadata.asset_ids[1]).asset
    return model.id, httpx.get(model.url).content


def test_an_equal_model_is_made_once_if_asked(wire: httpx.Client, standin: StandIn, image: str, client: Scenario,
                                              ring: bytes) -> None:
    """Without a seed every model made differs, so that equal bytes were made once."""
    standin.set_options(modelCache=True)
    again = upload(client, ring)  # the same bytes in another asset
    jobs = [wire.post(RUN, json={"image": one, **NO_SEED}).json()["job"]["jobId"] for one in (image, again, image)]
    made = [_glb(client, job) for job in jobs]
    assert len({data for _, data in made}) == 1 and len({asset for asset, _ in made}) == 3
    assert [charge.job_id for charge in standin.ledger.charges] == jobs and standin.ledger.spent == 90
    others = [_glb(client, _run(wire, image))[1]]  # another parameter
    standin.set_options(textureFormat="png")
    others.append(_glb(client, _run(wire, image))[1])  # another style
    standin.set_options(textureFormat="webp", modelCache=False)
    others += [_glb(client, wire.post(RUN, json={"image": image, **NO_SEED}).json()["job"]["jobId"])[1]]
    assert len({made[0][1], *others}) == 4


def test_a_charge_and_a_job_say_the_name_of_their_image(wire: httpx.Client, standin: StandIn, ring: bytes,
                                                        client: Scenario) -> None:
    one = upload(client, ring)
    begun = wire.post("/uploads", json={"fileName": "click 2.png", "contentType": "image/png", "kind": "image",
                                        "parts": 1, "fileSize": len(ring)}).json()["upload"]
    httpx.put(begun["parts"][0]["url"], content=ring).raise_for_status()
    wire.post(f"/uploads/{begun['id']}/action", json={"action": "complete"}).raise_for_status()
    done = until(lambda: wire.get(f"/uploads/{begun['id']}").json()["upload"], lambda up: up["status"] == "imported")
    two = done["entityId"]
    names = [wire.get(f"/assets/{asset}").json()["asset"]["metadata"]["name"] for asset in (one, two)]
    assert names == ["picture.png", "click 2.png"]
    standin.set_options(jobSeconds=600)
    jobs = [_run(wire, asset) for asset in (one, two)]
    assert [charge.image_name for charge in standin.ledger.charges] == names
    control = f"{standin.origin}/__standin__"
    assert [charge["image_name"] for charge in httpx.get(f"{control}/ledger").json()["charges"]] == names
    listed = httpx.get(f"{control}/jobs").json()["jobs"]
    assert all(abs(job.pop("created") - time.time()) < 60 for job in listed)
    assert listed == [{"id": job, "status": "queued", "image": asset, "image_name": name}
                      for job, asset, name in zip(jobs, (one, two), names, strict=True)]


def test_the_request_log_can_be_emptied(wire: httpx.Client, standin: StandIn) -> None:
    wire.get("/teams")
    assert len(standin.requests) == 1
    assert httpx.delete(f"{standin.origin}/__standin__/requests").json() == {"requests": []}
    wire.get("/models")
    assert [entry.path for entry in standin.requests] == ["/v1/models"]


def test_the_command_line_knows_them() -> None:
    options, _ = parse_arguments(["--list-lag-seconds", "2", "--job-lag-seconds", "1.5", "--parallel-jobs", "3",
                                  "--model-cache"])
    assert (options.list_lag_seconds, options.job_lag_seconds, options.parallel_jobs, options.model_cache) == (
        2.0, 1.5, 3, True)
    assert parse_arguments([])[0] == Options()


@pytest.mark.parametrize("wrong", [
    {"listLagSeconds": -1}, {"jobLagSeconds": "1"}, {"parallelJobs": -1}, {"parallelJobs": 1.5},
    {"parallelJobs": True}, {"modelCache": 1}])
def test_a_wrong_option_is_refused_by_name(standin: StandIn, wrong: dict[str, Any]) -> None:
    answer = httpx.post(f"{standin.origin}/__standin__/options", json=wrong)
    name = {"l": "list_lag_seconds", "j": "job_lag_seconds", "p": "parallel_jobs", "m": "model_cache"}[min(wrong)[0]]
    assert answer.status_code == 400 and name in answer.json()["reason"]
    assert standin.options == Options(job_seconds=0.4, upload_seconds=0.2)


def test_a_process_of_its_own_can_be_asked_for_everything(ring: bytes) -> None:
    with StandInProcess.started("--job-seconds", "600") as service:
        with Scenario(base_url=service.base_url, api_key=service.key, api_secret=service.secret) as client:
            image = upload(client, ring)
            job = client.generate.run_model("model_pixal3d", body={"image": image, **SMALL}).job.job_id
        assert [(one["id"], one["image_name"]) for one in service.jobs()] == [(job, "picture.png")]
        ledger = service.ledger()
        assert (ledger["quotes"], ledger["spent"], ledger["charges"]) == (0, 30, service.charges())
        assert len(service.requests()) == 2
        service.clear_requests()
        assert service.requests() == []
        service.set_faults([{"action": "refuse", "path": "/teams$", "skip": 1, "seconds": 1}])
        (fault,) = service.faults_left()
        assert (fault["action"], fault["skip"], fault["times"]) == ("refuse", 1, 1)
        httpx.get(f"{service.base_url}/teams")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{service.base_url}/teams")
        with pytest.raises(OSError, match="refused"):
            service.faults_left()
        time.sleep(1.5)
        assert service.faults_left() == []


def test_a_cached_model_is_of_one_standin_only(ring: bytes) -> None:
    """Two services that share nothing: what one has made is no business of the other's."""
    made = []
    for _ in range(2):
        with StandIn(Options(job_seconds=0, model_cache=True)) as service, make_client(service) as client:
            answer = client.generate.run_model("model_pixal3d", body={"image": upload(client, ring), **NO_SEED})
            made.append(_glb(client, answer.job.job_id)[1])
    assert made[0] != made[1]
