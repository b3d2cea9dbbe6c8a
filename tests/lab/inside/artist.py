# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist who clicks Generate, waits, and clicks what the panel offers when nothing goes on by itself."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import bpy

from tests.gui import addon
from tests.gui.driver import Driver, Steps
from tests.lab.inside import control, pace, strikes
from tests.support.blender_process import ADDON

LOOK_SECONDS = 0.05
CLICKED_SECONDS = 12.0
"""After a click on Fetch Again."""
REFUSED_SECONDS = 2.0
"""Who was refused is not waited for longer, unless something runs."""
PLACING_SECONDS = 5.0
NOT_PLACED_SECONDS = 0.6
"""So long is looked whether a model that must wait for a click does wait."""
PENDING_SECONDS = 1.0
NOTED_SECONDS = 5.0
GONE_SECONDS = 2.5
CLICKS = 3

_ENDED = ("imported", "failed", "abandoned")
_UNPAID = ("prepared", "uploading")


class Artist:
    """One order of the host (``tests/lab/bench.py``), carried out."""

    def __init__(self, driver: Driver, order: dict[str, Any]) -> None:
        self.driver = driver
        self.names: list[str] = order["names"]
        self.comes_by_itself: bool = order["comes_by_itself"]
        self.order = order
        self.acts: list[str] = []
        self.began = time.monotonic()

    def steps(self) -> Steps:
        order = self.order
        own = bpy.context.preferences.addons[ADDON].preferences
        own.arrival, own.concurrency = order["arrival"], order["concurrency"]
        pace.send_in_parts(order["in_parts"])
        pace.forget_clicks_after(order["intent_seconds"])
        strikes.arm(self.names[-1], order["strikes"])
        if order["is_click"]:
            if order["save_before"]:
                bpy.ops.wm.save_as_mainfile(filepath=order["save_before"])
            for name in self.names:
                self._generate(name)
                yield LOOK_SECONDS
            yield from self._wait_until(self._are_noted, NOTED_SECONDS)
            Path(order["clicked"]).touch()
        yield from self._wait(order["storm_seconds"])
        if order["is_tiring"]:
            yield from self._stop_waiting()
        yield from self._calm_down()
        yield from self._wait(order["calm_seconds"])
        for _ in range(CLICKS):
            if not (yield from self._click_what_is_offered()):
                break
            yield from self._wait(CLICKED_SECONDS)
        if order["save_after"]:
            yield from self._save(order["save_after"])
        yield from self._wait_until(lambda: not strikes.is_pending(), PENDING_SECONDS)

    def result(self) -> dict[str, Any]:
        """For the host's judge."""
        return {
            "generations": [_told(generation) for generation in self._generations()],
            "meshes": meshes(),
            "acts": self.acts,
            "struck": list(strikes.struck),
            "seconds": time.monotonic() - self.began,
        }

    # What it does

    def _generate(self, name: str) -> None:
        image = bpy.data.images.load(str(Path(self.order["image"])))
        image.name = name
        settings = addon.settings()
        settings.image, settings.decimation_target, settings.resolution = image, 5000, "1024"
        self._operator("generate", "INVOKE_DEFAULT")

    def _operator(self, name: str, context: str = "EXEC_DEFAULT", **arguments: Any) -> None:
        window = self.driver.window
        area = self.driver.area()
        region = self.driver.region("WINDOW")
        with bpy.context.temp_override(window=window, area=area, region=region):
            getattr(bpy.ops.pixal3d, name)(context, **arguments)

    def _stop_waiting(self) -> Steps:
        for generation in self._generations():
            if addon.manager().is_running(generation.id):
                self.acts.append(f"stop {generation.name}")
                self._operator("stop_waiting", generation=generation.id)
        yield from self._wait_until(lambda: not any(map(self._is_running, self._generations())), 5.0)

    def _calm_down(self) -> Steps:
        deadline = time.monotonic() + 10
        while True:
            try:
                return control.calm_down()
            except OSError:
                if time.monotonic() > deadline:
                    raise
            yield LOOK_SECONDS

    def _click_what_is_offered(self) -> Any:
        """What the panel would show for each, once. Returns whether there was anything."""
        clicked = False
        for generation in self._generations():
            if self._is_running(generation):
                continue
            state, fetched = generation.state.value, generation.job_id or generation.state.value == "uncertain"
            if state == "ready":
                if not self.comes_by_itself:
                    yield NOT_PLACED_SECONDS
                    if self._now(generation.id).state.value != "ready":
                        continue  # the judge sees that there was no click
                act, operator = "import", "import_model"
            elif fetched and state not in ("imported",) and not generation.has_failed_job:
                if state == "uncertain" and f"fetch {generation.name}" in self.acts:
                    continue  # looked again, and it isn't there
                act, operator = "fetch", "fetch_again"
            else:
                continue
            self.acts.append(f"{act} {generation.name}")
            clicked = True
            try:
                self._operator(operator, generation=generation.id)
            except RuntimeError as error:
                self.acts.append(f"refused {generation.name}: {error}")
            yield LOOK_SECONDS
        return clicked

    def _save(self, path: str) -> Steps:
        bpy.ops.wm.save_as_mainfile(filepath=path)
        yield from self._wait_until(lambda: all(g.is_kept for g in self._generations()), 5.0)
        yield 0.2  # the record of it

    # What it sees

    def _generations(self) -> list[Any]:
        return [generation for generation in addon.generations() if generation.name in self.names]

    def _are_noted(self) -> bool:
        """A click whose Blender dies before its record is on disk is lost, and nothing is charged for it."""
        found = self._generations()
        return len(found) == len(self.names) and all(addon.manager().store.get(g.id) for g in found)

    def _now(self, generation_id: str) -> Any:
        return addon.manager().get(generation_id).generation

    def _is_running(self, generation: Any) -> bool:
        return bool(addon.manager().is_running(generation.id))

    def _wait(self, seconds: float) -> Steps:
        """Until all are at rest."""
        began = time.monotonic()
        ready_since: dict[str, float] = {}
        idle_since = began
        while time.monotonic() - began < seconds:
            if self._is_all_there() and all(
                self._is_at_rest(generation, ready_since, began) for generation in self._generations()
            ):
                return
            if any(map(self._is_running, self._generations())):
                idle_since = time.monotonic()
            elif self.order["is_refused"] and time.monotonic() - idle_since > REFUSED_SECONDS:
                return
            yield LOOK_SECONDS

    def _wait_until(self, predicate: Any, seconds: float) -> Steps:
        deadline = time.monotonic() + seconds
        while not predicate() and time.monotonic() < deadline:
            yield LOOK_SECONDS

    def _is_all_there(self) -> bool:
        """The next Blender learns of them a moment after its start, if they are there at all."""
        if len(self._generations()) >= len(self.names):
            return True
        return time.monotonic() - self.began > GONE_SECONDS and not (addon.manager() and addon.manager().is_busy)

    def _is_at_rest(self, generation: Any, ready_since: dict[str, float], began: float) -> bool:
        state, now = generation.state.value, time.monotonic()
        if self._is_running(generation):
            return False
        if state == "ready":
            since = ready_since.setdefault(generation.id, now)
            return not self.comes_by_itself or bool(generation.error) or now - since > PLACING_SECONDS
        if state == "uncertain":
            return now - began > self.order["uncertain_seconds"] or not addon.manager().is_retried(generation.id)
        return state in _ENDED or not addon.manager().is_retried(generation.id)


