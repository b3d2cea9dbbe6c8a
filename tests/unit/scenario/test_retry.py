# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a call goes out again is one pure function."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixal3d_addon.scenario import limits
from pixal3d_addon.scenario.retry import Call, Fault, Outcome, asked_seconds, backoff_seconds, delay_seconds

NO_CONNECTION = {Fault.REFUSED, Fault.UNREACHABLE, Fault.DNS, Fault.CONNECT_TIMEOUT}
NOW = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)

headers = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "x-should-retry", "content-type"]),
    st.sampled_from(
        ["true", "false", "0", "-1", "2", "1e400", "nan", "soon", "Mon, 23 Nov 2026 08:00:05 GMT", "99999"]
    ),
)
fields = st.dictionaries(
    st.sampled_from(["remainingSeconds", "details", "reason"]),
    st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.fixed_dictionaries({"actionLimit": st.integers()})),
)
outcomes = st.builds(
    Outcome,
    status=st.one_of(st.none(), st.integers(100, 599)),
    headers=headers,
    fields=fields,
    fault=st.one_of(st.none(), st.sampled_from(Fault)),
    sent=st.booleans(),
)
chances = st.floats(0, 1)


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("fault", list(Fault))
def test_the_paid_call_is_repeated_only_if_no_connection_came_about(fault: Fault, sent: bool) -> None:
    repeats = delay_seconds(Call.PAID, 1, Outcome(fault=fault, sent=sent), 0) is not None
    assert repeats == (fault in NO_CONNECTION and not sent)


@given(headers, fields)
def test_no_answer_repeats_the_paid_call(headers: dict, fields: dict) -> None:
    assert not any(delay_seconds(Call.PAID, 1, Outcome(n, headers, fields), 0, NOW) for n in range(100, 600))


@given(st.sampled_from(Call), st.integers(1, 10**6), outcomes, chances)
def test_every_delay_is_bounded_and_attempts_end(call: Call, attempt: int, outcome: Outcome, chance: float) -> None:
    delay = delay_seconds(call, attempt, outcome, chance, NOW)
    if delay is not None:
        assert 0 < delay <= limits.RETRY_AFTER_CAP_SECONDS
        assert attempt < limits.ATTEMPTS


@given(st.integers(1, 10**6), chances)
def test_backoff_grows_to_its_cap_and_the_jitter_takes_off_a_quarter_at_most(attempt: int, chance: float) -> None:
    assert 0.75 * backoff_seconds(attempt, 0) <= backoff_seconds(attempt, chance) <= backoff_seconds(attempt, 0)
    assert backoff_seconds(attempt, 0) <= backoff_seconds(attempt + 1, 0) <= limits.BACKOFF_LAST_SECONDS


def test_backoff_is_that_of_the_official_sdk() -> None:
    assert [backoff_seconds(n, 0) for n in range(1, 7)] == [0.5, 1, 2, 4, 8, 8]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_status_repeats_a_safe_call(status: int) -> None:
    assert delay_seconds(Call.SAFE, 1, Outcome(status), 0) == 0.5


@pytest.mark.parametrize("status", [200, 269, 302, 400, 401, 402, 403, 404, 409, 413, 422])
def test_a_lasting_status_does_not(status: int) -> None:
    assert delay_seconds(Call.SAFE, 1, Outcome(status), 0) is None


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_that_may_pass_repeats_a_safe_call(fault: Fault) -> None:
    """A wrong password that is tried again and again locks the account of a company's network."""
    lasting = {Fault.TLS, Fault.TLS_DATE, Fault.TLS_NAME, Fault.TLS_VERSION, Fault.NOT_TLS}
    lasting |= {Fault.PROXY_LOGIN, Fault.PROXY_REFUSAL, Fault.PROXY_KIND}
    assert (delay_seconds(Call.SAFE, 1, Outcome(fault=fault), 0) is None) == (fault in lasting)


@pytest.mark.parametrize(
    ("headers", "fields", "expected"),
    [
        ({"retry-after": "7"}, {}, 7),
        ({"retry-after": "0.25"}, {}, 0.25),
        ({"retry-after": "Mon, 23 Nov 2026 08:00:05 GMT"}, {}, 5),
        ({"retry-after": "Mon, 23 Nov 2026 07:00:00 GMT"}, {}, 0.5),
        ({"retry-after": "soon"}, {}, 0.5),
        ({"retry-after": "-3"}, {}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, {}, 1.5),
        ({}, {"remainingSeconds": 12}, 12),
        ({"retry-after": "3"}, {"remainingSeconds": 12}, 3),
        ({"retry-after": "60"}, {}, 60),
        ({"retry-after": "61"}, {}, None),
        ({}, {"remainingSeconds": 3600}, None),
    ],
)
def test_the_wait_that_the_service_asks_for(headers: dict, fields: dict, expected: float | None) -> None:
    outcome = Outcome(429, headers, fields)
    assert delay_seconds(Call.SAFE, 1, outcome, 0, NOW) == expected


@pytest.mark.parametrize("year", [1970, 2026, 2038])
def test_a_date_to_wait_for_is_read_by_the_clock_that_wrote_it(year: int) -> None:
    """This computer's may be hours or years off."""
    headers = {"retry-after": f"23 Nov {year} 08:00:05 GMT", "date": f"23 Nov {year} 08:00:00 GMT"}
    assert asked_seconds(Outcome(429, headers)) == 5


@pytest.mark.parametrize(("status", "advice", "repeats"), [(503, "false", False), (404, "true", True)])
def test_x_should_retry_is_obeyed_for_safe_calls(status: int, advice: str, repeats: bool) -> None:
    outcome = Outcome(status, {"x-should-retry": advice})
    assert (delay_seconds(Call.SAFE, 1, outcome, 0) is not None) == repeats
