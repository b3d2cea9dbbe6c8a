# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet of a batch: a thumbnail of every model, drawn by a second Blender while the jobs are waited for.

In a folder with a manifest it makes ``thumbnails/NAME.png``, ``contact_sheet.html`` (with further pages, if there are
many) and ``contact_sheet.png``. A thumbnail that is newer than its model is kept, so that a later run completes it.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import contact_sheet_page, limits, second_blender
from .second_blender import SecondBlender

if TYPE_CHECKING:
    from ..batch import Entry

_log = logging.getLogger(__name__)


class ContactSheet:
    """One thread at a time, Blender's main thread for the first call; :meth:`stop` may come from any.

    :param folder: the batch's, with the manifest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._painter = _Painter()
        self._queue: queue.Queue[tuple[Path, Path] | None] = queue.Queue(limits.CONTACT_SHEET_QUEUE)
        self._thread: threading.Thread | None = None

    def add(self, name: str, glb: Path) -> None:
        """Have a model's thumbnail drawn, soon; returns at once. Any format that a batch delivers will do.

        What comes faster than it can be drawn is left to :meth:`close`, so that nothing grows with the batch.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._draw_queued, name="pixal3d-contact-sheet", daemon=True)
            self._thread.start()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait((glb, thumbnail_of(self._folder, name)))

    def close(self, *, pages: bool = True) -> Path | None:
        """Draw what is still missing and write the sheet: blocks, for about a second a missing thumbnail.

        :param pages: otherwise only what is queued is drawn: for one of several that work on a list.
        :returns: the first page; ``None`` if there is nothing to show.
        :raises OSError: the pages can't be written.
        """
        try:
            if self._thread is not None:
                self._queue.put(None)
                self._thread.join()
            return self._write() if pages else None
        except BaseException:  # Ctrl-C too
            self._painter.stop()
            raise
        finally:
            self._painter.end()

    def _write(self) -> Path | None:
        from ..batch import read_manifest

        sheet = contact_sheet_page.Pages(self._folder, limits.CONTACT_SHEET_PAGE)
        for entry in read_manifest(self._folder):
            sheet.count(entry)
            if entry.file:
                self._painter.draw(self._folder / entry.file, thumbnail_of(self._folder, entry.name))
        if not sheet.total:
            return None
        shown = self._picture(read_manifest(self._folder))
        return sheet.write(read_manifest(self._folder), shown)

    def stop(self) -> None:
        """Draw nothing more: :meth:`close` then only writes what there is. Any thread."""
        self._painter.stop()

    def _draw_queued(self) -> None:
        while (order := self._queue.get()) is not None:
            self._painter.draw(*order)

    def _picture(self, entries: Iterator[Entry]) -> int:
        """``contact_sheet.png`` of the first entries: of how many, 0 if there is none."""
        target = self._folder / contact_sheet_page.PICTURE
        cells = []
        for entry in itertools.islice(entries, limits.CONTACT_SHEET_CELLS):
            thumbnail = thumbnail_of(self._folder, entry.name)
            state = "" if entry.file else f" · {entry.state}"
            cells.append({"picture": str(thumbnail) if thumbnail.exists() else "", "caption": f"{entry.name}{state}"})
        return len(cells) if self._painter.ask({"cells": cells, "picture": str(target)}) else 0


def thumbnail_of(folder: Path, name: str) -> Path:
    """Where an item's thumbnail is, or will be."""
    return folder / contact_sheet_page.THUMBNAILS / f"{name}.png"


class _Painter:
    """Has pictures drawn, one at a time. :meth:`stop` from any thread."""

    def __init__(self) -> None:
        self._blender = SecondBlender(second_blender.command("contact_sheet_in_blender.py"))
        self._done = 0
        self._lost = 0
        """Second Blenders that died over their order, one after the other."""
        self._failed: set[Path] = set()
        """Pictures that are not tried again, so that what hangs is waited for once only."""

    def draw(self, model: Path, picture: Path) -> None:
        """Unless there is a picture that is newer than the model. A failure is logged, and no more."""
        try:
            if picture.exists() and picture.stat().st_mtime >= model.stat().st_mtime:
                return
            picture.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _log.warning("No thumbnail of %s: %s", model, error)
            return
        if picture not in self._failed and not self.ask({"model": str(model), "picture": str(picture)}):
            self._failed.add(picture)

    def ask(self, order: dict[str, Any]) -> bool:
        """Whether the order was carried out."""
        if self._blender.is_stopped or self._lost >= limits.CONTACT_SHEET_LOST_BLENDERS:
            return False
        what = order.get("model", "the contact sheet")
        try:
            answer = self._blender.ask(order, limits.CONTACT_SHEET_ORDER_SECONDS)
        except OSError as error:
            answer = None
            _log.warning("The Blender that draws thumbnails: %s", error)
        if answer is None:
            if not self._blender.is_stopped:
                self._lost += 1
                _log.warning("The Blender that draws thumbnails crashed, or took too long, over %s", what)
            return False
        self._lost = 0
        self._done += 1
        if self._done % limits.CONTACT_SHEET_ORDERS_PER_BLENDER == 0:
            self._blender.end()  # started anew, so that its memory stays bounded
        if answer["error"]:
            _log.warning("No picture of %s: %s", what, answer["error"])
        return not answer["error"]

    def end(self) -> None:
        """End the second Blender, if there is one."""
        self._blender.end()

    def stop(self) -> None:
        """No further orders, and the one under way ends too."""
        self._blender.stop()
