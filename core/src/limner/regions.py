"""The part of a picture that an edit needs: the surroundings of its mask, of a shape that the model takes.

A picture that the model does not take whole can be edited all the same: the region is cut out, scaled to an allowed size,
painted, scaled back and pasted at full resolution; everything else is the original.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs

from limner.images import Box, Image, Mask, Size
from limner.images.compositing import cut
from limner.limits import SizeRule, Sizes

_MARGIN = 0.5
"""Of the mask's longer side: so much is added around it, for the model to see what it continues."""

_LEAST_MARGIN = 32


@attrs.frozen
class Region:
    """A part of a picture, and the size in which it is sent.

    Attributes:
        box: left, top, right and bottom in pixels; it may reach beyond the picture, whose border is then continued.
        size: width and height in pixels in which it is sent.
    """

    box: Box
    size: Size

    def of_image(self, image: Image) -> Image:
        """Cut the region out of a picture."""
        return cut(image, self.box, self.size)

    def of_mask(self, mask: Mask) -> Mask:
        """Cut the region out of a mask; nothing is repainted beyond it."""
        return mask.cut(self.box).resized(self.size)

    def __str__(self) -> str:
        left, top, right, bottom = self.box
        scaled = "" if (right - left, bottom - top) == self.size else ", scaled to {}x{}".format(*self.size)
        return f"{right - left}x{bottom - top} pixels at {left},{top}{scaled}"


def region_around(box: Box, picture: Size, rule: SizeRule | Sizes) -> Region | None:
    """Find the region that shows what is around a box at the best resolution; ``None`` where there is no allowed size.

    Args:
        box: left, top, right and bottom of what is repainted.
        picture: width and height in pixels of the picture.
        rule: the sizes that may be sent.
    """
    wanted = _with_margin(box, picture)
    found = [_region(wanted, picture, size) for size in _candidates(wanted, picture, rule)]
    return min(found, key=lambda region: _cost(region, picture), default=None)


def _with_margin(box: Box, picture: Size) -> Box:
    left, top, right, bottom = box
    margin = max(_LEAST_MARGIN, round(_MARGIN * max(right - left, bottom - top)))
    return (
        max(0, left - margin),
        max(0, top - margin),
        min(picture[0], right + margin),
        min(picture[1], bottom + margin),
    )


def _candidates(wanted: Box, picture: Size, rule: SizeRule | Sizes) -> Iterator[Size]:
    """Allowed sizes that may suit: of the box's shape, of the picture's shape, and square."""
    if isinstance(rule, Sizes):
        yield from rule.allowed
        return
    width, height = wanted[2] - wanted[0], wanted[3] - wanted[1]
    step = rule.multiple_of
    rounded_up = (-(-width // step) * step, -(-height // step) * step)
    side = max(rounded_up)
    for wish in (rounded_up, (side, side), picture):
        if (size := rule.nearest(wish)) is not None:
            yield size


def _region(wanted: Box, picture: Size, size: Size) -> Region:
    """Grow a box to the shape of a size, and to that very size where the picture has room."""
    left, top, right, bottom = wanted
    aspect = size[0] / size[1]
    width = max(right - left, (bottom - top) * aspect)
    height = width / aspect
    room = min(size[0] / width, picture[0] / width, picture[1] / height)
    growth = max(1.0, room)
    width, height = math.ceil(width * growth - 1e-6), math.ceil(height * growth - 1e-6)
    x, y = _placed(left, right, width, picture[0]), _placed(top, bottom, height, picture[1])
    return Region((x, y, x + width, y + height), size)


def _placed(start: int, end: int, length: int, available: int) -> int:
    """Where a stretch begins that has another in its middle, and stays within what is available if it can."""
    if length >= available:
        return (available - length) // 2
    return min(max(0, (start + end - length) // 2), available - length)


def _cost(region: Region, picture: Size) -> tuple[float, float, float]:
    """What is better has less: detail that scaling loses, then area beyond the picture, then pixels to paint."""
    left, top, right, bottom = region.box
    width, height = right - left, bottom - top
    inside = (min(right, picture[0]) - max(left, 0)) * (min(bottom, picture[1]) - max(top, 0))
    shrunk = max(1.0, width / region.size[0])
    return round(shrunk, 2), round(1 - inside / (width * height), 2), region.size[0] * region.size[1]
