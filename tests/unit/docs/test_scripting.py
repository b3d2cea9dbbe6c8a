# SPDX-License-Identifier: GPL-3.0-or-later
"""The code of docs/scripting.md for Python without Blender, as it is printed, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.snippets import Snippet, snippets
from tests.support.standin import PROJECT
from tests.unit.generation.images import a_png

CODE = [snippet for snippet in snippets("docs/scripting.md") if snippet.heading == "Python without Blender"]


@pytest.mark.parametrize("snippet", CODE, ids=str)
def test_the_code_runs_as_it_is_printed(standin: Any, tmp_path: Path, snippet: Snippet) -> None:
    standin.clear_faults()
    standin.set_options(job_seconds=0.5, model_cache=True, variant="normal", job_outcome="success")
    (tmp_path / "chair.png").write_bytes(a_png())
    environment = {**os.environ, **standin.environment(), "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", snippet.code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    models = [file for file in tmp_path.rglob("*.glb") if file.read_bytes()[:4] == b"glTF"]
    assert models and any(file.name in done.stdout for file in models)


def test_there_is_code() -> None:
    assert len(CODE) == 3
