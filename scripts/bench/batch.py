# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a batch of a thousand images costs a process more than one of fifty, and how near it comes to the ideal.

``python scripts/bench/batch.py`` in an environment with requests; ``PIXAL3D_STANDIN_PYTHON`` names one with the
stand-in's libraries. No Blender. One stand-in serves three batches, each in a fresh process: a small one, a large one,
and a large one whose process is killed in the middle and started again with the same command.

So that it is the batch that is measured and not the stand-in, all images are the same small picture with small
settings, whose model is made once and kept. What is then left of the stand-in's work is its share of the processor,
which is printed.

The ideal is that all places at the service are taken all the time: jobs x duration / concurrency. The add-on itself
begins or asks after no more than five jobs a second (``scenario/limits.py``, TURN_SECONDS), so with many and short jobs
the ideal can't be reached; that bound is printed too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pixal3d_addon.batch import Batch, read_manifest
from pixal3d_addon.scenario import Connection, Credentials
from pixal3d_addon.scenario.limits import TURN_SECONDS
from scripts.standin.process import StandInProcess
from tests.unit.generation.images import a_png

FEW = 50
MOST_MEMORY_RATIO = 1.2
SETTINGS = {"decimation_target": 5000, "resolution": 1024, "seed": 7}
TURNS_A_JOB = 2
"""The paid request, and at least one look whether it is done."""
KINDS = {
    r"POST .*/generate/": "begin the job",
    r"POST .*/assets": "upload the image",
    r"GET .*/jobs/": "ask after the job",
    r"GET .*/jobs$": "list jobs",
    r"POST .*/assets/get-bulk": "ask where the model is",
    r"GET /cdn/": "download the model",
}


def in_a_batch(arguments: argparse.Namespace) -> None:
    """This process's own part: one batch, and what it took."""
    connection = Connection(Credentials(os.environ["BENCH_KEY"], os.environ["BENCH_SECRET"]), os.environ["BENCH_URL"])
    source, output = map(Path, arguments.child)
    batch = Batch(source, output, connection, defaults=SETTINGS, concurrency=arguments.concurrency)
    summary = batch.run()
    print(json.dumps({"done": summary.done, "skipped": summary.skipped, "seconds": summary.seconds, "peak": peak_mb()}))


def peak_mb() -> float:
    """The most memory that this process ever held."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1000
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS: bytes


def started(arguments: argparse.Namespace, service: StandInProcess, source: Path, output: Path) -> Any:
    command = [sys.executable, __file__, "--concurrency", str(arguments.concurrency), "--child", source, output]
    environment = {"BENCH_KEY": service.key, "BENCH_SECRET": service.secret, "BENCH_URL": service.base_url}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})


def result_of(process: Any) -> dict[str, float]:
    told, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the batch ended with {process.returncode}")
    result: dict[str, float] = json.loads(told)
    return result


def images(folder: Path, count: int) -> Path:
    folder.mkdir()
    picture = a_png()
    for number in range(count):
        (folder / f"image {number:05}.png").write_bytes(picture)
    return folder


def kind(request: dict[str, Any]) -> str:
    line = f"{request['method']} {request['path']}"
    found = [name for pattern, name in KINDS.items() if re.match(pattern, line)]
    return found[-1] if found else "other"


def processor_seconds(pid: int) -> float:
    """Of the process and those that it has waited for; 0 where /proc has none."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def measured(arguments: argparse.Namespace, service: StandInProcess, base: Path, count: int) -> dict[str, float]:
    """A batch of so many images from beginning to end, told line by line."""
    service.clear_requests()
    charges, used = len(service.charges()), processor_seconds(service.pid)
    source = images(base / f"{count} images", count)
    result = result_of(started(arguments, service, source, base / f"{count} models"))
    charged = len(service.charges()) - charges
    assert result["done"] == charged == count, f"{result['done']:.0f} done, {charged} charged, of {count}"
    ideal = count * arguments.job_seconds / arguments.concurrency
    seconds = result["seconds"]
    print(f"\n{count} images: all done, {charged} charges")
    print(f"  peak memory   {result['peak']:.1f} MB")
    print(f"  time          {seconds:.1f} s; ideal {ideal:.1f} s, ratio {seconds / ideal:.3f}")
    bound = count * TURNS_A_JOB * TURN_SECONDS
    if bound > ideal:
        print(f"                but no less than {bound:.0f} s with {1 / TURN_SECONDS:.0f} requests a second")
    requests = Counter(map(kind, service.requests()))
    print(f"  requests      {requests.total() / count:.2f} per finished job")
    for name, number in requests.most_common():
        print(f"    {name:<24}{number / count:.2f}")
    share = (processor_seconds(service.pid) - used) / seconds
    print(f"  the stand-in  {share:.0%} of one processor", flush=True)
    return result


def killed(arguments: argparse.Namespace, service: StandInProcess, base: Path, count: int) -> None:
    """A batch whose process is killed in the middle, and the same command again."""
    source, output = images(base / "killed images", count), base / "killed models"
    charges = len(service.charges())
    process = started(arguments, service, source, output)
    while len(service.charges()) - charges < count / 2:
        assert process.poll() is None, "it ended too early"
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    states = Counter(str(entry.state) for entry in read_manifest(output))
    print(f"\n{count} images, killed in the middle: {dict(states)}, {len(service.charges()) - charges} charges")
    result = result_of(started(arguments, service, source, output))
    charged = len(service.charges()) - charges
    print(f"  the same command again: {result['skipped']:.0f} skipped, {result['done']:.0f} done, {charged} charges")
    assert result["done"] + result["skipped"] == charged == count
    assert len(list(output.glob("*.glb"))) == count


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=1000, help="images of the large batches (default: 1000)")
    parser.add_argument("--concurrency", type=int, default=8, help="jobs at once (default: 8)")
    parser.add_argument("--job-seconds", type=float, default=8.0, help="length of a job (default: 8)")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        in_a_batch(arguments)
        return 0
    os.environ["PIXAL3D_LOOPBACK_ONLY"] = "1"
    options = ("--job-seconds", str(arguments.job_seconds), "--model-cache")
    with tempfile.TemporaryDirectory(prefix="pixal3d-bench-") as temporary:
        base = Path(temporary)
        with StandInProcess.started(*options, log=base / "standin.log") as service:
            result_of(started(arguments, service, images(base / "one", 1), base / "one model"))  # makes the model
            few = measured(arguments, service, base, FEW)
            many = measured(arguments, service, base, arguments.items)
            ratio = many["peak"] / few["peak"]
            print(f"\npeak memory, {arguments.items} images to {FEW}: {ratio:.3f} (at most {MOST_MEMORY_RATIO})")
            killed(arguments, service, base, arguments.items)
    print(f"\nload {os.getloadavg()[1]:.1f} on {os.cpu_count()} processors")
    return 0 if ratio <= MOST_MEMORY_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
