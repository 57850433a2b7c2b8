"""Constraints on numbers."""

from __future__ import annotations

import math
import sys
from typing import Any

import attrs

from limner.limits.base import Constraint, Schema, closest

_MOST = (1 << 31) - 1
"""More pictures than anybody asks for."""


def _is_number(value: Any) -> bool:
    """Tell whether it is a finite number; a whole one may be beyond any float."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and math.isfinite(value))


@attrs.frozen(eq=False, repr=False)
class Integer(Constraint):
    """A whole number from ``min_value`` to ``max_value``, both included."""

    min_value: int
    max_value: int

    def adapted(self, value: Any) -> tuple[Any, str]:
        """JSON makes no difference between 5 and 5.0."""
        return (int(value), "") if isinstance(value, float) and value.is_integer() else (value, "")

    def wrong(self, value: Any) -> str | None:
        fine = isinstance(value, int) and not isinstance(value, bool) and self.min_value <= value <= self.max_value
        return None if fine else f"must be {self.describe()}{closest(self, value)}"

    def nearest(self, value: Any) -> Any:
        return min(max(round(value), self.min_value), self.max_value) if _is_number(value) else None

    def describe(self) -> str:
        return f"a whole number from {self.min_value} to {self.max_value}"

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.min_value, "maximum": self.max_value}


@attrs.frozen(eq=False, repr=False)
class Seed(Integer):
    """A seed. If none is given, limner draws one; further calls use the following numbers."""


@attrs.frozen(eq=False, repr=False)
class Count(Constraint):
    """The number of pictures.

    Args:
        per_call: maximum number per call; limner makes several calls for more.
    """

    per_call: int = 1
    default: int = attrs.field(default=1, kw_only=True)

    def wrong(self, value: Any) -> str | None:
        fine = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST
        return None if fine else f"must be a whole number from 1 to {_MOST}"

    def describe(self) -> str:
        return f"{self.per_call} in a call; more become several calls"

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": 1, "maximum": _MOST}


@attrs.frozen(eq=False, repr=False)
class Real(Constraint):
    """A number from ``min_value`` to ``max_value``, both included; ``None`` means no limit."""

    min_value: float | None = None
    max_value: float | None = None

    def wrong(self, value: Any) -> str | None:
        least, most = self._ends()
        fine = _is_number(value) and least <= value <= most
        return None if fine else f"must be {self.describe()}{closest(self, value)}"

    def nearest(self, value: Any) -> Any:
        if not _is_number(value):
            return None
        least, most = self._ends()
        return float(min(max(value, least), most))

    def _ends(self) -> tuple[float, float]:
        """A whole number beyond every float is not allowed either."""
        least = -sys.float_info.max if self.min_value is None else self.min_value
        return least, sys.float_info.max if self.max_value is None else self.max_value

    def describe(self) -> str:
        if self.min_value is None and self.max_value is None:
            return "a finite number"
        if self.max_value is None:
            return f"a number of at least {self.min_value}"
        if self.min_value is None:
            return f"a number of at most {self.max_value}"
        return f"a number from {self.min_value} to {self.max_value}"

    def schema(self) -> Schema:
        ends = {"minimum": self.min_value, "maximum": self.max_value}
        return {"type": "number"} | {name: end for name, end in ends.items() if end is not None}
