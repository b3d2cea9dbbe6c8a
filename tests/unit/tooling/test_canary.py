# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for the key finds it in whatever form it may have been left, and a leg that leaves it has failed."""

from __future__ import annotations

import base64
import ctypes
import gzip
import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx
import pytest

from scripts import canary, environments
from scripts import test as runner
from scripts.canary import Canary
from scripts.matrix import pytest_leg
from scripts.standin import Options, StandIn, traffic

BIRD = Canary.new()
NOISE = "".join(random.Random(1).choices("abcdefgh", k=4000)).encode()
"""Compresses letter by letter: no word of it is left as it is."""


def leaks(*places: Path) -> list[canary.Hit]:
    return [hit for hit in canary.search(BIRD, *places) if not hit.is_allowed]


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("empty", "")
        archive.writestr("folder/file", data)
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    """Two frames, as Blender writes many."""
    library, found = canary.zstd_library(), b""
    for part in (data[: len(data) // 2], data[len(data) // 2 :]):
        out = ctypes.create_string_buffer(len(part) + 1000)
        size = library.ZSTD_compress(out, ctypes.c_size_t(len(out)), part, ctypes.c_size_t(len(part)), 3)
        found += out.raw[:size]
    return found


FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda word: word.encode(),
    "JSON": lambda word: json.dumps({"key": word}).encode(),
    "URL": lambda word: f"?a={quote(word, safe='')}&b={quote_plus(word)}".encode(),
    "UTF-16, little endian": lambda word: word.encode("utf-16-le"),
    "UTF-16, big endian": lambda word: word.encode("utf-16-be"),
    **{
        f"base64 after {before} bytes": lambda word, before=before: base64.b64encode(b"x" * before + word.encode())
        for before in range(3)
    },
    "base64 for a URL": lambda word: base64.urlsafe_b64encode(b"?>" + word.encode()),
    "Authorization": lambda word: b"Basic " + base64.b64encode(f"{BIRD.key}:{BIRD.secret}".encode()),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "zip": zipped,
    "gzip": gzip.compress,
    "zstd": zstd,
    "a zip in a zip": lambda data: zipped(zipped(data)),
    "zstd in a zip": lambda data: zipped(zstd(data)),
    "a torn gzip": lambda data: gzip.compress(data)[:-6],
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("form", FORMS)
def test_the_key_is_found_in_every_form(tmp_path: Path, form: str, packing: str) -> None:
    for number, word in enumerate((BIRD.key, BIRD.secret)):
        data = PACKINGS[packing](NOISE + FORMS[form](word) + NOISE)
        assert packing == "as it is" or BIRD.middle.encode() not in data
        (tmp_path / f"{number}").write_bytes(data)
    assert {hit.path.name for hit in leaks(tmp_path)} == {"0", "1"}


def test_where_there_is_no_key_there_is_no_hit(tmp_path: Path) -> None:
    other = Canary.new()
    for number, pack in enumerate(PACKINGS.values()):
        (tmp_path / f"{number}").write_bytes(pack(NOISE + other.secret.encode()))
    (tmp_path / "not a zip").write_bytes(b"PK\3\4" + NOISE)
    (tmp_path / "not zstd").write_bytes(b"\x28\xb5\x2f\xfd" + NOISE)
    assert leaks(tmp_path, tmp_path / "absent") == []


def test_a_key_across_the_border_of_two_reads_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "CHUNK_BYTES", 64)
    for name, pack in PACKINGS.items():
        for shift in range(0, 64, 9):
            (tmp_path / "file").write_bytes(pack(b"x" * (128 - shift) + BIRD.key.encode() + b"y" * 100))
            assert leaks(tmp_path), (name, shift)


def test_files_and_folders_of_any_size_are_searched(tmp_path: Path) -> None:
    with (tmp_path / "holes").open("wb") as file:
        file.seek(1 << 42)
        file.write(BIRD.key.encode())
        file.truncate(1 << 43)
    here, deep = os.getcwd(), tmp_path / "deep"
    deep.mkdir()
    try:
        os.chdir(deep)
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
        Path("note").write_text(BIRD.key, encoding="utf-8")
    finally:
        os.chdir(here)
    try:
        assert {hit.path.name for hit in leaks(tmp_path)} == {"holes", "note"}
    finally:
        subprocess.run(["rm", "-rf", deep], check=True)  # pytest could not


def test_tables_names_and_folders_are_searched(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.sqlite") as database:
        database.execute('CREATE TABLE "odd ""name" (number, word)')
        # Spread over pages of the file, so that it is in none of them as a whole.
        database.execute('INSERT INTO "odd ""name" VALUES (?, ?)', (1, "x" * 4040 + BIRD.secret + "x" * 9000))
    database.close()
    (tmp_path / BIRD.key).mkdir()
    (tmp_path / f"{BIRD.middle}.txt").touch()
    (tmp_path / "link").symlink_to(tmp_path / "a.sqlite")
    found = {hit.path.name: hit.where for hit in leaks(tmp_path)}
    assert set(found) == {"a.sqlite", BIRD.key, f"{BIRD.middle}.txt"}


def test_only_the_named_places_may_hold_it(tmp_path: Path) -> None:
    for name in (
        "profile/blender/config/userpref.blend",
        "profile/blender/extensions/.user/user_default/pixal3d_addon/key.json",
        "profile/blender/extensions/.user/user_default/pixal3d_addon/key.json.part",
        "profile/blender/extensions/.user/user_default/pixal3d_addon/generations/key.json.txt",
        "profile/blender/config/startup.blend",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(BIRD.key, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    assert len(canary.search(BIRD, tmp_path)) == 5
    assert {hit.path.name for hit in leaks(tmp_path)} == {
        "key.json.part",
        "key.json.txt",
        "startup.blend",
    }
    (tmp_path / "profile/blender/extensions/.user/user_default/pixal3d_addon/key.json").chmod(0o640)
    assert "key.json" in {hit.path.name for hit in leaks(tmp_path)}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a stand-in of this run keeps what it was sent; it takes this run's key."""
    monkeypatch.setenv(traffic.VARIABLE, str(tmp_path / "traffic"))
    monkeypatch.setenv("PIXAL3D_STANDIN_KEY", BIRD.key)
    monkeypatch.setenv("PIXAL3D_STANDIN_SECRET", BIRD.secret)
    return tmp_path / "traffic"


def test_the_api_may_be_told_the_key_and_nobody_else(told: Path) -> None:
    with StandIn(Options()) as service:
        with httpx.Client(auth=(BIRD.key, BIRD.secret)) as client:
            assert client.get(f"{service.base_url}/teams").status_code == 200
            assert (leaks(told), canary.misled(told)) == ([], [])
            client.get(f"{service.origin}/cdn/assets/asset_1.glb")
            client.put(f"{service.origin}/storage/upload_1/1", content=b"")
        assert len(leaks(told)) == 1
        assert [hit.where for hit in canary.misled(told)] == [
            "in the Authorization of GET /cdn/assets/asset_1.glb",
            "in the Authorization of PUT /storage/upload_1/1",
        ]


@pytest.mark.parametrize("slip", ["query", "header", "body", "path"])
def test_the_key_anywhere_but_in_the_authorization_is_found(told: Path, slip: str) -> None:
    with StandIn(Options()) as service, httpx.Client() as client:
        client.post(
            f"{service.base_url}/assets" + (f"/{BIRD.key}" if slip == "path" else ""),
            params={"key": BIRD.secret} if slip == "query" else {},
            headers={"X-Key": BIRD.key} if slip == "header" else {},
            json={"name": BIRD.secret if slip == "body" else ""},
        )
    assert len(leaks(told)) == 1


def test_a_leg_that_leaves_the_key_somewhere_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "python", lambda name: Path(sys.executable))
    monkeypatch.setattr(runner, "RESULTS", tmp_path / "results")
    slips = {
        "home": "Path.home().joinpath('note').write_text(key)",
        "temporary": "Path(tempfile.mkdtemp(), 'note').write_text(key)",
        "printed": "print(key)",
        "output": "out = Path(os.environ['PIXAL3D_TEST_OUTPUT']); out.mkdir(); (out / 'note').write_text(key)",
        "nothing": "pass",
    }
    slips["allowed"] = "f = Path.home() / 'config/userpref.blend'; f.parent.mkdir(); f.write_text(key)"
    head = "import os, tempfile\nfrom pathlib import Path\nkey = os.environ['PIXAL3D_STANDIN_KEY']\n"
    ended = {}
    for name, slip in slips.items():
        file = tmp_path / f"test_{name}.py"
        file.write_text(f"{head}def test_slip(): {slip}\n", encoding="utf-8")
        leg = pytest_leg(name, "tools", str(file), "--rootdir", str(tmp_path), "-s")
        outcome = runner.Runner(demand_all=False, keyword=None, stop_at_failure=False).run([leg])[0]
        ended[name] = (outcome.state, "the key was found" in outcome.reason, outcome.key_files)
    fine = {"nothing": ("passed", False, 0), "allowed": ("passed", False, 1)}
    assert ended == {**dict.fromkeys(slips, ("failed", True, 0)), **fine}
