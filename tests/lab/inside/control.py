# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's control endpoints, from inside Blender."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

CALM = {
    "job_seconds": 0.3,
    "job_outcome": "success",
    "list_lag_seconds": 0.0,
    "job_lag_seconds": 0.0,
    "parallel_jobs": None,
    "model_cache": True,
    "upload_seconds": 0.2,
    "texture_format": "jpeg",
}
"""The service on a good day."""

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def origin() -> str:
    return "/".join(os.environ["SCENARIO_BASE_URL"].split("/")[:3])


def ask(method: str, path: str, body: object = None) -> Any:
    """
    :raises OSError: the port is shut just now.
    """
    request = urllib.request.Request(f"{origin()}/__standin__/{path}", method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with _opener.open(request, timeout=5) as answer:
        return json.loads(answer.read())


def knock(path: str) -> None:
    """Any request to any path, for a fault that waits for it.

    :raises OSError: it was not answered.
    """
    _opener.open(f"{origin()}{path}", timeout=5).close()


def calm_down() -> None:
    """The storm is over.

    :raises OSError: the port is shut just now.
    """
    ask("DELETE", "faults")
    ask("POST", "options", CALM)
