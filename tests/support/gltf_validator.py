# SPDX-License-Identifier: GPL-3.0-or-later
"""The Khronos group's validator of glTF files, in an environment of its own (``scripts/environments.py``)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from scripts import environments

_SCRIPT = Path(__file__).with_suffix(".js")
_ERROR = 0
"""A message's ``severity`` in the validator's report."""


def glb_errors(path: Path) -> list[str]:
    """What the validator counts as an error in a GLB file; empty if it is valid."""
    python = environments.python("gltf-validator")
    node, modules = python.with_name("node"), environments.location("gltf-validator") / "node_modules"
    done = subprocess.run([node, _SCRIPT, modules, path], capture_output=True, text=True, timeout=120, check=True)
    messages = json.loads(done.stdout)["issues"]["messages"]
    return [f"{m['code']}: {m['message']} at {m.get('pointer', '')}" for m in messages if m["severity"] == _ERROR]
