# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tests: ``python3 scripts/test.py`` does all that this machine can do, ``--all`` wants the whole matrix.

The parts of the matrix ("legs") and what each needs are in ``scripts/matrix.py``. A leg without its Python or its
Blender is absent, and the summary says so; with ``--all`` that is a failure, and so is a skipped test. A leg that finds
no test fails always. Real Blenders are given by ``--blender PATH``, by ``PIXAL3D_BLENDERS`` (a list like PATH), or are
the ``blender`` on PATH. Each leg's output is kept in ``build/test/LEG.log``, and shown if the leg failed; what it wrote
to ``build/test/LEG/summary.txt`` is shown in any case.

The stand-ins of a run take a key that was made for it. After each leg that key is looked for in everything that the leg
wrote, printed and sent (``scripts/canary.py``), and a leg that has left it anywhere has failed.

The fault lab (``tests/lab``) plays a few dozen cases with the newest Blender, and the monkey (``tests/monkey``) does
130 random things in its window. ``--soak`` plays all of the lab's hundreds, and thousands of the monkey's, with each
Blender, and tries 120 000 damaged models and answers where else there are 2 000 (``tests/fuzz``), and nothing else;
``--seed`` draws other ones.
"""

from __future__ import annotations

import argparse
import bisect
import concurrent.futures
import contextlib
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
from scripts import canary, environments
from scripts.matrix import LEG_TIMEOUT_SECONDS, Leg, given_blenders, legs, newest, soak_legs

ROOT = environments.ROOT
RESULTS = ROOT / "build" / "test"
CORES = max(2, os.cpu_count() or 2)
SHOWN_OUTPUT_CHARACTERS = 20_000


@dataclasses.dataclass(slots=True)
class Outcome:
    """How a leg ended."""

    leg: Leg
    state: str = "passed"
    """passed, failed or absent."""
    reason: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    key_files: int = 0
    """So many files hold the key that may."""


class Cores:
    """Legs wait here for their share of the machine, in the order of the matrix: who wants all of it and comes early
    would keep those from running side by side that come after."""

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._changed = threading.Condition()
        self._waiting: list[int] = []

    @contextlib.contextmanager
    def taken(self, wanted: int, place: int) -> Iterator[None]:
        """:param place: no two have the same."""
        share = min(wanted, self._count)
        with self._changed:
            bisect.insort(self._waiting, place)
            self._changed.wait_for(lambda: self._waiting[0] == place and self._free >= share)
            self._waiting.remove(place)
            self._free -= share
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += share
                self._changed.notify_all()


class Runner:
    """Runs legs, some of them side by side."""

    def __init__(self, *, demand_all: bool, keyword: str | None, stop_at_failure: bool) -> None:
        self._demand_all = demand_all
        self._keyword = keyword
        self._stop_at_failure = stop_at_failure
        self._cores = Cores(CORES)
        self._failed = threading.Event()
        self._printing = threading.Lock()
        self._zip_built: Path | None = None
        self._building = threading.Lock()
        self._canary = canary.Canary.new()

    def run(self, chosen: Sequence[Leg]) -> list[Outcome]:
        RESULTS.mkdir(parents=True, exist_ok=True)
        environments.interpreters()  # looked for once, and not by each thread
        # As many threads as legs: most only wait, for an environment or for their share of the machine.
        with concurrent.futures.ThreadPoolExecutor(max(1, len(chosen))) as pool:
            return list(pool.map(self._leg, chosen, range(len(chosen))))

    def _leg(self, leg: Leg, place: int) -> Outcome:
        outcome = Outcome(leg)
        try:
            python = self._prepared(leg)
            with self._cores.taken(leg.cores, place):
                if self._stop_at_failure and self._failed.is_set():
                    raise environments.EnvironmentAbsent("not run, because another leg failed")
                started = time.monotonic()
                output, returncode, hits = self._execute(leg, python)
                outcome.seconds = time.monotonic() - started
            self._judge(outcome, output, returncode, hits)
        except environments.EnvironmentAbsent as absent:
            outcome.state, outcome.reason = ("failed" if self._demand_all else "absent"), str(absent)
        except environments.EnvironmentFailed as failure:
            outcome.state, outcome.reason = "failed", str(failure)
        if outcome.state == "failed":
            self._failed.set()
            outcome.failed = outcome.failed or 1
        return outcome

    def _prepared(self, leg: Leg) -> Path:
        """The leg's Python. Raises EnvironmentAbsent or EnvironmentFailed."""
        for program in leg.needs:
            if not shutil.which(program):
                raise environments.EnvironmentAbsent(f"no {program} on PATH")
        if leg.blender and not os.access(leg.blender, os.X_OK):
            raise environments.EnvironmentAbsent(f"no program at {leg.blender}")
        if leg.is_pytest:
            environments.python("tools")  # the stand-in's
        if leg.blender:
            self._built_zip()
        return environments.python(leg.environment)

    def _built_zip(self) -> Path:
        """Built once, by whichever leg comes first."""
        with self._building:
            if self._zip_built is None:
                command = [sys.executable, str(ROOT / "scripts/build.py")]
                done = subprocess.run(command, capture_output=True, text=True, timeout=LEG_TIMEOUT_SECONDS)
                if done.returncode:
                    raise environments.EnvironmentFailed(f"scripts/build.py failed:\n{done.stdout}{done.stderr}")
                self._zip_built = Path(done.stdout.splitlines()[0])
            return self._zip_built

    def _execute(self, leg: Leg, python: Path) -> tuple[str, int, list[canary.Hit]]:
        """What it printed, its exit code, and where the key is in all that it wrote, printed and sent."""
        command = [str(python), *leg.command]
        if leg.is_pytest:
            report_of(leg).unlink(missing_ok=True)
            summary_of(leg).unlink(missing_ok=True)
            command += [
                "--color=no",
                f"--junitxml={report_of(leg)}",
                *(["-k", self._keyword] if self._keyword else []),
            ]
        self._say(f"--- {leg.name}: begins")
        log = RESULTS / f"{leg.file_name}.log"
        with tempfile.TemporaryDirectory(prefix="pixal3d-test-") as home, log.open("wb") as output:
            os.chmod(home, 0o711)  # a few tests are another user, who is told the way to a folder in it
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment(leg, home),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                returncode = process.wait(leg.timeout_seconds)
            except subprocess.TimeoutExpired:
                output.write(f"\nstopped after {leg.timeout_seconds:.0f} s\n".encode())
                returncode = -signal.SIGKILL
            finally:
                # Nothing that a leg started outlives it.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            kept = (RESULTS / leg.file_name, log, report_of(leg), ROOT / "build/pytest")
            hits = canary.search(self._canary, Path(home), *kept) + canary.misled(traffic_of(Path(home)))
        return log.read_text(encoding="utf-8", errors="replace"), returncode, hits

    def _environment(self, leg: Leg, home: str) -> dict[str, str]:
        """The caller's, without what could lead a test off this machine, to the caller's account or into a profile."""
        dropped = re.compile(
            r"SCENARIO_|PYTHON|PYTEST_|BLENDER_|VIRTUAL_ENV$|(https?|ftp|all|no)_proxy$", re.IGNORECASE
        )
        kept = {name: value for name, value in os.environ.items() if not dropped.match(name)}
        kept |= {
            "HOME": home,
            "XDG_CONFIG_HOME": f"{home}/.config",
            "XDG_CACHE_HOME": f"{home}/.cache",
            "BLENDER_USER_RESOURCES": f"{home}/blender",
            "TMPDIR": f"{home}/tmp",
            "PIXAL3D_LOOPBACK_ONLY": "1",
            "PIXAL3D_STANDIN_KEY": self._canary.key,
            "PIXAL3D_STANDIN_SECRET": self._canary.secret,
            "PIXAL3D_STANDIN_TRAFFIC": str(traffic_of(Path(home))),
            "PIXAL3D_ENVIRONMENTS": str(environments.folder()),
            "PIXAL3D_BLENDERS": str(leg.blender or ""),
            "PIXAL3D_TEST_OUTPUT": str(RESULTS / leg.file_name),
        }
        Path(kept["TMPDIR"]).mkdir(exist_ok=True)
        # `environments` looks below the home folder for these, and the leg has another one.
        kept.setdefault("PYENV_ROOT", str(Path.home() / ".pyenv"))
        kept.setdefault("UV_PYTHON_INSTALL_DIR", str(Path.home() / ".local/share/uv/python"))
        if leg.is_pytest:
            kept["PIXAL3D_STANDIN_PYTHON"] = str(environments.python("tools"))
        if leg.blender:
            kept["PIXAL3D_ZIP"] = str(self._built_zip())
        return kept

    def _judge(self, outcome: Outcome, output: str, returncode: int, hits: Sequence[canary.Hit]) -> None:
        leg = outcome.leg
        if leg.is_pytest:
            count(outcome, report_of(leg))
        elif returncode == 0:
            outcome.passed = 1
        if leg.is_pytest and not outcome.passed + outcome.failed:
            # With -k, most legs have nothing to do.
            nothing_chosen = self._keyword is not None and returncode == 5
            outcome.state, outcome.reason = ("absent" if nothing_chosen else "failed"), "no test ran"
        elif returncode:
            outcome.state, outcome.reason = "failed", exit_reason(returncode)
        elif self._demand_all and outcome.skipped:
            outcome.state, outcome.reason = "failed", f"{outcome.skipped} skipped"
        leaks = [str(hit) for hit in hits if not hit.is_allowed]
        outcome.key_files = len(hits) - len(leaks)
        if leaks:
            outcome.state = "failed"
            outcome.reason = "\n".join((outcome.reason, "the key was found where it must not be:", *leaks)).strip()
        with self._printing:
            print(f"--- {leg.name}: {outcome.state} {outcome.reason}({outcome.seconds:.0f} s)".replace("  ", " "))
            if outcome.state == "failed":
                print(output[-SHOWN_OUTPUT_CHARACTERS:])
            elif leg.is_pytest and summary_of(leg).exists():
                print(summary_of(leg).read_text(encoding="utf-8"))
            sys.stdout.flush()

    def _say(self, text: str) -> None:
        with self._printing:
            print(text, flush=True)


