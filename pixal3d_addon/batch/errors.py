# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with a batch, besides what one of its generations does.

::

    BatchError               the batch can't begin or go on
    +-- ListError            the list of images, or rows of it, can't be used
    +-- OutputError          the folder of the results can't be used
    +-- PriceUnknownError    there is a limit, and no price to hold against it
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Pixal3DError


class BatchError(Pixal3DError):
    """The batch can't begin or go on."""


class ListError(BatchError):
    """The list of images, or rows of it, can't be used.

    :ivar problems: one sentence for each wrong row, as far as they are told one by one.
    """

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class OutputError(BatchError):
    """The folder of the results can't be used: no right to write, no space, no locks."""


class PriceUnknownError(BatchError):
    """There is a limit on the cost, and the service names no price to hold against it."""
