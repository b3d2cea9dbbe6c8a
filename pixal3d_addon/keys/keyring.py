# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyring of the system that this runs on."""

from __future__ import annotations

import sys
import threading

from .place import KeyPlace


def system_keyring(stop: threading.Event) -> KeyPlace | None:
    """``None`` if there is none that could be used. Looks along PATH.

    :param stop: ends a program that is waited for.
    """
    if sys.platform == "win32":
        from .credential_manager import CredentialManager  # not at Blender's start

        return CredentialManager()
    from .keychain import Keychain
    from .secret_tool import SecretTool

    kind = Keychain if sys.platform == "darwin" else SecretTool
    return kind(stop) if kind.is_there() else None
