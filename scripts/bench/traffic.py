# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and bytes for one mesh: against the same flow with the official SDK and the loop of its documentation."""

from __future__ import annotations

import base64
import concurrent.futures
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from scenario_sdk import Scenario

from pixal3d_addon.generation import Generation, Manager, State, source_image_from_file
from pixal3d_addon.parameters import complete, request_body
from pixal3d_addon.scenario import Connection, Credentials
from scripts.bench import service
from scripts.bench.figures import Figure, Part
from scripts.bench.host import Bench
from scripts.bench.models import LARGE, Model, made
from scripts.bench.store import ROOT
from scripts.standin import StandIn

IMAGE = ROOT / "scripts" / "sample" / "mushroom.png"
JOB_SECONDS, QUICK_JOB_SECONDS = 60.0, 2.0
SDK_POLL_SECONDS = 3.0
"""``job.wait()`` of the SDK for JavaScript, and the loops of its documentation."""
RUNS = 3
"""Each way, all at the same time."""
QUICK = Model(20_000, side_px=512)


@dataclass(frozen=True, slots=True)
class Seen:
    """What went over the wire for one mesh."""

    requests: int
    sent_bytes: int
    received_bytes: int
    late_seconds: float
    """From the end of the job to the GLB on disk."""


def run(bench: Bench) -> list[Part]:
    glb = made(QUICK if bench.is_quick else LARGE)
    seconds = QUICK_JOB_SECONDS if bench.is_quick else JOB_SECONDS
    with concurrent.futures.ThreadPoolExecutor(2 * RUNS) as pool:
        flows = [pool.submit(_seen, flow, glb, seconds) for flow in (_ours, _sdk) for _ in range(RUNS)]
        seen = [flow.result() for flow in flows]
    pairs = [[dataclasses.astuple(each) for each in group] for group in (seen[:RUNS], seen[RUNS:])]
    ours, sdk = (Seen(*map(statistics.median, zip(*group, strict=True))) for group in pairs)
    extra = [(each.received_bytes - glb.stat().st_size) / 1e3 for each in (ours, sdk)]
    figures = [
        Figure("requests", ours.requests, sdk.requests, ""),
        Figure("bytes sent", ours.sent_bytes / 1e6, sdk.sent_bytes / 1e6, "MB"),
        Figure("bytes received beside the GLB", *extra, "kB"),
        Figure("from the job's end to the GLB on disk", ours.late_seconds, sdk.late_seconds, "s"),
    ]
    return [
        Part(
            f"One mesh over the wire, a job of {seconds:.0f} s",
            "scenario-sdk, asked every 3 s",
            tuple(figures),
            ("The SDK's flow downloads the GLB alone, into memory.",),
        )
    ]


def _seen(flow: Callable[[StandIn, Path], float], glb: Path, seconds: float) -> Seen:
    with service.started(glb, seconds, is_slow=False) as standin, tempfile.TemporaryDirectory() as folder:
        counted = service.Counted(standin)
        ended_at = flow(standin, Path(folder))
        begun_at = next(e.at for e in standin.requests if e.method == "POST" and "/generate/" in e.path)
        return Seen(len(counted.requests), counted.sent_bytes, counted.received_bytes, ended_at - begun_at - seconds)


def _ours(standin: StandIn, folder: Path) -> float:
    way = Connection(Credentials(standin.options.key, standin.options.secret), standin.base_url)
    generation = Generation(name="Bench", parameters=complete({}))
    with Manager(folder) as manager:
        manager.start(generation, source_image_from_file(IMAGE), way)
        while True:
            snapshot = manager.get(generation.id)
            if snapshot and snapshot.generation.state is State.READY:
                return snapshot.generation.ready_at
            if problem := manager.problem(generation.id):
                raise problem
            time.sleep(0.02)


def _sdk(standin: StandIn, folder: Path) -> float:
    options = standin.options
    with Scenario(base_url=standin.base_url, api_key=options.key, api_secret=options.secret) as client:
        image = client.assets.upload(name=IMAGE.name, image=base64.b64encode(IMAGE.read_bytes()).decode()).asset.id
        body = request_body(complete({}), image)
        job = client.generate.run_model("model_pixal3d", body=dict(body)).job
        while (job := client.jobs.retrieve(job.job_id).job).status not in ("success", "failure"):
            time.sleep(SDK_POLL_SECONDS)
        for asset_id in job.metadata.asset_ids or []:
            asset = client.assets.retrieve(asset_id).asset
            if asset.mime_type == "model/gltf-binary":
                (folder / "model.glb").write_bytes(httpx.get(asset.url, timeout=60.0).content)
    return time.time()
