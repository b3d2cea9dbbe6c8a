# SPDX-License-Identifier: GPL-3.0-or-later
"""The price before the click, and what was spent: against the stand-in service over HTTP."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Generation, Snapshot, SourceImage, SourceImageError, State, limits
from pixal3d_addon.generation.quotes import NO_IMAGE, Price, Quotes
from pixal3d_addon.generation.spending import Spending
from pixal3d_addon.parameters import complete
from pixal3d_addon.scenario import Connection, Credentials, ProtocolError, ScenarioClient

from .images import a_png, until

LARGE = complete({})
SMALL = complete({"resolution": 1024})
PRICES = {4096: 60.0, 1024: 42.5}


@pytest.fixture
def priced(service: Any) -> Iterator[Any]:
    """A service that names a price without looking at the image, and has charged nothing at the end of the test."""
    service.set_options(dry_run_checks_image=False, prices=list(PRICES.items()))
    service.clear_requests()
    before = service.charges()
    yield service
    assert service.charges() == before
    service.set_options(dry_run_checks_image=True, prices=[(1024, 30), (2048, 42), (4096, 42)])


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def quotes(clock: Clock) -> Iterator[Quotes]:
    quotes = Quotes(clock)
    yield quotes
    quotes.stop()


@pytest.fixture
def source() -> SourceImage:
    return SourceImage("disk.png", a_png())


def wait(quotes: Quotes) -> None:
    until(lambda: not quotes.is_asking, "an answer")


def ask_and_wait(quotes: Quotes, connection: Connection, parameters: Any, known: tuple[str, ...] = ()) -> None:
    quotes.ask(connection, parameters, quotes.image(connection, known))
    wait(quotes)


def asked(service: Any) -> list[Any]:
    """The bodies of the dry runs that arrived; there must be nothing else at that address."""
    requests = [r for r in service.requests() if r["path"].endswith("/generate/custom/model_pixal3d")]
    assert all(r["query"] == {"dryRun": "true"} for r in requests), requests
    return [r["json"] for r in requests]


def test_a_price_is_for_all_parameters_but_the_seed_and_marked_as_old_for_others(
    quotes: Quotes, priced: Any, connection: Connection
) -> None:
    assert quotes.price(connection, LARGE) is None
    assert quotes.is_wanted(connection, LARGE)
    ask_and_wait(quotes, connection, LARGE)
    assert quotes.price(connection, LARGE) == Price(60.0)
    assert quotes.price(connection, {**LARGE, "seed": 7}) == Price(60.0)
    assert not quotes.is_wanted(connection, {**LARGE, "seed": 7})
    assert quotes.price(connection, SMALL) == Price(60.0, is_old=True)
    assert quotes.cost(connection, SMALL) is None
    ask_and_wait(quotes, connection, SMALL)
    assert quotes.price(connection, SMALL) == Price(42.5)
    assert quotes.price(connection, LARGE) == Price(60.0)
    assert len(asked(priced)) == 2


def test_blenders_own_spelling_of_the_values_is_the_same_price(
    quotes: Quotes, priced: Any, connection: Connection
) -> None:
    ask_and_wait(quotes, connection, LARGE)
    in_blender = {**LARGE, "resolution": "4096", "seed": -1, "ss_guidance_rescale": 0.699999988079071}
    assert quotes.price(connection, in_blender) == Price(60.0)


def test_another_account_or_project_has_prices_of_its_own(quotes: Quotes, priced: Any, connection: Connection) -> None:
    ask_and_wait(quotes, connection, LARGE)
    for other in (
        dataclasses.replace(connection, credentials=Credentials("other", "other")),
        dataclasses.replace(connection, project_id="proj_other"),
        dataclasses.replace(connection, base_url="http://127.0.0.1:9/v1"),
    ):
        assert quotes.price(other, LARGE) is None
        assert quotes.is_wanted(other, LARGE)


def test_an_answer_is_old_after_a_while_and_asked_for_again(
    quotes: Quotes, priced: Any, connection: Connection, clock: Clock
) -> None:
    ask_and_wait(quotes, connection, LARGE)
    clock.seconds += limits.QUOTE_VALID_SECONDS - 1
    assert not quotes.is_wanted(connection, LARGE)
    clock.seconds += 1
    assert quotes.price(connection, LARGE) == Price(60.0, is_old=True)
    assert quotes.is_wanted(connection, LARGE)


def test_what_the_service_does_not_tell_is_silent_and_not_asked_for_again_for_a_while(
    quotes: Quotes, priced: Any, connection: Connection, clock: Clock
) -> None:
    ask_and_wait(quotes, connection, LARGE)
    priced.set_faults([{"method": "POST", "path": "/v1/generate/.*", "times": 1, "action": "status", "status": 403}])
    ask_and_wait(quotes, connection, SMALL)
    assert quotes.price(connection, SMALL) is None
    assert quotes.trouble == ""
    assert not quotes.is_wanted(connection, SMALL)
    assert quotes.is_wanted(connection, {**SMALL, "remesh": False})
    clock.seconds += limits.QUOTE_PAUSE_SECONDS
    assert quotes.is_wanted(connection, SMALL)
    ask_and_wait(quotes, connection, SMALL)
    assert quotes.price(connection, SMALL) == Price(42.5)


def test_one_worker_asks_at_a_time(quotes: Quotes, priced: Any, connection: Connection) -> None:
    priced.set_faults([{"method": "POST", "path": "/v1/generate/.*", "times": 1, "action": "slow", "seconds": 0.5}])
    for parameters in (LARGE, LARGE, SMALL):
        quotes.ask(connection, parameters, NO_IMAGE)
    assert not quotes.is_wanted(connection, LARGE), "it is being asked for"
    assert [t.name for t in threading.enumerate()].count("pixal3d-quote") == 1
    wait(quotes)
    assert len(asked(priced)) == 1


def test_a_service_that_wants_to_see_the_image_is_not_asked_by_itself_until_one_is_known(
    quotes: Quotes, priced: Any, connection: Connection
) -> None:
    priced.set_options(dry_run_checks_image=True)
    ask_and_wait(quotes, connection, LARGE)
    assert quotes.price(connection, LARGE) is None and quotes.trouble == ""
    assert quotes.image(connection, ()) == ""
    with ScenarioClient(connection) as client:
        image = client.upload_image("disk.png", a_png(), "image/png")
    assert quotes.is_wanted(connection, LARGE) and quotes.image(connection, (image,)) == image
    ask_and_wait(quotes, connection, LARGE, (image,))
    assert quotes.price(connection, LARGE) == Price(60.0)
    assert [body["image"] for body in asked(priced)] == [NO_IMAGE, image]


def test_an_image_that_the_account_no_longer_has_is_passed_over(
    quotes: Quotes, priced: Any, connection: Connection
) -> None:
    priced.set_options(dry_run_checks_image=True)
    ask_and_wait(quotes, connection, LARGE, ("asset_deleted",))
    assert quotes.image(connection, ("asset_deleted",)) == NO_IMAGE


def test_a_wish_uploads_the_image_where_the_service_wants_to_see_it_and_keeps_it(
    quotes: Quotes, priced: Any, connection: Connection, source: SourceImage
) -> None:
    priced.set_options(dry_run_checks_image=True)
    quotes.ask_by_wish(connection, LARGE, NO_IMAGE, source)
    wait(quotes)
    assert quotes.trouble == ""
    assert quotes.price(connection, LARGE) == Price(60.0)
    ask_and_wait(quotes, connection, SMALL)
    assert quotes.price(connection, SMALL) == Price(42.5)
    uploads = [r for r in priced.requests() if r["path"].endswith("/assets") and r["method"] == "POST"]
    assert len(uploads) == 1
    assert len({body["image"] for body in asked(priced)} - {NO_IMAGE}) == 1


def test_a_wish_uploads_nothing_where_the_service_does_not_look(
    quotes: Quotes, priced: Any, connection: Connection, source: SourceImage
) -> None:
    assert quotes.quote(connection, LARGE, NO_IMAGE, source) == 60.0
    assert [r["method"] for r in priced.requests()] == ["POST"] and len(asked(priced)) == 1


def test_a_wish_that_fails_says_why_and_a_later_answer_takes_it_back(
    quotes: Quotes, priced: Any, connection: Connection, source: SourceImage, tmp_path: Path
) -> None:
    priced.set_options(dry_run_checks_image=True)
    quotes.ask_by_wish(connection, LARGE, NO_IMAGE, None)
    wait(quotes)
    assert "image" in quotes.trouble
    quotes.ask_by_wish(connection, LARGE, "", SourceImage("gone", tmp_path / "gone.png"))
    wait(quotes)
    assert "gone.png" in quotes.trouble
    quotes.ask_by_wish(connection, LARGE, "", source)
    wait(quotes)
    assert quotes.trouble == ""
    assert quotes.price(connection, LARGE) == Price(60.0)
    with pytest.raises(SourceImageError):
        quotes.quote(connection, LARGE, "", None)


def test_a_wish_comes_before_a_worker_that_hangs(quotes: Quotes, priced: Any, connection: Connection) -> None:
    priced.set_faults([{"method": "POST", "path": "/v1/generate/.*", "times": 1, "action": "hang", "seconds": 3}])
    quotes.ask(connection, SMALL, NO_IMAGE)
    until(lambda: priced.faults_left() == [], "the first request")
    quotes.ask_by_wish(connection, SMALL, NO_IMAGE, None)
    wait(quotes)
    assert quotes.price(connection, SMALL) == Price(42.5)
    until(lambda: not any(t.name == "pixal3d-quote" for t in threading.enumerate()), "the end of the first")
    assert quotes.price(connection, SMALL) == Price(42.5), "the one that hung has failed meanwhile"
    assert quotes.trouble == ""


def test_a_dry_run_that_starts_a_job_is_said_and_never_sent_again_by_itself(
    quotes: Quotes, priced: Any, connection: Connection
) -> None:
    body = {"job": {"jobId": "job_surprise", "status": "queued"}, "creativeUnitsCost": 60}
    fault = {"method": "POST", "path": "/v1/generate/.*", "times": 1, "action": "status", "status": 200, "body": body}
    priced.set_faults([fault])
    ask_and_wait(quotes, connection, LARGE)
    assert "started a job" in quotes.trouble
    assert not quotes.is_wanted(connection, LARGE) and not quotes.is_wanted(connection, SMALL)
    priced.set_faults([fault])
    with pytest.raises(ProtocolError):
        quotes.quote(connection, SMALL, NO_IMAGE, None)


# What was spent.

SINCE = 1_000_000.0


def a_snapshot(**changes: Any) -> Snapshot:
    changes = {"created_at": SINCE + 1, "source_file": "source.png", **changes}
    return Snapshot(Generation(name="disk", parameters=LARGE, **changes))


def spent(*snapshots: Snapshot) -> float:
    spending = Spending(SINCE)
    spending.note(snapshots, lambda generation: 60.0)
    return spending.total


def test_what_the_service_took_counts_with_its_cost_or_else_the_price_that_was_named() -> None:
    assert spent(a_snapshot(state=State.RUNNING, submitted_at=SINCE + 2, job_id="job", cost=42.0)) == 42.0
    assert spent(a_snapshot(state=State.IMPORTED, submitted_at=SINCE + 2, job_id="job", cost=0.0)) == 0.0
    assert spent(a_snapshot(state=State.RUNNING, submitted_at=SINCE + 2, job_id="job")) == 60.0


def test_a_click_that_is_not_paid_for_yet_counts_with_its_price_until_it_fails() -> None:
    for state in (State.PREPARED, State.UPLOADING, State.SUBMITTING, State.UNCERTAIN):
        assert spent(a_snapshot(state=state)) == 60.0, state
    assert spent(a_snapshot(state=State.FAILED)) == 0.0


def test_what_was_spent_before_or_elsewhere_and_what_is_refunded_does_not_count() -> None:
    earlier = {"created_at": SINCE - 9, "cost": 42.0}
    assert spent(a_snapshot(state=State.IMPORTED, submitted_at=SINCE - 5, job_id="job", **earlier)) == 0.0
    assert spent(a_snapshot(state=State.PREPARED, **earlier)) == 0.0
    fetched = {"source_file": "", "asset_id": "asset", "submitted_at": SINCE + 5, "job_id": "job", "cost": 42.0}
    assert spent(a_snapshot(state=State.IMPORTED, **fetched)) == 0.0
    failed = {"submitted_at": SINCE + 5, "job_id": "job", "service_status": "failure", "cost": 42.0}
    assert spent(a_snapshot(state=State.FAILED, **failed)) == 0.0


def test_what_was_spent_stays_so_when_it_is_removed_from_the_list_or_its_files_are() -> None:
    spending = Spending(SINCE)
    paid = a_snapshot(state=State.IMPORTED, submitted_at=SINCE + 2, job_id="job", cost=42.0)
    spending.note([paid, a_snapshot(state=State.PREPARED)], lambda generation: None)
    assert spending.total == 42.0
    spending.note([Snapshot(paid.generation.without_files())], lambda generation: None)
    assert spending.total == 42.0
    spending.note([], lambda generation: None)
    assert spending.total == 42.0
