# SPDX-License-Identifier: GPL-3.0-or-later
"""The price of the settings before the artist, and what this session of Blender has spent.

Drawing a panel reads the price from memory, and is what wishes for one: when the settings that were drawn have been
left alone for a second, a worker asks (:class:`..generation.quotes.Quotes`). A persistent app timer sees to that, from
the wish to the answer. All functions are for the main thread.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from ..generation import Generation, Snapshot
from ..generation.spending import Spending
from ..parameters import ParameterError, complete
from . import limits, session
from .redraw import redraw_panels

if TYPE_CHECKING:
    from ..generation import SourceImage
    from ..generation.quotes import Price, Quotes
    from ..scenario import Connection


@dataclass(frozen=True, slots=True)
class _Wish:
    """Settings that were drawn and whose price is not known."""

    settings: Mapping[str, object]
    since: float
    """Of the monotonic clock, seconds."""


@dataclass(frozen=True, slots=True)
class Excess:
    """By how much the artist's spending limit would be passed. Creative units."""

    spent: float
    limit: float
    price: Price | None
    """Of one model, ``None`` if it is not known."""


_spending = Spending(since=time.time())
"""Since Blender has loaded the add-on: disabling and enabling it begins nothing anew."""
_wish: _Wish | None = None
_drawn_version = 0
_counted: tuple[tuple[Snapshot, ...], int] = ((), 0)
"""What :data:`_spending` has looked at last."""


@functools.cache
def _quotes() -> Quotes:
    from ..generation.quotes import Quotes

    return Quotes()


# For draw: memory only.


def price(parameters: Mapping[str, object]) -> Price | None:
    """The price of one model with these settings, ``None`` if it is not known. Wishes for it.

    :param parameters: as a scene or a record holds them: what a newer version has written there may not be valid here,
        and has no price.
    """
    connection = session.connection_or_none()
    if connection is None:
        return None
    spent()  # now: what is removed from the list later is not seen any more
    try:
        if session.preferences().show_price and _is_askable(connection, parameters):
            _wish_for(parameters)
        return _quotes().price(connection, parameters)
    except ParameterError:
        return None


def is_due() -> bool:
    """Whether a price is being asked for, or will be as soon as the settings rest."""
    return _wish is not None or _quotes().is_asking


def trouble() -> str:
    """Why the artist's last wish for a price was not answered."""
    return _quotes().trouble


# What can be asked.


def ask(connection: Connection, parameters: Mapping[str, object], source: SourceImage | None) -> None:
    """By the artist's wish, in the background. What goes wrong is in :func:`trouble`.

    :param source: is uploaded if the service wants to see an image.
    """
    global _wish
    _wish = None
    _quotes().ask_by_wish(connection, parameters, _quotes().image(connection, _known_images(connection)), source)
    _start_looking()


def quote(connection: Connection, parameters: Mapping[str, object], source: SourceImage | None) -> float:
    """Now, blocking, for scripts: creative units.

    :raises ScenarioError, GenerationError: there is no price to be had.
    """
    return _quotes().quote(connection, parameters, _quotes().image(connection, _known_images(connection)), source)


def spent() -> float:
    """Creative units of the models that were asked for in this session, those that wait for their turn included."""
    global _counted
    manager = session.manager_or_none()
    if manager is None:
        return _spending.total
    snapshots = manager.snapshots()
    if snapshots is not _counted[0] or _quotes().version != _counted[1]:  # else the same tuple is given again
        _counted = snapshots, _quotes().version
        connection = session.connection_or_none()

        def expected(generation: Generation) -> float | None:
            try:
                return _quotes().cost(connection, generation.parameters) if connection else None
            except ParameterError:
                return None

        _spending.note(snapshots, expected)
    return _spending.total


def excess(parameters: Mapping[str, object], count: int = 1) -> Excess | None:
    """What a question before `count` models has to say; ``None`` if there is no limit, or it is kept.

    Where the price is not known, it is asked for if the limit is reached already.
    """
    limit: float = session.preferences().spending_limit
    if limit <= 0:
        return None
    known, before = price(parameters), spent()
    is_kept = before < limit if known is None else before + known.cost * count <= limit
    return None if is_kept else Excess(before, limit, known)


def close() -> None:
    """For ``unregister``. A thread that still hangs in the network is a daemon, and nobody waits for what it finds."""
    global _wish
    _wish = None
    if _quotes.cache_info().currsize:  # else there is none to be stopped
        _quotes().stop()
        _quotes.cache_clear()
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)


# The wish and the timer.


def _is_askable(connection: Connection, parameters: Mapping[str, object]) -> bool:
    return _quotes().is_wanted(connection, parameters) and bool(_quotes().image(connection, _known_images(connection)))


def _known_images(connection: Connection) -> Iterator[str]:
    """Images of this account, the newest first."""
    manager = session.manager_or_none()
    account = connection.fingerprint()
    for snapshot in reversed(manager.history()) if manager else ():
        generation = snapshot.generation
        # An adopted job whose image is not known has its own ID in the image's place.
        if generation.account == account and generation.asset_id not in ("", generation.job_id):
            yield generation.asset_id


def _wish_for(parameters: Mapping[str, object]) -> None:
    global _wish
    settings = complete({**parameters, "seed": None})
    if _wish is None or _wish.settings != settings:
        _wish = _Wish(settings, time.monotonic())
        _start_looking()


def _start_looking() -> None:
    if not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=limits.PRICE_LOOK_SECONDS, persistent=True)


def _look() -> float | None:
    """The timer: one look, until nothing is wished for."""
    global _wish, _drawn_version
    connection = session.connection_or_none()
    if connection is None:
        _wish = None
        _quotes().stop()
    elif _wish and not _quotes().is_asking and time.monotonic() - _wish.since >= limits.PRICE_REST_SECONDS:
        wish, _wish = _wish, None
        if session.preferences().show_price and _is_askable(connection, wish.settings):
            _quotes().ask(connection, wish.settings, _quotes().image(connection, _known_images(connection)))
    if _drawn_version != _quotes().version:
        _drawn_version = _quotes().version
        redraw_panels()
    return limits.PRICE_LOOK_SECONDS if is_due() else None
