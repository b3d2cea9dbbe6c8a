# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids in the paths of the API."""

from __future__ import annotations

import re
from typing import Final

from .errors import ProtocolError

# Seen: letters, digits, _ and -. A slash or dots alone would lead to another endpoint.
_ID: Final = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._~-]{1,200}")


def is_id(text: str) -> bool:
    """Whether it may be an id of the service's."""
    return _ID.fullmatch(text) is not None


def segment(some_id: str) -> str:
    """`some_id`, fit to stand in a path.

    :raises ProtocolError: it is not.
    """
    if not is_id(some_id):
        raise ProtocolError(
            "Scenario's answer has an id that the add-on does not understand.", "Try again in a moment."
        )
    return some_id
