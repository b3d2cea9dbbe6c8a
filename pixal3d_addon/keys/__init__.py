# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the API key is kept besides the environment and Blender's preferences: the system's keyring, or a file.

A place holds one key, or none. Each call may wait for the disk or for a program, and a keyring may ask the user for a
password first: for a worker thread, or a script. Setting its event ends a program that is waited for.

No bpy here; of the other rooms only ``errors`` and ``files`` are imported.
"""

from .errors import KeyPlaceError
from .key_file import KeyFile
from .keyring import system_keyring
from .pair import KeyPair
from .place import KeyPlace, keep, read

__all__ = (
    "KeyPair",
    "KeyPlace",
    "KeyFile",
    "KeyPlaceError",
    "keep",
    "read",
    "system_keyring",
)
