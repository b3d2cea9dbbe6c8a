# SPDX-License-Identifier: GPL-3.0-or-later
"""What all actions share: the dice, the table they are entered in, and the notes that the judge reads."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import bpy

from tests.gui.driver import Driver, Steps

T = TypeVar("T")
Act = Callable[["Hands"], "Steps | None"]

ACTIONS: dict[str, tuple[int, Act]] = {}
"""By name: how often, compared with the others, and what."""


class NotNow(Exception):
    """There is nothing here to do that with."""


def action(weight: int) -> Callable[[Act], Act]:
    """Enters a function in :data:`ACTIONS`, under its name."""

    def enter(act: Act) -> Act:
        ACTIONS[act.__name__] = (weight, act)
        return act

    return enter


class Hands:
    """One life of the monkey. Each action gets dice of its own, so that it does the same when it is played again."""

    def __init__(self, driver: Driver, folder: Path, life: str) -> None:
        self.driver, self.folder, self.life = driver, folder, life
        self.dice = random.Random()
        self.orders = 0
        """Images that were ordered, for names that no two have in common."""
        self.troubles: Counter[str] = Counter()
        """What the service was made to do wrong."""

    def roll(self, dice: int) -> None:
        self.dice = random.Random(dice)

    def one(self, of: Sequence[T]) -> T:
        """Any of these; NotNow if there is none."""
        if not of:
            raise NotNow
        return of[int(self.dice.random() * len(of))]

    def some(self, of: Sequence[T], most: int) -> list[T]:
        """A few of these, and at least one."""
        return [self.one(of) for _ in range(1 + int(self.dice.random() * most))]

    def chance(self, part: float) -> bool:
        return self.dice.random() < part

    def window(self) -> Any:
        return self.one(bpy.context.window_manager.windows[:])

    def object(self) -> Any:
        return self.one(self.objects())

    def objects(self) -> list[Any]:
        """Those of the scene that the window shows, in an order that does not depend on memory."""
        return sorted(self.driver.window.view_layer.objects[:], key=lambda obj: str(obj.name_full))

    @contextmanager
    def change(self, what: str) -> Iterator[None]:
        """For what is done to the file's data by Python: an undo step follows, as after all that an artist does.

        Without it Blender crashes by itself: it takes what is the same in two steps for unchanged, and keeps it as it
        is now. A scene whose pointer to an image was set since, without a step, points to freed memory after an undo
        (5.2.2: a panel of ten lines with such a property, and no add-on, crashed after 29 random image changes, undos
        and redos; with the steps it ran through all 400).
        """
        try:
            yield
        finally:
            with bpy.context.temp_override(window=self.driver.window):
                bpy.ops.ed.undo_push(message=what)

    @contextmanager
    def view(self, kind: str = "VIEW_3D") -> Iterator[Any]:
        """As if the mouse were in the editor of that kind, in the first window."""
        window = self.driver.window
        areas = [area for area in window.screen.areas if area.type == kind]
        if not areas and kind == "VIEW_3D":  # who works in Blender soon has one again
            areas = [max(window.screen.areas, key=lambda area: int(area.width * area.height))]
            areas[0].type = kind
        if not areas:
            raise NotNow
        area = max(areas, key=lambda area: int(area.width * area.height))
        region = next((region for region in area.regions if region.type == "WINDOW"), None)
        with bpy.context.temp_override(window=window, screen=window.screen, area=area, region=region):
            yield area


def op(name: str, /, *arguments: Any, **values: Any) -> set[str]:
    """An operator by its name (``mesh.primitive_cube_add``), with an undo step as for an artist."""
    room, _, verb = name.partition(".")
    found = getattr(getattr(bpy.ops, room), verb)
    how = [argument for argument in arguments if isinstance(argument, str)] or ["EXEC_DEFAULT"]
    if not found.poll(*how):
        raise NotNow
    answer: set[str] = found(*how, True, **values)
    return answer
