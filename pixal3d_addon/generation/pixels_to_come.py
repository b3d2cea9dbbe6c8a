# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels that are copied out of Blender a moment after the click, into memory that a worker has got ready.

The copy itself stops Blender for 40 ms at 4096 px. Into fresh memory it takes 75 to 420, since the system hands that
out page by page (256 MB; 5.2.2 on a virtual machine).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import NotFinishedError, SourceImageError

if TYPE_CHECKING:
    from .source import Pixels

_LOOK_SECONDS = 0.1
"""Between two looks of the worker, whether it was stopped."""


class PixelsToCome:
    """
    :param length: how many values.
    :param copy: fills them, on the main thread, and says what they are; raises :class:`SourceImageError`.
    """

    def __init__(self, length: int, copy: Callable[[Any], Pixels]) -> None:
        self._length = length
        self._copy = copy
        self._memory: Any = None
        self._found: Pixels | SourceImageError | None = None
        self._is_over = threading.Event()

    def step(self) -> bool:
        """Copy them if there is memory. Main thread, now and then.

        :returns: whether it need not be called again.
        """
        memory, self._memory = self._memory, None
        if memory is not None and not self._is_over.is_set():
            try:
                self._found = self._copy(memory)
            except SourceImageError as error:
                self._found = error
            self._is_over.set()
        return self._is_over.is_set()

    def get(self, stop: threading.Event) -> Pixels:
        """Once, in a worker.

        :raises SourceImageError: the image is not there any more.
        :raises NotFinishedError: `stop` was set.
        """
        from .look import written_memory

        self._memory = written_memory(self._length)
        while not self._is_over.wait(_LOOK_SECONDS):
            if stop.is_set():
                self._is_over.set()
                raise NotFinishedError("The image was not sent: it was stopped.", "Nothing was charged.")
        found, self._found = self._found, None
        if isinstance(found, SourceImageError):
            raise found
        assert found is not None, "it is over, and was not stopped"
        return found
