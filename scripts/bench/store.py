# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a store with thousands of old records slows Blender down: its start, its panel, and what a worker writes.

``python3 scripts/bench/store.py --blender PATH``, in plain Python; needs Xvfb. A Blender window is started in turns
with a store of 3 records and with one that has 10,000 more, each time in a fresh copy of the profile. The 3 are left
over from a Blender that has ended, so that both take over the same; the 10,000 are imported and kept. What is measured
inside is in ``store_in_blender.py``. The ratio is what counts, since the times drift with the machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pixal3d_addon.generation import Generation, Placement, State, Store
from pixal3d_addon.parameters import complete
from tests.support.blender_process import Blender, virtual_display

BUILD_TIMEOUT_SECONDS = 5 * 60
BLENDER_TIMEOUT_SECONDS = 90
NO_FURTHER_ROUND_SECONDS = 170
"""After so long no further round begins, so that all of it ends within four minutes."""
SIZE_PX = (800, 600)
RECORDS_A_SESSION = 100
"""An owner is a session of Blender; so many records are of one."""
PLAIN_ROUNDS = 50
DAY_SECONDS = 86400.0
MEMORY = Path("/dev/shm")
"""Where the stores are filled if there is such a place: 10,000 commits take their time on a disk."""
STORE = "blender/extensions/.user/user_default/pixal3d_addon/generations"
"""In a profile."""
NOWHERE = {
    "SCENARIO_SDK_API_KEY": "api_bench_not_a_real_key",
    "SCENARIO_SDK_API_SECRET": "bench-not-a-real-secret",
    "SCENARIO_BASE_URL": "http://127.0.0.1:9/v1",
}
"""With a key the panel draws all that it has. Nobody listens there, and nothing asks."""


def old_generation(number: int, files: Path) -> Generation:
    """As one looks that was made long ago, and whose mesh is in a saved file."""
    made = time.time() - 400 * DAY_SECONDS + number * 3000.0
    identifier = uuid.uuid4().hex
    folder = files / identifier
    dates = ((status, f"2025-06-01T10:0{minute}:00.000Z") for minute, status in enumerate(_STATUSES))
    half = random.uniform(0.2, 0.5)
    return Generation(
        name=f"Concept sheet {number:05d} front",
        parameters=complete({"seed": number, "mesh_scale": 1.5}),
        placement=Placement("Scene", "Props", (1.0, 2.0, 0.0), f"/projects/set {number // 50}/shot.blend"),
        id=identifier,
        created_at=made,
        updated_at=made + 300.0,
        submitted_at=made + 5.0,
        ready_at=made + 200.0,
        state=State.IMPORTED,
        folder=str(folder),
        bytes_on_disk=random.randrange(5_000_000, 60_000_000),
        source_file=str(folder / "source.png"),
        source_mime="image/png",
        source_sha256=hashlib.sha256(identifier.encode()).hexdigest(),
        account="0123456789abcdef",
        asset_id=f"asset_{identifier[:22]}",
        job_id=f"job_{identifier[:22]}",
        service_status="success",
        status_history=tuple(dates),
        model_asset_ids=(f"asset_{identifier[1:23]}", f"asset_{identifier[2:24]}"),
        cost=42.0,
        seed=number,
        glb_file=str(folder / "model.glb"),
        glb_sha256=hashlib.sha256(identifier[::-1].encode()).hexdigest(),
        bounds=((-half, -half, -half), (half, half, half)),
        is_kept=True,
    )


_STATUSES = ("pending", "queued", "warming-up", "in-progress", "finalizing", "success")


def unfinished(files: Path) -> Iterator[Generation]:
    """Two models that wait for a click, since their file is not open, and one that is no longer waited for."""
    for number in range(2):
        ready = old_generation(number, files).changed(state=State.READY, is_kept=False)
        Path(ready.folder).mkdir(parents=True)
        Path(ready.glb_file).write_bytes(b"glTF")
        yield ready
    yield old_generation(2, files).changed(state=State.ABANDONED, is_kept=False, glb_file="", error="Stopped waiting.")


def fill(folder: Path, records: int, files: Path) -> None:
    """A store with so many old records, in sessions that have all ended, and the unfinished ones of the last."""
    for first in range(0, records, RECORDS_A_SESSION):
        store = Store(folder)
        for number in range(first, min(first + RECORDS_A_SESSION, records)):
            store.save(old_generation(number, files))
        store.release()
    store = Store(folder)
    for generation in unfinished(files):
        store.save(generation)
    store.release()


def copied(store: Path, destination: Path) -> Path:
    """A copy that is on disk: else the first commit in it would wait for all of its bytes."""
    shutil.copytree(store, destination)
    for file in destination.rglob("*"):
        if file.is_file():
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())
    return destination


def built_zip(output: Path) -> Path:
    command = [sys.executable, str(ROOT / "scripts/build.py"), "--output", str(output)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=BUILD_TIMEOUT_SECONDS)
    return Path(done.stdout.splitlines()[0])


def in_blender(blender: Blender, profile: Path, store: Path, display: dict[str, str], work: Path) -> dict[str, float]:
    """One start of Blender with a copy of the store, and what was measured in it."""
    copy = Path(shutil.copytree(profile, work / "profile"))
    copied(store, copy / STORE)
    measured: dict[str, float] = recorded(
        blender, "store_in_blender.py", copy, display, work, size_px=SIZE_PX, timeout=BLENDER_TIMEOUT_SECONDS
    )
    shutil.rmtree(work)
    work.mkdir()
    return measured


