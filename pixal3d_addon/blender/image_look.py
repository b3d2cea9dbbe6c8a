# SPDX-License-Identifier: GPL-3.0-or-later
"""What will be sent of an image, as a thumbnail, its size and what may spoil the model: known before any click.

``look()`` is for ``draw``. It says what is known and notes what is wanted. A passing timer has Blender load the image
and copies its pixels, so that the main thread never waits (see ``calm_pixels``), and a worker judges them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import bpy
import bpy.utils.previews

from ..generation import Framing, Pixels
from . import calm_pixels, limits, watcher
from .image_source import Part, may_copy
from .redraw import redraw_panels
from .render_result import RENDERED

if TYPE_CHECKING:
    from ..generation.image_check import Finding
    from ..generation.look import Seen

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of an image."""

    width: int = 0
    """In pixels, 0 while it is not known."""
    height: int = 0
    sent_width: int = 0
    sent_height: int = 0
    findings: tuple[Finding, ...] = ()
    icon_id: int = 0
    """What will be sent. While that is not known Blender's own preview of the image, to be drawn both as a preview and
    as an icon: the image is loaded by that."""
    problem: str = ""
    """Why nothing can be sent."""


@dataclass(slots=True)
class _Entry:
    """One image."""

    uid: int
    slot: int
    """Which of the icons are its own."""
    key: tuple[Any, ...] = ()
    """What the image was like when a look was last wanted."""
    seen_key: tuple[Any, ...] = ()
    again_at: float = 0.0
    is_wanted: bool = False
    is_loading: bool = False
    """Blender's preview of it is to be drawn."""
    drawn_at: float = 0.0
    """When that was first done."""
    seen: Seen | None = None
    icons: dict[Framing, int] = field(default_factory=dict)
    problem: str = ""

    def look(self, framing: Framing) -> Look | None:
        if self.seen is None:
            return None if self.again_at == _NEVER else Look(problem=self.problem)
        from ..generation.framing import findings_when_sent, sent_size

        check, crop = self.seen.check, framing.crop_to_subject
        sent = sent_size(check, crop_to_subject=crop, pad_to_square=framing.pad_to_square)
        if framing == Framing() and self.seen.goes_as_it_is:
            sent = check.width, check.height
        findings = findings_when_sent(check, crop_to_subject=crop)
        return Look(check.width, check.height, *sent, findings, self.icons[framing])


