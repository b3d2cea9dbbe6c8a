# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender calls at each redraw reads memory only, and waits for nobody."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import bpy
import pytest

PATIENCE_SECONDS = 30.0
_SYSTEM = {"posix", "nt", "_io", "io", "_socket", "_ssl", "_sqlite3", "sqlite3", "time", "_posixsubprocess"}
_ALLOWED = {"time", "monotonic", "perf_counter", "localtime", "gmtime", "strftime", "fspath", "getpid"}
_AUDITED = ("open", "os.", "socket.", "subprocess.", "sqlite3.", "shutil.", "_thread.start_new_thread")

_events: list[str] | None = None
"""Where audit events are noted; ``None`` if not."""


def _note_event(event: str, arguments: tuple[Any, ...]) -> None:
    if _events is not None and threading.current_thread() is threading.main_thread() and event.startswith(_AUDITED):
        _events.append(f"{event} {arguments}")


sys.addaudithook(_note_event)


class With:
    """Something of Blender's, with what it has only in a window."""

    def __init__(self, inner: Any, **more: Any) -> None:
        self.__dict__.update(more, _inner=inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture
def drawn(addon: Any, room: Callable[[str], Any]) -> dict[str, Callable[[], Any]]:
    """Everything of ours that Blender calls to draw, or to ask whether something can be used."""
    found: dict[str, Callable[[], Any]] = {}
    image = bpy.data.images.get("Chair")
    editors = {
        "IMAGE_EDITOR": SimpleNamespace(type="IMAGE_EDITOR", image=image),
        "NODE_EDITOR": SimpleNamespace(type="NODE_EDITOR", tree_type="ShaderNodeTree"),
        "VIEW_3D": SimpleNamespace(type="VIEW_3D", shading=SimpleNamespace(type="SOLID", color_type="MATERIAL")),
    }

    def context(space_type: str = "VIEW_3D") -> Any:
        space = editors.get(space_type, editors["VIEW_3D"])
        region, area = SimpleNamespace(width=300), SimpleNamespace(type=space.type)
        preferences = With(bpy.context.preferences, system=With(bpy.context.preferences.system, ui_scale=1.0))
        return With(bpy.context, region=region, space_data=space, area=area, preferences=preferences)

    def add(name: str, function: Callable[..., Any], *arguments: Any) -> None:
        found[name] = lambda: function(*arguments)

    for cls in room("ui")._CLASSES:
        here = context(getattr(cls, "bl_space_type", ""))
        self = MagicMock()
        self.preset_subdir, self.preset_operator = "pixal3d", "script.execute_preset"
        if "poll" in dir(cls) and callable(getattr(cls, "poll", None)) and not issubclass(cls, bpy.types.UIList):
            add(f"{cls.__name__}.poll", cls.poll, here)
        if issubclass(cls, bpy.types.FileHandler):
            add(f"{cls.__name__}.poll_drop", cls.poll_drop, here)
        if issubclass(cls, bpy.types.Panel | bpy.types.AddonPreferences):
            add(f"{cls.__name__}.draw", cls.draw, self, here)
        if issubclass(cls, bpy.types.UIList):
            rows = room("blender.generation_list").of(bpy.context).rows
            for row in rows:
                add(
                    f"{cls.__name__}.draw_item {row.name}",
                    cls.draw_item,
                    self,
                    here,
                    MagicMock(),
                    None,
                    row,
                    0,
                    None,
                    "",
                )
    add("status bar", room("ui.status_bar")._draw, MagicMock(), context())
    for _, draw in room("ui.entrances")._MENUS:
        add(f"menu {draw.__name__}", draw, MagicMock(), context("IMAGE_EDITOR"))
    return found


@pytest.fixture
def full(room: Callable[[str], Any], manager: Any, painted: Any) -> Any:
    """A manager with a model that is there, one under way, one that failed and one that is ready."""
    assert bpy.ops.pixal3d.generate(image="Chair", decimation_target=5000, seed=1) == {"FINISHED"}
    bpy.context.scene.pixal3d.image = painted
    states = room("generation").State
    base = next(snapshot.generation for snapshot in manager.snapshots())
    for number, state in enumerate((states.RUNNING, states.FAILED, states.READY)):
        changes = {"error": "It failed. Try again."} if state is states.FAILED else {}
        new = base.changed(id=f"{number:032x}", name=f"Chair {number}", state=state, job_id=f"job_{number}", **changes)
        manager._snapshots.put(new)
    manager._runs[f"{0:032x}"] = room("generation.steering").Steering()
    room("blender.generation_list").sync(manager)
    yield manager
    manager._runs.pop(f"{0:032x}")


def touched(function: Callable[[], Any]) -> list[str]:
    """What it asks of the operating system."""
    global _events
    called: list[str] = []

    def note(frame: Any, event: str, function: Any) -> None:
        if event == "c_call":
            module = getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__
            if module in _SYSTEM and function.__name__ not in _ALLOWED:
                called.append(f"{module}.{function.__name__} in {frame.f_code.co_filename}:{frame.f_lineno}")

    _events = called
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
        _events = None
    return called


def test_the_check_sees_a_file_that_is_looked_at() -> None:
    assert touched(lambda: os.stat(".")) and touched(lambda: open(os.devnull).close()) and touched(lambda: os.listdir())


def test_drawing_and_asking_whether_something_can_be_used_touch_no_disk_and_no_network(full: Any, drawn: Any) -> None:
    assert len(drawn) > 40 and sum(".draw" in name for name in drawn) > 10
    drawn.pop("PIXAL3D_PT_presets.draw")  # Blender's own, which looks into its folders as long as the list is open
    for function in drawn.values():
        function()  # what is imported at the first time only
    assert {name: found for name, function in drawn.items() if (found := touched(function))} == {}


def steps(function: Callable[[], Any]) -> int:
    """How many steps Python takes in our own code."""
    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        if "pixal3d_addon" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(None)
    return count


MORE = 500


def test_they_take_no_longer_in_a_file_with_more_in_it(room: Any, full: Any, drawn: Any) -> None:
    for function in drawn.values():
        function()
    looks_at_all = room("blender.provenance").generation_ids_in_file
    before, few = {name: steps(function) for name, function in drawn.items()}, steps(looks_at_all)
    for number in range(MORE):
        mesh = bpy.data.meshes.new(f"More {number}")
        bpy.context.collection.objects.link(bpy.data.objects.new(mesh.name, mesh))
        mesh.materials.append(bpy.data.materials.new(mesh.name))
        bpy.data.images.new(mesh.name, 1, 1)
    after = {name: steps(function) for name, function in drawn.items()}
    assert steps(looks_at_all) >= few + MORE, "this is how it would be seen"
    # A text that has grown older may take some steps more.
    assert {name: (count, after[name]) for name, count in before.items() if after[name] >= count + MORE} == {}


def test_they_do_not_wait_for_a_worker_that_waits_for_the_disk(
    room: Any, full: Any, drawn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs: a network folder that is away."""
    for function in drawn.values():
        function()
    at_disk, let_go = threading.Event(), threading.Event()
    fsync = os.fsync

    def hang(handle: int) -> None:
        at_disk.set()
        let_go.wait(PATIENCE_SECONDS)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", hang)
    generation = room("generation").Generation(name="New", parameters=room("parameters").complete({}))
    source = room("blender.image_source").source_image(bpy.data.images["Chair"])
    full.start(generation, source, room("blender.session").connection())
    try:
        assert at_disk.wait(PATIENCE_SECONDS)
        late = threading.Timer(PATIENCE_SECONDS / 2, let_go.set)
        late.start()
        for function in drawn.values():
            function()
        assert not let_go.is_set(), "drawing went on only when the disk did"
        late.cancel()
    finally:
        let_go.set()
        full.stop(generation.id)