def recorded(
    blender: Blender,
    script: str,
    profile: Path,
    display: dict[str, str],
    work: Path,
    *,
    size_px: tuple[int, int],
    timeout: float,
    environment: Mapping[str, str] = NOWHERE,
) -> Any:
    """What a script of this folder recorded (``tests/gui/driver.py``) in a Blender window.

    :param environment: by which the add-on finds the service, and what else the script is told.
    """
    # Without --enable-event-simulate: Blender's main loop, which sleeps when there is nothing to do, takes a whole core
    # with it (5.2.2), which no artist's does.
    run = blender.run(
        *("--window-geometry", "0", "0", *map(str, size_px)),
        *("--python-exit-code", "9", "--python", ROOT / "scripts/bench" / script),
        profile=profile,
        environment={
            **display,
            **environment,
            "PIXAL3D_GUI_RESULTS": str(work),
            "PIXAL3D_GUI_TIMEOUT_SECONDS": str(timeout),
        },
        timeout=timeout,
    )
    report = work / "result.json"
    if run.returncode or not report.exists():
        raise RuntimeError(f"Blender ended with {run.returncode}:\n{run.output}")
    result = json.loads(report.read_text(encoding="utf-8"))
    if result["error"]:
        raise RuntimeError(result["error"])
    return result["recorded"]


def in_plain_python(stores: dict[int, Path], files: Path, work: Path) -> dict[int, list[dict[str, float]]]:
    """What a worker asks of the store, in milliseconds: each thing of one store and then of the other, many times."""
    opened = {count: Store(copied(folder, work / folder.name)) for count, folder in stores.items()}
    new = old_generation(0, files).changed(state=State.RUNNING, is_kept=False)
    measured: dict[int, list[dict[str, float]]] = {count: [] for count in stores}
    for turn in range(PLAIN_ROUNDS + 1):
        samples: dict[int, dict[str, float]] = {count: {} for count in stores}
        actions: dict[str, Callable[[Store], object]] = {
            "store.save": lambda store: store.save(new.changed()),
            "store.make_room (all fits)": lambda store: store.make_room(1 << 60),
            "store.bytes_on_disk": lambda store: store.bytes_on_disk(),
            "store.claim_job": lambda store: store.claim_job(new.id, f"job_{uuid.uuid4().hex}"),
            "store.take_over": lambda store: store.take_over(),  # something to take in the first turn only
        }
        for name, action in actions.items():
            for count, store in opened.items():
                began = time.perf_counter()
                action(store)
                samples[count][name] = (time.perf_counter() - began) * 1000
        for count in stores if turn else ():  # the first one makes and reads everything anew
            measured[count].append(samples[count])
    for store in opened.values():
        store.release()
    return measured


def print_table(measured: dict[int, list[dict[str, float]]]) -> None:
    """Medians over the rounds, their ratio, and the quartiles of each: how far to trust the ratio."""
    few, many = measured.values()
    for name in few[0]:
        a, b = (sorted(sample[name] for sample in rounds) for rounds in (few, many))
        low, high = statistics.median(a), statistics.median(b)
        quartiles = ((values[len(values) // 4], values[-1 - len(values) // 4]) for values in (a, b))
        spread = "   ".join(f"{lower:.2f} to {upper:.2f}" for lower, upper in quartiles)
        print(f"{name:<46} {low:>9.2f} {high:>9.2f} {high / low:>6.2f}   {spread}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blender", type=Path, required=True, metavar="PATH")
    parser.add_argument("--records", type=int, default=10_000, help="old records (default: 10000)")
    parser.add_argument("--rounds", type=int, default=5, help="starts of Blender with each store (default: 5)")
    arguments = parser.parse_args()
    records = arguments.records
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pixal3d-bench-") as temporary, virtual_display(*SIZE_PX) as display:
        base = Path(temporary)
        profile, files, work = base / "installed", base / "files", base / "work"
        profile.mkdir()
        work.mkdir()
        blender = Blender(arguments.blender)
        blender.install(built_zip(base / "dist"), profile)
        stores = {0: base / "few", records: base / "many"}
        for count, store in stores.items():
            with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as quick:
                fill(Path(quick) / store.name, count, files)
                copied(Path(quick) / store.name, store)
        size = sum(file.stat().st_size for file in stores[records].rglob("*") if file.is_file())
        print(f"{arguments.blender.name}; {records:,} old records take {size / 1e6:.1f} MB", flush=True)
        inside: dict[int, list[dict[str, float]]] = {count: [] for count in stores}
        for turn in range(arguments.rounds):
            if time.monotonic() - started > NO_FURTHER_ROUND_SECONDS:
                break
            for count in stores if turn % 2 == 0 else reversed(stores):
                inside[count].append(in_blender(blender, profile, stores[count], display, work))
        plain = in_plain_python(stores, files, work)
    load = f"a load of {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores"
    print(f"{len(inside[0])} rounds of {arguments.rounds}, {time.monotonic() - started:.0f} s in all, {load}")
    print(f"{'milliseconds, median':<46} {'3':>9} {f'{records + 3:,}':>9} {'ratio':>6}   quartiles of each")
    print_table(inside)
    print_table(plain)
    return 0


if __name__ == "__main__":
    sys.exit(main())
