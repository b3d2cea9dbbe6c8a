# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on the way from an image to a mesh: the steps of the way, the faults, and where each makes sense.

A fault is a function from a step to a :class:`Trouble`, or to ``None`` where the fault makes no sense there; the reason
stands beside it. So no combination is picked by hand: the matrix is every fault at every step that does not say no.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Play = Mapping[str, Any]
"""A fault as ``scripts/standin/faults.py`` takes it."""

READ_SECONDS = 2.0
"""The lab's read timeout (``inside/pace.py``); the faults are shorter or longer than it."""
ANSWER_SECONDS = 4.0
"""The lab's deadline for a whole JSON answer."""


@dataclass(frozen=True, slots=True)
class Strike:
    """What is done to Blender itself when a record is saved: ``inside/strikes.py``."""

    moment: str
    """``before`` or ``after`` the record is written, or the model imported."""
    state: str
    """The record's state; ``importing`` is the import itself."""
    where: str = ""
    """Which record of that state: ``asset``, ``glb``, ``kept``, ``status=…``; the first one if empty."""
    action: str = "kill"
    """``kill``, ``sleep`` (SIGSTOP) or ``refuse`` (the service's port is shut)."""
    delay: float = 0.0
    """Seconds later, from another thread: in the middle of what follows."""
    seconds: float = 0.0
    """How long it sleeps or refuses."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong."""

    plays: tuple[Play, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """The stand-in's, while the trouble lasts."""
    strike: Strike | None = None
    is_refusal: bool = False
    """The service says a clear no. After that nothing needs to go on by itself."""
    is_brief: bool = False
    """Over so soon that what costs nothing must outlast it without the artist."""
    lasts: bool = False
    """It does not end until the lab ends it."""
    is_tiring: bool = False
    """The artist stops waiting."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the way."""

    name: str
    method: str
    path: str
    state: str
    """Ours, while it is made."""
    is_paid: bool = False
    works: bool = False
    """It makes something at the service: doing it and losing the reply is another thing than not doing it."""
    has_answer: bool = True
    """Its answer has a body."""
    is_signed: bool = False
    """Its address expires."""
    is_file: bool = False
    """It brings the model: bytes, and many of them."""
    in_parts: bool | None = None
    """The image's way: in parts, in one request, or either."""
    opening: tuple[Play, ...] = ()
    """What must have gone wrong for the request to be made at all."""

    def play(self, action: str, **details: Any) -> Play:
        """The fault `action` at this step, once."""
        return {"action": action, "method": self.method, "path": self.path, **details}


LOST_REPLY: Play = {"action": "accept_then_close", "method": "POST", "path": r"^/v1/generate/"}
_EXPIRED: Play = {"action": "expired", "method": "GET", "path": r"^/cdn/"}

STEPS = (
    Step("POST-assets", "POST", r"^/v1/assets$", "uploading", works=True, in_parts=False),
    Step("POST-uploads", "POST", r"^/v1/uploads$", "uploading", works=True, in_parts=True),
    Step("PUT-part", "PUT", r"^/storage/", "uploading", works=True, has_answer=False, is_signed=True, in_parts=True),
    Step("POST-complete", "POST", r"^/v1/uploads/[^/]+/action$", "uploading", works=True, in_parts=True),
    Step("GET-upload", "GET", r"^/v1/uploads/[^/]+$", "uploading", in_parts=True),
    Step("POST-generate", "POST", r"^/v1/generate/", "submitting", is_paid=True, works=True),
    Step("GET-jobs", "GET", r"^/v1/jobs$", "uncertain", opening=(LOST_REPLY,)),
    Step("GET-job", "GET", r"^/v1/jobs/[^/]+$", "running"),
    Step("POST-get-bulk", "POST", r"^/v1/assets/get-bulk$", "downloading"),
    Step("GET-asset", "GET", r"^/v1/assets/[^/]+$", "downloading", opening=(_EXPIRED,)),
    Step("GET-cdn", "GET", r"^/cdn/", "downloading", is_signed=True, is_file=True),
)
STEP = {step.name: step for step in STEPS}

Fault = Callable[[Step], Trouble | None]


def _status(status: int, times: int = 1, **details: Any) -> Fault:
    def fault(step: Step) -> Trouble:
        body = {} if step.is_signed else {"body": {"message": f"The lab says {status}"}}
        play = step.play("status", status=status, times=times, **{**body, **details})
        is_refusal = status < 500 and status not in (408, 429)
        return Trouble((play,), is_brief=times < 4 and not is_refusal, is_refusal=is_refusal)

    return fault


def _simple(action: str, *, is_brief: bool = True, **details: Any) -> Fault:
    return lambda step: Trouble((step.play(action, **details),), is_brief=is_brief)


def _only(allowed: Callable[[Step], bool], fault: Fault) -> Fault:
    return lambda step: fault(step) if allowed(step) else None


def _expired(times: int) -> Fault:
    """A fresh link to the model can be had. One for the upload can't: that is a clear no, before anything is paid."""

    def fault(step: Step) -> Trouble | None:
        if not step.is_signed:
            return None
        return Trouble((step.play("expired", times=times),), is_brief=step.is_file, is_refusal=not step.is_file)

    return fault


def _refuse(step: Step) -> Trouble:
    # A request that finds the port shut was never received, so the stand-in can't react to it. Where another attempt
    # follows by itself that is the one; the paid one has no other, so the port is shut just before it.
    if step.is_paid:
        return Trouble(strike=Strike("after", "submitting", action="refuse", seconds=0.5), is_brief=True)
    return Trouble((step.play("refuse", seconds=0.5),), is_brief=True)


def _slept(step: Step) -> Trouble:
    """The answer comes while the machine sleeps; awake again, the timeout is over too."""
    nap = Strike("after", step.state, action="sleep", delay=0.3, seconds=READ_SECONDS + 0.5)
    return Trouble((step.play("slow", seconds=0.8),), strike=nap, is_brief=True)


def _wrong_type(step: Step) -> Trouble:
    headers = {"Content-Type": "text/plain" if step.is_file else "application/octet-stream"}
    return Trouble((step.play("wrong_type", headers=headers),), is_brief=True)


def _garbage(step: Step) -> Trouble:
    """What a broken proxy makes of an answer."""
    return Trouble((step.play("wrong_type", headers={"Content-Type": "text/html"}, body="<html>out of order"),))


def _drip(step: Step) -> Trouble:
    piece = 64 * 1024 if step.is_file else 64
    return Trouble((step.play("drip", bytes=piece, seconds=0.03),), is_brief=True)


def _drip_beyond_patience(step: Step) -> Trouble | None:
    if step.is_file:  # there it is the silence that is limited, and not the whole
        return None
    return Trouble((step.play("drip", bytes=1, seconds=0.5),), is_brief=True)


def _stuck(step: Step) -> Trouble | None:
    return Trouble(options={"job_seconds": 5.0}, lasts=True, is_tiring=True) if step.name == "GET-job" else None


def _vanishes(step: Step) -> Trouble | None:
    if step.name != "GET-job":
        return None
    return Trouble(
        (step.play("status", status=404, body={"message": "Job not found"}, times=1000, skip=1),), lasts=True
    )


def _late(option: str, step_name: str) -> Fault:
    return lambda step: Trouble(options={option: 1.5}, is_brief=True) if step.name == step_name else None


def _fails(step: Step) -> Trouble | None:
    return Trouble(options={"job_outcome": "failure"}, is_refusal=True) if step.name == "GET-job" else None


def _no_place(step: Step) -> Trouble | None:
    return Trouble(options={"parallel_jobs": 0}, lasts=True) if step.is_paid else None


def _has_answer(step: Step) -> bool:
    return step.has_answer


def _works(step: Step) -> bool:
    return step.works


FAULTS: Mapping[str, Fault] = {
    # no connection, or none any more
    "refuse": _refuse,
    "hang": _simple("hang", seconds=READ_SECONDS + 2),
    "close": _simple("close"),
    # cut at byte N; a reply without a body can't be
    "cut-at-0": _only(_has_answer, _simple("cut", bytes=0)),
    "cut-at-40": _only(_has_answer, _simple("cut", bytes=40)),
    "cut-at-200000": _only(lambda step: step.is_file, _simple("cut", bytes=200_000)),
    "cut-thrice": _only(lambda step: step.is_file, _simple("cut", bytes=100_000, times=3)),
    # done, and the reply lost; what only reads does nothing, and is then the same as hang and close
    "lost-after-accept": _only(_works, _simple("accept_then_close")),
    "silent-after-accept": _only(_works, _simple("accept_then_hang", seconds=READ_SECONDS + 2)),
    # the service in trouble
    "500-once": _status(500),
    "503-thrice": _status(503, times=3),
    "502-burst": _status(502, times=8),
    "504-page": lambda step: Trouble((step.play("html", status=504),), is_brief=True),
    # 429
    "429": _status(429, times=2),
    "429-with-seconds": _status(429, headers={"Retry-After": "1"}),
    "429-remaining": _only(
        lambda step: not step.is_signed,  # Scenario's own way, which a storage does not know
        _status(429, body={"message": "Too many requests", "remainingSeconds": 1}),
    ),
    "429-no-place": _no_place,
    # a clear no
    "400": _status(400),
    "401": _status(401),
    "402": _only(lambda step: step.is_paid, _status(402)),
    "404": _status(404),
    # an answer that is not what it says
    "too-short": _only(_has_answer, _simple("wrong_length", bytes=200)),
    "too-long": _only(_has_answer, _simple("wrong_length", is_brief=False, bytes=-20)),  # whole, and yet half
    "wrong-type": _only(_has_answer, _wrong_type),
    "garbage": _only(_has_answer, _garbage),
    "login-page": lambda step: Trouble((step.play("html", status=200),)),
    # slow
    "drip": _only(_has_answer, _drip),
    "drip-beyond-patience": _only(_has_answer, _drip_beyond_patience),
    "slow": _simple("slow", seconds=READ_SECONDS - 0.8),
    "too-slow": _simple("slow", seconds=READ_SECONDS + 1),
    # addresses that expire
    "expired": _expired(1),
    "expired-twice": _expired(2),
    # the job itself
    "job-fails": _fails,
    "job-stuck": _stuck,
    "job-vanishes": _vanishes,
    "list-lags": _late("list_lag_seconds", "GET-jobs"),
    "job-lags": _late("job_lag_seconds", "GET-job"),
    # the machine
    "machine-sleeps": _slept,
}


def trouble(fault: str, step: Step) -> Trouble | None:
    """The fault at the step, with what must have gone wrong for the step to be reached."""
    found = FAULTS[fault](step)
    if found is None:
        return None
    # The stand-in uses the first that matches: the opening comes after a fault at the same step.
    return dataclasses.replace(found, plays=(*found.plays, *step.opening))


@dataclass(frozen=True, slots=True)
class KillPoint:
    """Where Blender dies."""

    name: str
    strike: Strike
    plays: tuple[Play, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    in_parts: bool | None = None
    crowd: int = 1
    """How many images are clicked; it dies with the last one."""
    concurrency: int = 3
    saves: bool = False
    """The file is saved once the mesh is in it, and opened by the next Blender."""


def _written(state: str, name: str = "", where: str = "", **more: Any) -> tuple[KillPoint, KillPoint]:
    before, after = (Strike(moment, state, where) for moment in ("before", "after"))
    return (
        KillPoint(f"before-{name or state}", before, **more),
        KillPoint(f"after-{name or state}", after, **more),
    )


def _in_step(step: Step) -> KillPoint:
    """While the request is under way."""
    slow = step.play("slow", seconds=READ_SECONDS - 0.5)
    strike = Strike("after", step.state, delay=0.6)
    return KillPoint(f"in-{step.name}", strike, (slow, *step.opening), in_parts=step.in_parts)


def _kill_points() -> tuple[KillPoint, ...]:
    generate = STEP["POST-generate"]
    never_got = (generate.play("close"),)
    accepted = (generate.play("accept_then_hang", seconds=READ_SECONDS + 1),)
    accepted_late = (generate.play("slow", seconds=6.0),)
    long_job = {"job_seconds": 1.5}
    slow_file = (STEP["GET-cdn"].play("drip", bytes=32 * 1024, seconds=0.1),)
    return (
        *_written("prepared"),
        *_written("uploading"),
        *_written("uploading", "asset", where="asset"),
        *_written("submitting"),
        *_written("uncertain", plays=(LOST_REPLY,)),
        *_written("uncertain", "uncertain-without-job", plays=never_got),
        *_written("running"),
        *_written("running", "in-progress", where="status=in-progress", options=long_job),
        *_written("downloading"),
        *_written("downloading", "glb", where="glb"),
        *_written("ready"),
        *_written("importing"),
        *_written("imported"),
        *_written("imported", "kept", where="kept", saves=True),
        *map(_in_step, STEPS),
        KillPoint("in-POST-generate-accepted", Strike("after", "submitting", delay=0.6), accepted),
        KillPoint("in-POST-generate-accepted-late", Strike("after", "submitting", delay=0.6), accepted_late),
        KillPoint("in-download", Strike("after", "downloading", delay=0.4), slow_file),
        KillPoint("in-queue", Strike("after", "prepared", delay=0.3), crowd=2, concurrency=1, options=long_job),
        KillPoint("in-wait-for-place", Strike("after", "uploading", "asset", delay=0.8), options={"parallel_jobs": 0}),
        KillPoint("in-crowd", Strike("after", "running", delay=0.3), crowd=4, concurrency=2, options=long_job),
    )


KILL_POINTS = _kill_points()
KILL_POINT = {point.name: point for point in KILL_POINTS}
