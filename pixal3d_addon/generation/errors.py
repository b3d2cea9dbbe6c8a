# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with a generation, besides what the service and the network do.

::

    GenerationError
    +-- SourceImageError      the image can't be sent
    +-- NotFinishedError      the model is not there yet; it can be fetched later
    +-- StoreError            the record can't be written or read
    |   +-- TakenError        it belongs to another Blender
    +-- UnexpectedError       a fault in the add-on itself
"""

from __future__ import annotations

from ..errors import Pixal3DError


class GenerationError(Pixal3DError):
    """A sentence for the artist, and what to do next."""


class SourceImageError(GenerationError):
    """The image is empty, unreadable, too large or of a kind that can't be sent."""


class NotFinishedError(GenerationError):
    """The run ended before the model was there: stopped, or the service out of reach for too long."""


class UnexpectedError(GenerationError):
    """A fault in the add-on itself."""


class StoreError(GenerationError):
    """The folder with the generations can't be written or read."""


class TakenError(StoreError):
    """The record belongs to another Blender."""
