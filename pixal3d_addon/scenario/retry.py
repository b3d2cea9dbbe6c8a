# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a call may go out again, and when. Pure: no clock, no network, no randomness of its own.

Two kinds of call. SAFE ones (reading, uploading, pricing) cost nothing when they happen twice. The PAID one goes out
again only where it is certain that it never left: no connection came about. After a 429 nothing was accepted either,
but the wait may be long; it is left to the caller, who can note first that nothing is on its way.
scenario-sdk 2.4.0 repeats its paid POST after 409 and 503 too and sends no idempotency key; that can charge twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final

from . import limits
from .answers import mapping, number


class Call(Enum):
    """What happens if the service gets it twice: nothing, or it charges twice."""

    SAFE = auto()
    PAID = auto()


class Fault(Enum):
    """Why no answer came."""

    REFUSED = auto()
    UNREACHABLE = auto()
    DNS = auto()
    CONNECT_TIMEOUT = auto()
    TIMEOUT = auto()
    TLS = auto()
    """Nobody whom we trust has signed the server's certificate."""
    TLS_DATE = auto()
    """It is too old or not valid yet, by this computer's clock."""
    TLS_NAME = auto()
    """It is another server's."""
    TLS_VERSION = auto()
    """There is no version of TLS that both sides speak."""
    NOT_TLS = auto()
    PROXY = auto()
    PROXY_LOGIN = auto()
    PROXY_REFUSAL = auto()
    PROXY_KIND = auto()
    """SOCKS, or something unknown."""
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: with a status or with a fault.

    :ivar sent: whether any byte of the body had been handed over, so that the service could have acted on it.
    :ivar headers: of the answer, names in lower case.
    :ivar fields: of the answer's JSON object, if it was one.
    :ivar proxy: the host and port of the one that was to be used.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, object] = field(default_factory=dict)
    fault: Fault | None = None
    sent: bool = True
    proxy: str = ""


_NO_CONNECTION: Final = frozenset({Fault.REFUSED, Fault.UNREACHABLE, Fault.DNS, Fault.CONNECT_TIMEOUT})
_PASSING_FAULTS: Final = _NO_CONNECTION | {Fault.TIMEOUT, Fault.PROXY, Fault.LOST}


def delay_seconds(
    call: Call, attempt: int, outcome: Outcome, chance: float, now: datetime | None = None
) -> float | None:
    """Seconds until the next attempt, ``None`` for no further one.

    :param attempt: the number of the attempt that ended so, from 1.
    :param chance: 0 to 1, the jitter.
    :param now: for a ``Retry-After`` that is a date; if not given, by the answer's own ``Date``, else by our clock.
    """
    if attempt >= limits.ATTEMPTS or not _may_repeat(call, outcome):
        return None
    asked = asked_seconds(outcome, now)
    if asked is None:
        return backoff_seconds(attempt, chance)
    return asked if asked <= limits.RETRY_AFTER_CAP_SECONDS else None


def backoff_seconds(attempt: int, chance: float) -> float:
    """Exponential in `attempt` (from 1), capped, less a jitter."""
    longest = limits.BACKOFF_FIRST_SECONDS * 2.0 ** min(attempt - 1, 16)
    return min(longest, limits.BACKOFF_LAST_SECONDS) * (1.0 - limits.BACKOFF_JITTER * chance)


def asked_seconds(outcome: Outcome, now: datetime | None = None) -> float | None:
    """The wait that the service asks for: ``retry-after-ms``, ``Retry-After`` (seconds or a date), or the
    ``remainingSeconds`` that Scenario puts into a 429."""
    milliseconds = number(outcome.headers.get("retry-after-ms"))
    if milliseconds is not None and milliseconds > 0:
        return milliseconds / 1000
    header = outcome.headers.get("retry-after", "")
    seconds = number(header)
    if seconds is None and (until := _moment(header)):
        # By the clock that the date is of: this computer's may be wrong by hours.
        seconds = (until - (now or _moment(outcome.headers.get("date", "")) or datetime.now(UTC))).total_seconds()
    if seconds is None or seconds <= 0:
        seconds = number(outcome.fields.get("remainingSeconds"))
    return seconds if seconds is not None and seconds > 0 else None


def is_parallel_limit(outcome: Outcome) -> bool:
    """A 429 about the number of jobs at once, not about the pace: it ends when a job does, in minutes."""
    return outcome.status == 429 and "actionLimit" in mapping(outcome.fields.get("details"))


def _may_repeat(call: Call, outcome: Outcome) -> bool:
    if call is Call.PAID:
        return outcome.fault in _NO_CONNECTION and not outcome.sent
    advice = outcome.headers.get("x-should-retry", "").strip().lower()
    if outcome.fault is not None:
        return outcome.fault in _PASSING_FAULTS
    if advice in ("true", "false"):
        return advice == "true"
    if is_parallel_limit(outcome):
        return False
    return outcome.status is not None and (outcome.status in (408, 429) or 500 <= outcome.status < 600)


def _moment(date: str) -> datetime | None:
    if not date:
        return None
    import email.utils  # rarely needed, and slow to import

    try:
        moment = email.utils.parsedate_to_datetime(date)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
