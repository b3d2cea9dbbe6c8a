# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors say what happened and what to do, survive a process border, and hold no secret."""

from __future__ import annotations

import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixal3d_addon.scenario import (
    Connection,
    Credentials,
    Job,
    ModeratedError,
    ParallelLimitError,
    RateLimitedError,
    ScenarioClient,
    ScenarioError,
    errors,
    job_failure,
    limits,
)
from pixal3d_addon.scenario.redact import redact
from tests.unit.scenario.conftest import GENERATE, KEY, QUICK, SECRET
from tests.unit.scenario.scripted_server import Service, closed_port, hang_up, reply, reset

TOKEN = Credentials(KEY, SECRET).token()
SIGNED = "https://bucket.invalid/in.png?X-Amz-Credential=c&X-Amz-Signature=5e1f"
CLASSES = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, ScenarioError)]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_has_a_sentence_and_a_remedy_and_can_be_pickled(cls: type[ScenarioError]) -> None:
    error = cls(status=418, reason="r", trace_id="t")
    assert error.message.endswith(".")
    assert error.remedy.endswith(".")
    assert str(error) == f"{error.message} {error.remedy}"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert vars(copy) == vars(error)
    assert str(cls("What.", "Do.")) == "What. Do."


def test_the_seconds_of_a_rate_limit_survive_pickling() -> None:
    for cls in (RateLimitedError, ParallelLimitError):
        assert pickle.loads(pickle.dumps(cls(seconds=3.5))).seconds == 3.5


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = errors.__doc__ or ""
    assert all(cls.__name__ in drawn for cls in CLASSES)


def everything_in(error: BaseException) -> str:
    """All that a log, a report or another process could get to see of `error`, and of what hangs on it."""
    parts = ["".join(traceback.format_exception(error)), str(pickle.dumps(error)), repr(error)]
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        link = queue.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        parts += [str(link), repr(link), str(vars(link))]
        assert not type(link).__module__.startswith(("requests", "urllib3"))  # it has our key in its request
        queue += [link.__cause__, link.__context__]
    return "\n".join(parts)


@pytest.mark.parametrize(
    "answer",
    [
        reset,
        hang_up,
        reply(500, {"message": f"key {KEY} secret {SECRET} at {SIGNED}", "trace_id": f"Basic {TOKEN}"}),
        reply(400, {"reason": f"Authorization: Basic {TOKEN} and bearer"}),
        reply(404, {"error": {"message": SIGNED}, "traceId": SECRET}),
        reply(429, {"reason": f"{KEY}:{SECRET}"}),
        reply(200, {"reason": f"{KEY}:{SECRET}"}),
        reply(302, b"", location=SIGNED),
        reply(200, f"{KEY}:{SECRET}".encode()),
    ],
)
def test_no_error_shows_a_secret_or_a_signature(service: Service, client: ScenarioClient, answer) -> None:
    service.on("GET /v1/jobs/j", answer)
    service.on(GENERATE, answer)
    for ask in (lambda: client.job("j"), lambda: client.generate({"image": "i"})):
        with pytest.raises(ScenarioError) as caught:
            ask()
        shown = everything_in(caught.value)
        assert not any(secret in shown for secret in (KEY, SECRET, TOKEN, "5e1f"))


def test_an_unreachable_cdn_shows_no_signature(service: Service, client: ScenarioClient, tmp_path) -> None:
    url = f"http://127.0.0.1:{closed_port()}/a.glb?Signature=5e1f"
    asset = {"id": "a", "kind": "3d", "mimeType": "model/glb", "url": url}
    service.on("POST /v1/assets/get-bulk", reply(200, {"assets": [asset]}))
    service.on("GET /v1/assets/a", reply(200, {"asset": asset}))
    with pytest.raises(ScenarioError) as caught:
        client.download_model(["a"], tmp_path / "model.glb")
    assert "5e1f" not in everything_in(caught.value)


def test_an_unreachable_service_shows_no_key() -> None:
    connection = Connection(Credentials(KEY, SECRET), f"http://127.0.0.1:{closed_port()}/v1")
    with ScenarioClient(connection, pace=QUICK) as client, pytest.raises(ScenarioError) as caught:
        client.job("j")
    assert not any(secret in everything_in(caught.value) for secret in connection.secrets())


@given(st.text(), st.text(), st.integers(0, 7000))
def test_redaction_hides_secrets_wherever_they_stand(before: str, after: str, padding: int) -> None:
    text = redact(f"{before}{' ' * padding}{KEY} {SECRET}{TOKEN}{after}", (KEY, SECRET, TOKEN))
    assert not any(secret in text for secret in (KEY, SECRET, TOKEN))
    assert len(text) <= limits.REASON_CHARACTERS
    assert text.isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a basic subscription is needed, the key is missing", "a basic subscription is needed, the key is missing"),
        ("at https://a.b/c?x=1&y=2, later", "at https://a.b/c?[hidden] later"),
        ("<Key-Pair-Id>K</Key-Pair-Id> Signature=ab", "<Key-Pair-Id>K</Key-Pair-Id> Signature=[hidden]"),
        ('{"Authorization": "Bearer abc.def"}', '{"Authorization": "[hidden]"}'),
        ("https://user:pass@a.b/c", "https://a.b/c"),
    ],
)
def test_redaction_leaves_the_rest_of_a_sentence(text: str, expected: str) -> None:
    assert redact(text, ("key",)) == expected


@pytest.mark.parametrize(
    ("job", "expected", "words"),
    [
        (Job("j", "failure", error="Flagged as NSFW"), ModeratedError, "NSFW"),
        (Job("j", "failure", error="out of credit"), errors.CreditsExhaustedError, "credit"),
        (Job("j", "failure", error="boom", hint="Use a larger image."), errors.ApiError, "Use a larger image."),
        (Job("j", "failure"), errors.ApiError, "Try another image"),
        (Job("j", "canceled"), errors.ApiError, "canceled"),
    ],
)
def test_a_failed_job_says_why(job: Job, expected: type[ScenarioError], words: str) -> None:
    error = job_failure(job)
    assert type(error) is expected
    assert words in str(error)
