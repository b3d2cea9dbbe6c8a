# SPDX-License-Identifier: GPL-3.0-or-later
"""A store in which anything may stand: each call has a result or one of our errors, and the other records remain."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixal3d_addon.errors import Pixal3DError
from pixal3d_addon.generation import Generation, Manager, Settings, State, Store, schema
from pixal3d_addon.generation.record import ImportOptions, Placement
from pixal3d_addon.scenario import Connection

from .images import PARAMETERS, a_generation, an_image, until
from .test_damage import filled, set_aside

ANYTHING: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**30, -(10**400), "", "x", "\ud800", "a\0b", "../../x", "/",
    "CON", ".", [], [1], ["a", ["b"]], {}, {"a": 1}, [[1, 2, 3]] * 2,
)  # fmt: skip
"""What may stand where something else should."""

GOOD = "b" * 32

_NAMES = st.sampled_from(["id", "state", "name", "parameters", "placement", "options"]) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=20,
)


def a_record(**changes: Any) -> Generation:
    """One with something in every field."""
    return Generation(
        "chair",
        PARAMETERS,
        Placement("Scene", "Props", (1.0, 2.0, 3.0), "/a.blend", "x", "Plane"),
        ImportOptions(turn=90, height=2.0, asset_catalog="Props/Chairs"),
        id="a" * 32,
        created_at=5.0,
        state=State.READY,
        job_id="job_1",
        status_history=(("queued", "2026-01-01T00:00:00Z"),),
        model_asset_ids=("asset_2",),
        cost=12.5,
        seed=7,
        bounds=((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    ).changed(**changes)


def a_store(folder: Path, changed: Sequence[Mapping[str, object]]) -> None:
    """Of one that has ended: a good record, and one for each set of columns that are not as they should be."""
    store = Store(folder)
    store.save(a_record(id=GOOD, folder=str(folder / GOOD)))
    store.release()
    with contextlib.closing(sqlite3.connect(folder / "generations.sqlite3")) as database, database:
        for columns in changed:
            usual = dict(zip(schema.COLUMNS, schema.row(a_record(), "dead"), strict=True))
            database.execute(schema.INSERT, tuple({**usual, **columns}.values()))


CALLS: tuple[Callable[[Store], object], ...] = (
    lambda store: store.all(),
    lambda store: store.get(a_record().id),
    lambda store: store.bytes_on_disk(),
    lambda store: store.make_room(0),
    lambda store: store.claim_job(GOOD, "job_2"),
    lambda store: store.take_over(),
    lambda store: [store.save(g) for g in store.all()],
    lambda store: [store.remove(g) for g in store.all() if g.id != GOOD],
)


def use(folder: Path) -> None:
    """All that is ever asked of a store."""
    store = Store(folder)
    for call in CALLS:
        with contextlib.suppress(Pixal3DError):
            call(store)
    store.release()


@contextlib.contextmanager
def a_folder() -> Iterator[Path]:
    """For Hypothesis, which runs a test many times on one ``tmp_path``."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value of a JSON document."""
    if at:
        yield at
    if isinstance(data, dict | list):
        for name in data if isinstance(data, dict) else range(len(data)):
            yield from places(data[name], (*at, name))


def replaced(at: tuple[Any, ...], value: object) -> str:
    """The record with another value there."""
    data = json.loads(a_record().to_json())
    inner = data
    for name in at[:-1]:
        inner = inner[name]
    inner[at[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize("value", ANYTHING, ids=repr)
def test_whatever_stands_in_a_field_the_record_is_read_or_refused_and_what_is_read_can_be_written(value: Any) -> None:
    for at in places(json.loads(a_record().to_json())):
        try:
            record = Generation.from_json(replaced(at, value))
        except ValueError:
            continue
        # By its text: NaN is not equal to itself.
        assert Generation.from_json(record.to_json()).to_json() == record.to_json()
        hash((record.id, record.state, record.job_id, record.folder, record.placement, record.bounds))
        assert "\0" not in str(Path(record.folder) / record.id)


def test_no_record_keeps_the_others_from_being_used(tmp_path: Path) -> None:
    """Fields with values that they may not have, in one store."""
    texts = [replaced((field,), value) for field in json.loads(a_record().to_json()) for value in ANYTHING][::4]
    a_store(tmp_path, [{"id": f"{number:032x}", "record": text} for number, text in enumerate(texts)])
    use(tmp_path)
    assert GOOD in {g.id for g in Store(tmp_path).all(limit=-1)} and set_aside(tmp_path) == []


@pytest.mark.parametrize("column", ["id", "owner", "created_at", "is_open", "job_id", "bytes_on_disk", "record"])
def test_no_column_keeps_the_others_from_being_used(tmp_path: Path, column: str) -> None:
    values = (5, 1.5, b"\xff\0", "", "x", "a\0b", "../../x", "9" * 400, "[" * 100_000, "job_" + "x" * 1_000_000)
    a_store(tmp_path, [{"id": f"{number:032x}", column: value} for number, value in enumerate(values)])
    use(tmp_path)
    assert GOOD in {g.id for g in Store(tmp_path).all()} and set_aside(tmp_path) == []


@given(JSON)
def test_any_json_is_a_record_or_a_value_error(data: object) -> None:
    with contextlib.suppress(ValueError):
        Generation.from_json(json.dumps(data))


@given(st.text() | st.binary())
def test_any_text_is_a_record_or_a_value_error(text: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        Generation.from_json(text)


@pytest.mark.parametrize("text", ["[" * 1_000_000, '{"id":' * 200_000, "1" * 100_000, "{}", '"' + "x" * 10_000_000])
def test_what_would_take_long_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError):
        Generation.from_json(text)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("template"), 40)[0]


@pytest.mark.parametrize("seed", (*range(12), 21, 24, 36, 56))
def test_whatever_happens_to_the_file_the_store_can_be_used(tmp_path: Path, template: Path, seed: int) -> None:
    """Bytes, pages and ends of it, and its log, at random. The last ones have brought faults to light."""
    chance = random.Random(seed)
    file = Path(shutil.copy(template, tmp_path))
    if seed % 3 == 0:
        (tmp_path / f"{file.name}-wal").write_bytes(chance.randbytes(chance.randrange(9000)))
    data = bytearray(file.read_bytes())
    for _ in range(chance.choice((1, 3, 30, 300))):
        at = chance.randrange(len(data)) if seed % 2 else chance.randrange(min(len(data), 4096))
        match chance.randrange(4):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 16] = chance.randbytes(16)
            case 2:
                data[at : at + 4] = b"\xff\xff\xff\xff"
            case _ if seed % 5 == 0:
                del data[at:]
                data += bytes(512)
    file.write_bytes(data)
    use(tmp_path)
    store = Store(tmp_path)
    store.save(a_generation("new", id="new"))
    assert "new" in {g.id for g in store.all()}
    store.release()


