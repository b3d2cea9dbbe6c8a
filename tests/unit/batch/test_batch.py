# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch against the stand-in: from images to models, what it tells, what it costs, and what ends it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.batch import (
    Batch,
    BatchError,
    Entry,
    EntryState,
    Event,
    ListError,
    OutputError,
    PriceUnknownError,
    limits,
    read_manifest,
)
from pixal3d_addon.generation import GenerationError
from pixal3d_addon.generation import limits as generation_limits
from pixal3d_addon.scenario import (
    Connection,
    Credentials,
    CreditsExhaustedError,
    KeyRejectedError,
    MissingKeyError,
    TransportError,
    inspect_glb,
)
from tests.unit.generation.images import paid_requests, until

from .support import SMALL, a_batch, charged, images, models, states, way_to

GENERATE = {"method": "POST", "path": "/generate/"}
UPLOAD = {"method": "POST", "path": "/v1/assets$"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return images(tmp_path / "in", "a.png", "b.png", "c/a.png")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


def other_a(output: Path) -> str:
    """The name of the second image that is called a."""
    return next(name for name in states(output) if name.startswith("a-"))


def test_a_folder_becomes_models_and_the_same_command_again_does_nothing(
    source: Path, output: Path, service: Any
) -> None:
    service.set_options(job_seconds=1.5)
    told: list[Event] = []
    summary = a_batch(source, output, service).run(told.append)
    assert (summary.done, summary.skipped, summary.failed, summary.uncertain, summary.left) == (3, 0, 0, 0, 0)
    assert summary.cost == service.spent == 90 and summary.requests == len(service.requests()) - 3
    assert models(output) == sorted(["a.glb", f"{other_a(output)}.glb", "b.glb"])
    for entry in read_manifest(output):
        assert entry.state is EntryState.DONE and entry.cost == 30 and entry.seed == 7 and entry.job_id
        assert entry.seconds and entry.seconds >= 0.4 and not entry.owner
        assert inspect_glb(output / entry.file).triangles > 100
    assert [path.name for path in (output / ".work").iterdir() if path.is_dir()] == ["owners"]
    finished = [event for event in told if event.entry.state is EntryState.DONE]
    assert [event.done for event in finished] == [1, 2, 3] and {event.total for event in told} == {3}
    assert "in-progress" in {event.status for event in told}

    asked = len(service.requests())
    summary = a_batch(source, output, service).run(told.append)
    assert (summary.done, summary.skipped, summary.requests) == (0, 3, 0) and len(service.requests()) == asked


def test_a_list_sets_parameters_for_each_and_identical_rows_are_made_as_often(
    source: Path, output: Path, service: Any
) -> None:
    rows = "image,name,meshScale\na.png,Chair,2\na.png,Chair,2\nb.png,chair,\n"
    (source / "list.csv").write_text(rows)
    assert a_batch(source / "list.csv", output, service).run().done == 3
    bodies = [r["json"] for r in service.requests() if r["path"].endswith("/generate/custom/model_pixal3d")]
    assert sorted(body["meshScale"] for body in bodies) == [1, 2, 2]
    names = {entry.name: entry.key[:6] for entry in read_manifest(output)}
    first = next(name for name in names if len(name) == 5)
    assert all(name == first or name in (f"Chair-{digits}", f"chair-{digits}") for name, digits in names.items())
    assert len(models(output)) == 3


@pytest.mark.parametrize("way", ["honoured", "ignored"])
def test_a_result_is_scaled_exactly_once_whoever_does_it(output: Path, tmp_path: Path, service: Any, way: str) -> None:
    service.set_options(mesh_scale=way)
    source = images(tmp_path / "in", "a.png")
    Batch(source, output, way_to(service), defaults={**SMALL, "mesh_scale": 2.0}).run()
    low, high = (getattr(inspect_glb(output / "a.glb"), f"bounds_{end}") for end in ("min", "max"))
    assert max(b - a for a, b in zip(low, high, strict=True)) == pytest.approx(2.0, abs=0.05)


def test_nothing_but_what_is_missing_is_asked_for_after_an_image_came_to_the_folder(
    source: Path, output: Path, service: Any
) -> None:
    a_batch(source, output, service).run()
    images(source, "0.png", "z.png")
    plan = a_batch(source, output, service).plan()
    assert (plan.items, plan.done, plan.missing, plan.cost) == (5, 3, 2, 60) and plan.prices == ((30, 2),)
    assert a_batch(source, output, service).run().done == 2
    assert set(charged(service).values()) == {1} and len(service.charges()) == 5


def test_a_plan_asks_once_for_each_sort_of_settings_and_writes_and_pays_nothing(
    source: Path, output: Path, service: Any
) -> None:
    (source / "list.csv").write_text("image,resolution,seed\na.png,1024,1\na.png,1024,2\nb.png,2048,3\nb.png,2048,4\n")
    plan = a_batch(source / "list.csv", output, service).plan()
    assert plan.prices == ((30, 2), (42, 2)) and plan.cost == 144 and plan.trouble == ""
    assert service.quotes == 2 and service.charges() == [] and not output.exists()
    assert a_batch(source / "list.csv", output, service).plan() == plan
    nobody = Batch(source / "list.csv", output, None, defaults=SMALL)
    assert nobody.plan().cost is None and nobody.plan().missing == 4
    with pytest.raises(MissingKeyError):
        nobody.run()


# The limit.


def test_what_would_pass_the_limit_is_not_begun_neither_now_nor_by_the_same_command_again(
    source: Path, output: Path, service: Any
) -> None:
    summary = a_batch(source, output, service, most_cost=60.0).run()
    assert (summary.done, summary.left) == (2, 1) and service.spent == 60
    assert a_batch(source, output, service, most_cost=89.0).run().left == 1
    assert service.spent == 60
    assert a_batch(source, output, service, most_cost=90.0).run().left == 0


def test_under_a_limit_what_is_cheaper_is_still_begun(source: Path, output: Path, service: Any) -> None:
    (source / "list.csv").write_text("image,resolution\na.png,1024\nb.png,2048\na.png,1024\nb.png,1024\n")
    assert a_batch(source / "list.csv", output, service, most_cost=65.0).run().left == 2
    assert [entry.cost for entry in read_manifest(output)] == [30, 30] and service.spent == 60


def test_with_a_limit_and_without_a_price_nothing_is_paid(source: Path, output: Path, service: Any) -> None:
    no_price = {"action": "status", "status": 200, "body": {}}
    service.set_faults([{**GENERATE, "times": 9, **no_price}])
    with pytest.raises(PriceUnknownError, match="limited"):
        a_batch(source, output, service, most_cost=1000.0).run()
    assert service.charges() == [] and states(output) == {}


# What fails.


def test_a_bad_image_fails_alone_and_is_tried_again_by_the_next_run(source: Path, output: Path, service: Any) -> None:
    (source / "b.png").write_bytes(b"no picture")
    summary = a_batch(source, output, service).run()
    assert (summary.done, summary.failed) == (2, 1)
    entry = next(entry for entry in read_manifest(output) if entry.name == "b")
    assert "format" in entry.error and entry.hint and not entry.job_id and entry.cost is None
    images(source, "b.png")
    assert a_batch(source, output, service).run().done == 1 and len(service.charges()) == 3


def test_a_failed_job_is_paid_again_only_if_that_is_wanted(source: Path, output: Path, service: Any) -> None:
    service.set_options(job_outcome="failure")
    summary = a_batch(source, output, service).run()
    assert (summary.done, summary.failed, summary.cost) == (0, 3, 0)
    assert all(entry.error and entry.job_id for entry in read_manifest(output))
    service.set_options(job_outcome="success")
    plan = a_batch(source, output, service).plan()
    assert (plan.missing, plan.failed, plan.cost) == (0, 3, 0)
    asked = len(service.requests())
    assert a_batch(source, output, service).run().failed == 3 and len(service.requests()) == asked
    assert a_batch(source, output, service, retry_failed=True).plan().missing == 3
    assert a_batch(source, output, service, retry_failed=True).run().done == 3


def test_a_model_that_could_not_be_read_is_fetched_again_and_not_paid_again(
    source: Path, output: Path, service: Any
) -> None:
    service.set_options(variant="draco")
    assert a_batch(source, output, service).run().failed == 3
    paid = paid_requests(service)
    plan = a_batch(source, output, service, retry_failed=True).plan()
    assert (plan.missing, plan.under_way) == (0, 3)
    a_batch(source, output, service, retry_failed=True).run()
    assert paid_requests(service) == paid


def test_a_list_with_an_image_that_is_not_there_is_refused_before_anything_is_sent(
    source: Path, output: Path, service: Any
) -> None:
    (source / "list.csv").write_text("image\na.png\nmissing.png\n")
    with pytest.raises(ListError, match=r"list\.csv:3, column image: there is no file"):
        a_batch(source / "list.csv", output, service).run()
    assert service.requests() == [] and not (output / "manifest.jsonl").exists()


def test_an_image_that_can_not_be_had_is_told_by_its_path(source: Path, output: Path, service: Any) -> None:
    (source / "gone.png").symlink_to("nowhere.png")
    with pytest.raises(ListError, match=r"One image of .*\n  there is no file .*gone\.png"):
        a_batch(source, output, service).run()
    (source / "gone.png").unlink()
    (source / "list.csv").write_text(f"image\n{'a' * 300}.png\n", encoding="utf-8")
    with pytest.raises(ListError, match=r"list\.csv:2, column image: there is no file"):
        a_batch(source / "list.csv", output, service).run()
    assert service.charges() == []


def test_other_images_at_the_same_places_are_not_taken_for_those_that_are_done(
    source: Path, output: Path, service: Any
) -> None:
    assert a_batch(source, output, service).run().done == 3
    copy = shutil.copytree(source, source.with_name("copy"))
    assert a_batch(copy, output, service).run().skipped == 3
    (copy / "b.png").write_bytes((copy / "b.png").read_bytes() + b"another")
    for act in (Batch.plan, Batch.run):
        with pytest.raises(ListError, match=r"has a model of .*in/b\.png.* another output folder"):
            act(a_batch(copy, output, service))
    shutil.rmtree(source)  # they were moved, and changed since
    assert a_batch(copy, output, service).run().skipped == 3 and len(service.charges()) == 3


def test_what_is_paid_for_and_not_in_the_list_any_more_is_told(source: Path, output: Path, service: Any) -> None:
    service.set_options(job_seconds=1.0)
    batch = a_batch(source, output, service, concurrency=1)
    assert batch.run(stopped_when(batch, lambda event: bool(event.entry.job_id))).left == 3
    (source / "a.png").rename(source / "other.png")
    (entry,) = (entry for entry in read_manifest(output) if entry.job_id)
    summary = a_batch(source, output, service).run()
    assert (summary.done, summary.left, summary.stray_jobs) == (3, 0, (entry.job_id,))
    assert a_batch(source, output, service, chunk=(1, 1)).run().stray_jobs == ()


def test_what_makes_no_sense_is_refused_at_once(source: Path, output: Path, service: Any) -> None:
    with pytest.raises(BatchError, match="another folder"):
        a_batch(source, source / "c" / "..", service)
    with pytest.raises(BatchError, match=r"\.obj"):
        a_batch(source, output, service, suffix=".obj")


def test_a_result_that_can_not_be_made_leaves_the_model_for_the_next_run(
    source: Path, output: Path, service: Any
) -> None:
    def refuse(entry: Entry, delivered: Path, target: Path) -> None:
        assert delivered.is_file() and entry.parameters["seed"] == 7
        raise GenerationError("No.", "Later.")

    summary = a_batch(source, output, service, finish=refuse, suffix=".blend").run()
    assert (summary.done, summary.failed, len(service.charges())) == (0, 3, 3)
    assert {(e.state, e.error, e.hint) for e in read_manifest(output)} == {(EntryState.READY, "No.", "Later.")}
    assert a_batch(source, output, service).plan().under_way == 3
    asked = len(service.requests())
    assert a_batch(source, output, service).run().done == 3 and len(service.charges()) == 3
    fetched = [r["path"] for r in service.requests()[asked:] if not r["path"].startswith("/__")]
    assert fetched == ["/v1/teams"]


def test_a_file_that_came_in_the_results_place_meanwhile_is_not_overwritten(
    tmp_path: Path, output: Path, service: Any
) -> None:
    source = images(tmp_path / "in", "a.png")

    def intrude(event: Event) -> None:
        if event.entry.state is EntryState.RUNNING:
            (output / "a.glb").write_bytes(b"somebody's")

    assert a_batch(source, output, service).run(intrude).done == 1
    (entry,) = read_manifest(output)
    assert (output / "a.glb").read_bytes() == b"somebody's" and entry.file == f"a-{entry.key[:6]}.glb"
    assert inspect_glb(output / entry.file).triangles > 100


def test_results_are_made_in_the_thread_that_runs_the_batch(source: Path, output: Path, service: Any) -> None:
    here = threading.get_ident()
    threads: set[int] = set()

    def finish(entry: Entry, delivered: Path, target: Path) -> None:
        threads.add(threading.get_ident())
        shutil.copyfile(delivered, target)

    a_batch(source, output, service, finish=finish).run(lambda event: threads.add(threading.get_ident()))
    assert threads == {here}


# What ends all of it.


def test_an_unreachable_service_is_said_before_anything_is_begun(source: Path, output: Path) -> None:
    nowhere = Connection(Credentials("key", "secret"), "http://127.0.0.1:9/v1")
    with pytest.raises(TransportError):
        Batch(source, output, nowhere, defaults=SMALL).run()
    assert states(output) == {}


def test_a_key_that_is_not_accepted_is_said_before_anything_is_begun(source: Path, output: Path, service: Any) -> None:
    stranger = Connection(Credentials(service.key, "wrong"), service.base_url)
    with pytest.raises(KeyRejectedError):
        Batch(source, output, stranger, defaults=SMALL).run()
    assert states(output) == {}


def test_without_credits_the_batch_ends_and_what_runs_is_gone_on_with(source: Path, output: Path, service: Any) -> None:
    service.set_options(creative_units=service.before["spent"] + 30.0, job_seconds=1.0)
    with pytest.raises(CreditsExhaustedError):
        a_batch(source, output, service).run()
    assert len(service.charges()) == 1
    assert EntryState.SUBMITTING not in states(output).values()
    service.set_options(creative_units=None)
    summary = a_batch(source, output, service).run()
    assert summary.done == 3 and len(service.charges()) == 3


def test_an_outage_in_the_middle_is_waited_for(source: Path, output: Path, service: Any) -> None:
    service.set_faults([{**UPLOAD, "times": 14, "action": "close"}])
    summary = a_batch(source, output, service, concurrency=1).run()
    assert (summary.done, summary.failed) == (3, 0) and len(service.charges()) == 3


def test_an_outage_that_does_not_end_ends_the_batch_without_failing_the_images(
    source: Path, output: Path, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation_limits, "OUTAGE_PATIENCE_SECONDS", 0.2)
    service.set_faults([{**UPLOAD, "times": 999, "action": "close"}, {"path": "/teams", "skip": 1, "times": 999,
                         "action": "close"}, {"path": "/models", "times": 999, "action": "close"}])  # fmt: skip
    with pytest.raises(TransportError):
        a_batch(source, output, service, concurrency=1).run()
    assert EntryState.FAILED not in states(output).values()


def test_trouble_with_one_image_alone_is_its_own(source: Path, output: Path, service: Any) -> None:
    service.set_faults([{**UPLOAD, "times": 16, "action": "close"}])
    summary = a_batch(source, output, service, concurrency=1).run()
    assert (summary.done, summary.failed) == (2, 1)


def test_a_disk_that_is_almost_full_ends_the_batch_before_anything_is_paid(
    source: Path, output: Path, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FREE_BYTES", 1 << 60)
    with pytest.raises(OutputError, match="almost full"):
        a_batch(source, output, service).run()
    assert service.charges() == []


def test_an_output_that_can_not_be_written_is_said_before_anything_is_sent(
    source: Path, tmp_path: Path, service: Any
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't be used"):
        a_batch(source, tmp_path / "file" / "out", service).run()
    assert service.requests() == []


def test_a_disk_that_fills_up_while_results_are_made_loses_no_model(source: Path, output: Path, service: Any) -> None:
    full = limits.FREE_BYTES

    def fill(entry: Entry, delivered: Path, target: Path) -> None:
        limits.FREE_BYTES = 1 << 60
        raise OSError(28, "No space left on device")

    try:
        with pytest.raises(OutputError, match="almost full"):
            a_batch(source, output, service, finish=fill, concurrency=1).run()
    finally:
        limits.FREE_BYTES = full
    paid = len(service.charges())
    assert a_batch(source, output, service).run().done == 3
    assert len(service.charges()) == 3 and paid >= 1


# Stopping.


def stopped_when(batch: Batch, condition: Callable[[Event], bool]) -> Callable[[Event], None]:
    def look(event: Event) -> None:
        if condition(event):
            batch.stop()

    return look


def test_stopped_and_started_again_it_goes_on_with_what_was_under_way(source: Path, output: Path, service: Any) -> None:
    service.set_options(job_seconds=1.0)
    batch = a_batch(source, output, service, concurrency=2)
    summary = batch.run(stopped_when(batch, lambda event: event.entry.state is EntryState.RUNNING))
    assert summary.left == 3 and 1 <= len(service.charges()) <= 2
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("pixal3d-batch")], "the threads' end")
    assert a_batch(source, output, service).run().done == 3
    assert set(charged(service).values()) == {1} and len(service.charges()) == 3


def test_a_batch_that_hangs_in_the_network_stops_soon(
    source: Path, output: Path, service: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STOP_PATIENCE_SECONDS", 0.3)
    service.set_faults([{"method": "GET", "path": "/jobs/", "times": 9, "action": "hang", "seconds": 20.0}])
    batch = a_batch(source, output, service)

    def stop_when_it_hangs() -> None:
        until(lambda: sum("/v1/jobs/" in r["path"] for r in service.requests()) == 3, "requests that hang")
        batch.stop()

    stopper = threading.Thread(target=stop_when_it_hangs)
    stopper.start()
    assert batch.run().left == 3
    stopper.join()
    assert any(t.name.startswith("pixal3d-batch") for t in threading.enumerate()), "it did not hang"
    service.clear_faults()


def test_stopped_before_it_begins_it_does_nothing(source: Path, output: Path, service: Any) -> None:
    batch = a_batch(source, output, service)
    batch.stop()
    assert batch.run().left == 3 and service.requests() == []


def test_an_interrupt_in_an_event_leaves_all_to_be_gone_on_with(source: Path, output: Path, service: Any) -> None:
    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        a_batch(source, output, service).run(interrupt)
    assert a_batch(source, output, service).run().done == 3
    assert set(charged(service).values()) == {1} and len(service.charges()) == 3


# Few requests.


def test_once_it_knows_how_long_jobs_take_each_is_asked_after_once(tmp_path: Path, output: Path, service: Any) -> None:
    service.set_options(job_seconds=1.0)
    source = images(tmp_path / "in", *(f"{n}.png" for n in range(4)))
    a_batch(source, output, service, concurrency=1).run()
    asked = [r["path"] for r in service.requests() if "/v1/jobs/" in r["path"]]
    counts = [asked.count(path) for path in dict.fromkeys(asked)]
    assert counts[2:] == [1, 1] and min(counts[:2]) > 1
