# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives a real Blender window from within: mouse, keyboard, waiting, looking, like a person in front of it.

A scenario is a script with a generator function that yields a number of seconds to wait, or hands over to one of the
driver's own generators with ``yield from``::

    from tests.gui.driver import Driver, Steps, play

    def scenario(d: Driver) -> Steps:
        yield from d.open_sidebar("Pixal3D")
        yield from d.click_operator("pixal3d.generate")
        yield from d.wait_until(lambda: len(bpy.data.objects) > 3, 60, "the model in the scene")
        d.record("objects", len(bpy.data.objects))
        yield from d.screenshot("generated")

    play(scenario)

It runs in the event loop, on a timer that survives loading a file, so Blender draws, and its own timers and modal
operators go on, between two steps. Its result is a JSON file: what ``record`` was told, the pictures, and the error if
there was one.
The exit code is 0 only when the scenario came to its end. The host side is ``tests/gui/conftest.py``.

Buttons are found by asking Blender: the mouse is moved over the region in small steps, and at each Blender says which
operator or property lies under it (by the operators behind Copy Python Command and Copy Full Data Path). So a scenario
names an operator, not a place, and no layout, theme or scale misleads it.

Coordinates are window pixels with the origin at the bottom left, as ``Window.event_simulate`` takes them.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from tests.support.framebuffer import save_png

Steps = Generator[float, None, None]

STEP_SECONDS = 0.12
"""Between two events. Blender needs a few rounds of its loop to take an event and draw what follows from it."""
PROBE_SECONDS = 0.04
SETTLE_SECONDS = 0.5
SETTLE_PIXELS = 60
"""A found button is asked for once more after this time; if it has moved, the search goes back up by so much."""
PROBE_ROW_PIXELS = 9
"""A button is 20 pixels high at scale 1."""
PROBE_COLUMNS = (0.5, 0.85, 0.2, 0.95)
"""Where across a region buttons are looked for, as parts of its width."""
SETTLE_SECONDS = 0.3
FIND_TRIES = 5
DRAG_STEPS = 4
SIDEBAR_TOLERANCE_PIXELS = 6
EDGE_PIXELS = 4
"""Rounded corners of an area."""
START_SECONDS = 1.0
REST_SECONDS = 0.005
"""As long as Blender itself sleeps."""
SCENARIO_TIMEOUT_SECONDS = float(os.environ.get("PIXAL3D_GUI_TIMEOUT_SECONDS", "150"))

_KEYS = {" ": "SPACE", "\n": "RET", ".": "PERIOD", ",": "COMMA", "-": "MINUS", "/": "SLASH", "_": "MINUS"}
_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


class ScenarioError(Exception):
    """What the scenario expected did not happen."""


