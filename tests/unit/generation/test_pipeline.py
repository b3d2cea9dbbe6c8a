# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a generation, from the image to the checked GLB, against the stand-in service over HTTP."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import (
    Generation,
    Manager,
    NotFinishedError,
    SourceImage,
    SourceImageError,
    State,
    limits,
    lookup,
    source_image_from_file,
    worker,
)
from pixal3d_addon.generation.errors import UnexpectedError
from pixal3d_addon.generation.snapshots import Snapshots
from pixal3d_addon.generation.steering import Steering
from pixal3d_addon.generation.worker import run
from pixal3d_addon.parameters import complete
from pixal3d_addon.scenario import (
    ApiError,
    Connection,
    KeyRejectedError,
    ScenarioError,
    SubmissionUncertainError,
    UnreadableModelError,
)

from .images import a_png, paid_requests, until

SETTINGS = complete({"decimation_target": 5000, "resolution": 1024, "seed": 7})


@pytest.fixture
def source() -> SourceImage:
    return SourceImage("disk.png", a_png())


def a_generation() -> Generation:
    return Generation(name="disk", parameters=SETTINGS)


def test_an_image_becomes_a_glb_and_every_state_is_on_disk_before_the_next_begins(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    told: list[State] = []

    class Watched(Snapshots):
        def save(self, generation_id: str, **changes: object) -> None:
            super().save(generation_id, **changes)
            stored = self.store.get(generation_id)
            assert stored == self.all()[0].generation
            if stored and told[-1:] != [stored.state]:
                told.append(stored.state)

    charges = len(service.charges())
    snapshots = Watched(manager.store)
    generation = a_generation()
    snapshots.put(generation)
    ready = run(generation.id, source, snapshots=snapshots, connection=connection, steering=Steering())
    assert told == [
        State.PREPARED, State.UPLOADING, State.SUBMITTING, State.RUNNING, State.DOWNLOADING, State.READY,
    ]  # fmt: skip
    assert len(service.charges()) == charges + 1
    assert Path(ready.glb_file).read_bytes()[:4] == b"glTF"
    assert ready.seed == 7 and ready.cost and ready.asset_id and ready.job_id and ready.error == ""
    assert ready.bounds and max(ready.bounds[1]) == pytest.approx(0.5, abs=1e-3)
    assert manager.store.get(ready.id) == ready


def test_a_file_on_disk_goes_in_and_a_glb_comes_out_without_blender(
    manager: Manager, connection: Connection, tmp_path: Path
) -> None:
    (tmp_path / "disk.png").write_bytes(a_png())
    source = source_image_from_file(tmp_path / "disk.png")
    ready = manager.run(Generation(name=source.title, parameters=SETTINGS), source, connection)
    assert Path(ready.source_file).read_bytes() == a_png()
    assert Path(ready.glb_file).stat().st_size > 10_000


def test_in_the_background_it_is_seen_from_the_snapshots(
    manager: Manager, connection: Connection, source: SourceImage
) -> None:
    generation = a_generation()
    manager.start(generation, source, connection)
    assert manager.is_busy and manager.is_running(generation.id)
    assert [t.daemon for t in threading.enumerate() if t.name == f"pixal3d-{generation.id[:8]}"] == [True]
    until(lambda: not manager.is_running(generation.id), "the worker's end")
    (snapshot,) = manager.snapshots()
    assert snapshot.generation.state is State.READY and manager.arrived() == [snapshot.generation]
    manager.mark_imported(generation.id)
    assert manager.snapshots()[0].generation.state is State.IMPORTED and manager.arrived() == []
    until(lambda: manager.store.get(generation.id).state is State.IMPORTED, "the note on disk")  # type: ignore[union-attr]


def test_the_intent_is_on_disk_before_the_paid_request_leaves(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    service.set_faults([{"method": "POST", "path": "/generate/", "action": "hang", "seconds": 1.0}])
    before = paid_requests(service)
    generation = a_generation()
    manager.start(generation, source, connection)
    until(lambda: paid_requests(service) > before, "the paid request")
    assert manager.store.get(generation.id).state is State.SUBMITTING  # type: ignore[union-attr]
    until(lambda: manager.store.get(generation.id).state is State.UNCERTAIN, "uncertainty")  # type: ignore[union-attr]


LOST_REPLIES = [{"action": "accept_then_close"}, {"action": "cut", "bytes": 10}]


@pytest.mark.parametrize("fault", LOST_REPLIES, ids=lambda fault: fault["action"])
@pytest.mark.parametrize("lag", [0, 2])
def test_a_lost_reply_is_made_up_for_by_finding_the_job_in_the_services_list(
    manager: Manager,
    service: Any,
    connection: Connection,
    source: SourceImage,
    fault: dict[str, Any],
    lag: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "LOOKUP_PAUSES_SECONDS", (0.0, 0.1, 0.1))
    empty = {
        "method": "GET",
        "path": "/v1/jobs$",
        "times": lag,
        "action": "status",
        "status": 200,
        "body": {"jobs": []},
    }
    service.set_faults([{"method": "POST", "path": "/generate/", "times": 9, **fault}, *([empty] if lag else [])])
    before, charges = paid_requests(service), len(service.charges())
    ready = manager.run(a_generation(), source, connection)
    assert ready.state is State.READY and ready.job_id and ready.error == ""
    assert paid_requests(service) == before + 1
    assert [charge["job_id"] for charge in service.charges()[charges:]] == [ready.job_id]


def test_a_job_of_another_image_is_never_taken_for_ours(
    manager: Manager,
    service: Any,
    connection: Connection,
    source: SourceImage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager.run(a_generation(), source, connection)
    monkeypatch.setattr(limits, "LOOKUP_PAUSES_SECONDS", (0.0,))
    service.set_faults([{"method": "POST", "path": "/generate/", "times": 9, "action": "close"}])
    with pytest.raises(SubmissionUncertainError):
        manager.run(a_generation(), source, connection)


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "close"},
        {"action": "status", "status": 503},
        {"action": "status", "status": 409},
        {"action": "html", "status": 200},
    ],
    ids=lambda fault: f"{fault['action']} {fault.get('status', '')}",
)
def test_a_paid_request_without_a_clear_answer_is_uncertain_and_never_sent_again(
    manager: Manager,
    service: Any,
    connection: Connection,
    source: SourceImage,
    fault: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "LOOKUP_PAUSES_SECONDS", (0.0, 0.1))
    service.set_faults([{"method": "POST", "path": "/generate/", "times": 9, **fault}])
    before = paid_requests(service)
    generation = a_generation()
    with pytest.raises(SubmissionUncertainError, match="charged"):
        manager.run(generation, source, connection)
    record = manager.store.get(generation.id)
    assert record and record.state is State.UNCERTAIN and record.error
    service.clear_faults()
    with pytest.raises(SubmissionUncertainError):
        manager.run(record, None, connection)
    assert manager.store.get(generation.id).state is State.UNCERTAIN  # type: ignore[union-attr]
    assert paid_requests(service) == before + 1


