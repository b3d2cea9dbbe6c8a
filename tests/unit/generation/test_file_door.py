# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain Python: an image file in, a GLB file out; paid for once, whatever ends the call and however often it comes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pixal3d_addon.generation import (
    GenerationError,
    Progress,
    SourceImageError,
    State,
    StoreError,
    TakenError,
    connection_from_environment,
    generate_file,
)
from pixal3d_addon.parameters import ParameterError
from pixal3d_addon.scenario import (
    ConfigurationError,
    Connection,
    MissingKeyError,
    ScenarioError,
    SubmissionUncertainError,
    inspect_glb,
)

from .images import a_png, paid_requests, until
from .processes import PROJECT, QUICK, kill

pytestmark = pytest.mark.usefixtures("quick")

SMALL: dict[str, object] = {"decimation_target": 5000, "resolution": 1024, "seed": 7}
GENERATE = {"method": "POST", "path": "/v1/generate/.*"}
SLOW_UPLOAD = {"method": "POST", "path": "/v1/assets", "times": 1, "action": "slow", "seconds": 1.0}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "chair.png"
    path.write_bytes(a_png())
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "chair.glb"


@pytest.fixture
def charged(service: Any) -> Iterator[Any]:
    """How many models were paid for since the test began."""
    before = len(service.charges())
    yield lambda: len(service.charges()) - before


def largest_side(glb: Path) -> float:
    low, high = inspect_glb(glb).bounds_min, inspect_glb(glb).bounds_max
    return max(b - a for a, b in zip(low, high, strict=True))


def test_an_image_file_becomes_a_glb_file(image: Path, target: Path, connection: Connection, charged: Any) -> None:
    made = generate_file(image, target, connection, parameters=SMALL)
    assert made.state is State.IMPORTED and made.name == "chair" and made.seed == 7 and made.cost
    assert made.glb_file == str(target) and largest_side(target) == pytest.approx(1.0, rel=1e-3)
    assert charged() == 1
    assert sorted(path.name for path in target.parent.iterdir()) == [".pixal3d", "chair.glb"]
    left = [path.suffix for path in (target.parent / ".pixal3d").rglob("*") if path.is_file()]
    assert not {".png", ".glb", ".part"} & set(left), "of what was delivered only the record is kept"


@pytest.mark.parametrize("who", ["honoured", "ignored"])
def test_the_file_is_as_large_as_mesh_scale_says_whoever_scales(
    image: Path, target: Path, connection: Connection, service: Any, who: str
) -> None:
    service.set_options(mesh_scale=who)
    generate_file(image, target, connection, parameters={**SMALL, "mesh_scale": 2.0})
    service.set_options(mesh_scale="honoured")
    assert largest_side(target) == pytest.approx(2.0, rel=1e-3)


def test_the_same_call_again_asks_the_service_nothing(
    image: Path, target: Path, connection: Connection, service: Any
) -> None:
    first = generate_file(image, target, connection, parameters=SMALL)
    before, content = len(service.requests()), target.read_bytes()
    again = generate_file(str(image), str(target), connection, parameters=SMALL)
    assert (again.job_id, again.cost, again.glb_file) == (first.job_id, first.cost, first.glb_file)
    assert len(service.requests()) == before and target.read_bytes() == content


@pytest.mark.parametrize("change", ["removed", "overwritten"])
def test_a_target_that_is_no_longer_what_was_delivered_is_fetched_and_not_paid_for(
    image: Path, target: Path, connection: Connection, charged: Any, change: str
) -> None:
    generate_file(image, target, connection, parameters=SMALL)
    content = target.read_bytes()
    if change == "removed":
        target.unlink()
    else:
        target.write_bytes(b"another model")
    generate_file(image, target, connection, parameters=SMALL)
    assert target.read_bytes() == content and charged() == 1


def test_another_image_seed_or_target_is_another_model(
    image: Path, target: Path, connection: Connection, charged: Any
) -> None:
    generate_file(image, target, connection, parameters=SMALL)
    generate_file(image, target, connection, parameters={**SMALL, "seed": 8})
    generate_file(image, target.with_name("stool.glb"), connection, parameters=SMALL)
    assert charged() == 3


def test_a_moved_folder_is_known_again(image: Path, target: Path, connection: Connection, charged: Any) -> None:
    generate_file(image, target, connection, parameters=SMALL)
    moved = target.parent.rename(target.parent.with_name("moved"))
    generate_file(image, moved / target.name, connection, parameters=SMALL)
    assert charged() == 1


