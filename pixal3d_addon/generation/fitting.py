# SPDX-License-Identifier: GPL-3.0-or-later
"""From JSON that anybody may have written to the fields of a dataclass, as their annotations say."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from . import limits

_Fit = Callable[[Any], Any]


def fitted(cls: type, data: object) -> dict[str, Any]:
    """Those of its fields that `data` tells of. Lists become tuples; what `cls` does not know is left out.

    :raises ValueError: a value is of another type than the field's, or `data` no object.
    """
    if not isinstance(data, dict):
        raise ValueError(f"{type(data).__name__} where an object should be")
    found = {}
    for name, fit in _fits(cls).items():
        if name in data:
            try:
                found[name] = fit(data[name])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
    return found


@functools.cache
def _fits(cls: type) -> dict[str, _Fit]:
    hints = typing.get_type_hints(cls)
    return {field.name: _fit_of(hints[field.name]) for field in dataclasses.fields(cls)}


def _fit_of(hint: Any) -> _Fit:
    arguments = typing.get_args(hint)
    match typing.get_origin(hint):
        case types.UnionType | typing.Union:
            fits = [_fit_of(argument) for argument in arguments]
            return lambda value: _first_fit(value, fits)
        case origin if origin is tuple:
            return _tuple_fit(arguments)
        case origin if origin is Mapping:
            fit = _fit_of(arguments[1])
            return lambda value: {str(name): fit(each) for name, each in _checked(value, dict).items()}
    if dataclasses.is_dataclass(hint):
        return lambda value: _object(hint, value)
    if issubclass(hint, enum.Enum):
        return typing.cast(_Fit, hint)
    if hint is int:
        return _whole
    if hint is float:
        return _number
    return lambda value: _checked(value, hint)


def _object(cls: Any, value: object) -> object:
    try:
        return cls(**fitted(cls, value))
    except TypeError as error:  # a field without a default is not told of
        raise ValueError(str(error)) from None


def _checked(value: Any, type_: type) -> Any:
    if not isinstance(value, type_):
        raise ValueError(f"{type(value).__name__} where {type_.__name__} should be")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= limits.TOO_LARGE:
        raise ValueError(f"{type(value).__name__} where a whole number should be")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{type(value).__name__} where a number should be")
    try:
        return value if abs(value) < limits.TOO_LARGE else float(value)
    except OverflowError:
        raise ValueError("a number that is too large") from None


def _tuple_fit(arguments: tuple[Any, ...]) -> _Fit:
    fits = [_fit_of(argument) for argument in arguments if argument is not ...]

    def fit(value: Any) -> tuple[Any, ...]:
        values = tuple(_checked(value, list))
        each = fits * len(values) if arguments[-1] is ... else fits
        if len(each) != len(values):
            raise ValueError(f"{len(values)} values where {len(each)} should be")
        return tuple(fit_one(one) for fit_one, one in zip(each, values, strict=True))

    return fit


def _first_fit(value: object, fits: list[_Fit]) -> object:
    for fit in fits:
        try:
            return fit(value)
        except ValueError:
            continue
    raise ValueError(f"{type(value).__name__} where none may be")
