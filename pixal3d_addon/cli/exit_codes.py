# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run ends with, and which error leads to which."""

from __future__ import annotations

import enum
from collections.abc import Collection

from ..batch import BatchError, OutputError, PriceUnknownError
from ..blender.errors import OnlineAccessError
from ..errors import Pixal3DError
from ..parameters import ParameterError
from ..scenario import (
    ConfigurationError,
    KeyRejectedError,
    PlanRequiredError,
    ProtocolError,
    RateLimitedError,
    ServerError,
    TransportError,
)


class ExitCode(enum.IntEnum):
    """As docs/command-line.md lists them."""

    DONE = 0
    SOME_FAILED = 1
    WRONG_USE = 2
    NOT_ALLOWED = 3
    """No online access, no key, or one that is refused."""
    UNREACHABLE = 4
    INTERRUPTED = 130


class UsageError(Pixal3DError):
    """The command can't be carried out as it was typed. Nothing was sent."""


def of_error(error: BaseException) -> ExitCode:
    """For a run that `error` has ended."""
    match error:
        case OutputError() | PriceUnknownError():
            return ExitCode.SOME_FAILED
        case UsageError() | ParameterError() | BatchError():
            return ExitCode.WRONG_USE
        case OnlineAccessError() | ConfigurationError() | KeyRejectedError() | PlanRequiredError():
            return ExitCode.NOT_ALLOWED
        case TransportError() | ServerError() | ProtocolError() | RateLimitedError():
            return ExitCode.UNREACHABLE
    return ExitCode.SOME_FAILED


def of_errors(errors: Collection[BaseException], *, done: int) -> ExitCode:
    """For several models: if none was done, and all for the same reason, it is that."""
    if not errors:
        return ExitCode.DONE
    codes = {of_error(error) for error in errors}
    return codes.pop() if not done and len(codes) == 1 else ExitCode.SOME_FAILED
