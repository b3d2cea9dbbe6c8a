# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that makes models: `python -m scripts.standin.maker_process`, started by `worker.ModelMaker`."""

from __future__ import annotations

import os
import queue
import sys
import threading
from typing import Any

from .model import ModelStyle, make_model
from .worker import receive, send


def main() -> None:
    """Make models until standard input ends; then end, even in the middle of one.

    Where the server is killed outright this can take some seconds: marching cubes keeps the interpreter's lock (still
    there after 1 s with 2,000,000 vertices). A server that is asked to stop kills this process itself.
    """
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library that prints must not break the stream
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def read() -> None:
        while (request := receive(sys.stdin.buffer)) is not None:
            requests.put(request)
        os._exit(0)

    threading.Thread(target=read, name="pixal3d-standin-orders", daemon=True).start()
    while True:
        image, parameters, style = requests.get()
        try:
            result: Any = make_model(image, parameters, ModelStyle(**style))
        except Exception as error:  # the border of this process: every failure becomes the job's
            result = f"{type(error).__name__}: {error}"
        send(replies, result)


if __name__ == "__main__":
    main()