class _Work(Generic[_T]):
    """A function in a thread of its own."""

    def __init__(self, function: Callable[[], _T]) -> None:
        self._function = function
        self._found: list[_T] = []
        self._thread = threading.Thread(target=self._run, name="pixal3d-image-look", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found.append(self._function())
        except Exception:
            _log.exception("A fault in the add-on while looking at an image")

    def until_done(self) -> Iterator[None]:
        while self._thread.is_alive():
            yield

    def found(self) -> _T | None:
        return self._found[0] if self._found else None


_entries: dict[int, _Entry] = {}
"""By the image's ``session_uid``; the one that was drawn last is the last."""

_previews: Any = None
_running: Iterator[None] | None = None
"""The look that is under way: one at a time."""


def look(image: bpy.types.Image, framing: Framing, part: Part = Part()) -> Look | None:  # noqa: B008 (it is frozen)
    """What is known of `image`; has it looked at if need be. Memory only, for ``draw``.

    ``None`` in background mode, and for what only a click makes pixels of: renders, frames, a tile but the first.
    """
    if bpy.app.background or not _can_be_looked_at(image, part):
        return None
    entry = _entry_of(image.session_uid)
    if not entry.is_wanted and not calm_pixels.may_be_locked():
        key = calm_pixels.key(image)
        if key != entry.key or time.monotonic() >= entry.again_at:
            entry.key, entry.is_wanted = key, True
            if not bpy.app.timers.is_registered(_tick):
                bpy.app.timers.register(_tick, first_interval=limits.LOOK_INTERVAL_SECONDS, persistent=True)
    if entry.is_loading and image.preview:
        entry.drawn_at = entry.drawn_at or time.monotonic()
        return Look(icon_id=image.preview.icon_id)
    return entry.look(framing)


def picture(image: bpy.types.Image, framing: Framing) -> Pixels | None:
    """A small picture of what will be sent, without transparent bands; ``None`` if it was not looked at."""
    import numpy as np

    from ..generation.look import Original, without_bands

    entry = _entries.get(image.session_uid)
    look = entry.look(framing) if entry and entry.seen else None
    if entry is None or look is None:
        return None
    preview = _previews[_icon_name(entry.slot, list(entry.icons).index(framing))]
    width, height = preview.image_size
    values = np.empty(width * height * 4, np.float32)
    preview.image_pixels_float.foreach_get(values)
    return without_bands(values, (width, height), Original(look.sent_width, look.sent_height))


def close() -> None:
    """For ``unregister``. A worker ends within a second, and nobody asks for what it finds."""
    global _previews, _running
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _running = None
    _entries.clear()
    if _previews is not None:
        bpy.utils.previews.remove(_previews)
        _previews = None


def _can_be_looked_at(image: bpy.types.Image, part: Part) -> bool:
    if image.type in RENDERED or image.source == "MOVIE":
        return False
    if image.source == "SEQUENCE":
        return bool(image.packed_file)
    return image.source != "TILED" or part.udim_tile in {0, image.tiles[0].number}


def _entry_of(uid: int) -> _Entry:
    entry = _entries.pop(uid, None)
    if entry is None:
        while len(_entries) >= limits.LOOKS:
            del _entries[next(iter(_entries))]
        entry = _Entry(uid, min(set(range(limits.LOOKS)) - {each.slot for each in _entries.values()}))
    _entries[uid] = entry
    return entry


def _tick() -> float | None:
    global _running
    if _running is None:
        wanted = next((entry for entry in reversed(_entries.values()) if entry.is_wanted), None)
        if wanted is None:
            return None
        if wanted.seen and watcher.is_model_near():
            return limits.LOOK_INTERVAL_SECONDS  # the second Blender needs the cores (750 ms instead of 640 on two)
        _running = _look_at(wanted)
    try:
        next(_running)
    except StopIteration:
        _running = None
        redraw_panels()
    return limits.LOOK_INTERVAL_SECONDS


def _look_at(entry: _Entry) -> Iterator[None]:
    """On the main thread, a step each time. What is found is noted in `entry`."""
    try:
        yield from _until_unlocked()
        if _is_worth_it(entry) and (yield from _load(entry)):
            yield from _judge(entry)
    except Exception:
        _log.exception("A fault in the add-on while looking at an image")
        entry.again_at = _NEVER
    finally:
        entry.is_wanted = entry.is_loading = False


def _until_unlocked() -> Iterator[None]:
    while calm_pixels.may_be_locked():
        yield


def _is_worth_it(entry: _Entry) -> bool:
    image = _image(entry)
    if image is None:
        return False
    if not image.has_data:
        if entry.seen and entry.key == entry.seen_key:  # Blender has freed it since; there is nothing new to be seen
            entry.again_at = time.monotonic() + limits.LOOK_AGAIN_SECONDS
            return False
        entry.seen, entry.problem = None, ""
    return True


def _load(entry: _Entry) -> Generator[None, None, bool]:
    """Has Blender load the image. Returns whether there are pixels to be had."""
    image = _image(entry)
    if image is not None and (not image.has_data or calm_pixels.is_large(image)):
        calm_pixels.ask_for_preview(image)
        entry.is_loading, entry.drawn_at = True, 0.0
        redraw_panels()
        yield from _until_shown(entry)
        entry.is_loading = False
        if not entry.drawn_at:
            return False  # out of sight; it will be wanted anew when it is drawn again
        image = _image(entry)
    if image is None:
        return False
    if image.has_data and image.type != "MULTILAYER":
        return True
    entry.seen, entry.problem = None, calm_pixels.problem_of(image)
    entry.again_at = time.monotonic() + limits.LOOK_REST_SECONDS
    return False


def _until_shown(entry: _Entry) -> Iterator[None]:
    asked_at = time.monotonic()
    while not entry.drawn_at and time.monotonic() < asked_at + limits.PREVIEW_WAIT_SECONDS:
        yield
    while calm_pixels.may_be_locked() or time.monotonic() < entry.drawn_at + limits.PREVIEW_WAIT_SECONDS:
        if not calm_pixels.may_be_locked():
            image = _image(entry)
            if image is None or calm_pixels.is_loaded(image):
                return
        yield


def _judge(entry: _Entry) -> Iterator[None]:
    from ..generation.look import see, without_bands, written_memory

    image = _image(entry)
    if image is None:
        return
    original, pause = calm_pixels.original(image), limits.LOOK_AGAIN_SECONDS
    if calm_pixels.is_large(image):
        pause = _NEVER  # to look again would be seen
        if image.preview.is_image_custom:
            entry.again_at = pause  # its few pixels are not the image's
            return
        shown = image.preview.image_size[0], image.preview.image_size[1]
        pixels: Pixels | None = without_bands(calm_pixels.of_preview(image), shown, original)
    else:
        memory = _Work(partial(written_memory, original.width * original.height * image.channels))
        yield from memory.until_done()
        while calm_pixels.may_be_locked() or not may_copy():
            yield
        begin = time.monotonic()
        pixels = calm_pixels.copied(_image(entry), memory.found())
        if (image := _image(entry)) and image.is_dirty:
            pause = max(limits.LOOK_REST_SECONDS, limits.LOOK_REST_FACTOR * (time.monotonic() - begin))
    if pixels is None:
        return  # it has changed meanwhile; it will be wanted anew
    work = _Work(partial(see, pixels, original))
    yield from work.until_done()
    found = work.found()
    if found is None:
        pause = _NEVER
    elif _image(entry) is not None:
        entry.seen, thumbnails = found
        entry.icons = _icons(entry.slot, thumbnails)
        entry.problem, entry.seen_key = "", entry.key
    entry.again_at = time.monotonic() + pause


def _image(entry: _Entry) -> bpy.types.Image | None:
    """``None`` if it was removed, or is not of interest any more."""
    if _entries.get(entry.uid) is not entry:
        return None
    return next((image for image in bpy.data.images if image.session_uid == entry.uid), None)


def _icons(slot: int, thumbnails: dict[Framing, Pixels]) -> dict[Framing, int]:
    global _previews
    if _previews is None:
        _previews = bpy.utils.previews.new()
    icons = {}
    for number, (framing, picture) in enumerate(thumbnails.items()):
        name = _icon_name(slot, number)
        preview = _previews.get(name) or _previews.new(name)
        preview.image_size = picture.width, picture.height
        preview.image_pixels_float.foreach_set(picture.values)
        icons[framing] = preview.icon_id
    return icons


def _icon_name(slot: int, number: int) -> str:
    return f"{slot}.{number}"
