# SPDX-License-Identifier: GPL-3.0-or-later
"""Rooms that load what is asked of them, and not all that they have: Blender's start should not pay for it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def loader(room: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], object]:
    """A package's ``__getattr__`` (PEP 562), which loads the module that has the name.

    :param room: the package's ``__name__``.
    :param modules: the package's modules, and what it offers of each.
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{room}.{module_of[name]}"), name)
        setattr(sys.modules[room], name, found)
        return found

    return load
