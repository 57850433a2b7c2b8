"""Sizes and boxes in pixels."""

from __future__ import annotations

import operator
from typing import Any

from limner.errors import refused
from limner.images.pixels import most_pixels

Size = tuple[int, int]
"""Width and height."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom."""


def whole_numbers(numbers: Any) -> Any:
    """Read a sequence of anything that Python accepts as an index; other values are left for validation."""
    try:
        return tuple(map(operator.index, numbers))
    except TypeError:
        return numbers


def checked_size(size: Any, parameter: str) -> Size:
    """Check a size.

    Raises:
        TaskRefused: it is not two whole numbers of at least 1.
    """
    match size:
        case (int(width), int(height)) if width > 0 and height > 0:
            return width, height
    raise refused(size, "must be of (width, height), two whole numbers of pixels of at least 1", parameter)


def drawable_size(size: Any) -> Size:
    """Check a size that memory is taken for.

    Raises:
        TaskRefused: it is not a size, or has more than ``PIL.Image.MAX_IMAGE_PIXELS``.
    """
    width, height = checked_size(whole_numbers(size), "size")
    most = most_pixels()
    if most is not None and width * height > most:
        raise refused((width, height), f"must have at most {most:,} pixels in all", "size")
    return width, height
