# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's side: a real Blender in a window that takes orders, dies when it is told to, and is started again."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.lab.cases import FRESH_CLICK_SECONDS, Case
from tests.lab.inside.control import CALM
from tests.lab.judge import Books, Run, comes_by_itself, judge, title
from tests.lab.troubles import Strike
from tests.support.blender_process import LOOPBACK_ONLY, Blender, profile_environment
from tests.support.standin import PROJECT, StandIn

SERVE = Path(__file__).parent / "inside/serve.py"
IMAGE = PROJECT / "scripts/sample/mushroom.png"
WIDTH, HEIGHT = 640, 480
"""Small: the window is drawn by the processor."""

ORDER_SECONDS = 120.0
"""An order that takes longer has gone wrong; each of its waits is bounded in ``inside/artist.py``."""
QUIT_SECONDS = 20.0
LOOK_SECONDS = 0.02
BLENDER_SCRIPT_SECONDS = 24 * 3600
STORM_SECONDS = 8.0
LASTING_STORM_SECONDS = 3.0
CALM_SECONDS = 12.0
"""What is interrupted goes on by itself within this time, in the lab's pace."""
UNCERTAIN_SECONDS = 3.0
"""A job that is in the service's list is found within this time. Waited for during the storm, after it, and once more
after a click."""
STEERING_SECONDS = 10.0


class Died(Exception):
    """Blender is no more."""


