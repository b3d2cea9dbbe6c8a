# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels that the main thread copies after the click, into a worker's memory: once, or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from pixal3d_addon.generation import NotFinishedError, Pixels, SourceImageError
from pixal3d_addon.generation.pixels_to_come import PixelsToCome

LENGTH = 2 * 2 * 4


class Worker:
    """Asks for the pixels in a thread of its own."""

    def __init__(self, later: PixelsToCome) -> None:
        self.stop = threading.Event()
        self.found: Pixels | None = None
        self.error: Exception | None = None
        self._later = later
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self.found = self._later.get(self.stop)
        except (NotFinishedError, SourceImageError) as error:
            self.error = error

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()


def stepped(later: PixelsToCome, until: Callable[[], bool]) -> None:
    """As Blender's timer does it."""
    deadline = time.monotonic() + 10
    while not later.step():
        assert time.monotonic() < deadline and not until()
        time.sleep(0.01)


def test_they_are_copied_once_on_the_main_thread_into_memory_of_the_worker() -> None:
    calls: list[tuple[str, int]] = []

    def copy(values: Any) -> Pixels:
        calls.append((threading.current_thread().name, len(values)))
        values[:] = 0.5
        return Pixels(2, 2, values)

    later = PixelsToCome(LENGTH, copy)
    assert not later.step() and not calls, "nothing before a worker asks"
    worker = Worker(later)
    stepped(later, lambda: False)
    worker.join()
    assert worker.found is not None and set(worker.found.values.tolist()) == {0.5}
    assert calls == [(threading.main_thread().name, LENGTH)]
    assert later.step() and len(calls) == 1


def test_an_image_that_is_gone_is_the_workers_error() -> None:
    def copy(values: Any) -> Pixels:
        raise SourceImageError("The image was removed.", "Select another one.")

    later = PixelsToCome(LENGTH, copy)
    worker = Worker(later)
    stepped(later, lambda: False)
    worker.join()
    assert isinstance(worker.error, SourceImageError) and "removed" in str(worker.error)


@pytest.mark.parametrize("is_early", [True, False])
def test_a_worker_that_is_stopped_waits_no_longer_and_nothing_is_copied_any_more(is_early: bool) -> None:
    later = PixelsToCome(LENGTH, lambda values: pytest.fail("it was copied"))
    worker = Worker(later)
    if not is_early:
        time.sleep(0.2)
    worker.stop.set()
    worker.join()
    assert isinstance(worker.error, NotFinishedError)
    assert later.step(), "and the timer ends"
