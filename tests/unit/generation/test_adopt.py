# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of any job of the project can be fetched by the job's ID, whoever began it, and costs nothing."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Manager, Placement, Settings, State, Store
from pixal3d_addon.parameters import complete
from pixal3d_addon.scenario import Connection, NotFoundError

from .images import a_generation, a_png, an_image, on_disk, until, until_ended
from .processes import PROJECT

pytestmark = pytest.mark.usefixtures("quick")

HERE = Placement(scene="Scene", location=(1.0, 2.0, 3.0))

SDK = """
import base64, sys
from scenario_sdk import Scenario
base_url, key, secret = sys.argv[1:]
client = Scenario(base_url=base_url, api_key=key, api_secret=secret)
image = base64.b64encode(sys.stdin.buffer.read()).decode()
asset = client.assets.upload(name="Old Chair.png", image=image).asset
body = {"image": asset.id, "meshScale": 2, "seed": 11, "resolution": 1024}
job = client.generate.run_model("model_pixal3d", body=body)
print(job.job.job_id)
"""


def begun_by_the_official_sdk(service: Any) -> str:
    """In the interpreter that has it."""
    python = os.environ.get("PIXAL3D_STANDIN_PYTHON") or sys.executable
    command = [python, "-c", SDK, service.base_url, service.key, service.secret]
    done = subprocess.run(command, input=a_png(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def begun_by_plain_http(service: Any) -> str:
    token = base64.b64encode(f"{service.key}:{service.secret}".encode()).decode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def post(path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(f"{service.base_url}{path}", json.dumps(body).encode(), method="POST")
        request.add_header("Authorization", f"Basic {token}")
        request.add_header("Content-Type", "application/json")
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)

    image = base64.b64encode(a_png()).decode()
    asset = post("/assets", {"name": "Old Chair.png", "image": image})["asset"]["id"]
    body = {"image": asset, "meshScale": 2, "seed": 11, "resolution": 1024}
    job: str = post("/generate/custom/model_pixal3d", body)["job"]["jobId"]
    return job


@pytest.mark.parametrize("begin", [begun_by_the_official_sdk, begun_by_plain_http])
def test_a_job_that_somebody_else_began_arrives_with_its_name_and_its_settings(
    tmp_path: Path, service: Any, connection: Connection, begin: Any
) -> None:
    job_id = begin(service)
    charges = len(service.charges())
    manager = Manager(tmp_path / "store", Settings(results=tmp_path / "results"))
    manager.adopt(job_id, HERE, connection)
    until(lambda: manager.arrived(), "the model")
    (generation,) = manager.arrived()
    until_ended(manager, generation)
    assert (generation.name, generation.job_id, generation.placement) == ("Old Chair", job_id, HERE)
    assert generation.parameters == complete({"mesh_scale": 2, "seed": 11, "resolution": 1024})
    assert generation.seed == 11 and generation.cost and generation.account == connection.fingerprint()
    assert Path(generation.glb_file).read_bytes()[:4] == b"glTF"
    assert Path(generation.glb_file).parent == tmp_path / "results" / generation.id
    assert on_disk(manager, generation) == generation
    assert len(service.charges()) == charges
    manager.close()


@pytest.mark.parametrize("job_id", ["job_unknown", "no job/../at all", "\u2713", "x" * 500, ""])
def test_an_id_that_leads_nowhere_is_told_once_and_not_asked_for_again_and_again(
    manager: Manager, service: Any, connection: Connection, job_id: str
) -> None:
    generation = manager.of_job(job_id, HERE)
    manager.start(generation, None, connection)
    until_ended(manager, generation)
    record = on_disk(manager, generation)
    assert record.state is State.FAILED and record.error and record.hint and record.has_failed_job
    time.sleep(0.3)
    asked = len(service.requests())
    time.sleep(0.8)
    assert len(service.requests()) == asked and not manager.is_retried(generation.id)
    assert manager.store.take_over() == []


def test_a_job_of_another_model_is_refused(manager: Manager, service: Any, connection: Connection) -> None:
    job = {"jobId": "job_of_another", "status": "success", "metadata": {"input": {"modelId": "model_other"}}}
    path = {"method": "GET", "path": "/v1/jobs/job_of_another"}
    service.set_faults([{**path, "action": "status", "status": 200, "body": {"job": job}}])
    with pytest.raises(NotFoundError, match="not a job of Pixal3D"):
        manager.run(manager.of_job("job_of_another", HERE), None, connection)
    (snapshot,) = manager.snapshots()
    assert snapshot.generation.state is State.FAILED


def test_an_upload_is_no_job_of_pixal3d(manager: Manager, service: Any, connection: Connection) -> None:
    job = {"jobId": "job_upload", "jobType": "upload", "status": "success", "metadata": {}}
    path = {"method": "GET", "path": "/v1/jobs/job_upload"}
    service.set_faults([{**path, "action": "status", "status": 200, "body": {"job": job}}])
    with pytest.raises(NotFoundError):
        manager.run(manager.of_job("job_upload", HERE), None, connection)


def test_a_network_that_is_away_at_that_moment_does_not_lose_the_wish(
    manager: Manager, service: Any, connection: Connection
) -> None:
    job_id = begun_by_plain_http(service)
    service.set_faults([{"method": "GET", "path": "/v1/jobs/", "times": 6, "action": "close"}])
    manager.adopt(job_id, HERE, connection)
    until(lambda: manager.arrived(), "the model")
    assert manager.arrived()[0].name == "Old Chair"


def test_a_job_that_is_in_the_list_already_is_fetched_again_and_not_listed_twice(
    manager: Manager, service: Any, connection: Connection
) -> None:
    ready = manager.run(a_generation("mine"), an_image(), connection)
    manager.mark_imported(ready.id)
    charges = len(service.charges())
    manager.adopt(ready.job_id, HERE, connection)
    until(lambda: manager.arrived(), "the model")
    (snapshot,) = manager.snapshots()
    assert snapshot.generation.id == ready.id and snapshot.generation.placement == HERE
    assert snapshot.generation.name == "mine" and snapshot.generation.parameters == ready.parameters
    assert len(service.charges()) == charges


def test_a_job_that_still_runs_is_waited_for_and_goes_on_after_a_restart(
    tmp_path: Path, service: Any, connection: Connection
) -> None:
    service.set_options(job_seconds=2.0)
    job_id = begun_by_plain_http(service)
    first = Manager(tmp_path)
    first.adopt(job_id, HERE, connection)
    until(lambda: first.snapshots()[0].generation.service_status, "the first answer")
    first.close()
    second = Manager(tmp_path)
    second.configure(Settings(), connection)
    second.resume()
    until(lambda: second.arrived(), "the model")
    assert second.arrived()[0].job_id == job_id and second.arrived()[0].name == "Old Chair"
    second.close()


def test_stopping_to_wait_for_somebody_elses_job_does_not_cancel_it(
    manager: Manager, service: Any, connection: Connection
) -> None:
    service.set_options(job_seconds=600.0)
    job_id = begun_by_plain_http(service)
    manager.adopt(job_id, HERE, connection)
    until(lambda: manager.snapshots()[0].generation.service_status, "the first answer")
    generation = manager.snapshots()[0].generation
    manager.stop(generation.id)
    until_ended(manager, generation)
    assert on_disk(manager, generation).state is State.ABANDONED
    assert not any(r["path"] == f"/v1/jobs/{job_id}/action" for r in service.requests())


def test_the_image_of_a_job_may_be_gone(manager: Manager, service: Any, connection: Connection) -> None:
    job_id = begun_by_plain_http(service)
    service.set_faults([{"method": "GET", "path": "/v1/assets/", "action": "status", "status": 404, "body": {}}])
    ready = manager.run(manager.of_job(job_id, HERE), None, connection)
    assert ready.state is State.READY and ready.name == job_id


def test_it_is_one_record_of_the_store_like_any_other(tmp_path: Path, service: Any, connection: Connection) -> None:
    job_id = begun_by_plain_http(service)
    manager = Manager(tmp_path)
    ready = manager.run(manager.of_job(job_id, HERE), None, connection)
    assert ready.bytes_on_disk == Path(ready.glb_file).stat().st_size == manager.store.bytes_on_disk()
    manager.close()
    assert [g.id for g in Store(tmp_path).take_over()] == [ready.id]
    assert str(PROJECT) not in ready.folder
