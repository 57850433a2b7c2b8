"""What only one provider knows: a frozen mapping of JSON values and pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from limner.errors import Problem, TaskRefused
from limner.images import Image


class Options(Mapping[str, Any]):
    """A frozen, hashable, picklable mapping of names to JSON values and :class:`~limner.Image`.

    Lists become tuples and mappings become Options. Bytes, paths and Pillow images are read as pictures.
    Two are equal when their contents are, types included: ``True`` is not ``1``, and ``1`` is not ``1.0``.

    Args:
        values: the options; keyword arguments are added to it.

    Raises:
        TaskRefused: a name is no text, or a value is neither JSON nor a picture (NaN and infinity are not JSON).
    """

    __slots__ = ("_hash", "_key", "_values")

    def __init__(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        if not isinstance(values, Mapping | None):
            raise TaskRefused([Problem.of("options", values, "must be a mapping of names to values")])
        given = {**(values or {}), **more}
        self._values = {_text("options", name): _frozen(f"options.{name}", value) for name, value in given.items()}
        self._key = frozenset((name, _typed(value)) for name, value in self._values.items())
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


def _text(where: str, text: object) -> str:
    if not isinstance(text, str):
        raise TaskRefused([Problem.of(where, text, "names are texts")])
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TaskRefused([Problem.of(where, text, "holds half of a surrogate pair, which is no character")]) from None
    return str.__str__(text)  # a plain text, even of a kind of its own, such as an enumeration's


def _frozen(where: str, value: Any) -> Any:  # noqa: PLR0911 - one for each kind of value
    match value:
        case None | bool() | Options() | Image():
            return value
        case int():
            return int(value)
        case str():
            return _text(where, value)
        case float() if math.isfinite(value):
            return float(value)
        case Mapping():
            return Options(value)
        case list() | tuple():
            return tuple(_frozen(where, item) for item in value)
    if isinstance(value, bytes | os.PathLike) or callable(getattr(value, "convert", None)):
        try:
            return Image.read(value)
        except TaskRefused as refusal:
            raise TaskRefused([Problem.of(where, value, refusal.problems[0].limit)]) from refusal
    raise TaskRefused([Problem.of(where, value, "must be a JSON value (finite numbers only) or a picture")])


def _typed(value: Any) -> Any:
    return (tuple, tuple(map(_typed, value))) if isinstance(value, tuple) else (type(value), value)
