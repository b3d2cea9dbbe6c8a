# SPDX-License-Identifier: GPL-3.0-or-later
"""Strikes Blender down, or puts it to sleep, at the very moment when a record is written.

The store's ``save`` and the import are wrapped. Which record is meant, ``tests/lab/troubles.py`` says (``Strike``).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import Any

from tests.lab.inside import control, pace

_REFUSE_PATH = "/lab/shut-the-port"

_armed: list[dict[str, Any]] = []
_name = ""
_lock = threading.Lock()
_one_at_a_time = threading.Lock()
"""Who is put to sleep twice at once is woken twice at once, and may then fall asleep for good."""
_timers: list[threading.Timer] = []
struck: list[str] = []
"""What was carried out and survived."""


def arm(name: str, strikes: list[dict[str, Any]]) -> None:
    """For the generation of that name, each strike once."""
    global _name
    with _lock:
        _name = name
        _armed[:] = strikes
        _timers.clear()
        struck.clear()


def is_pending() -> bool:
    """Whether something may still strike: a record is written a moment after what it says is true."""
    return bool(_armed) or any(timer.is_alive() for timer in _timers)


def install() -> None:
    """Into the installed add-on."""
    store = pace.module("generation.store").Store
    save = store.save

    def saved(self: Any, generation: Any) -> Any:
        _look("before", generation, generation.state.value)
        done = save(self, generation)
        _look("after", generation, generation.state.value)
        return done

    store.save = saved
    importer = pace.module("blender.importer")
    import_model = importer.import_model

    def imported(context: Any, generation: Any, *rest: Any) -> Any:
        _look("before", generation, "importing")
        done = import_model(context, generation, *rest)
        _look("after", generation, "importing")
        return done

    importer.import_model = imported


def _look(moment: str, generation: Any, state: str) -> None:
    with _lock:
        due = [s for s in _armed if s["moment"] == moment and s["state"] == state and _is_meant(s, generation)]
        for strike in due:
            _armed.remove(strike)
    for strike in due:
        if strike["delay"]:
            timer = threading.Timer(strike["delay"], _carry_out, (strike, generation.name))
            timer.daemon = True
            timer.start()
            _timers.append(timer)
        else:
            _carry_out(strike, generation.name)


def _is_meant(strike: dict[str, Any], generation: Any) -> bool:
    where = strike["where"]
    if generation.name != _name:
        return False
    if where.startswith("status="):
        return bool(generation.service_status == where.removeprefix("status="))
    return {
        "asset": bool(generation.asset_id),
        "glb": bool(generation.glb_file),
        "kept": generation.is_kept,
        "": True,
    }[where]


def _carry_out(strike: dict[str, Any], name: str) -> None:
    if name != _name:  # a later case has begun
        return
    struck.append(f"{strike['action']} {strike['moment']} {strike['state']} {strike['where']}".strip())
    if strike["action"] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif strike["action"] == "sleep":
        with _one_at_a_time:
            # Somebody else has to wake it.
            subprocess.Popen(["/bin/sh", "-c", f"sleep {strike['seconds']}; kill -CONT {os.getpid()}"])
            os.kill(os.getpid(), signal.SIGSTOP)
    else:
        _shut_the_port(strike["seconds"])


def _shut_the_port(seconds: float) -> None:
    """Returns when the stand-in listens no more."""
    control.ask("POST", "faults", [{"action": "refuse", "path": f"^{_REFUSE_PATH}$", "seconds": seconds}])
    with contextlib.suppress(OSError):  # its connection is dropped too
        control.knock(_REFUSE_PATH)
