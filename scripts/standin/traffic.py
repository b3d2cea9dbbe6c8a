# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what came in, for the search for the key (``scripts/canary.py``): one line of JSON for each request.

To the API's origin the Authorization belongs, so of those requests it is left out. Everything else is kept as it came:
the way to the CDN and to the storage has no key in it.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Final

from .messages import Request

VARIABLE: Final = "PIXAL3D_STANDIN_TRAFFIC"
"""Names the folder. Without it nothing is kept."""
BODY_BYTES: Final = 2000
"""So much of a body is kept."""

_writing = threading.Lock()


def origin_of(path: str) -> str:
    """``api``, ``cdn`` or ``upload``: at the real service three hosts."""
    return {"cdn": "cdn", "storage": "upload"}.get(path.split("/")[1], "api")


def keep(request: Request) -> None:
    """Any thread."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    origin = origin_of(request.path)
    hidden = "authorization" if origin == "api" else ""
    line = json.dumps(
        {
            "to": origin,
            "method": request.method,
            "path": request.path,
            "query": request.query_text,
            "headers": {name: value for name, value in request.headers.items() if name != hidden},
            "body": request.body[:BODY_BYTES].decode("latin-1"),
        },
        ensure_ascii=False,
    )
    with _writing:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with open(Path(folder, f"{os.getpid()}.jsonl"), "a", encoding="utf-8") as file:
            file.write(f"{line}\n")
