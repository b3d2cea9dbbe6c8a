# SPDX-License-Identifier: GPL-3.0-or-later
"""Rooms that load what is asked of them, and not all that they have: Blender's start should not pay for it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import types
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


def modules(room: str) -> Callable[[str], types.ModuleType]:
    """A package's ``__getattr__``, with which ``from .room import module`` loads the module when it is first used.

    :param room: the package's ``__name__``.
    """

    def module(name: str) -> types.ModuleType:
        spec = importlib.util.find_spec(f"{room}.{name}") if not name.startswith("_") else None
        if spec is None:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        with _loading:
            found = sys.modules.get(spec.name)
            if found is None:
                found = importlib.util.module_from_spec(spec)
                found.__class__ = _Unloaded
                sys.modules[spec.name] = found
            setattr(sys.modules[room], name, found)
        return found

    return module


def is_loaded(module: types.ModuleType) -> bool:
    """Whether anybody has used it yet."""
    return type(module) is not _Unloaded


class _Unloaded(types.ModuleType):
    """Becomes the module at the first look at what is in it, or change of it.

    Python's own ``LazyLoader`` runs a module twice if two threads look at once (3.11.7, as in Blender 4.2).
    """

    def __getattribute__(self, name: str) -> object:
        _load_for(self, name)
        return types.ModuleType.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        _load_for(self, name)
        types.ModuleType.__setattr__(self, name, value)


_loading = threading.RLock()
_under_way: set[str] = set()
"""Modules that are being loaded: by the thread that has the lock."""


def _load_for(module: types.ModuleType, name: str) -> None:
    """What is asked of it by the import system itself is there before."""
    if name.startswith("__") and name.endswith("__"):
        return
    with _loading:
        if type(module) is _Unloaded and module.__name__ not in _under_way:
            _load(module)


def _load(module: types.ModuleType) -> None:
    spec = module.__spec__
    assert spec is not None and spec.loader is not None
    _under_way.add(spec.name)
    try:
        spec.loader.exec_module(module)
        module.__class__ = types.ModuleType
    finally:
        _under_way.discard(spec.name)
