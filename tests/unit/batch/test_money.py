# SPDX-License-Identifier: GPL-3.0-or-later
"""Each image is paid for once: whatever process dies at whatever moment, and however many are at one list."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.batch import EntryState, Event, limits, read_manifest
from pixal3d_addon.batch.manifest import Manifest
from tests.unit.generation.images import paid_requests, until

from .support import a_batch, a_process, charged, ended, images, models, states

GENERATE = {"method": "POST", "path": "/generate/"}
LOST = {**GENERATE, "action": "accept_then_close"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return images(tmp_path / "in", "a.png", "b.png", "c.png")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.parametrize(
    "moment", ["after claimed", "before running", "after running", "after ready", "before done", "after done"]
)
def test_a_process_that_is_killed_at_any_moment_is_made_up_for_by_the_same_command_again(
    source: Path, output: Path, service: Any, moment: str
) -> None:
    assert ended(a_process(source, output, service, killed=moment)) == -signal.SIGKILL
    summary = a_batch(source, output, service).run()
    assert summary.done + summary.skipped == 3 and summary.failed == summary.uncertain == summary.left == 0
    assert charged(service) == {"a.png": 1, "b.png": 1, "c.png": 1} and paid_requests(service) == 3
    assert models(output) == ["a.glb", "b.glb", "c.glb"]
    assert set(states(output).values()) == {EntryState.DONE}
    assert [path.name for path in (output / ".work").iterdir() if path.is_dir()] == ["owners"]


@pytest.mark.parametrize("damage", [lambda model: model[: len(model) // 2], lambda model: bytes(len(model))])
def test_a_model_that_was_damaged_on_disk_before_it_was_finished_is_fetched_again(
    source: Path, output: Path, service: Any, damage: Callable[[bytes], bytes]
) -> None:
    assert ended(a_process(source, output, service, killed="after ready")) == -signal.SIGKILL
    for model in output.glob(".work/*/model.glb"):
        model.write_bytes(damage(model.read_bytes()))
    assert a_batch(source, output, service).run().done == 3
    assert charged(service) == {"a.png": 1, "b.png": 1, "c.png": 1}


def test_a_model_over_which_every_process_dies_does_not_keep_the_others_from_being_done(
    tmp_path: Path, output: Path, service: Any
) -> None:
    source = images(tmp_path / "in", "a.png")
    for _ in range(limits.TRIES):
        assert ended(a_process(source, output, service, killed="before done")) == -signal.SIGKILL
    images(source, "b.png", "c.png")
    summary = a_batch(source, output, service).run()
    assert (summary.done, summary.failed) == (2, 1)
    (entry,) = (entry for entry in read_manifest(output) if entry.state is EntryState.READY)
    assert "3 times" in entry.error and "fetch" in entry.hint
    assert (output / ".work" / entry.key / "model.glb").is_file()
    assert charged(service) == {"a.png": 1, "b.png": 1, "c.png": 1}


def test_killed_between_the_note_and_the_paid_request_it_is_looked_for_and_not_sent_again(
    source: Path, output: Path, service: Any
) -> None:
    assert ended(a_process(source, output, service, killed="after submitting", concurrency=1)) == -signal.SIGKILL
    assert service.charges() == []
    summary = a_batch(source, output, service).run()
    assert (summary.done, summary.uncertain) == (2, 1) and len(service.charges()) == 2
    (entry,) = (entry for entry in read_manifest(output) if entry.state is EntryState.UNCERTAIN)
    assert "charged" in entry.error and entry.name == "a"
    plan = a_batch(source, output, service).plan()
    assert (plan.done, plan.failed, plan.missing) == (2, 1, 0)
    assert a_batch(source, output, service).run().uncertain == 1 and len(service.charges()) == 2
    assert a_batch(source, output, service, retry_failed=True).run().done == 1
    assert charged(service) == {"a.png": 1, "b.png": 1, "c.png": 1}


def test_a_lost_reply_is_made_up_for_by_finding_the_job(source: Path, output: Path, service: Any) -> None:
    service.set_faults([{**LOST, "times": 2}])
    assert a_batch(source, output, service).run().done == 3
    assert charged(service) == {"a.png": 1, "b.png": 1, "c.png": 1} and paid_requests(service) == 3


def test_a_job_that_the_list_shows_too_late_is_found_by_the_next_run_and_never_paid_again(
    source: Path, output: Path, service: Any
) -> None:
    service.set_options(list_lag_seconds=3.0)
    service.set_faults([LOST])
    summary = a_batch(source, output, service).run()
    assert (summary.done, summary.uncertain) == (2, 1)
    service.set_options(list_lag_seconds=0.0)
    # Even who wants uncertain ones to be paid again gets the job that is there.
    assert a_batch(source, output, service, retry_failed=True).run().done == 1
    assert len(service.charges()) == 3 == paid_requests(service)


def test_a_429_leaves_nothing_in_doubt_for_who_comes_after(source: Path, output: Path, service: Any) -> None:
    service.set_faults([{**GENERATE, "action": "status", "status": 429, "body": {"remainingSeconds": 600.0}}])
    process = a_process(source, output, service, concurrency=1)
    until(lambda: not service.faults_left(), "the 429")
    until(lambda: states(output).get("a") is EntryState.CLAIMED, "nothing in doubt")
    process.kill()
    ended(process)
    assert a_batch(source, output, service).run().done == 3
    assert len(service.charges()) == 3


def test_two_processes_at_one_list_share_it(tmp_path: Path, output: Path, service: Any) -> None:
    names = [f"{number}.png" for number in range(10)]
    source = images(tmp_path / "in", *names)
    processes = [a_process(source, output, service) for _ in range(2)]
    told = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert charged(service) == dict.fromkeys(names, 1) and paid_requests(service) == 10
    assert len(models(output)) == 10
    shares = [text.count("EVENT done") for text in told]
    assert sum(shares) == 10 and min(shares) >= 1
    assert all("failed=0, uncertain=0, left=0" in text for text in told)


def test_who_dies_is_made_up_for_by_who_is_there(tmp_path: Path, output: Path, service: Any) -> None:
    service.set_options(job_seconds=1.5)
    names = [f"{number}.png" for number in range(6)]
    source = images(tmp_path / "in", *names)
    victim = a_process(source, output, service)
    until(lambda: len(service.charges()) == 2, "the first two")
    survivor = a_process(source, output, service)
    until(lambda: len(service.charges()) == 4, "the next two")
    victim.kill()
    ended(victim)
    assert ended(survivor) == 0
    assert charged(service) == dict.fromkeys(names, 1) and len(models(output)) == 6


@pytest.mark.parametrize("state", [EntryState.CLAIMED, EntryState.RUNNING])
def test_an_item_that_another_process_has_taken_over_is_left_to_it(
    source: Path, output: Path, service: Any, state: EntryState
) -> None:
    """A file server that restarts may lose its locks: then who lives is taken for dead."""
    taken: set[str] = set()

    def take_over(event: Event) -> None:
        if event.entry.name == "a" and event.entry.state is state and not taken:
            manifest = Manifest(output)
            with manifest.locked():
                manifest.append(event.entry.changed(owner="another"), sync=False)
            taken.add(event.entry.key)

    service.set_faults([{"method": "POST", "path": "/v1/assets$", "action": "slow", "seconds": 0.5, "times": 3}])
    summary = a_batch(source, output, service).run(take_over)
    assert taken and (summary.done, summary.left) == (2, 1)
    assert len(service.charges()) == (2 if state is EntryState.CLAIMED else 3)
    assert next(entry for entry in read_manifest(output) if entry.name == "a").owner == "another"
    assert models(output) == ["b.glb", "c.glb"]
    assert a_batch(source, output, service).run().done == 1
    assert charged(service) == {"a.png": 1, "b.png": 1, "c.png": 1}


def test_parts_of_a_list_are_done_by_different_processes_into_one_folder(
    source: Path, output: Path, service: Any
) -> None:
    done = [a_batch(source, output, service, chunk=(part, 2)).run() for part in (1, 2)]
    assert [(summary.done, summary.skipped) for summary in done] == [(2, 0), (1, 0)]
    assert models(output) == ["a.glb", "b.glb", "c.glb"]


def test_a_limit_holds_for_all_processes_together(tmp_path: Path, output: Path, service: Any) -> None:
    """The other process has no limit of its own; what it has begun counts."""
    service.set_options(job_seconds=1.5)
    source = images(tmp_path / "in", *(f"{number}.png" for number in range(6)))
    other = a_process(source, output, service, concurrency=2)
    until(lambda: len(service.charges()) == 2, "the other's two")
    other.kill()
    ended(other)
    summary = a_batch(source, output, service, most_cost=120.0).run()
    assert (summary.done, summary.left) == (4, 2) and service.spent == 120
