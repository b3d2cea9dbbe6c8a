# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the stand-in of the Scenario API as a process of its own and steers it. Standard library only.

A process of its own, because Blender's Python must not need the stand-in's libraries: ``PIXAL3D_STANDIN_PYTHON`` names
the interpreter that has them (``scripts/test.py`` sets it), else it is the running one.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]

START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 10
STEERING_TIMEOUT_SECONDS = 30

# No proxy: what is asked here is on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class StandInProcess:
    """A running stand-in: where it is, the key pair it takes, and its steering."""

    base_url: str
    key: str = field(repr=False)  # a failed test shows what its arguments are
    secret: str = field(repr=False)
    pid: int

    @classmethod
    @contextlib.contextmanager
    def started(
        cls, *arguments: str, python: Path | str | None = None, log: Path | None = None
    ) -> Iterator[StandInProcess]:
        """Runs ``python -m scripts.standin`` with the arguments, and ends it at the end of the block.

        It ends too when this process is killed: its standard input ends then. What it says goes to the file `log`,
        or else where this process's errors go.
        """
        python = python or os.environ.get("PIXAL3D_STANDIN_PYTHON") or sys.executable
        # Outside of bpy's process, its Python settings would only mislead another interpreter.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        errors = log.open("w", encoding="utf-8") if log else None
        process = subprocess.Popen(
            [python, "-m", "scripts.standin", "--stop-on-stdin-eof", *arguments],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            first = json.loads(_first_line(process))
            yield cls(first["base_url"], first["key"], first["secret"], first["pid"])
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()
            assert process.stdin is not None
            process.stdin.close()
            if errors:
                errors.close()

    def environment(self) -> dict[str, str]:
        """The variables by which the add-on finds this service."""
        return {
            "SCENARIO_SDK_API_KEY": self.key,
            "SCENARIO_SDK_API_SECRET": self.secret,
            "SCENARIO_BASE_URL": self.base_url,
        }

    def charges(self) -> list[dict[str, Any]]:
        """The paid runs, in order."""
        charges: list[dict[str, Any]] = self.ledger()["charges"]
        return charges

    def ledger(self) -> dict[str, Any]:
        """``charges``, ``quotes`` (how many) and ``spent`` (creative units charged and not given back)."""
        ledger: dict[str, Any] = self._ask("GET", "ledger")
        return ledger

    def jobs(self) -> list[dict[str, Any]]:
        """Every custom job with ``id``, ``status`` now, ``image``, ``image_name`` and ``created``, in order."""
        jobs: list[dict[str, Any]] = self._ask("GET", "jobs")["jobs"]
        return jobs

    def requests(self) -> list[dict[str, Any]]:
        """The requests that arrived, in order."""
        requests: list[dict[str, Any]] = self._ask("GET", "requests")["requests"]
        return requests

    def clear_requests(self) -> None:
        self._ask("DELETE", "requests")

    def set_faults(self, faults: list[dict[str, Any]]) -> None:
        self._ask("POST", "faults", faults)

    def clear_faults(self) -> None:
        self._ask("DELETE", "faults")

    def faults_left(self) -> list[dict[str, Any]]:
        """The faults still to come, with what is left of their ``skip`` and ``times``."""
        faults: list[dict[str, Any]] = self._ask("GET", "faults")["faults"]
        return faults

    def set_options(self, **options: Any) -> None:
        self._ask("POST", "options", options)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        origin = "/".join(self.base_url.split("/")[:3])
        request = urllib.request.Request(f"{origin}/__standin__/{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with _opener.open(request, timeout=STEERING_TIMEOUT_SECONDS) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def _first_line(process: subprocess.Popen[str]) -> str:
    """The line that says where it listens; and a thread that reads on, so that a chatty process never blocks."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    stdout = process.stdout
    assert stdout is not None

    def read() -> None:
        first = True
        with contextlib.suppress(ValueError):  # closed at the end
            for line in stdout:
                if first:
                    lines.put(line)
                first = False
        if first:
            lines.put("")

    threading.Thread(target=read, name="standin-output", daemon=True).start()
    try:
        line = lines.get(timeout=START_TIMEOUT_SECONDS)
    except queue.Empty:
        line = ""
    if not line:
        raise RuntimeError(f"the stand-in did not start (exit code {process.poll()}); what it said is above")
    return line
