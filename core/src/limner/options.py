"""Provider-specific options: an immutable mapping of JSON values and pictures."""

# ruff: noqa: SLF001 - what freezes options reads their own fields

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from limner.errors import Problem, TaskRefused
from limner.images import Image

MAX_DEPTH = 32
"""Levels of lists and objects in options, the options themselves included."""

MAX_VALUES = 100_000
"""Values in options, those inside lists and objects included."""

MAX_DIGITS = 640
"""Of a whole number: what Python writes in decimal, however it is configured."""

_TOO_LARGE: int = 10**MAX_DIGITS


class Options(Mapping[str, Any]):
    """An immutable, hashable mapping of names to JSON values and :class:`~limner.Image`.

    Lists become tuples and mappings become Options. Bytes, paths and Pillow images are read as pictures.
    Equality includes types: ``True`` is not ``1``, and ``1`` is not ``1.0``.
    Options nest at most 32 levels deep and contain at most 100,000 values; integers have at most 640 digits.

    Args:
        values: the options; keyword arguments are added.

    Raises:
        TaskRefused: a name is not a string, a value is neither JSON nor a picture (NaN and infinity are not JSON), or a
            limit above is exceeded.
        OSError: the file of a picture cannot be read.
    """

    __slots__ = ("_depth", "_hash", "_key", "_size", "_values")

    def __init__(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        try:
            given = {**({} if values is None else values), **more}
        except Exception as error:
            raise TaskRefused([Problem.of("options", values, "must be a mapping of names to values")]) from error
        self._hold(_Freezing().mapping("options", given, 1))

    def _hold(self, values: dict[str, Any]) -> None:
        """Take values that are frozen already."""
        self._values = values
        self._depth = 1 + max(map(_depth, values.values()), default=0)
        self._size = 1 + sum(map(_size, values.values()))
        self._key = frozenset((name, _typed(value)) for name, value in values.items())
        self._hash = hash(self._key)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Options):
            return self._key == other._key
        return NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return repr(self._values)

    def __reduce__(self) -> tuple[type[Options], tuple[dict[str, Any]]]:
        return Options, (self._values,)


class _Freezing:
    """Makes plain, immutable values of what a user gives, and counts them: values may be shared, or hold themselves."""

    def __init__(self) -> None:
        self._count = 0

    def mapping(self, where: str, values: Mapping[Any, Any], level: int) -> dict[str, Any]:
        texts = {_text(where, name): value for name, value in values.items()}
        return {name: self._value(_inner(where, name), value, level) for name, value in texts.items()}

    def _value(self, where: str, value: Any, level: int) -> Any:
        try:
            self._add(where, value._size if type(value) is Options else 1)
            return self._frozen(where, value, level)
        except (TaskRefused, OSError):
            raise
        except Exception as error:
            raise TaskRefused([Problem.of(where, value, f"cannot be read: {type(error).__name__}")]) from error

    def _add(self, where: str, more: int) -> None:
        self._count += more
        if self._count > MAX_VALUES:
            raise TaskRefused([Problem(where, "", f"is one too many; options hold at most {MAX_VALUES:,} values")])

    def _frozen(self, where: str, value: Any, level: int) -> Any:  # noqa: PLR0911 - one for each kind of value
        match value:
            case None | bool():
                return value
            case str():
                return _text(where, value)
            case int():
                return _whole(where, int.__int__(value))
            case float() if math.isfinite(value):
                return float.__float__(value)
            case list() | tuple():
                _check_depth(where, value, level + 1)
                return tuple([self._value(where, item, level + 1) for item in value])
            case Image():
                return value
            case _ if type(value) is Options:
                _check_depth(where, value, level + value._depth)
                return value
            case Mapping():
                _check_depth(where, value, level + 1)
                nested = Options.__new__(Options)
                nested._hold(self.mapping(where, value, level + 1))
                return nested
        return _picture(where, value)


def is_too_long(number: int) -> bool:
    """Tell whether a whole number has more than ``MAX_DIGITS`` digits."""
    return not -_TOO_LARGE < number < _TOO_LARGE


def _text(where: str, text: object) -> str:
    if not isinstance(text, str):
        raise TaskRefused([Problem.of(where, text, "names are texts")])
    plain = str.__str__(text)  # even of a kind of its own, such as an enumeration's
    try:
        plain.encode()
    except UnicodeEncodeError:
        raise TaskRefused([Problem.of(where, plain, "holds half of a surrogate pair, which is no character")]) from None
    return plain


def _inner(where: str, name: str) -> str:
    """The name of an inner value, for errors, not longer than a line."""
    path = f"{where}.{name}"
    return path if len(path) <= 100 else f"{path[:97]}..."


def _whole(where: str, number: int) -> int:
    if is_too_long(number):
        raise TaskRefused([Problem.of(where, number, f"must have at most {MAX_DIGITS} digits")])
    return number


def _check_depth(where: str, value: Any, levels: int) -> None:
    if levels > MAX_DEPTH:
        raise TaskRefused([Problem.of(where, value, f"is nested too deep; options have at most {MAX_DEPTH} levels")])


def _picture(where: str, value: Any) -> Image:
    if isinstance(value, bytes | os.PathLike) or callable(getattr(value, "convert", None)):
        try:
            return Image.read(value)
        except TaskRefused as refusal:
            raise TaskRefused([Problem.of(where, value, refusal.problems[0].limit)]) from refusal
    raise TaskRefused([Problem.of(where, value, "must be a JSON value (finite numbers only) or a picture")])


def _depth(value: Any) -> int:
    if isinstance(value, tuple):
        return 1 + max(map(_depth, value), default=0)
    return value._depth if type(value) is Options else 0


def _size(value: Any) -> int:
    if isinstance(value, tuple):
        return 1 + sum(map(_size, value))
    return value._size if type(value) is Options else 1


def _typed(value: Any) -> Any:
    return (tuple, tuple(map(_typed, value))) if isinstance(value, tuple) else (type(value), value)
