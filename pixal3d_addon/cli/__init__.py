# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender --command pixal3d``: the same pipeline from a terminal, a script or a farm.

Nothing of it is imported before it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

_handles: list[Any] = []
"""Blender forgets a command as soon as nobody holds on to its handle."""


def register() -> None:
    _handles.append(bpy.utils.register_cli_command("pixal3d", _run))


def unregister() -> None:
    while _handles:
        bpy.utils.unregister_cli_command(_handles.pop())


def _run(argv: Sequence[str]) -> int:
    """Called by Blender on the main thread, with what follows ``pixal3d``; the result is Blender's exit code."""
    from .main import main

    return main(argv)
