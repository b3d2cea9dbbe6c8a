# SPDX-License-Identifier: GPL-3.0-or-later
"""Any JSON in any place of any answer, any status and any header: a typed result or a ScenarioError, nothing else."""

from __future__ import annotations

import contextlib
import copy
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixal3d_addon.scenario import Asset, Connection, Credentials, Job, Project, Quote, ScenarioClient, ScenarioError
from pixal3d_addon.scenario import limits as scenario_limits
from pixal3d_addon.scenario.answers import read_asset, read_job, read_project, read_quote, words
from pixal3d_addon.scenario.faults import api_error, job_failure, reason_of, trace_id_of
from pixal3d_addon.scenario.redact import redact
from pixal3d_addon.scenario.reply import _json
from pixal3d_addon.scenario.retry import Call, Outcome, asked_seconds, delay_seconds, is_parallel_limit
from tests.unit.scenario.conftest import GENERATE, KEY, QUICK, SECRET, make_glb
from tests.unit.scenario.scripted_server import Service, reply, serving

SECRETS = (KEY, SECRET, Credentials(KEY, SECRET).token())

numbers = st.integers() | st.floats() | st.sampled_from([10**400, -1, 0, 1e308, math.nan, math.inf])
texts = st.text(max_size=20) | st.sampled_from(
    ["", "\ud800", "\0", "a\r\nb", "../x", "success", "failure", "x" * 5000, SECRET, "nsfw", "insufficient credits"]
)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "error", "message", "status", "url", "reason"]) | texts, inner, max_size=4
        )
    ),
    max_leaves=8,
)

JOB: dict[str, Any] = {
    "jobId": "job_1",
    "status": "success",
    "progress": 0.5,
    "createdAt": "2026-11-01T00:00:00Z",
    "metadata": {"assetIds": ["asset_1"], "error": {"message": "no"}, "hint": "try", "input": {"seed": 1}},
    "billing": {"cuCost": 60},
    "statusHistory": [{"status": "queued", "date": "2026-11-01T00:00:00Z"}],
}
ASSET: dict[str, Any] = {
    "id": "asset_1",
    "url": "https://cdn.invalid/a.glb",
    "mimeType": "model/gltf-binary",
    "kind": "3d",
    "status": "success",
    "metadata": {"name": "a", "kind": "3d"},
    "properties": {"size": 100},
}
TEAMS = {"teams": [{"name": "t", "plan": "pro", "projects": [{"id": "p", "name": "P"}]}]}
QUOTE = {"creativeUnitsCost": 60, "creativeUnitsDiscount": 0.5, "costDetails": {"base": 60}}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in `value`, its own too."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


def changed(value: Any) -> st.SearchStrategy[Any]:
    """`value` with one to three of its places holding something else."""

    def change(edits: list[tuple[tuple[Any, ...], Any]]) -> Any:
        result = copy.deepcopy(value)
        for path, other in edits:
            if not path:
                return other
            with contextlib.suppress(LookupError, TypeError):  # an edit before took it away
                parent = result
                for key in path[:-1]:
                    parent = parent[key]
                parent[path[-1]] = other
        return result

    return st.lists(st.tuples(st.sampled_from(list(places(value))), values), min_size=1, max_size=3).map(change)


def as_read(value: Any) -> Any:
    """What our own reading makes of it, as it would arrive."""
    return _json(json.dumps(value).encode())


def assert_fit_to_keep(value: Any) -> None:
    """Can be written to a file and shown: typed all through, finite, encodable, and of bounded length."""
    if is_dataclass(value):
        for field in fields(value):
            assert_fit_to_keep(getattr(value, field.name))
    elif isinstance(value, dict):
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    elif isinstance(value, tuple):
        for part in value:
            assert_fit_to_keep(part)
    elif isinstance(value, str):
        value.encode()
        assert len(value) <= 5000
    else:
        assert value is None or (isinstance(value, int | float) and math.isfinite(value))


def clean(text: str) -> str:
    return redact(text, SECRETS)


READERS: dict[str, tuple[Any, Callable[[Any], Any], type]] = {
    "job": (JOB, lambda value: read_job(value, clean), Job),
    "asset": (ASSET, read_asset, Asset),
    "quote": (QUOTE, lambda value: read_quote(value if isinstance(value, dict) else {}), Quote),
    "project": (TEAMS, lambda value: read_project(value if isinstance(value, dict) else {}, "p"), Project),
}


@pytest.mark.parametrize("kind", READERS)
def test_what_is_read_is_typed_and_fit_to_keep_or_an_error(kind: str) -> None:
    good, read, expected = READERS[kind]

    @settings(max_examples=80, deadline=None)
    @given(changed(good) | values)
    def check(value: Any) -> None:
        try:
            found = read(as_read(value))
        except ScenarioError as error:
            assert str(error)
            return
        assert type(found) is expected
        assert_fit_to_keep(found)
        if isinstance(found, Job | Quote):
            assert found.cost is None or found.cost >= 0
        if isinstance(found, Job):
            assert len(found.asset_ids) <= scenario_limits.JOB_ASSETS
            assert SECRET not in str(job_failure(found))
            assert len(str(job_failure(found))) < 2000

    check()


def text_of(value: Any) -> bytes:
    return json.dumps(value).encode()


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200) | values.map(text_of) | st.text(max_size=100).map(lambda text: text.encode()))
def test_any_bytes_are_json_that_can_be_kept_or_a_value_error(data: bytes) -> None:
    try:
        value = _json(data)
    except (ValueError, RecursionError):
        return
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


