# SPDX-License-Identifier: GPL-3.0-or-later
"""``quote``: the price of one model. Free."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ..blender import session
from ..generation import Store, StoreError
from ..generation.quotes import Quotes
from ..parameters import complete
from ..scenario import Connection
from . import arguments as command_line
from .console import Console
from .exit_codes import ExitCode
from .interrupts import interrupts, raise_interrupt
from .outputs import readable_image
from .service import connection


def run(arguments: argparse.Namespace, console: Console) -> ExitCode:
    given = command_line.settings(arguments)
    source = readable_image(arguments.image, command_line.framing(arguments)) if arguments.image else None
    way = connection()
    quotes = Quotes()
    with interrupts(raise_interrupt):
        cost = quotes.quote(way, complete(given), quotes.image(way, _known_images(way)), source)
    console.tell("quote", cost=cost, parameters=complete(given))
    console.say(f"{cost:g} CU for a model with {command_line.shown(given) or 'the default settings'}")
    return ExitCode.DONE


def _known_images(way: Connection) -> Iterator[str]:
    """Images of this account, the newest first: the service may want to see one before it names a price."""
    store = Store(session.folder())
    try:
        generations = store.all() if store.exists else []
    except StoreError:
        return  # nothing but the price was asked for
    for generation in generations:
        if generation.account == way.fingerprint() and generation.asset_id not in ("", generation.job_id):
            yield generation.asset_id