def traffic_of(home: Path) -> Path:
    """What the stand-ins of a leg were sent."""
    return home / "traffic"


def report_of(leg: Leg) -> Path:
    """pytest's own account of the leg."""
    return RESULTS / f"{leg.file_name}.xml"


def summary_of(leg: Leg) -> Path:
    """What the leg itself has to say, if it has."""
    return RESULTS / leg.file_name / "summary.txt"


def count(outcome: Outcome, report: Path) -> None:
    """Reads pytest's own count. No report (a crash, a wrong command line) counts as nothing run."""
    try:
        suites = list(ElementTree.parse(report).iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return
    for suite in suites:
        total, failures, errors, skipped = (
            int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")
        )
        outcome.failed += failures + errors
        outcome.skipped += skipped
        outcome.passed += max(0, total - failures - errors - skipped)


def exit_reason(returncode: int) -> str:
    if returncode < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-returncode).name} "
    return f"exit code {returncode} "


def print_summary(outcomes: Sequence[Outcome], seconds: float) -> None:
    width = max(len(outcome.leg.name) for outcome in outcomes)
    print(f"\n{'leg':{width}}  result  passed failed skipped seconds")
    for o in outcomes:
        reason = o.reason.strip().splitlines()[0] if o.reason.strip() else ""
        print(f"{o.leg.name:{width}}  {o.state:6}  {o.passed:6} {o.failed:6} {o.skipped:7} {o.seconds:7.0f}  {reason}")
    for o in outcomes:
        if "\n" in o.reason.strip():
            print(f"\n{o.leg.name}: {o.reason}")
    passed, failed, skipped = (sum(getattr(o, key) for o in outcomes) for key in ("passed", "failed", "skipped"))
    print(f"\nThe run's key is in {sum(o.key_files for o in outcomes)} files that may hold it (scripts/canary.py)")
    print(f"{seconds:.0f} s in all")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="anything absent or skipped is a failure")
    parser.add_argument("--only", nargs="+", metavar="LEG", help="these legs; `gui` stands for every gui:…, and so on")
    parser.add_argument("--list", action="store_true", help="name the legs and end")
    parser.add_argument(
        "--blender", action="append", default=[], metavar="PATH", help="a real Blender; may be repeated"
    )
    parser.add_argument("-k", dest="keyword", metavar="EXPRESSION", help="pytest's -k; leaves out lint and mypy")
    parser.add_argument("--soak", action="store_true", help="the long forms of the fault lab, the monkey and the fuzz")
    parser.add_argument("--seed", type=int, metavar="N", help="of the long forms")
    parser.add_argument("-x", dest="stop", action="store_true", help="begin no further leg after one failed")
    arguments = parser.parse_args()

    blenders = given_blenders(arguments.blender)
    if arguments.soak and not blenders:
        parser.error("--soak needs a Blender (--blender PATH)")
    chosen = soak_legs(blenders, arguments.seed) if arguments.soak else legs(blenders)
    not_run: list[str] = []
    if len(blenders) > 1 and not arguments.only and not arguments.soak:
        newest_one = newest(blenders)
        not_run = [leg.name for leg in chosen if leg.name.startswith("lab:") and leg.blender != newest_one]
        chosen = [leg for leg in chosen if leg.name not in not_run]
    if arguments.only:
        chosen = [leg for leg in chosen if leg.name in arguments.only or leg.name.split(":")[0] in arguments.only]
    if arguments.keyword:
        chosen = [leg for leg in chosen if leg.is_pytest]
    if arguments.list:
        print("\n".join(leg.name for leg in chosen))
        return 0
    if not chosen:
        parser.error(f"no such leg: {' '.join(arguments.only or [])} (--list names them)")

    started = time.monotonic()
    runner = Runner(demand_all=arguments.all, keyword=arguments.keyword, stop_at_failure=arguments.stop)
    outcomes = runner.run(chosen)
    if not blenders and not arguments.only:
        # Without a Blender their legs have no names of their own; they are missed all the same.
        for name in ("installed", "gui", "farm", "monkey", "lab"):
            state, failed = ("failed", 1) if arguments.all else ("absent", 0)
            reason = "no Blender given (--blender PATH)"
            outcomes.append(Outcome(Leg(name, "tools", ()), state, reason, failed=failed))
    print_summary(outcomes, time.monotonic() - started)
    if not_run:
        print(f"The fault lab ran with the newest Blender only; --soak or --only also runs {', '.join(not_run)}")
    return int(any(outcome.state == "failed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
