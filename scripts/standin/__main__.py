# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m scripts.standin`: one line of JSON on standard output when it serves, then a log on standard error."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

from . import limits
from .options import parse_arguments
from .server import StandIn


def main() -> int:
    """Serve until SIGTERM, SIGINT, the end of standard input or of the parent, as asked."""
    options, asked = parse_arguments()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())

    def log(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def until_stdin_ends() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        over.set()

    if asked.stop_on_stdin_eof:
        threading.Thread(target=until_stdin_ends, name="pixal3d-standin-stdin", daemon=True).start()
    try:
        standin = StandIn(options, log=log)
    except OSError as error:
        log(f"Cannot listen on 127.0.0.1:{options.port}: {error}. Choose another --port, or 0 for a free one.")
        return 1
    with standin:
        started = {"base_url": standin.base_url, "key": options.key, "secret": options.secret, "pid": os.getpid()}
        print(json.dumps(started), flush=True)
        while not over.wait(limits.PARENT_CHECK_SECONDS):
            if asked.parent_pid and not _alive(asked.parent_pid):
                break
    return 0


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # os.kill would end the process there; --stop-on-stdin-eof works everywhere
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main())
