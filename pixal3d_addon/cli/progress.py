# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the generations are, as they are followed on a terminal, in a log, or by a program."""

from __future__ import annotations

from collections.abc import Sequence

from ..generation import Progress, State
from .console import Console

_WITHOUT_FRACTION = frozenset({State.READY, State.IMPORTED, State.FAILED, State.ABANDONED})


class Reporter:
    """For those that were asked for together.

    :param images: the path of each one's image, for programs.
    """

    def __init__(self, console: Console, images: Sequence[str]) -> None:
        self._console = console
        self._images = images
        self._told: dict[int, Progress] = {}
        self._states: dict[int, str] = {}

    def note(self, progress: Progress) -> None:
        """As often as one likes: what was told already is not told again."""
        before = self._told.get(progress.index)
        if before == progress:
            return
        self._told[progress.index] = progress
        state = _state_text(progress)
        if state != self._states.get(progress.index):
            self._states[progress.index] = state
            if not self._console.is_terminal:
                self._console.say(f"{progress.name}: {state}")
        elif before is not None and percent(before.fraction) == percent(progress.fraction):
            return
        self._console.show(self._line(progress, state))
        self._console.tell(
            "state",
            index=progress.index,
            name=progress.name,
            image=self._images[progress.index],
            job=progress.job_id,
            state=progress.status.value,
            status=progress.service_status,
            progress=progress.fraction,
            queued=progress.is_queued,
            notice=progress.notice,
            cost=progress.cost,
        )

    def _line(self, progress: Progress, state: str) -> str:
        count = len(self._images)
        done = sum(p.status is State.READY for p in self._told.values())
        of_all = f"{done} of {count} done · " if count > 1 else ""
        is_told = progress.fraction is not None and progress.status not in _WITHOUT_FRACTION
        return f"{of_all}{progress.name}: {state}{f' {percent(progress.fraction)} %' if is_told else ''}"


def percent(fraction: float | None) -> int | None:
    """Whole ones, rounded down: 100 is only said of what has ended."""
    return None if fraction is None else int(fraction * 100)


def _state_text(progress: Progress) -> str:
    if progress.is_queued:
        return "waits for its turn"
    at_service = progress.service_status if progress.status is State.RUNNING else ""
    text = f"{progress.status.value} ({at_service})" if at_service else progress.status.value
    return f"{text}. {progress.notice}" if progress.notice else text