class Bench:
    """One Blender at a time, on one profile and one display."""

    def __init__(self, blender: Blender, profile: Path, display: Mapping[str, str], folder: Path, name: str) -> None:
        self.blender, self.profile, self.display = blender, profile, display
        self.starts = 0
        self._folder = folder / name
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._log = self._folder / "blender.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._inbox = self._folder
        self._orders = 0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, environment: Mapping[str, str], *arguments: str | Path) -> None:
        """Returns at once; the first order waits until the window is up."""
        self.starts += 1
        self._orders = 0
        self._inbox = self._folder / f"inbox-{self.starts}"
        self._inbox.mkdir()
        window = ("--enable-event-simulate", "--window-geometry", "0", "0", str(WIDTH), str(HEIGHT))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.blender.path, *window, *arguments, "--python-exit-code", "9", "--python", SERVE],
                cwd=PROJECT,
                env={
                    **os.environ,
                    **LOOPBACK_ONLY,
                    **profile_environment(self.profile),
                    **self.display,
                    "PIXAL3D_GUI_RESULTS": str(self._inbox),
                    "PIXAL3D_GUI_TIMEOUT_SECONDS": str(BLENDER_SCRIPT_SECONDS),
                    "PIXAL3D_LAB_INBOX": str(self._inbox),
                    **environment,
                },
                stdin=subprocess.PIPE,  # it ends when this process does, and Blender with it
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def send(self, order: Mapping[str, Any]) -> int:
        """Hands an order over; :meth:`answer` waits for what becomes of it."""
        number, self._orders = self._orders, self._orders + 1
        part = self._inbox / "order.part"
        clicked = str(self._clicked(number))
        part.write_text(json.dumps({**order, "clicked": clicked}), encoding="utf-8")
        part.replace(self._inbox / f"{number}.json")
        return number

    def has_clicked(self, number: int) -> bool:
        """Whether all clicks of that order were made."""
        return self._clicked(number).exists()

    def _clicked(self, number: int) -> Path:
        return self._inbox / f"{number}.clicked"

    def answer(self, number: int, seconds: float = ORDER_SECONDS) -> dict[str, Any]:
        """
        :raises Died: Blender ended instead. After so many seconds it is killed, and that raises TimeoutError.
        """
        path = self._inbox / f"{number}.result.json"
        deadline = time.monotonic() + seconds
        while not path.exists():
            if not self.is_running and not path.exists():
                self.kill()
                raise Died
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"no answer within {seconds:.0f} s")
            time.sleep(LOOK_SECONDS)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def ask(self, order: Mapping[str, Any], seconds: float = ORDER_SECONDS) -> dict[str, Any]:
        """:meth:`send` and :meth:`answer`."""
        return self.answer(self.send(order), seconds)

    def kill(self) -> None:
        """SIGKILL, to Blender and what it is wrapped in. Also if it is dead: nothing that it started outlives it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None

    def quit(self) -> None:
        """Let it end, and make sure that it does."""
        if self.is_running and self._process is not None:
            self.send({"do": "quit"})
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(QUIT_SECONDS)
        self.kill()

    def output_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def output_since(self, size: int) -> str:
        """What Blender has said since :meth:`output_size` was `size`."""
        with self._log.open("rb") as log:
            log.seek(size)
            return log.read().decode(errors="replace")


class Lab:
    """A stand-in, a Blender on it, and the cases."""

    def __init__(self, bench: Bench, standin: StandIn, folder: Path) -> None:
        self.bench, self.standin, self._folder = bench, standin, folder

    def run(self, case: Case) -> Run:
        """Plays a case from the click to the end, with all its kills, and judges it."""
        size = self.bench.output_size()
        run = Run(case, Books((), (), ()), None)
        try:
            self._prepare(case)
            self._live(case, run)
        except TimeoutError as error:
            run.trouble_outside = f"{error} (Blender was killed by the lab)"
        except Died:
            run.trouble_outside = "Blender ended by itself"
        run.books = self._books(case)
        run.output = self.bench.output_since(size)
        run.problems = judge(run)
        self._clear_away(run)
        return run

    def _prepare(self, case: Case) -> None:
        self._steer(self.standin.clear_faults)
        self._steer(self.standin.clear_requests)
        options = {**CALM, **case.options}
        for trouble in case.troubles:
            options |= trouble.options
        self._steer(lambda: self.standin.set_options(**options))
        plays = [dict(play) for trouble in case.troubles for play in trouble.plays]
        self._steer(lambda: self.standin.set_faults([*plays, *map(dict, case.plays)]))
        if not self.bench.is_running:
            self.bench.start(self.standin.environment())

    def _live(self, case: Case, run: Run) -> None:
        blend = self._folder / "saved.blend"
        blend.unlink(missing_ok=True)
        for life, kill in enumerate((*case.kills, None)):
            strikes = [kill] if kill else []
            if life == 0:
                strikes += [trouble.strike for trouble in case.troubles if trouble.strike]
            order = order_for(case, strikes, life, blend)
            try:
                run.result = self.bench.ask(order)
                return
            except Died:
                if kill is None or kill.action != "kill":
                    raise
                run.kills += 1
            opened = (blend,) if blend.exists() else ()
            self.bench.start(self.standin.environment(), *opened)

    def _books(self, case: Case) -> Books:
        names = set(case.names)

        def ours(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
            return [entry for entry in entries if title(entry["image_name"]) in names]

        charges = ours(self._steer(self.standin.charges))
        jobs = ours(self._steer(self.standin.jobs))
        return Books(charges, jobs, self._steer(self.standin.requests))

    def _clear_away(self, run: Run) -> None:
        """A Blender in which something went wrong is not used for the next case; its profile is."""
        try:
            if self.bench.is_running and not run.case.saves:
                self.bench.ask({"do": "tidy"})
                if not run.problems:
                    return
        except (Died, TimeoutError):
            pass
        self.bench.quit()
        shutil.rmtree(generations_folder(self.bench.profile), ignore_errors=True)

    def _steer(self, ask: Any) -> Any:
        """The port may be shut for a moment."""
        deadline = time.monotonic() + STEERING_SECONDS
        while True:
            try:
                return ask()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)


def order_for(case: Case, strikes: Sequence[Strike], life: int = 0, blend: Path | None = None) -> dict[str, Any]:
    """What ``inside/artist.py`` is to do."""
    lasts = any(trouble.lasts for trouble in case.troubles) or "parallel_jobs" in case.options
    plays = [*case.plays, *(play for trouble in case.troubles for play in trouble.plays)]
    taken_late = [play["seconds"] for play in plays if play["action"] == "slow" and "generate" in play["path"]]
    return {
        "do": "case",
        "names": case.names,
        "image": str(IMAGE),
        "is_click": life == 0,
        "arrival": case.arrival,
        "comes_by_itself": comes_by_itself(case, life),
        "concurrency": case.concurrency,
        "in_parts": case.in_parts,
        "intent_seconds": case.intent_seconds if life else FRESH_CLICK_SECONDS,
        "strikes": [dataclasses.asdict(strike) for strike in strikes],
        "storm_seconds": LASTING_STORM_SECONDS if lasts else STORM_SECONDS,
        "is_tiring": any(trouble.is_tiring for trouble in case.troubles),
        "calm_seconds": CALM_SECONDS,
        "is_refused": any(trouble.is_refusal for trouble in case.troubles),
        "uncertain_seconds": UNCERTAIN_SECONDS + max(taken_late, default=0.0),
        "save_before": str(blend) if case.saved_before else "",
        "save_after": str(blend) if case.saves else "",
    }


def generations_folder(profile: Path) -> Path:
    """Where the installed add-on keeps its store."""
    return profile / "blender/extensions/.user/user_default/pixal3d_addon/generations"
