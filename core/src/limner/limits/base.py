"""The base class of constraints."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import attrs

Schema = dict[str, Any]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Constraint(ABC):
    """What a model accepts for one parameter.

    Args:
        source: the provider's document that sets the limit; if documents conflict, a description of the conflict.
        default: the value that is sent if the parameter is not given; ``None`` sends nothing.
        required: whether the parameter must be given.

    Comparison and repr are written once, here: making them for each kind takes a twentieth of a fresh process's first plan.
    """

    source: str
    default: Any = None
    required: bool = False

    @abstractmethod
    def wrong(self, value: Any) -> str | None:
        """Return what is allowed if the value is not; ``None`` if it is allowed."""

    @abstractmethod
    def describe(self) -> str:
        """Describe what is allowed."""

    @abstractmethod
    def schema(self) -> Schema:
        """Return a fragment of JSON Schema (2020-12) for the value."""

    def nearest(self, value: Any) -> Any:  # noqa: ARG002
        """Return the nearest allowed value, or ``None`` if another value would change the meaning."""
        return None

    def adapted(self, value: Any) -> tuple[Any, str]:
        """Convert the value to the form that the model expects, without changing its meaning, and describe it."""
        return value, ""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and attrs.astuple(other, recurse=False) == attrs.astuple(self, recurse=False)

    def __hash__(self) -> int:
        return hash((type(self), attrs.astuple(self, recurse=False)))

    def __repr__(self) -> str:
        fields = attrs.asdict(self, recurse=False).items()
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """Make a tuple of texts: a converter that type checkers understand."""
    return tuple(values)


def closest(constraint: Constraint, value: Any) -> str:
    """Name the nearest allowed value, for the end of a message."""
    nearest = constraint.nearest(value)
    return "" if nearest is None else f"; the nearest is {nearest}"
