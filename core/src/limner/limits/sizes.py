"""Constraints on sizes."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from limner.images import Size
from limner.limits.base import Constraint, Schema

LARGEST_SIDE = 1 << 31
"""In pixels; no file format holds more."""


def _distance(size: Size, other: Size) -> tuple[float, float]:
    """How far apart two sizes are: by aspect ratio first, then by area."""
    (width, height), (other_width, other_height) = size, other
    shape = abs(math.log(width / height) - math.log(other_width / other_height))
    return shape, abs(math.log(width * height) - math.log(other_width * other_height))


_ONE_PERCENT = 0.01


def _outwards(start: int, widths: range) -> Iterator[int]:
    """Give the widths that are nearest by ratio first."""
    above = bisect.bisect_left(widths, start)
    below = above - 1
    while below >= 0 or above < len(widths):
        if below < 0 or (above < len(widths) and widths[above] * widths[below] <= start * start):
            yield widths[above]
            above += 1
        else:
            yield widths[below]
            below -= 1


def _is_side(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_SIDE


def _is_size(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(_is_side, value))


def sizes(values: Iterable[Size]) -> tuple[Size, ...]:
    """Make a tuple of sizes: a converter that type checkers understand."""
    return tuple(values)


def in_words(size: Size) -> str:
    """Write a size as WIDTHxHEIGHT."""
    return f"{size[0]}x{size[1]}"


@attrs.frozen(eq=False, repr=False)
class Sizes(Constraint):
    """One of the listed sizes, (width, height) in pixels."""

    allowed: tuple[Size, ...] = attrs.field(converter=sizes)

    def wrong(self, value: Any) -> str | None:
        if _is_size(value) and value in self.allowed:
            return None
        nearest = self.nearest(value)
        return f"must be one of {self.describe()}" + (f"; the nearest is {in_words(nearest)}" if nearest else "")

    def nearest(self, value: Any) -> Any:
        return min(self.allowed, key=lambda size: _distance(size, value)) if _is_size(value) else None

    def describe(self) -> str:
        return ", ".join(map(in_words, self.allowed))

    def schema(self) -> Schema:
        return {"enum": [list(size) for size in self.allowed]}


@attrs.frozen(eq=False, repr=False)
class SizeRule(Constraint):
    """Any size, (width, height) in pixels, within rules.

    Args:
        min_side, max_side: minimum and maximum of each side in pixels.
        multiple_of: the number that each side must be divisible by.
        max_aspect: maximum ratio of the longer side to the shorter.
        min_pixels, max_pixels: minimum and maximum of width times height.
    """

    min_side: int = 1
    max_side: int = 1 << 15
    multiple_of: int = 1
    max_aspect: float = math.inf
    min_pixels: int = 1
    max_pixels: int = 1 << 30

    def allows(self, size: Size) -> bool:
        """Return whether a size satisfies the rules."""
        short, long = sorted(size)
        return (
            self.min_side <= short
            and long <= self.max_side
            and not any(side % self.multiple_of for side in size)
            and long <= short * self.max_aspect
            and self.min_pixels <= short * long <= self.max_pixels
        )

    def wrong(self, value: Any) -> str | None:
        if _is_size(value) and self.allows(value):
            return None
        if not _is_size(value):
            return f"must be (width, height) in whole pixels: {self.describe()}"
        nearest = self.nearest(value)
        return f"must have {self.describe()}" + (f"; the nearest is {in_words(nearest)}" if nearest else "")

    def nearest(self, value: Any) -> Any:
        """Aspect ratio first, then area, both in steps of one percent; what is equal then is decided by the exact ratio."""
        if not _is_size(value):
            return None
        found: Size | None = None
        best: tuple[float, ...] = (math.inf,) * 4
        least = round(max(0.0, abs(math.log(value[0] / value[1])) - math.log(self.max_aspect)), 2)
        for width in _outwards(value[0], self._widths()):
            if best[0] <= least and 2 * abs(math.log(width / value[0])) > best[0] + best[1] + 2 * _ONE_PERCENT:
                break  # no aspect ratio is nearer, and this is farther away in area: so are all that follow
            for size in filter(self.allows, self._around(width, value[0] / value[1])):
                if (rank := self._rank(size, value)) < best:
                    found, best = size, rank
        return found

    @staticmethod
    def _rank(size: Size, wanted: Size) -> tuple[float, ...]:
        """How near a size is; less is nearer."""
        shape, area = _distance(size, wanted)
        return round(shape, 2), round(area, 2), shape, area

    def _widths(self) -> range:
        """All widths that an allowed size can have."""
        step = self.multiple_of
        widest = min(self.max_side, math.sqrt(self.max_pixels * self.max_aspect), self.max_pixels / self.min_side)
        return range(-(-self.min_side // step) * step, int(widest) + 1, step)

    def _around(self, width: int, aspect: float) -> tuple[Size, Size]:
        """The heights next to an aspect ratio for a width, or at the ends of what is allowed."""
        step = self.multiple_of
        least = max(self.min_side, width / self.max_aspect, self.min_pixels / width)
        most = min(self.max_side, width * self.max_aspect, self.max_pixels / width)
        height = min(max(width / aspect, least), most)
        return (width, int(height // step) * step), (width, math.ceil(height / step) * step)

    def describe(self) -> str:
        rules = [f"sides of {self.min_side} to {self.max_side} pixels"]
        if self.multiple_of > 1:
            rules.append(f"divisible by {self.multiple_of}")
        if self.max_aspect < math.inf:
            rules.append(f"an aspect ratio of at most {self.max_aspect:g}:1")
        if self.min_pixels > 1:
            rules.append(f"at least {self.min_pixels:,} pixels")
        if self.max_pixels < 1 << 30:
            rules.append(f"at most {self.max_pixels:,} pixels")
        return ", ".join(rules)

    def schema(self) -> Schema:
        side = {"type": "integer", "minimum": self.min_side, "maximum": self.max_side, "multipleOf": self.multiple_of}
        return {"type": "array", "prefixItems": [side, side], "items": False, "minItems": 2}


@attrs.frozen(eq=False, repr=False)
class Aspects(Constraint):
    """A size with one of the listed aspect ratios, for a model that expects a ratio and chooses the pixels itself.

    A size with exactly such a ratio is allowed, whatever its pixels, and is converted to it: (1920, 1080) to (16, 9).

    Args:
        allowed: the ratios, (width, height), as the provider writes them: 21:9, not 7:3.
    """

    allowed: tuple[Size, ...] = attrs.field(converter=sizes)

    def wrong(self, value: Any) -> str | None:
        if self._ratio(value) is not None:
            return None
        nearest = self.nearest(value)
        return f"must have {self.describe()}" + (f"; the nearest is {_as_ratio(nearest)}" if nearest else "")

    def adapted(self, value: Any) -> tuple[Any, str]:
        ratio = self._ratio(value)
        if ratio is None or ratio == value:
            return value, ""
        return ratio, f"the model takes the aspect ratio {_as_ratio(ratio)} and chooses the pixels"

    def nearest(self, value: Any) -> Any:
        return min(self.allowed, key=lambda ratio: _distance(ratio, value)[0]) if _is_size(value) else None

    def _ratio(self, value: Any) -> Size | None:
        """The ratio that a size has exactly."""
        if not _is_size(value):
            return None
        width, height = value
        return next((ratio for ratio in self.allowed if width * ratio[1] == height * ratio[0]), None)

    def describe(self) -> str:
        return f"an aspect ratio of {', '.join(map(_as_ratio, self.allowed))}; the model chooses the pixels"

    def schema(self) -> Schema:
        side = {"type": "integer", "minimum": 1}
        pair: Schema = {"type": "array", "prefixItems": [side, side], "items": False, "minItems": 2}
        return pair | {"description": self.describe(), "examples": [list(ratio) for ratio in self.allowed]}


def _as_ratio(size: Size) -> str:
    return f"{size[0]}:{size[1]}"
