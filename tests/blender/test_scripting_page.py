# SPDX-License-Identifier: GPL-3.0-or-later
"""The code of docs/scripting.md for Blender, as it is printed, in background mode against the stand-in."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import bpy
import pytest

from tests.support.snippets import Snippet, snippets

CODE = [snippet for snippet in snippets("docs/scripting.md") if snippet.heading != "Python without Blender"]


def timers(function: Any) -> Any:
    """In background mode Blender's timers don't tick: here the snippet's own does."""
    while (pause := function()) is not None:
        assert pause > 0
        with contextlib.suppress(KeyError):
            function.__globals__["chair"].wait(pause)


@pytest.mark.parametrize("snippet", CODE, ids=str)
def test_the_code_runs_as_it_is_printed(
    quick: Any,
    painted: Any,
    addon: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    snippet: Snippet,
) -> None:
    painted.filepath_raw, painted.file_format = str(tmp_path / "chair.png"), "PNG"
    painted.save()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    # The one thing that differs: here the add-on is in a repository of the tests' own.
    code = snippet.code.replace("bl_ext.user_default.pixal3d_addon", addon.__name__)
    with monkeypatch.context() as patched:
        if "bpy.app.timers" in code:
            patched.setattr(bpy.app.timers, "register", timers)
        exec(compile(code, str(snippet), "exec"), {})
    said = capsys.readouterr().out
    assert said.strip(), "it prints what it has made"
    assert ("Sofa" in snippet.code) == (not bpy.data.objects), "each but the one that fails leaves a model"


def test_the_page_has_code_for_both_doors() -> None:
    assert {snippet.heading for snippet in CODE} == {"The operator", "Python in Blender"} and len(CODE) >= 8