def test_stopping_to_look_for_a_job_leaves_it_uncertain(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    service.set_faults([{"method": "POST", "path": "/generate/", "times": 9, "action": "close"}])
    generation = a_generation()
    manager.start(generation, source, connection)
    until(lambda: manager.get(generation.id).generation.state is State.UNCERTAIN, "uncertainty")  # type: ignore[union-attr]
    manager.stop(generation.id)
    until(lambda: not manager.is_running(generation.id), "the worker's end")
    record = manager.store.get(generation.id)
    assert record and record.state is State.UNCERTAIN and "may have been charged" in record.error


def test_a_record_that_a_killed_blender_left_while_submitting_is_not_sent_but_looked_for(
    manager: Manager,
    service: Any,
    connection: Connection,
    source: SourceImage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "LOOKUP_PAUSES_SECONDS", (0.0,))
    elsewhere = Manager(tmp_path / "elsewhere")
    sent = elsewhere.run(a_generation(), source, connection)
    elsewhere.close()
    before = paid_requests(service)
    left = a_generation().changed(state=State.SUBMITTING, asset_id=sent.asset_id)
    assert manager.run(left, None, connection).job_id == sent.job_id
    never_sent = a_generation().changed(state=State.SUBMITTING, asset_id="asset_1")
    with pytest.raises(SubmissionUncertainError):
        manager.run(never_sent, None, connection)
    assert manager.store.get(never_sent.id).state is State.UNCERTAIN  # type: ignore[union-attr]
    assert paid_requests(service) == before


@pytest.mark.parametrize("state", [State.PREPARED, State.UPLOADING])
def test_a_record_that_was_left_before_the_paid_request_goes_on(
    manager: Manager, service: Any, connection: Connection, source: SourceImage, state: State
) -> None:
    service.set_faults([{"method": "POST", "path": "/assets", "times": 9, "action": "status", "status": 400}])
    generation = a_generation()
    with pytest.raises(ScenarioError):
        manager.run(generation, source, connection)
    service.clear_faults()
    record = manager.store.get(generation.id)
    assert record
    charges = len(service.charges())
    assert manager.run(record.changed(state=state), None, connection).state is State.READY
    assert len(service.charges()) == charges + 1


def test_the_network_may_go_away_while_the_job_runs(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    service.set_faults([{"method": "GET", "path": "/v1/jobs/", "times": 2, "action": "status", "status": 502}])
    assert manager.run(a_generation(), source, connection).state is State.READY


def test_a_key_that_was_taken_back_leaves_the_paid_job_to_be_fetched_with_a_new_one(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    charges = len(service.charges())
    service.set_faults([{"method": "GET", "path": "/v1/jobs/", "times": 9, "action": "status", "status": 401}])
    generation = a_generation()
    with pytest.raises(KeyRejectedError):
        manager.run(generation, source, connection)
    record = manager.store.get(generation.id)
    assert record and record.state is State.RUNNING and "key" in record.error
    service.clear_faults()
    ready = manager.run(record, None, connection)
    assert ready.state is State.READY and ready.error == ""
    assert len(service.charges()) == charges + 1


def test_stopping_before_the_paid_request_costs_nothing(
    service: Any, connection: Connection, source: SourceImage, manager: Manager
) -> None:
    charges = len(service.charges())
    steering = Steering()

    class Stopping(Snapshots):
        def save(self, generation_id: str, **changes: object) -> None:
            super().save(generation_id, **changes)
            if changes.get("state") is State.UPLOADING:
                steering.stop()

    snapshots = Stopping(manager.store)
    generation = a_generation()
    snapshots.put(generation)
    with pytest.raises(NotFinishedError, match="Nothing was charged"):
        run(generation.id, source, snapshots=snapshots, connection=connection, steering=steering)
    assert manager.store.get(generation.id).state is State.FAILED  # type: ignore[union-attr]
    assert len(service.charges()) == charges


def test_stopping_after_it_leaves_a_job_that_can_be_fetched(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    service.set_options(job_seconds=3.0)
    generation = a_generation()
    manager.start(generation, source, connection)
    until(lambda: manager.get(generation.id).generation.state is State.RUNNING, "a job")  # type: ignore[union-attr]
    manager.stop(generation.id)
    until(lambda: not manager.is_running(generation.id), "the worker's end")
    record = manager.store.get(generation.id)
    assert record and record.state is State.ABANDONED and "charges for it" in record.error
    assert any(r["path"].endswith("/action") and r["json"] == {"action": "cancel"} for r in service.requests())
    charges = len(service.charges())
    assert manager.run(record, None, connection).state is State.READY
    assert len(service.charges()) == charges


def test_a_failed_job_is_told_in_the_services_words_and_with_its_hint(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    service.set_options(job_outcome="failure")
    generation = a_generation()
    with pytest.raises(ApiError) as error:
        manager.run(generation, source, connection)
    record = manager.store.get(generation.id)
    assert record and record.state is State.FAILED and record.trouble == str(error.value)
    assert record.service_status == "failure"


@pytest.mark.parametrize("variant", ["draco", "meshopt", "broken"])
def test_a_model_that_cannot_be_read_is_kept_on_disk(
    manager: Manager, service: Any, connection: Connection, source: SourceImage, variant: str
) -> None:
    service.set_options(variant=variant)
    generation = a_generation()
    with pytest.raises(ScenarioError) as error:
        manager.run(generation, source, connection)
    record = manager.store.get(generation.id)
    assert record
    if isinstance(error.value, UnreadableModelError):
        assert record.state is State.FAILED and Path(record.glb_file).exists()
        assert record.glb_file in record.hint and not record.is_expendable
    else:  # a file whose length does not fit is a download that failed, and can be fetched again
        assert record.state is State.DOWNLOADING and record.error


@pytest.mark.parametrize("variant", ["draco"])
def test_a_model_that_could_not_be_read_can_be_fetched_again_for_nothing(
    manager: Manager, service: Any, connection: Connection, source: SourceImage, variant: str
) -> None:
    charges = len(service.charges())
    service.set_options(variant=variant)
    generation = a_generation()
    with pytest.raises(UnreadableModelError):
        manager.run(generation, source, connection)
    service.set_options(variant="normal")
    record = manager.store.get(generation.id)
    assert record
    # The stand-in keeps what it made, so the same file comes; what counts is that the way is open and costs nothing.
    with pytest.raises(UnreadableModelError):
        manager.run(record, None, connection)
    assert len(service.charges()) == charges + 1


def test_a_fault_in_the_add_on_is_told_and_not_silent(
    manager: Manager, service: Any, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(*_: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(worker, "write_source", out_of_memory)
    generation = a_generation()
    with pytest.raises(UnexpectedError, match=r"inside the add-on \(MemoryError"):
        manager.run(generation, SourceImage("disk", a_png()), connection)
    assert manager.get(generation.id).generation.state is State.FAILED  # type: ignore[union-attr]


def test_a_fault_while_the_paid_request_is_out_leaves_it_uncertain(
    manager: Manager, service: Any, connection: Connection, source: SourceImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOOKUP_PAUSES_SECONDS", (0.0,))
    told = lookup.told
    monkeypatch.setattr(worker, "told", lambda job: told(None))  # type: ignore[arg-type]
    before = len(service.charges())
    generation = a_generation()
    with pytest.raises(UnexpectedError):
        manager.run(generation, source, connection)
    record = manager.store.get(generation.id)
    assert record and record.state is State.UNCERTAIN
    monkeypatch.undo()
    assert manager.run(record, None, connection).state is State.READY
    assert len(service.charges()) == before + 1


def test_a_double_click_is_seen_and_a_later_click_is_not_one(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    service.set_options(job_seconds=60.0)
    service.set_faults([{"method": "POST", "path": "/v1/assets$", "times": 1, "action": "hang", "seconds": 0.5}])
    first = a_generation()
    assert not manager.is_double_click(first)
    manager.start(first, source, connection)
    much_later = dataclasses.replace(a_generation(), created_at=first.created_at + 60.0)
    assert manager.is_double_click(much_later), "the first is not paid for yet"
    until(lambda: manager.get(first.id).generation.state is State.RUNNING, "a job")  # type: ignore[union-attr]
    assert manager.is_double_click(dataclasses.replace(much_later, created_at=first.created_at + 0.5))
    assert not manager.is_double_click(much_later)
    assert not manager.is_double_click(Generation(name="another", parameters=SETTINGS))


def test_an_image_that_cannot_be_sent_fails_before_anything_leaves_the_machine(
    manager: Manager, service: Any, connection: Connection
) -> None:
    before = len(service.requests())
    with pytest.raises(SourceImageError):
        manager.run(a_generation(), SourceImage("empty.png", b""), connection)
    (snapshot,) = manager.snapshots()
    assert snapshot.generation.state is State.FAILED and "empty" in snapshot.generation.error
    assert len(service.requests()) == before


def test_a_disk_that_cannot_be_written_fails_before_anything_leaves_the_machine(
    service: Any, connection: Connection, source: SourceImage, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    manager = Manager(tmp_path / "file")
    before = len(service.requests())
    generation = a_generation()
    manager.start(generation, source, connection)
    until(lambda: not manager.is_running(generation.id), "the worker's end")
    (snapshot,) = manager.snapshots()
    assert snapshot.generation.state is State.FAILED and "space on the disk" in snapshot.generation.hint
    assert len(service.requests()) == before
    manager.close()


def test_closing_while_the_network_hangs_returns_soon_and_leaves_the_record_to_go_on_from(
    manager: Manager, service: Any, connection: Connection, source: SourceImage
) -> None:
    service.set_options(job_seconds=300.0)
    service.set_faults([{"method": "GET", "path": "/v1/jobs/", "times": 9, "action": "hang", "seconds": 30.0}])
    generation = a_generation()
    manager.start(generation, source, connection)
    until(lambda: manager.get(generation.id).generation.job_id, "a job")  # type: ignore[union-attr]
    job = manager.get(generation.id).generation.job_id  # type: ignore[union-attr]
    until(lambda: any(r["path"] == f"/v1/jobs/{job}" for r in service.requests()), "a poll that hangs")
    started = time.monotonic()
    manager.close()
    assert time.monotonic() - started < 1.0  # the promise itself is a time
    record = manager.store.get(generation.id)
    assert record and record.state is State.RUNNING and record.job_id


def test_the_same_generation_is_not_run_twice_at_once(
    manager: Manager, connection: Connection, source: SourceImage
) -> None:
    generation = a_generation()
    manager.start(generation, source, connection)
    with pytest.raises(Exception, match="already under way"):
        manager.start(generation, source, connection)
    until(lambda: not manager.is_running(generation.id), "the worker's end")
