# SPDX-License-Identifier: GPL-3.0-or-later
"""One try with something damaged, from a seed. It returns how that ended, or raises: then there is a fault of ours."""

from __future__ import annotations

import gzip
import io
import math
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pixal3d_addon.generation.glb_scale import write_scaled
from pixal3d_addon.scenario import (
    Connection,
    Credentials,
    GlbInfo,
    Pace,
    ScenarioClient,
    ScenarioError,
    SubmissionUncertainError,
    UnreadableModelError,
    inspect_glb,
    job_failure,
    limits,
)
from pixal3d_addon.scenario.image_size import image_sizes_in_glb
from tests.fuzz import corpus
from tests.fuzz.mutate import NUMBERS, WORDS, Mutator, written

SECRET = "canary-of-the-fuzz-tests"
STATUSES = (*(200,) * 20, 201, 204, 206, 269, 301, 307, 400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 999)
MODELS = corpus.models()

Trial = tuple[Callable[[int], Any], Callable[[int, Any, Path], str]]
"""What it takes from the seed, which is damage's own time and memory, and the try."""


def damaged_model(seed: int) -> tuple[bytes, list[str]]:
    """The file, and what was done to which."""
    mutator = Mutator(seed)
    name = mutator.random.choice(list(MODELS))
    return mutator.model(MODELS[name]), [name, *mutator.done]


def model(seed: int, damaged: tuple[bytes, list[str]], folder: Path) -> str:
    """All that reads a model before Blender's importer does."""
    data, _ = damaged
    path = folder / "model.glb"
    path.write_bytes(data)
    image_sizes_in_glb(path)
    try:
        info = inspect_glb(path)
    except UnreadableModelError as error:
        assert error.message and error.remedy
        if seed % 10 == 0 and len(data) < 500_000:  # which it never gets, so it is as slow as it may be
            _scaled(path)
        return "refused"
    assert info.triangles > 0 and info.vertices > 0
    numbers = (*info.bounds_min, *info.bounds_max)
    assert all(type(number) is float and math.isfinite(number) for number in numbers)
    assert all(low <= high for low, high in zip(info.bounds_min, info.bounds_max, strict=True))
    if seed % 4 == 0 and (twice := _scaled(path)) is not None:
        assert (twice.triangles, twice.vertices) == (info.triangles, info.vertices)
        small = 1e-6 * max(map(abs, numbers))
        for number, double in zip(numbers, (*twice.bounds_min, *twice.bounds_max), strict=True):
            assert math.isclose(2 * number, double, rel_tol=1e-6, abs_tol=small)
    return "taken"


def _scaled(path: Path) -> GlbInfo | None:
    """Twice as large, unless it says that it can't: a node more may be too many."""
    target = path.with_name("scaled.glb")
    try:
        write_scaled(path, target, 2.0)
        return inspect_glb(target)
    except UnreadableModelError:
        return None


def answer(seed: int, mutator: Mutator, folder: Path) -> str:
    """Something that the service is asked, with a damaged answer to each request of it."""
    pick = mutator.random
    name, ask = pick.choice(list(ASKED.items()))
    with ScenarioClient(
        Connection(Credentials("key", SECRET), "http://127.0.0.1:9/v1"), pace=Pace(wait_scale=0.0)
    ) as client:
        network = _Network(mutator, name)
        client._transport._send = network.send  # type: ignore[method-assign]
        try:
            result = ask(client, folder, pick)
        except ScenarioError as error:
            assert error.message and error.remedy
            assert SECRET not in f"{error!s}{error!r}{error.reason}{error.trace_id}"
            assert len(error.reason) <= limits.REASON_CHARACTERS + 10
            # Where money may have gone, it must not look as if none had.
            is_taken = name == "generate" and network.answered and network.status < 300
            assert not is_taken or isinstance(error, SubmissionUncertainError), (network.status, error)
            return f"{name} {type(error).__name__}"
    assert SECRET not in repr(result)
    return f"{name} ok"


def _jobs(client: ScenarioClient, folder: Path, pick: random.Random) -> object:
    jobs = list(client.jobs())
    for job in jobs:
        assert job.id and (job.progress is None or 0.0 <= job.progress <= 1.0)
        assert job.cost is None or math.isfinite(job.cost)
        if job.failed:
            assert str(job_failure(job))
    return jobs


def _download(client: ScenarioClient, folder: Path, pick: random.Random) -> object:
    target = folder / "download.glb"
    target.unlink(missing_ok=True)
    try:
        found = client.download_model(["asset_1", "asset_2"], target)
    except ScenarioError:
        assert [path.name for path in folder.glob("download*")] == [], "whole, or not at all"
        raise
    assert found.path == target and target.stat().st_size == found.size
    return found


