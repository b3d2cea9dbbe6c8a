# SPDX-License-Identifier: GPL-3.0-or-later
"""What the missing models will cost: a dry run for each sort of settings among them. Free."""

from __future__ import annotations

import threading

from ..generation import GenerationError, SourceImageError, source_image_from_file
from ..generation.quotes import Quotes
from ..scenario import Connection, InvalidRequestError, NotFoundError, ProtocolError, ScenarioError
from .board import Board, Standing

_NO_PRICE = (ProtocolError, InvalidRequestError, NotFoundError, SourceImageError)
"""The service is there, and names no price."""


def ask_prices(
    board: Board, standings: frozenset[Standing], connection: Connection, cancel: threading.Event
) -> ScenarioError | GenerationError | None:
    """Ask what the items that stand so will cost, and put it on the board. If the service wants to see an image, the
    first one's is uploaded, which is free.

    :returns: why there is no price for some of them; ``None`` if there is one for all.
    :raises ScenarioError: nothing can be asked: no connection, no right.
    """
    quotes = Quotes()
    trouble: ScenarioError | GenerationError | None = None
    for priced, _, image, parameters in board.priced(standings):
        if board.price(priced) is not None:
            continue
        known = quotes.image(connection, ())
        try:
            cost = quotes.quote(connection, parameters, known, source_image_from_file(image), cancel)
        except _NO_PRICE as error:
            trouble = error
            break  # it would be so for the others too
        board.set_price(priced, cost)
    return trouble