BAD_DATES = (
    "Thu, 99 Foo 9999 99:99:99 +9999",
    "Sun, 06 Nov 0001 08:49:37 +2359",
    "Mon, 01 Jan 9999 00:00:00 -2359",
)
headers = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "x-should-retry", "content-type", "date", "location"]),
    st.text(st.characters(max_codepoint=255), max_size=40)
    | st.sampled_from(
        ["nan", "inf", "-1", "0", "1_0", "1e999", "9" * 5000, "text/html", "true", ",", "x" * 60_000, *BAD_DATES]
    )
    | st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    max_size=4,
)
json_objects = st.dictionaries(
    st.sampled_from(["reason", "message", "error", "detail", "remainingSeconds", "details", "trace_id", "traceId"]),
    values | st.just({"actionLimit": 3}),
    max_size=4,
)


@settings(max_examples=100, deadline=None)
@given(st.integers(-1, 1000), headers, json_objects, st.integers(1, 5), st.floats(0, 1), st.sampled_from(Call))
def test_any_status_headers_and_words_are_an_error_in_words_and_a_bounded_wait(
    status: int, found: dict[str, str], said: dict[str, Any], attempt: int, chance: float, call: Call
) -> None:
    said = as_read(said)
    outcome = Outcome(status, found, said)
    delay = delay_seconds(call, attempt, outcome, chance)
    assert delay is None or 0 < delay <= scenario_limits.RETRY_AFTER_CAP_SECONDS
    asked = asked_seconds(outcome, datetime(2026, 11, 26, tzinfo=UTC))
    assert asked is None or (asked > 0 and math.isfinite(asked))
    assert is_parallel_limit(outcome) in (True, False)
    error = api_error(outcome, clean(reason_of(said)), clean(trace_id_of(said)))
    assert isinstance(error, ScenarioError)
    assert SECRET not in str(error)
    assert len(str(error)) < 2000
    str(error).encode()


@settings(max_examples=80, deadline=None)
@given(values)
def test_words_are_found_in_anything(value: Any) -> None:
    assert isinstance(words(value), str)


GLB = make_glb()
CALLS: dict[str, tuple[Callable[[ScenarioClient, Path], Any], dict[str, Any]]] = {
    "check_key": (lambda client, folder: client.check_key(), {"GET /v1/teams": TEAMS, "GET /v1/models": {}}),
    "quote": (lambda client, folder: client.quote({"image": "i"}), {GENERATE: QUOTE}),
    "generate": (lambda client, folder: client.generate({"image": "i"}), {GENERATE: {"job": JOB, **QUOTE}}),
    "job": (lambda client, folder: client.job("job_1"), {"GET /v1/jobs/job_1": {"job": JOB}}),
    "jobs": (lambda client, folder: list(client.jobs()), {"GET /v1/jobs": {"jobs": [JOB], "nextPaginationToken": ""}}),
    "cancel_job": (lambda client, folder: client.cancel_job("job_1"), {"POST /v1/jobs/job_1/action": {"job": JOB}}),
    "asset": (lambda client, folder: client.asset("asset_1"), {"GET /v1/assets/asset_1": {"asset": ASSET}}),
    "upload_image": (
        lambda client, folder: client.upload_image("i.png", b"12", "image/png"),
        {"POST /v1/assets": {"asset": ASSET}},
    ),
    "upload in parts": (
        lambda client, folder: client.upload_image("i.png", bytes(3_500_001), "image/png"),
        {
            "POST /v1/uploads": {"upload": {"id": "u", "parts": [{"number": 1, "url": "{url}/part"}]}},
            "POST /v1/uploads/u/action": {},
            "GET /v1/uploads/u": {"upload": {"status": "imported", "entityId": "asset_1", "errorMessage": ""}},
        },
    ),
    "download_model": (
        lambda client, folder: client.download_model(["asset_1"], folder / "model.glb"),
        {
            "POST /v1/assets/get-bulk": {"assets": [{**ASSET, "url": "{url}/a.glb"}]},
            "GET /v1/assets/asset_1": {"asset": {**ASSET, "url": "{url}/a.glb"}},
        },
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_any_answer_to_any_question_is_a_result_or_a_scenario_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call, answers = CALLS[name]
    monkeypatch.setattr(scenario_limits, "PAGES", 5)
    monkeypatch.setattr(scenario_limits, "UPLOAD_PATIENCE_SECONDS", 0.05)

    with serving() as service, tempfile.TemporaryDirectory() as folder:
        answers = json.loads(json.dumps(answers).replace("{url}", service.url))
        connection = Connection(Credentials(KEY, SECRET), f"{service.url}/v1")

        @settings(max_examples=10 if name == "upload in parts" else 25, deadline=None)
        @given(
            st.fixed_dictionaries({route: st.just(answer) | changed(answer) for route, answer in answers.items()}),
            st.sampled_from([200, 200, 200, 200, 269, 204, 400, 403, 429, 503]),
        )
        def check(bodies: dict[str, Any], status: int) -> None:
            service.requests.clear()
            set_up(service, bodies, status)
            with ScenarioClient(connection, pace=QUICK) as client:
                try:
                    call(client, Path(folder))
                except ScenarioError as error:
                    assert SECRET not in str(error)
            assert len(service.sent(GENERATE)) <= 1 or name == "quote"

        check()


def set_up(service: Service, bodies: dict[str, Any], status: int) -> None:
    for route, body in bodies.items():
        service.on(route, reply(status, json.dumps(body).encode(), content_type="application/json"))
    service.on("PUT /part", reply(200, b""))
    service.on("GET /a.glb", reply(200, GLB))
