# SPDX-License-Identifier: GPL-3.0-or-later
"""Models are made in a process of their own, so that the server starts at once and answers while one is made.

`ModelMaker` is the server's end, `maker_process.py` the other. They exchange pickles with an eight byte length before
each, over standard input and output. The process ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from . import limits

if TYPE_CHECKING:
    from .model import Model

Done = Callable[["Model | str"], None]
"""Called on the maker's thread with the model, or with what went wrong."""


@dataclass(frozen=True, slots=True)
class _Order:
    image: bytes
    parameters: dict[str, Any]
    style: dict[str, Any]
    done: Done
    reuse: bool

    def key(self) -> bytes:
        """The same for orders of the same model."""
        asked = json.dumps([self.parameters, self.style], sort_keys=True).encode()
        return hashlib.sha256(hashlib.sha256(self.image).digest() + asked).digest()


class ModelMaker:
    """One model after another; any thread may ask. Starts its process with the first `warm_up` or `make`."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._made: dict[bytes, Model] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="pixal3d-standin-maker", daemon=True)
        self._thread.start()

    def warm_up(self) -> None:
        """Start the process, whose imports take about a second; returns at once."""
        with self._lock:
            if not self._stopped and (self._process is None or self._process.poll() is not None):
                # One thread for linear algebra: the matrices are small; on a busy machine more threads only wait.
                self._process = subprocess.Popen(
                    [sys.executable, "-m", f"{__package__}.maker_process"], cwd=Path(__file__).resolve().parents[2],
                    env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def make(self, image: bytes, parameters: dict[str, Any], style: dict[str, Any], done: Done, *,
             reuse: bool = False) -> None:
        """Queue one model; `style` are the fields of `ModelStyle`. With `reuse` an equal one is made only once."""
        self._work.put(_Order(image, parameters, style, done, reuse))

    def stop(self) -> None:
        """End the process, whatever it is doing. What was queued is never made."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                for pipe in (self._process.stdin, self._process.stdout):
                    if pipe is not None:
                        with contextlib.suppress(OSError):  # unwritten bytes of a request: the reader is gone
                            pipe.close()
        self._work.put(None)
        self._thread.join(limits.STOP_JOIN_SECONDS)

    def _run(self) -> None:
        while (order := self._work.get()) is not None and not self._stopped:
            result: Any = self._made.get(order.key()) if order.reuse else None
            if result is None:
                result = self._make(order)
                if order.reuse and not isinstance(result, str):
                    self._made[order.key()] = result
            if not self._stopped:
                order.done(result)

    def _make(self, order: _Order) -> Any:
        """The model, or what went wrong."""
        try:
            self.warm_up()
            process = self._process
            assert process is not None and process.stdin is not None and process.stdout is not None
            send(process.stdin, (order.image, order.parameters, order.style))
            result = receive(process.stdout)
        except (OSError, ValueError, AssertionError) as error:
            return f"The model maker ended: {error}"
        return "The model maker ended without an answer." if result is None else result


def send(pipe: IO[bytes], value: Any) -> None:
    """Write one value."""
    data = pickle.dumps(value)
    pipe.write(struct.pack("<Q", len(data)) + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next value, or None at the end of the stream."""
    head = pipe.read(8)
    if len(head) < 8:
        return None
    length = struct.unpack("<Q", head)[0]
    data = pipe.read(length)
    return pickle.loads(data) if len(data) == length else None
