# SPDX-License-Identifier: GPL-3.0-or-later
"""Started in Blender by ``tests/lab/bench.py``: takes orders out of a folder, one file each, until it is told to quit.

The answer to ``N.json`` is ``N.result.json``. A Blender that dies gives none.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.gui.driver import Driver, Steps, play
from tests.lab.inside import artist, pace, strikes

LOOK_SECONDS = 0.05


def scenario(d: Driver) -> Steps:
    inbox = Path(os.environ["PIXAL3D_LAB_INBOX"])
    number = 0
    while True:
        while not (path := inbox / f"{number}.json").exists():
            yield LOOK_SECONDS
        order = json.loads(path.read_text(encoding="utf-8"))
        if order["do"] == "quit":
            return
        try:
            result = yield from _obey(d, order)
        except Exception:  # the host tells it as this order's error, and the next one may do better
            result = {"error": traceback.format_exc()}
        part = inbox / f"{number}.part"
        part.write_text(json.dumps(result), encoding="utf-8")
        part.replace(inbox / f"{number}.result.json")
        number += 1


def _obey(d: Driver, order: dict[str, Any]) -> Any:
    if order["do"] == "tidy":
        yield from artist.tidy(d)
        return {}
    worker = artist.Artist(d, order)
    yield from worker.steps()
    return worker.result()


def _end_with_host() -> None:
    """Standard input ends when the host does, however it does."""
    while os.read(0, 1):
        pass
    os._exit(1)


threading.Thread(target=_end_with_host, name="lab-host", daemon=True).start()
pace.hurry()
strikes.install()
play(scenario)
