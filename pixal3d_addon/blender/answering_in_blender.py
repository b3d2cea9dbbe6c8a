# SPDX-License-Identifier: GPL-3.0-or-later
"""How a second Blender takes orders and answers, for the scripts that it runs: see :mod:`.second_blender`.

Those are no part of the package, so they import this as a module of its own.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import bpy

NICENESS = 10


def serve(add_ons: Sequence[str], carry_out: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Carry out one order after the other until standard input ends; then end, even in the middle of one.

    Each finds an empty file, which is got ready before it comes: that takes 10 to 40 ms, and gives memory back.

    :param add_ons: of Blender's own, to be enabled.
    :param carry_out: takes an order and returns what is to be answered; what it raises is answered as ``error``.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # What Blender prints (each rendered frame, each importer's notes) must not break the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            orders.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, name="pixal3d-orders", daemon=True).start()
    import addon_utils  # in the bpy module, importing bpy makes it importable

    for name in add_ons:
        addon_utils.enable(name)
    while True:
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        order = orders.get()
        try:
            answer = {"error": "", **carry_out(order)}
        except Exception as problem:  # the border of this process: every failure is the parent's to tell
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        answers.write(f"\n{sys.argv[-1]}{json.dumps(answer)}\n")
        answers.flush()
