# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: lines that only come to it, read as they come, by any number of processes."""

from __future__ import annotations

import errno
import logging
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixal3d_addon.batch import Entry, EntryState, OutputError, read_manifest
from pixal3d_addon.batch.board import Standing
from pixal3d_addon.batch.claims import Claim, Claims, Idle
from pixal3d_addon.batch.items import placed_items
from pixal3d_addon.batch.manifest import MANIFEST_NAME, Manifest
from pixal3d_addon.generation import ownership
from pixal3d_addon.parameters import complete

from .support import images

PARAMETERS = {"mesh_scale": 2.0, "seed": 7}


def an_entry(key: str = "k1", state: EntryState = EntryState.CLAIMED, **fields: object) -> Entry:
    return Entry(key, f"name {key}", f"/in/{key}.png", state, **fields)  # type: ignore[arg-type]


def written(folder: Path, *entries: Entry) -> Manifest:
    folder.mkdir(exist_ok=True)
    manifest = Manifest(folder)
    with manifest.locked():
        for entry in entries:
            manifest.append(entry, sync=False)
    return manifest


def told(manifest: Manifest) -> list[Entry]:
    entries: list[Entry] = []
    manifest.read_on(lambda start, entry: entries.append(entry))
    return entries


def test_a_line_holds_all_that_is_not_as_usual_and_no_more() -> None:
    entry = an_entry(job_id="job_1", cost=30.0, seed=0, parameters=PARAMETERS).changed(name="Stühle\u2028")
    assert Entry.from_line(entry.to_line()) == entry
    assert b'"error"' not in entry.to_line() and b'"seed":0' in entry.to_line() and "Stühle".encode() in entry.to_line()
    assert entry.to_line().count(b"\n") == 1
    strange = an_entry().changed(image="/in/\udce4.png")
    assert Entry.from_line(strange.to_line()) == strange


def test_each_reads_on_from_where_it_was(tmp_path: Path) -> None:
    one, other = written(tmp_path), Manifest(tmp_path)
    assert told(other) == []
    one.append(an_entry("a"), sync=True)
    one.append(an_entry("b"), sync=False)
    assert [e.key for e in told(other)] == ["a", "b"]
    one.append(an_entry("a", EntryState.DONE), sync=False)
    assert [(e.key, e.state) for e in told(other)] == [("a", EntryState.DONE)]
    assert told(other) == []


def test_the_newest_line_of_an_item_counts_and_the_one_begun_first_comes_first(tmp_path: Path) -> None:
    first, second = an_entry("a"), an_entry("b")
    written(tmp_path, first, second, second.changed(state=EntryState.RUNNING), first.changed(state=EntryState.DONE))
    assert [(e.key, str(e.state)) for e in read_manifest(tmp_path)] == [("a", "done"), ("b", "running")]
    assert list(read_manifest(tmp_path / "nowhere")) == []


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_torn_line_is_left_out_and_the_next_one_is_whole(
    tmp_path: Path, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = written(tmp_path, an_entry("a"), an_entry("b"))
    file = tmp_path / MANIFEST_NAME
    file.write_bytes(file.read_bytes()[:-cut])
    assert [e.key for e in read_manifest(tmp_path)] == ["a"]
    manifest.append(an_entry("c"), sync=False)
    with caplog.at_level(logging.WARNING):
        keys = [e.key for e in read_manifest(tmp_path)]
    # With nothing but its end missing the line says all that it did.
    assert keys == (["a", "b", "c"] if cut == 1 else ["a", "c"])
    assert ("can't be read" in caplog.text) == (cut > 1)


def test_a_line_of_a_newer_version_stops_an_older_one(tmp_path: Path) -> None:
    written(tmp_path, an_entry("a"))
    with (tmp_path / MANIFEST_NAME).open("ab") as file:
        file.write(b'{"key":"b","name":"b","image":"b.png","state":"pondering"}\n')
    with pytest.raises(OutputError, match="newer version"):
        list(read_manifest(tmp_path))


def test_a_manifest_that_somebody_shortened_is_not_trusted(tmp_path: Path) -> None:
    manifest = written(tmp_path, an_entry("a"), an_entry("b"))
    told(manifest)
    (tmp_path / MANIFEST_NAME).write_bytes(an_entry("a").to_line())
    with pytest.raises(OutputError, match="shorter"):
        told(manifest)


def test_a_manifest_that_was_taken_away_is_not_begun_anew(tmp_path: Path) -> None:
    """All would be paid for again."""
    manifest = Manifest(tmp_path)
    manifest.begin()
    with manifest.locked():  # and nothing is written, as under a limit that allows nothing
        pass
    with manifest.locked():
        manifest.append(an_entry("a"), sync=True)
    told(manifest)
    (tmp_path / MANIFEST_NAME).rename(tmp_path / "elsewhere")
    for one in (manifest, Manifest(tmp_path)):
        with pytest.raises(OutputError, match="is gone"):
            told(one)
        with pytest.raises(OutputError, match="is gone"), one.locked():
            pass
    (tmp_path / "elsewhere").rename(tmp_path / MANIFEST_NAME)
    assert [entry.key for entry in told(Manifest(tmp_path))] == ["a"]


def test_a_new_manifest_is_in_its_folder_for_good_before_anything_is_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    with Manifest(tmp_path).locked():
        assert synced == [tmp_path.stat().st_ino] and (tmp_path / MANIFEST_NAME).exists()


@pytest.mark.parametrize("line", [b'{"id": 1}\n', b"image,seed\n", b"\xff\xfe{\x00\n"])
def test_what_no_batch_has_written_is_not_passed_over(tmp_path: Path, line: bytes) -> None:
    written(tmp_path, an_entry("a"))
    with (tmp_path / MANIFEST_NAME).open("ab") as file:
        file.write(line)
    with pytest.raises(OutputError, match="no batch has written"):
        list(read_manifest(tmp_path))


def test_zeros_that_a_machine_without_power_has_left_are_passed_over(tmp_path: Path) -> None:
    manifest = written(tmp_path, an_entry("a"))
    with (tmp_path / MANIFEST_NAME).open("ab") as file:
        file.write(bytes(100))
    manifest.append(an_entry("b"), sync=False)
    assert [entry.key for entry in read_manifest(tmp_path)] == ["a", "b"]


def test_the_workers_of_one_group_may_lock_each_others_files(tmp_path: Path) -> None:
    manifest, owner = Manifest(tmp_path), ownership.Owner(tmp_path / "owners")
    before = os.umask(0o002)
    try:
        with manifest.locked():
            manifest.append(an_entry("a"), sync=False)
        files = [tmp_path / MANIFEST_NAME, *manifest.work.glob("*.lock"), tmp_path / "owners" / f"{owner.token}.lock"]
        assert [file.stat().st_mode & 0o777 for file in files] == [0o664] * 3
    finally:
        os.umask(before)
        owner.release()


def test_a_file_system_without_locks_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, *, shared: bool = False) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(ownership, "_try_lock", no_locks)
    with pytest.raises(OutputError, match="no file locks"), Manifest(tmp_path).locked():
        pass


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return images(tmp_path / "in", "a.png", "b.png")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