def test_a_store_elsewhere_is_used_if_it_is_named(
    image: Path, target: Path, connection: Connection, charged: Any, tmp_path: Path
) -> None:
    for _ in range(2):
        generate_file(image, target, connection, parameters=SMALL, store=tmp_path / "store")
    assert charged() == 1 and (tmp_path / "store").is_dir() and not (target.parent / ".pixal3d").exists()


def test_a_python_without_numpy_is_told_before_anything_is_paid_for(
    image: Path, target: Path, connection: Connection, charged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(GenerationError, match="numpy"):
        generate_file(image, target, connection, parameters=SMALL)
    assert charged() == 0 and not target.exists()


# What ends a call.

CALL = """
import sys, time
from pathlib import Path
from pixal3d_addon.generation import connection_from_environment, file_door, generate_file, limits

for name, value in {limits!r}.items():
    setattr(limits, name, value)

def write_scaled(source: Path, target: Path, factor: float) -> None:
    print("delivering", flush=True)
    time.sleep(60)

if {hangs}:
    file_door.write_scaled = write_scaled
say = lambda now: print(now.status, flush=True)
generate_file(sys.argv[1], sys.argv[2], connection_from_environment(), parameters={parameters!r}, on_progress=say)
"""


def calling(image: Path, target: Path, service: Any, *, hangs: bool = False) -> subprocess.Popen[str]:
    """Another process that makes the call, and says how far it is, a line each.

    :param hangs: before the model is written to its place.
    """
    return subprocess.Popen(
        [sys.executable, "-c", CALL.format(limits=QUICK, parameters=SMALL, hangs=hangs), image, target],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **service.environment(), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def until_said(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout
    said = any(line.strip() == word for line in process.stdout)
    assert said, f"it ended before {word}"


@pytest.mark.parametrize("status", ["uploading", "submitting", "running", "delivering"])
def test_killed_at_any_time_the_same_call_pays_once(
    image: Path, target: Path, connection: Connection, service: Any, charged: Any, status: str
) -> None:
    if status == "uploading":
        service.set_faults([SLOW_UPLOAD])
    if status == "submitting":
        service.set_faults([{**GENERATE, "times": 1, "action": "slow", "seconds": 2.0}])
    process = calling(image, target, service, hangs=status == "delivering")
    until_said(process, status)
    if status == "submitting":  # the service has it, and its answer is on its way
        while charged() == 0:
            pass
    kill(process)
    assert not target.exists()
    made = generate_file(image, target, connection, parameters=SMALL)
    assert made.state is State.IMPORTED and inspect_glb(target) and charged() == 1


def test_a_call_that_another_process_is_at_is_refused(
    image: Path, target: Path, connection: Connection, service: Any, charged: Any
) -> None:
    process = calling(image, target, service)
    until_said(process, "running")
    with pytest.raises(TakenError, match="chair"):
        generate_file(image, target, connection, parameters=SMALL)
    assert process.wait(60) == 0 and charged() == 1
    assert process.stdout
    process.stdout.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_on_progress_raises_ends_the_call_and_the_next_one_goes_on(
    image: Path, target: Path, connection: Connection, charged: Any, error: type[BaseException]
) -> None:
    seen: list[Progress] = []

    def on_progress(now: Progress) -> None:
        assert threading.current_thread() is threading.main_thread()
        seen.append(now)
        if now.status is State.RUNNING:
            raise error

    with pytest.raises(error):
        generate_file(image, target, connection, parameters=SMALL, on_progress=on_progress)
    assert seen[-1].job_id
    made = generate_file(image, target, connection, parameters=SMALL, on_progress=seen.append)
    assert made.job_id == seen[0].job_id or made.job_id == seen[-1].job_id
    assert charged() == 1 and seen[-1].fraction == 1.0 and {now.name for now in seen} == {"chair"}


def test_stopped_before_the_request_nothing_is_paid_for(
    image: Path, target: Path, connection: Connection, service: Any, charged: Any
) -> None:
    service.set_faults([SLOW_UPLOAD])

    def on_progress(now: Progress) -> None:
        if now.status is State.UPLOADING:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_file(image, target, connection, parameters=SMALL, on_progress=on_progress)
    assert charged() == 0
    until(lambda: not any(t.name.startswith("pixal3d-") for t in threading.enumerate()), "the upload's end")
    generate_file(image, target, connection, parameters=SMALL)
    assert charged() == 1


def test_what_the_service_failed_at_is_begun_anew(
    image: Path, target: Path, connection: Connection, service: Any, charged: Any
) -> None:
    service.set_options(job_outcome="failure")
    with pytest.raises(ScenarioError, match="could not make a model"):
        generate_file(image, target, connection, parameters=SMALL)
    service.set_options(job_outcome="success")
    generate_file(image, target, connection, parameters=SMALL)
    assert charged() == 2 and target.exists()


def test_a_request_without_an_answer_is_never_sent_again(
    image: Path, target: Path, connection: Connection, service: Any
) -> None:
    service.set_faults([{**GENERATE, "times": 5, "action": "html", "status": 200}])
    before = paid_requests(service)
    for _ in range(2):
        with pytest.raises(SubmissionUncertainError, match="may have been charged"):
            generate_file(image, target, connection, parameters=SMALL)
    assert paid_requests(service) == before + 1


def test_a_target_that_can_t_be_written_costs_nothing_more(
    image: Path, target: Path, connection: Connection, charged: Any
) -> None:
    target.parent.touch()
    with pytest.raises(GenerationError, match=r"can't be written to .*chair\.glb"):
        generate_file(image, target, connection, parameters=SMALL)
    assert charged() == 0
    target.parent.unlink()
    target.mkdir(parents=True)
    with pytest.raises(GenerationError, match=r"can't be written to .*chair\.glb"):
        generate_file(image, target, connection, parameters=SMALL)
    target.rmdir()
    generate_file(image, target, connection, parameters=SMALL)
    assert charged() == 1


# What is said before anything is sent.


@pytest.mark.parametrize("name", [".", "a" * 252, "chair.png/model.glb"])
def test_a_target_that_can_be_known_to_be_none_is_refused_before_anything_is_sent(
    image: Path, connection: Connection, service: Any, name: str
) -> None:
    service.clear_requests()
    with pytest.raises(GenerationError, match="can't be written"):
        generate_file(image, image.parent / name, connection, parameters=SMALL)
    assert service.requests() == []


def test_what_can_t_be_sent_is_refused_and_leaves_nothing_behind(
    image: Path, target: Path, connection: Connection, service: Any, tmp_path: Path
) -> None:
    before = len(service.requests())
    with pytest.raises(ParameterError, match=r"meshScale\) must be a number from 0.1 to 4"):
        generate_file(image, target, connection, parameters={"mesh_scale": 9.0})
    with pytest.raises(SourceImageError, match=r"no image file .*sofa\.png"):
        generate_file(tmp_path / "sofa.png", target, connection)
    image.write_bytes(b"no picture")
    with pytest.raises(SourceImageError, match="format"):
        generate_file(image, target, connection)
    assert len(service.requests()) == before and not target.exists()


def test_a_record_that_can_t_be_read_is_no_reason_to_pay_again(
    image: Path, target: Path, connection: Connection, charged: Any
) -> None:
    generate_file(image, target, connection, parameters=SMALL)
    with closing(sqlite3.connect(target.parent / ".pixal3d" / "generations.sqlite3")) as database, database:
        database.execute("UPDATE generations SET record = '{}'")
    with pytest.raises(StoreError, match="may be paid for"):
        generate_file(image, target, connection, parameters=SMALL)
    assert charged() == 1


def test_a_damaged_store_is_said_before_anything_is_paid_for_again(
    image: Path, target: Path, connection: Connection, charged: Any
) -> None:
    generate_file(image, target, connection, parameters=SMALL)
    file = target.parent / ".pixal3d" / "generations.sqlite3"
    for companion in file.parent.glob("generations.sqlite3-*"):
        companion.unlink()
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="could not be read any more"):
        generate_file(image, target, connection, parameters=SMALL)
    assert charged() == 1
    shutil.rmtree(file.parent)


def test_the_way_to_the_service_is_in_the_environment(service: Any, connection: Connection) -> None:
    assert connection_from_environment(service.environment()) == connection
    with pytest.raises(MissingKeyError, match="SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET"):
        connection_from_environment({"SCENARIO_SDK_API_KEY": "half of it"})
    with pytest.raises(ConfigurationError, match="https"):
        connection_from_environment({**service.environment(), "SCENARIO_BASE_URL": "http://elsewhere.invalid"})