def test_of_a_damaged_record_the_paid_job_remains_and_its_model_comes(
    tmp_path: Path, service: Any, connection: Connection, quick: None
) -> None:
    first = Manager(tmp_path)
    ready = first.run(a_generation("chair"), an_image(), connection)
    first.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "generations.sqlite3")) as database, database:
        database.execute("UPDATE generations SET record = replace(record, '\"state\":', '\"sta\u2026te\":')")
    charges = len(service.charges())
    heir = Manager(tmp_path)
    heir.configure(Settings(), connection)
    heir.resume()
    until(heir.arrived, "the model")
    (again,) = heir.arrived()
    assert (again.id, again.job_id, again.glb_sha256) == (ready.id, ready.job_id, ready.glb_sha256)
    assert again.name == "chair" and again.parameters == PARAMETERS, "as the service tells it"
    assert len(service.charges()) == charges
    heir.close()


def test_an_owner_never_leads_to_another_file(tmp_path: Path) -> None:
    """A dead owner's lock is removed; the store may be another user's who is not our friend."""
    (tmp_path / "precious.lock").write_text("precious")
    store = tmp_path / "store"
    for owner in ("../../../precious", str(tmp_path / "precious"), "../precious", "a\0b", "", "x" * 300):
        a_store(store / str(len(owner)), [{"owner": owner}])
        assert {g.id for g in Store(store / str(len(owner))).take_over()} == {a_record().id, GOOD}
        assert (tmp_path / "precious.lock").read_text() == "precious"


@pytest.mark.parametrize(("id_", "folder"), [("precious", "precious"), (".", "."), ("", "."), ("..", ".."), ("", "/")])
def test_a_record_never_leads_to_the_deletion_of_what_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, id_: str, folder: str
) -> None:
    precious = tmp_path / "precious" / "file"
    precious.parent.mkdir()
    precious.write_text("precious")
    monkeypatch.chdir(tmp_path if folder == "precious" else precious.parent)
    deleted: list[object] = []
    monkeypatch.setattr("shutil.rmtree", lambda path, **_: deleted.append(path))
    folder = str(precious.parent) if folder == "precious" else folder
    closed = a_record(state=State.FAILED, folder=folder, bytes_on_disk=99)
    text = json.dumps({**json.loads(closed.to_json()), "id": id_})
    a_store(tmp_path / "store", [{"record": text, "id": id_, "is_open": 0, "bytes_on_disk": 99}])
    store = Store(tmp_path / "store")
    store.make_room(0)
    for generation in store.all():
        store.remove(generation)
    assert [path for path in deleted if Path(str(path)).name != GOOD] == []
    store.release()


def test_models_whose_records_are_lost_are_found_in_their_folders(tmp_path: Path) -> None:
    file, _ = filled(tmp_path, 3)
    for name in ("c" * 32, "d" * 32, "not ours", "e" * 32):
        (tmp_path / name).mkdir()
    for name in ("c" * 32, "not ours"):
        (tmp_path / name / "model.glb").write_bytes(b"glTF")
    (tmp_path / ("c" * 32) / "source.jpg").write_bytes(b"1234567")
    (tmp_path / ("d" * 32) / "model.glb.part").write_bytes(b"half")
    file.write_bytes(os.urandom(20_000))
    store = Store(tmp_path)
    (found,) = store.all()
    assert found.id == "c" * 32 and Path(found.glb_file).read_bytes() == b"glTF"
    assert Path(found.source_file).name == "source.jpg" and found.bytes_on_disk == 11
    assert found.state is State.IMPORTED and store.take_over() == [], "none comes into a scene by itself"
    assert "1 more models were found" in store.notice
    store.release()


def test_two_stores_that_are_set_aside_in_one_second_are_both_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.strftime", lambda form, *_: form.partition("%")[0] + "20260101-000000")
    for number in range(3):
        (tmp_path / "generations.sqlite3").write_bytes(bytes([number]) * 5000)
        assert Store(tmp_path).all() == []
    kept = {(tmp_path / name).read_bytes()[:1] for name in set_aside(tmp_path)}
    assert kept == {b"\0", b"\1", b"\2"}
