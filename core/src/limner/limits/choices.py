"""Constraints on choices, flags, lists and objects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from limner.limits.base import Constraint, Schema, texts


@attrs.frozen(eq=False, repr=False)
class Choice(Constraint):
    """One of the listed texts."""

    values: tuple[str, ...] = attrs.field(converter=texts)

    def wrong(self, value: Any) -> str | None:
        if isinstance(value, str) and value in self.values:
            return None
        meant = self.nearest(value)
        return f"must be one of {self.describe()}" + (f"; did you mean {meant!r}?" if meant is not None else "")

    def nearest(self, value: Any) -> Any:
        """Only another spelling is near: case, spaces, hyphens and underscores do not count."""
        plain = {_plain(choice): choice for choice in self.values}
        return plain.get(_plain(value)) if isinstance(value, str) else None

    def describe(self) -> str:
        return ", ".join(self.values)

    def schema(self) -> Schema:
        return {"enum": list(self.values)}


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]", "", text).casefold()


@attrs.frozen(eq=False, repr=False)
class Flag(Constraint):
    """True or False."""

    def wrong(self, value: Any) -> str | None:
        return None if isinstance(value, bool) else "must be true or false"

    def describe(self) -> str:
        return "true or false"

    def schema(self) -> Schema:
        return {"type": "boolean"}


@attrs.frozen(eq=False, repr=False)
class Items(Constraint):
    """A list.

    Args:
        of: the constraint of each item.
        min_items, max_items: minimum and maximum number of items.
    """

    of: Constraint
    min_items: int = 0
    max_items: int | None = None

    def wrong(self, value: Any) -> str | None:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            return f"must be a list: {self.describe()}"
        if len(value) < self.min_items or (self.max_items is not None and len(value) > self.max_items):
            return f"has {len(value)} items, must have {self.describe()}"
        return next((f"item {i}: {wrong}" for i, item in enumerate(value) if (wrong := self.of.wrong(item))), None)

    def describe(self) -> str:
        most = "or more" if self.max_items is None else f"to {self.max_items}"
        return f"{self.min_items} {most} items, each {self.of.describe()}"

    def schema(self) -> Schema:
        fragment: Schema = {"type": "array", "items": self.of.schema(), "minItems": self.min_items}
        return fragment if self.max_items is None else fragment | {"maxItems": self.max_items}


@attrs.frozen(eq=False, repr=False)
class JsonObject(Constraint):
    """A JSON object with any content, sent unchanged."""

    def wrong(self, value: Any) -> str | None:
        fine = isinstance(value, Mapping) and _is_json(value)
        return None if fine else "must be a JSON object, without pictures, its whole numbers within 64 bits"

    def describe(self) -> str:
        return "a JSON object"

    def schema(self) -> Schema:
        return {"type": "object"}


def _is_json(value: Any) -> bool:
    """Tell whether a value can be written as JSON that others read; an option holds pictures too."""
    match value:
        case Mapping():
            return all(map(_is_json, value.values()))
        case list() | tuple():
            return all(map(_is_json, value))
        case int():
            return -(2**63) <= value < 2**64
    return value is None or isinstance(value, str | float)