ASKED: dict[str, Callable[[ScenarioClient, Path, random.Random], object]] = {
    "check_key": lambda client, folder, pick: client.check_key(),
    "quote": lambda client, folder, pick: client.quote({"seed": 1}),
    "generate": lambda client, folder, pick: client.generate({"seed": 1}),
    "job": lambda client, folder, pick: client.job(pick.choice(("job_1", "../x", "a?b#c", "\ud800", ""))),
    "jobs": _jobs,
    "cancel": lambda client, folder, pick: client.cancel_job("job_1"),
    "assets": lambda client, folder, pick: client.assets(["asset_1", "asset_2"]),
    "download": _download,
    "upload": lambda client, folder, pick: client.upload_image("chair", bytes(100), "image/png"),
    "upload in parts": lambda client, folder, pick: client.upload_image("chair", bytes(4_000_000), "image/png"),
}
BODIES = {
    "check_key": ("teams",),
    "quote": ("quote",),
    "generate": ("job",),
    "job": ("job",),
    "jobs": ("jobs",),
    "cancel": ("job",),
    "assets": ("assets",),
    "download": ("assets", "asset"),
    "upload": ("asset",),
    "upload in parts": ("upload",),
}


class _Network:
    """Answers in the service's place. After a dozen it is off, as some questions go on until there is an answer.

    :ivar status: of the last answer.
    :ivar answered: an answer has come whole, with its head at least.
    """

    def __init__(self, mutator: Mutator, name: str) -> None:
        self.answered = False
        self.status = 0
        self._mutator = mutator
        self._name = name
        self._count = 0
        self._damage = mutator.random.choice((0.0, 0.3, 1.0))
        """How much of what comes is not as it should be: else no question of several requests would get to its end."""

    def send(self, adapter: Any, method: str, url: str, headers: dict[str, str], body: Any, *_: Any) -> Any:
        import requests

        if body is not None:
            for _chunk in body:
                pass
        self._count += 1
        pick = self._mutator.random
        self.answered = False
        if self._count > 12 or pick.random() < 0.02:
            raise requests.ConnectionError("gone")
        self.status, fields, data = self._answer(url)
        self.answered = True
        return _response(self.status, fields, data)

    def _answer(self, url: str) -> tuple[int, dict[str, str], bytes]:
        pick = self._mutator.random
        status = pick.choice(STATUSES) if pick.random() < self._damage else 200
        fields = {"Content-Type": "application/json"}
        if "/cdn/" in url:
            fields["Content-Type"] = "model/gltf-binary"
            data = (
                self._mutator._bytes(MODELS["service"])
                if pick.random() < 0.5
                else damaged_model(pick.randrange(2**31))[0]
            )
            if pick.random() < 0.3:
                fields["Content-Range"] = pick.choice(
                    ("bytes 0-9/10", f"bytes {pick.randrange(9)}-99/*", "x", "bytes 0-/1")
                )
        else:
            bodies = BODIES[self._name] if status < 300 or pick.random() < 0.2 else ("error", "nothing")
            document = corpus.ANSWERS[pick.choice(bodies)]
            if pick.random() < max(0.3, self._damage):
                document = self._mutator.json(document)
            data = written(document)
            if pick.random() < 0.2 * self._damage:
                data = self._mutator.text(data)
        if pick.random() < 0.2:
            self._wrap(fields, pick)
        match pick.randrange(40) if pick.random() < max(0.2, self._damage) else -1:
            case 0:
                data = gzip.compress(bytes(pick.choice((10, 9_000_000))))
                fields["Content-Encoding"] = "gzip"
            case 1:
                data, fields["Content-Encoding"] = gzip.compress(data), pick.choice(("gzip", "x-gzip", "br", "deflate"))
            case 2:
                data, fields["Content-Encoding"] = zlib.compress(data)[:-2], "deflate"
            case 3:
                data, fields["Content-Type"] = b"<html>Log in</html>", "text/html"
            case 4:
                data = b"[" * 2_000_000
            case 5:
                data = b""
            case 6:
                data = b'{"a":' + b"1" * 20_000 + b"}"
        return status, fields, data

    def _wrap(self, fields: dict[str, str], pick: random.Random) -> None:
        """Head lines that lie, or that nobody can read."""
        lines = (
            "Content-Length",
            "Retry-After",
            "ETag",
            "Location",
            "Content-Range",
            "Content-Encoding",
            "Content-Type",
            "Date",
        )
        value = str(pick.choice((*NUMBERS, *WORDS)))
        fields[pick.choice(lines)] = value.encode("latin-1", "replace").decode("latin-1")[:8000]


def _response(status: int, fields: dict[str, str], data: bytes) -> Any:
    """As requests hands it out, unread."""
    import requests
    import urllib3

    response = requests.Response()
    response.status_code = status
    response.headers.update(fields)
    response.raw = urllib3.HTTPResponse(
        io.BytesIO(data), headers=fields, status=status, preload_content=False, decode_content=False
    )
    return response


TRIALS: dict[str, Trial] = {"models": (damaged_model, model), "answers": (Mutator, answer)}
