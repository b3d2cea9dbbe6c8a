# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C, and SIGTERM as a farm or a shutdown sends it.

Blender's own handler of SIGINT sets a flag that nothing looks at in the background, and ends Blender at the second one
with exit code 1 (4.3.2 and 5.2.2). Python's handlers run on the main thread as soon as it runs Python code.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def interrupts(act: Callable[[], None]) -> Iterator[None]:
    """While the block lasts, the first signal calls `act` on the main thread; a second one ends the process at once,
    as the operating system does it, whatever the process is at.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        act()

    before = {each: signal.signal(each, on_signal) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            # ``None`` is a handler that is not of Python, such as Blender's; it can't be set again.
            signal.signal(each, signal.SIG_DFL if handler is None else handler)


def raise_interrupt() -> None:
    """For :func:`interrupts`, where nothing is under way that must come to a good end."""
    raise KeyboardInterrupt
