# SPDX-License-Identifier: GPL-3.0-or-later
"""Time left is learned from what the service said of earlier jobs of the same quality, or not said at all."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import Generation, Manager, State, limits
from pixal3d_addon.generation.time_left import Experience, quality, seconds_left, seconds_worked, work_began
from pixal3d_addon.parameters import complete
from pixal3d_addon.scenario import Connection

from .images import a_generation, an_image, until

NOW = 1_800_000_000.0


def date(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")


def a_job(*steps: tuple[str, float], **settings: Any) -> Generation:
    """One that runs, with what the service said of it."""
    history = tuple((status, date(NOW + at)) for status, at in steps)
    return Generation("chair", complete(settings), state=State.RUNNING, status_history=history)


def done(seconds: float, **settings: Any) -> Generation:
    steps = (("queued", 0), ("warming-up", 500), ("in-progress", 900), ("finalizing", 905), ("success", 900 + seconds))
    return a_job(*steps, **settings)


def running(**settings: Any) -> Generation:
    return a_job(("queued", 0.0), ("in-progress", 100.0), **settings)


def test_only_the_time_at_work_counts() -> None:
    assert seconds_worked(done(60.0)) == pytest.approx(60.0)
    put_back = a_job(("in-progress", 0), ("queued", 50), ("in-progress", 200), ("success", 230))
    assert seconds_worked(put_back) == pytest.approx(30.0)


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (("queued", 0),),
        (("in-progress", 0),),
        (("queued", 0), ("success", 90)),
        (("in-progress", 0), ("failure", 9)),
        (("in-progress", 50), ("success", 10)),
    ],
)
def test_what_the_service_did_not_say_is_unknown(steps: tuple[tuple[str, float], ...]) -> None:
    assert seconds_worked(a_job(*steps)) is None


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_a_date_that_is_none_is_unknown(text: str) -> None:
    job = a_job().changed(status_history=(("in-progress", text), ("success", date(NOW))))
    assert work_began(job) is None and seconds_worked(job) is None


def test_a_date_as_the_service_writes_it_is_in_universal_time() -> None:
    dates = ("2026-06-01T10:00:00.000Z", "2026-06-01T10:00:30")
    job = a_job().changed(status_history=tuple(zip(("in-progress", "success"), dates, strict=True)))
    assert seconds_worked(job) == pytest.approx(30.0)


def test_it_is_the_median_of_the_last_ones_less_what_has_passed() -> None:
    now = NOW + 130.0
    assert seconds_left(running(), [60.0, 80.0, 500.0], now) == pytest.approx(50.0)
    assert seconds_left(running(), [60.0], now) is None, "once is no experience"
    assert seconds_left(running(), [10.0, 20.0], now) is None, "overdue"
    assert seconds_left(running(), [60.0, 80.0], NOW) is None, "the clock of this machine is wrong"
    assert seconds_left(a_job(("queued", 0.0)), [60.0, 80.0], now) is None, "how long the queue is nobody knows"
    assert seconds_left(running().changed(state=State.DOWNLOADING), [60.0, 80.0], now) is None


def test_only_the_same_quality_tells_and_the_oldest_are_forgotten() -> None:
    experience = Experience()
    experience.learn(done(1000.0) for _ in range(5))
    experience.learn(done(60.0) for _ in range(limits.TIMES_KEPT))
    experience.learn([done(5.0, resolution=1024), done(7.0, resolution=1024)])
    experience.learn([running()])
    now = NOW + 101.0
    assert experience.seconds_left(running(), now) == pytest.approx(59.0)
    assert experience.seconds_left(running(resolution=1024), now) == pytest.approx(5.0)
    assert experience.seconds_left(running(ss_sampling_steps=12), now) is None


def test_one_that_is_learned_twice_counts_once() -> None:
    experience, job = Experience(), done(60.0)
    experience.learn([job, job])
    assert experience.seconds_left(running(), NOW + 101.0) is None


@pytest.mark.parametrize(
    ("settings", "is_same"),
    [
        ({"seed": 3, "mesh_scale": 2.0, "ss_guidance_strength": 2.0}, True),
        ({"decimation_target": 210000}, True),
        ({"decimation_target": 20000}, False),
        ({"max_num_tokens": 131072}, False),
        ({"remesh": False}, False),
        ({"generation_resolution": 1024}, False),
        ({"tex_slat_sampling_steps": 5}, False),
    ],
)
def test_what_makes_the_same_quality(settings: dict[str, Any], is_same: bool) -> None:
    assert (quality(complete(settings)) == quality(complete({}))) is is_same


def test_it_is_known_after_a_restart_from_the_records(tmp_path: Path, service: Any, connection: Connection) -> None:
    service.set_options(job_seconds=1.0)
    first = Manager(tmp_path)
    for _ in range(2):
        made = first.run(a_generation(), an_image(), connection)
        assert made.status_history[-1][0] == "success"
    first.close()
    manager = Manager(tmp_path)
    manager.resume()
    until(lambda: not manager.is_busy, "the first look")
    manager.close()
    took = [seconds_worked(snapshot.generation) or 0.0 for snapshot in manager.history()]
    begun = a_generation(state=State.RUNNING, status_history=(("in-progress", date(time.time() + 60.0)),))
    assert manager.seconds_left(begun) is None
    begun = begun.changed(status_history=(("in-progress", date(time.time())),))
    assert len(took) == 2 and 0.0 < (manager.seconds_left(begun) or 0.0) <= sum(took) / 2