def claims_of(source: Path, output: Path) -> Claims:
    claims = Claims(output, ".glb", most_cost=None, retries_failed=False)
    claims.load(placed_items(source, {}))
    return claims


@pytest.fixture
def two(source: Path, output: Path) -> Iterator[tuple[Claims, Claims]]:
    both = claims_of(source, output), claims_of(source, output)
    yield both
    for claims in both:
        claims.close()


def claimed(claims: Claims) -> str:
    claim = claims.next()
    assert isinstance(claim, Claim)
    return claim.item.name


def test_two_never_claim_the_same_and_what_one_leaves_behind_is_the_others(two: tuple[Claims, Claims]) -> None:
    one, other = two
    assert (claimed(one), claimed(other)) == ("a", "b")
    assert one.next() is Idle.WAIT and other.next() is Idle.WAIT
    other.close()
    assert claimed(one) == "b" and one.next() is Idle.END


def test_a_name_of_another_item_or_of_a_file_that_is_not_ours_is_left_alone(tmp_path: Path, output: Path) -> None:
    source = images(tmp_path / "in", "a/Chair.png", "b/chair.png", "Table.png")
    output.mkdir()
    (output / "Table.glb").write_bytes(b"somebody's")
    claims = claims_of(source, output)
    for _ in range(3):
        claims.next()
    claims.close()
    names = {Path(entry.image).parent.name: entry for entry in read_manifest(output)}
    assert names["a"].name == "Chair" and names["b"].name == f"chair-{names['b'].key[:6]}"
    assert names["in"].name == f"Table-{names['in'].key[:6]}"


def test_the_name_stays_with_the_item(source: Path, output: Path) -> None:
    written(output, an_entry("another").changed(name="B"))
    first = claims_of(source, output)
    assert (claimed(first), claimed(first)) == ("a", "b")
    first.close()
    before = {entry.key: entry.name for entry in read_manifest(output)}
    assert sorted(before.values()) == ["B", "a", f"b-{next(k for k in before if before[k].startswith('b-'))[:6]}"]
    second = claims_of(source, output)
    second.next()
    second.next()
    second.close()
    assert {entry.key: entry.name for entry in read_manifest(output)} == before


def test_what_is_done_takes_no_memory(tmp_path: Path) -> None:
    """As objects, 5,000 entries take 7.5 MB; as a set of keys 0.6 MB."""
    claims_of(images(tmp_path / "warm", "a.png"), tmp_path / "up").close()
    source = tmp_path / "list.csv"
    source.write_text("image\n" + "\n".join(f"image{n}.png" for n in range(5_000)))
    with (tmp_path / MANIFEST_NAME).open("wb") as file:
        for placed in placed_items(source, {}):
            entry = an_entry(placed.item.key, EntryState.DONE, file="a.glb", job_id=f"job_{placed.item.name}")
            file.write(entry.to_line())
    tracemalloc.start()
    claims = claims_of(source, tmp_path)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert claims.board.counts == {Standing.NEW: 0, Standing.DONE: 5_000}
    claims.close()
    assert kept < 200_000 and most < 1_500_000


def test_complete_parameters_come_back_from_the_few_that_a_line_holds(source: Path, output: Path) -> None:
    claims = Claims(output, ".glb", most_cost=None, retries_failed=False)
    claims.load(placed_items(source, PARAMETERS))
    claim = claims.next()
    assert isinstance(claim, Claim)
    assert claim.item.parameters == complete(PARAMETERS) and claims.entry(claim.item.key).parameters == PARAMETERS
    claims.close()