def meshes() -> dict[str, int]:
    """How many objects of each job are in a scene."""
    found: dict[str, int] = {}
    for obj in {obj for scene in bpy.data.scenes for obj in scene.objects}:
        if "pixal3d" in obj:
            job_id = obj["pixal3d"].get("job_id", "")
            has_mesh = any(part.type == "MESH" for part in (obj, *obj.children_recursive))
            found[job_id] = found.get(job_id, 0) + (1 if has_mesh else 0)
    return found


def tidy(driver: Driver) -> Steps:
    """Nothing of this case is left for the next: no object, no image, no record."""
    strikes.arm("", [])
    manager = addon.manager()
    if manager:
        for generation in addon.generations():
            manager.stop(generation.id)
        deadline = time.monotonic() + 8
        while any(manager.is_running(g.id) for g in addon.generations()) and time.monotonic() < deadline:
            yield LOOK_SECONDS
        left = [generation.id for generation in addon.generations()]
        for generation_id in left:
            bpy.ops.pixal3d.remove(generation=generation_id)
        while any(manager.store.get(generation_id) for generation_id in left) and time.monotonic() < deadline:
            yield LOOK_SECONDS
    bpy.data.batch_remove([*bpy.data.objects, *bpy.data.meshes, *bpy.data.materials, *bpy.data.images])


def _told(generation: Any) -> dict[str, Any]:
    manager = addon.manager()
    fields = ("id", "name", "error", "hint", "job_id", "asset_id", "service_status", "is_kept", "has_failed_job")
    return {
        **{name: getattr(generation, name) for name in fields},
        "state": generation.state.value,
        "is_running": manager.is_running(generation.id),
        "is_retried": manager.is_retried(generation.id),
        "placement": dataclasses.asdict(generation.placement),
    }
