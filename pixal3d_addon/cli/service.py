# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the service, or what to type to get one."""

from __future__ import annotations

from ..blender import online, session
from ..blender.errors import OnlineAccessError
from ..scenario import Connection, MissingKeyError


def connection() -> Connection:
    """
    :raises OnlineAccessError, ConfigurationError: online access is off, or there is no key.
    """
    try:
        online.ensure_online()
    except OnlineAccessError as error:
        raise OnlineAccessError(
            error.message, f"{error.remedy} For this run only: blender --online-mode --command pixal3d ..."
        ) from None
    try:
        return session.connection()
    except MissingKeyError as error:
        if session.key_problem():
            raise error from None
        found, missing = session.half_a_key()
        half = f" {found} is set, but {missing} is not." if found else ""
        raise MissingKeyError(
            f"No Scenario API key is set.{half}",
            "Set the environment variables SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or enter the key in "
            "Preferences > Add-ons > Pixal3D.",
        ) from None