class Driver:
    """The hands and eyes of one scenario."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.recorded: dict[str, Any] = {}
        self.pictures: dict[str, str] = {}
        self.quits = False
        self._mouse = (0, 0)

    # What it sees

    @property
    def window(self) -> Any:
        return bpy.context.window_manager.windows[0]

    def area(self, kind: str = "VIEW_3D") -> Any:
        """The largest area of the kind in the first window."""
        areas = [area for area in self.window.screen.areas if area.type == kind]
        if not areas:
            raise ScenarioError(f"no area {kind} in the window")
        return max(areas, key=lambda area: area.width * area.height)

    def region(self, kind: str = "UI", area: str = "VIEW_3D") -> Any:
        """A region of that area; ``UI`` is the sidebar, ``WINDOW`` the view itself."""
        return next(region for region in self.area(area).regions if region.type == kind)

    def record(self, name: str, value: Any) -> None:
        """Keeps a JSON value for the host's asserts."""
        self.recorded[name] = value

    def quit_at_the_end(self) -> None:
        """Let Blender end as by File > Quit, not by the harness's own exit."""
        self.quits = True

    def screenshot(self, name: str) -> Steps:
        """Saves a picture of the display as ``NAME.png``."""
        yield 3 * STEP_SECONDS  # for what was just done to be drawn
        path = self.results / f"{name}.png"
        save_png(Path(os.environ["PIXAL3D_GUI_FRAMEBUFFER"]), path)
        self.pictures[name] = str(path)

    def wait_until(self, predicate: Callable[[], Any], seconds: float, what: str) -> Steps:
        """Goes on once the predicate holds; after so many seconds the scenario fails and names what was awaited."""
        deadline = time.monotonic() + seconds
        while not predicate():
            if time.monotonic() > deadline:
                raise ScenarioError(f"not within {seconds:g} s: {what}")
            yield STEP_SECONDS

    # What it does

    def move(self, x: float, y: float) -> Steps:
        self._move(int(x), int(y))
        yield STEP_SECONDS

    def _move(self, x: int, y: int) -> None:
        self._mouse = (x, y)
        self.window.event_simulate(type="MOUSEMOVE", value="NOTHING", x=x, y=y)

    def click(self, x: float, y: float, button: str = "LEFTMOUSE") -> Steps:
        # A button takes a press only after it was highlighted, which needs the pointer to have moved within it.
        yield from self.move(x - 1, y)
        yield from self.move(x, y)
        for value in ("PRESS", "RELEASE"):
            self.window.event_simulate(type=button, value=value, x=int(x), y=int(y))
            yield STEP_SECONDS

    def key(self, kind: str, *, ctrl: bool = False, shift: bool = False, alt: bool = False) -> Steps:
        """Presses a key by its event type (``TAB``, ``RET``, ``Z``), where the mouse is."""
        x, y = self._mouse
        for value in ("PRESS", "RELEASE"):
            self.window.event_simulate(type=kind, value=value, x=x, y=y, ctrl=ctrl, shift=shift, alt=alt)
            yield STEP_SECONDS

    def type_text(self, text: str) -> Steps:
        """Types into the field that is being edited. Letters, digits, blanks and ``. , - / _``."""
        x, y = self._mouse
        for character in text:
            kind = _DIGITS[int(character)] if character.isdecimal() else _KEYS.get(character, character.upper())
            self.window.event_simulate(type=kind, value="PRESS", unicode=character, x=x, y=y)
            self.window.event_simulate(type=kind, value="RELEASE", x=x, y=y)
            yield PROBE_SECONDS
        yield STEP_SECONDS

    def open_sidebar(self, tab: str, area: str = "VIEW_3D") -> Steps:
        """Opens the N-panel on a tab."""
        self.area(area).spaces.active.show_region_ui = True
        yield from self.wait_until(lambda: self.region("UI", area).width > 1, 5, "the sidebar")
        self.region("UI", area).tag_redraw()
        yield STEP_SECONDS
        try:
            self.region("UI", area).active_panel_category = tab
        except TypeError as error:  # Blender names the tabs that there are
            raise ScenarioError(f"the sidebar has no tab {tab!r}: {error}") from error
        self.region("UI", area).tag_redraw()
        yield 4 * STEP_SECONDS

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> Steps:
        """With the left button, in a few steps: some of what can be dragged follows the mouse only bit by bit."""
        yield from self.move(start[0] - 1, start[1])
        yield from self.move(*start)
        self.window.event_simulate(type="LEFTMOUSE", value="PRESS", x=int(start[0]), y=int(start[1]))
        yield STEP_SECONDS
        for step in range(1, DRAG_STEPS + 1):
            part = step / DRAG_STEPS
            yield from self.move(*(a + (b - a) * part for a, b in zip(start, end, strict=True)))
        self.window.event_simulate(type="LEFTMOUSE", value="RELEASE", x=int(end[0]), y=int(end[1]))
        yield STEP_SECONDS

    def set_sidebar_width(self, width: int, area: str = "VIEW_3D") -> Steps:
        """Drags the sidebar's edge, to a few pixels more or less than the width."""
        for _ in range(FIND_TRIES):
            region = self.region("UI", area)
            if abs(region.width - width) <= SIDEBAR_TOLERANCE_PIXELS:
                return
            y = region.y + region.height // 5  # above the middle is the arrow that hides it
            yield from self.drag((region.x, y), (region.x + region.width - width, y))
            yield 2 * STEP_SECONDS
        raise ScenarioError(f"the sidebar stays {self.region('UI', area).width} pixels wide instead of {width}")

    def open_panel(self, name: str, area: str = "VIEW_3D") -> Generator[float, None, tuple[int, int]]:
        """Opens a closed panel (``PIXAL3D_PT_more``) by a click on its header. Returns where that is.

        Those below it must be closed too. Blender does not say where a header is, but asks each panel that is shown
        whether it is to be, from the top to the bottom; and the lowest things in the sidebar are their headers.
        """
        visible: list[str] = []
        tab = getattr(bpy.types, name).bl_category
        panels = [cls for cls in _subclasses(bpy.types.Panel) if getattr(cls, "bl_category", "") == tab and _polls(cls)]
        region = self.region("UI", area)
        with _noting_polls(panels, visible):
            region.tag_redraw()
            yield 4 * STEP_SECONDS
        if name not in visible:
            raise ScenarioError(f"{name} is not shown, but {visible}")
        from_bottom = len(visible) - visible.index(name)
        rows = self._rows_of_headers(region)
        if len(rows) < from_bottom:
            raise ScenarioError(f"there are only {len(rows)} headers for {visible}")
        x, y = region.x + region.width // 3, rows[from_bottom - 1]
        yield from self.click(x, y)
        yield 4 * STEP_SECONDS
        if self._rows_of_headers(region) == rows:  # neither has anything moved nor come
            raise ScenarioError(f"a click on the header of {name} opens nothing")
        return x, y

    def _rows_of_headers(self, region: Any) -> list[int]:
        """The window's rows of what is drawn where the headers' arrows are, from the lowest upwards."""
        picture = pixels(Path(os.environ["PIXAL3D_GUI_FRAMEBUFFER"]))
        columns = picture[::-1][region.y + EDGE_PIXELS : region.y + region.height, region.x + 24 : region.x + 64]
        is_drawn = (columns != columns[:, :1]).any(axis=(1, 2))
        edges = np.flatnonzero(np.diff(is_drawn.astype(np.int8)))
        return [int(a + b) // 2 + region.y + EDGE_PIXELS + 1 for a, b in zip(edges[::2], edges[1::2], strict=False)]

    # Buttons

    def click_operator(self, operator: str, region: str = "UI", area: str = "VIEW_3D") -> Steps:
        """Finds an operator's button (``pixal3d.generate``) in a region and clicks it."""

        def is_wanted(what: str) -> bool:
            return what.startswith(f"bpy.ops.{operator}(")

        for _ in range(FIND_TRIES):
            place = yield from self.find_button(is_wanted, operator, region, area)
            yield SETTLE_SECONDS  # a panel that was just registered or has just grown still moves
            self._move(*place)
            yield STEP_SECONDS
            if any(map(is_wanted, self._under_mouse(self.region(region, area), area))):
                yield from self.click(*place)
                return
        raise ScenarioError(f"the button for {operator!r} does not stay where it is")

    def type_into(self, data_path: str, text: str, region: str = "UI", area: str = "VIEW_3D") -> Steps:
        """Finds a property's field by the end of its full data path (``.mesh_scale``), types over it, confirms."""
        place = yield from self.find_button(lambda what: what.endswith(data_path), data_path, region, area)
        yield from self.move(place[0] - 1, place[1])
        yield from self.move(*place)
        yield from self.key("RET")  # begins editing, with everything selected
        yield from self.key("A", ctrl=True)
        yield from self.type_text(text)
        yield from self.key("RET")

    def find_button(
        self,
        wanted: Callable[[str], bool],
        name: str,
        region: str = "UI",
        area: str = "VIEW_3D",
        columns: tuple[float, ...] = PROBE_COLUMNS,
    ) -> Generator[float, None, tuple[int, int]]:
        """Where the button lies of which Blender says what is wanted. ScenarioError lists what it did find."""
        seen: list[str] = []
        found = self.region(region, area)
        for column in columns:
            x = int(found.x + found.width * column)
            y = found.y + found.height - PROBE_ROW_PIXELS
            while y > found.y:
                said = yield from self._said_at(x, y, PROBE_SECONDS, found, area)
                if any(wanted(what) for what in said):
                    # Panels slide into place when one appears. Only a button that is still there a moment later will be
                    # there for a click too; else it is looked for again, from a little above.
                    said = yield from self._said_at(x, y - 1, SETTLE_SECONDS, found, area)
                    if any(wanted(what) for what in said):
                        return x, y - 1
                    y = min(y + SETTLE_PIXELS, found.y + found.height)
                seen += [what for what in said if what not in seen]
                y -= PROBE_ROW_PIXELS
        raise ScenarioError(f"no button for {name!r} in {area} {region}; found: {seen}")

    def _said_at(self, x: int, y: int, seconds: float, region: Any, area: str) -> Generator[float, None, list[str]]:
        self._move(x, y)
        yield seconds
        return self._under_mouse(region, area)

    def says_under_mouse(self, region: str = "UI", area: str = "VIEW_3D") -> list[str]:
        """What Blender says of the button under the mouse; nothing where there is none."""
        return self._under_mouse(self.region(region, area), area)

    def _under_mouse(self, region: Any, area: str) -> list[str]:
        """What Blender says of the button under the mouse: its operator as a call, or its property's full data path."""
        said = []
        manager = bpy.context.window_manager
        ask: tuple[tuple[Any, dict[str, Any]], ...] = (
            (bpy.ops.ui.copy_python_command_button, {}),
            (bpy.ops.ui.copy_data_path_button, {"full_path": True}),
        )
        with bpy.context.temp_override(window=self.window, area=self.area(area), region=region):
            for operator, arguments in ask:
                if not operator.poll():
                    continue
                manager.clipboard = ""
                try:
                    operator(**arguments)
                except RuntimeError:
                    continue
                if manager.clipboard:
                    said.append(manager.clipboard)
        return said


def pixels(framebuffer: Path) -> Any:
    """What is on the display: rows from the top, columns, and blue, green, red, unused."""
    data = framebuffer.read_bytes()
    size, width, height, row_bytes, colors = (int.from_bytes(data[4 * i : 4 * i + 4], "big") for i in (0, 4, 5, 12, 19))
    rows = np.frombuffer(data, np.uint8, height * row_bytes, size + colors * 12)
    return rows.reshape(height, row_bytes // 4, 4)[:, :width]


def _subclasses(cls: Any) -> list[Any]:
    below = [cls for direct in cls.__subclasses__() for cls in (direct, *_subclasses(direct))]
    return list(dict.fromkeys(below))  # one with two parents is below both


def _polls(cls: Any) -> bool:
    return cls.is_registered and any("poll" in base.__dict__ for base in cls.__mro__)


@contextlib.contextmanager
def _noting_polls(panels: list[Any], visible: list[str]) -> Iterator[None]:
    """Meanwhile the panels' names are noted, in the order in which Blender asks whether they are shown, if they are."""

    def noting(cls: Any) -> Any:
        inner = cls.poll

        def poll(this: Any, context: Any) -> bool:
            is_shown = bool(inner(context))
            if is_shown and cls.__name__ not in visible:
                visible.append(cls.__name__)
            return is_shown

        return classmethod(poll)

    own = [(cls, cls.__dict__.get("poll")) for cls in panels]
    for cls, poll in [(cls, noting(cls)) for cls in panels]:
        cls.poll = poll
    try:
        yield
    finally:
        for cls, poll in own:
            if poll is None:
                del cls.poll
            else:
                cls.poll = poll


def play(scenario: Callable[[Driver], Steps]) -> None:
    """Runs the scenario once Blender's window is up, then ends Blender. Call it at the end of the script."""
    _set_preferences()
    driver = Driver(Path(os.environ["PIXAL3D_GUI_RESULTS"]))
    steps = scenario(driver)
    deadline = time.monotonic() + SCENARIO_TIMEOUT_SECONDS

    def step() -> float | None:
        error = ""
        try:
            pause = next(steps)
            if time.monotonic() < deadline:
                return pause
            error = f"the scenario had not ended after {SCENARIO_TIMEOUT_SECONDS:g} s"
        except StopIteration:
            pass
        except Exception:  # whatever went wrong, it belongs into the result, and Blender must end
            error = traceback.format_exc()
        _finish(driver, error)
        return None

    bpy.app.timers.register(step, first_interval=START_SECONDS, persistent=True)
    if "--enable-event-simulate" in sys.argv:
        bpy.app.timers.register(_rest, persistent=True)


def _rest() -> float:
    """Blender's main loop sleeps when there is nothing to do, but not with this switch: it would keep a whole core busy
    (5.2.2), which is then missing to those who draw and prepare."""
    time.sleep(REST_SECONDS)
    return 0.0


def _set_preferences() -> None:
    """A splash screen swallows the first events, and a question on quitting would wait for ever."""
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    preferences.view.smooth_view = 0
    preferences.view.use_save_prompt = False
    preferences.view.show_developer_ui = True
    preferences.filepaths.use_auto_save_temporary_files = False
    preferences.system.use_online_access = True


def _finish(driver: Driver, error: str) -> None:
    if error:
        print(error, file=sys.stderr)
        try:
            for _ in driver.screenshot("failure"):
                pass
        except (OSError, ValueError) as second:
            print(f"no picture of the failure: {second}", file=sys.stderr)
    result = {"error": error, "recorded": driver.recorded, "pictures": driver.pictures}
    part = driver.results / "result.json.part"
    part.write_text(json.dumps(result, indent=1), encoding="utf-8")
    part.replace(driver.results / "result.json")
    sys.stderr.flush()
    if driver.quits and not error:
        bpy.ops.wm.quit_blender()
    sys.exit(1 if error else 0)
