"""Strategies of the values that a constraint allows, and of those that it refuses."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from limner import Image, Mask, Settings, WeightedText, limits
from limner.images import Box, Size
from limner.testing.pictures import COLOURS, MODES, TINY, WITH_ALPHA, mask, picture

CHARACTERS = st.characters(exclude_categories=["Cs"])  # half a surrogate pair is no character
_LONGEST = 30  # characters of a drawn text; the longest allowed one is always named
_WEBP_SIDE = 16_383  # pixels; WebP holds no more
_MOST_PICTURES = Settings().max_n
_REACH = 40  # pixels added on a side where the limits set no end


# ---------------------------------------------------------------------------------------------- texts, pictures, masks


def texts(min_length: int = 1, max_length: int | None = None) -> SearchStrategy[str]:
    """Texts that are not blank."""
    most = max(min_length, _LONGEST) if max_length is None else min(max_length, max(min_length, _LONGEST))
    named = ["a fox", "0", 'ünïcode 🦊 "quoted"\n{}', *(["x" * max_length] if max_length is not None else [])]
    fine = [text for text in named if min_length <= len(text) and (max_length is None or len(text) <= max_length)]
    drawn = st.text(CHARACTERS, min_size=max(1, min_length), max_size=most).filter(lambda text: bool(text.strip()))
    return st.sampled_from(fine) | drawn if fine else drawn


def prompts(constraint: limits.PromptText | None = None) -> SearchStrategy[Any]:
    """Prompts: one text, or parts with weights where the constraint (or no constraint) allows them."""
    limit = constraint or limits.PromptText(weights=limits.Real(source=""), source="")
    text = texts(limit.min_length, limit.max_length)
    if limit.weights is None:
        return text
    parts = st.builds(WeightedText, text, values(limit.weights))
    return text | st.lists(parts, min_size=1, max_size=min(3, limit.max_parts or 3)).map(tuple)


def images(
    sizes: Iterable[Size] = TINY, formats: Iterable[str] = tuple(MODES), modes: Iterable[str] | None = None
) -> SearchStrategy[Image]:
    """Pictures of two colours.

    Args:
        sizes: widths and heights in pixels.
        formats: media types.
        modes: pixel formats, by Pillow's names; all that a format knows where none are named.
    """
    kinds = [(media, mode) for media in formats for mode in MODES.get(media, ()) if modes is None or mode in modes]
    return st.builds(
        lambda size, kind, colour: picture(size, kind[1], kind[0], colour),
        st.sampled_from(list(sizes)),
        st.sampled_from(kinds),
        st.sampled_from(COLOURS),
    )


@st.composite
def masks(draw: st.DrawFn, size: Size = (16, 16), *, grey: bool = True) -> Mask:
    """Masks that open a box, or everything but a box.

    Args:
        draw: Hypothesis's own.
        size: width and height in pixels.
        grey: whether the box may be opened halfway.
    """
    width, height = size
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    level = draw(st.sampled_from([255, 255, 128, 1, 254])) if grey else 255
    made = mask(size, (left, top, right, bottom), level)
    inverted = made.inverted()
    return inverted if draw(st.booleans()) and not inverted.is_black else made


def json_values() -> SearchStrategy[Any]:
    """JSON values: finite numbers, texts without half characters, lists and objects."""
    plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _finite() | st.text(CHARACTERS, max_size=8)
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=8), inner, max_size=3),
        max_leaves=6,
    )


def _finite() -> SearchStrategy[float]:
    return st.floats(allow_nan=False, allow_infinity=False)


# ---------------------------------------------------------------------------------------------- what a constraint allows


@functools.singledispatch
def values(constraint: limits.Constraint) -> SearchStrategy[Any]:
    """Make a strategy of the values that a constraint allows."""
    raise NotImplementedError(f"no strategy for {type(constraint).__name__}; register one with values.register")


@values.register
def _(constraint: limits.Choice) -> SearchStrategy[Any]:
    return st.sampled_from(constraint.values)


@values.register
def _(constraint: limits.Flag) -> SearchStrategy[Any]:  # noqa: ARG001
    return st.booleans()


@values.register
def _(constraint: limits.Integer) -> SearchStrategy[Any]:
    least, most = constraint.min_value, constraint.max_value
    named = sorted({value for value in (least, least + 1, 0, most - 1, most) if least <= value <= most})
    return st.sampled_from(named) | st.integers(least, most)


@values.register
def _(constraint: limits.Count) -> SearchStrategy[Any]:
    return st.integers(1, min(2 * constraint.per_call + 1, _MOST_PICTURES))


@values.register
def _(constraint: limits.Real) -> SearchStrategy[Any]:
    ends = [0.0, 1.0, constraint.min_value, constraint.max_value]
    named = sorted({float(end) for end in ends if end is not None and constraint.wrong(end) is None})
    drawn = st.floats(constraint.min_value, constraint.max_value, allow_nan=False, allow_infinity=False)
    return st.sampled_from(named) | drawn if named else drawn


@values.register
def _(constraint: limits.PromptText) -> SearchStrategy[Any]:
    return prompts(constraint)


@values.register
def _(constraint: limits.NegativeText) -> SearchStrategy[Any]:
    text = texts(constraint.min_length, constraint.max_length)
    return text | st.lists(text, min_size=1, max_size=3 if constraint.several else 1).map(tuple)


@values.register
def _(constraint: limits.Text) -> SearchStrategy[Any]:
    if constraint.pattern is None:
        return texts(constraint.min_length, constraint.max_length)
    return st.from_regex(constraint.pattern, fullmatch=True).filter(lambda text: constraint.wrong(text) is None)


@values.register
def _(constraint: limits.Items) -> SearchStrategy[Any]:
    least, most = constraint.min_items, constraint.max_items
    few = st.lists(values(constraint.of), min_size=least, max_size=min(most or least + 3, least + 3))
    full = st.lists(values(constraint.of), min_size=most, max_size=most) if most is not None else few
    return (few | full).map(tuple)


@values.register
def _(constraint: limits.JsonObject) -> SearchStrategy[Any]:  # noqa: ARG001
    return st.dictionaries(st.text(CHARACTERS, max_size=8), json_values(), max_size=3)


@values.register
def _(constraint: limits.Sizes) -> SearchStrategy[Any]:
    return st.sampled_from(constraint.allowed)


@values.register
def _(constraint: limits.SizeRule) -> SearchStrategy[Any]:
    return st.sampled_from(_named_sizes(constraint)) | _drawn_sizes(constraint)


@values.register
def _(constraint: limits.Aspects) -> SearchStrategy[Any]:
    scaled = st.tuples(st.sampled_from(constraint.allowed), st.integers(1, 200))
    return scaled.map(lambda drawn: (drawn[0][0] * drawn[1], drawn[0][1] * drawn[1]))


@functools.lru_cache(64)
def _named_sizes(rule: limits.SizeRule) -> list[Size]:
    """Sizes at the ends of a rule."""
    least, most = rule.min_side, rule.max_side
    ends = [(least, least), (least, most), (most, least), (most, most)]
    return [size for size in ends if rule.allows(size)] or [rule.nearest((rule.min_side, rule.min_side))]


@st.composite
def _drawn_sizes(draw: st.DrawFn, rule: limits.SizeRule) -> Size:
    def side(least: float, most: float) -> int:
        step = rule.multiple_of
        low, high = math.ceil(max(least, rule.min_side) / step), int(min(most, rule.max_side) // step)
        assume(low <= high)
        return draw(st.integers(low, high)) * step

    width = side(rule.min_pixels / rule.max_side, rule.max_pixels / rule.min_side)
    low, high = width / rule.max_aspect, width * rule.max_aspect
    return width, side(max(low, rule.min_pixels / width), min(high, rule.max_pixels / width))


_MANY_PIXELS = 4_000_000


@functools.lru_cache(64)
def _picture_sizes(rule: limits.SizeRule | None) -> tuple[Size, ...]:
    """A few sizes that a rule allows, mostly small ones: pictures cost time."""
    if rule is None:
        return TINY
    small = [size for size in TINY if rule.allows(size)] or [rule.nearest(size) for size in TINY[:2]]
    side = min(rule.max_side, _WEBP_SIDE)
    ends = [(side, size[1]) for size in small] + [(size[0], side) for size in small] + [(side, side)]
    return (*small, *(size for size in ends if rule.allows(size) and math.prod(size) <= _MANY_PIXELS))


@values.register
def _(constraint: limits.Picture) -> SearchStrategy[Any]:
    modes = [mode for mode in constraint.modes if constraint.alpha or mode not in WITH_ALPHA]
    made = images(_picture_sizes(constraint.size), constraint.formats, modes)
    return made if constraint.max_bytes is None else made.filter(lambda image: constraint.wrong(image) is None)


@values.register
def _(constraint: limits.Pictures) -> SearchStrategy[Any]:
    return st.lists(values(constraint.of), min_size=1, max_size=constraint.max_items).map(tuple)


@values.register
def _(constraint: limits.MaskPicture) -> SearchStrategy[Any]:
    return masks(grey=constraint.grey)


@values.register
def _(constraint: limits.Expand) -> SearchStrategy[Any]:
    return expansions((1, 1), constraint)


@st.composite
def expansions(draw: st.DrawFn, size: Size, limit: limits.Expand | None) -> Box:
    """Borders for a picture of a size, up to the longest sides of a canvas, but not to many pixels: these cost time."""
    rule = None if limit is None else limit.canvas
    pixels = _MANY_PIXELS if rule is None else max(_MANY_PIXELS, rule.min_pixels)

    def around(side: int, other: int) -> tuple[int, int]:
        most = _REACH if limit is None else limit.max_side
        room = _REACH if rule is None else max(0, rule.max_side - side)
        room = min(room, 2 * most, max(0, pixels // other - side))
        total = draw(st.sampled_from(sorted({0, min(1, room), min(7, room), room})))
        before = draw(st.integers(max(0, total - most), min(total, most)))
        return before, total - before

    left, right = around(size[0], size[1] if rule is None else max(size[1], rule.min_side))
    top, bottom = around(size[1], left + size[0] + right)
    border = (left, top, right, bottom)
    canvas = left + size[0] + right, top + size[1] + bottom
    fits = rule is None or rule.allows(canvas)
    assume(any(border) and fits and (limit is None or limit.wrong(border) is None))
    return border


# ---------------------------------------------------------------------------------------------- what it does not allow


def outside(constraint: limits.Constraint) -> SearchStrategy[Any]:
    """Make a strategy of values that a constraint refuses although a task may hold them; nothing where there are none.

    Most lie just beyond an end. Masks and pictures of 16x16 pixels are among them, whatever the picture of the task.
    """
    found = [value for value in near(constraint) if constraint.wrong(value) is not None]
    return st.sampled_from(found) if found else st.nothing()


@functools.singledispatch
def near(constraint: limits.Constraint) -> list[Any]:  # noqa: ARG001
    """List values around the ends of a constraint, allowed or not."""
    return []


@near.register
def _(constraint: limits.Choice) -> list[Any]:
    return ["", "no such choice", *(value + "x" for value in constraint.values)]


@near.register
def _(constraint: limits.Flag) -> list[Any]:  # noqa: ARG001
    return ["yes", 1, 0]


@near.register
def _(constraint: limits.JsonObject) -> list[Any]:  # noqa: ARG001
    return ["text", ()]


@near.register
def _(constraint: limits.Integer) -> list[Any]:
    beyond = constraint.min_value - 1, constraint.max_value + 1, constraint.max_value * 10
    return [value for value in beyond if value >= 0]


@near.register
def _(constraint: limits.Real) -> list[Any]:
    least, most = constraint.min_value, constraint.max_value
    below = [] if least is None else [least - 0.01, math.nextafter(least, -math.inf)]
    return below + ([] if most is None else [most + 0.01, most * 2, math.nextafter(most, math.inf)])


@near.register
def _(constraint: limits.Sizes) -> list[Any]:
    wider = [(width + 1, height) for width, height in constraint.allowed]
    return [*wider, *((height, width) for width, height in constraint.allowed), (1, 1), (10_000, 1)]


@near.register
def _(constraint: limits.Aspects) -> list[Any]:
    return [(width * 100 + 1, height * 100) for width, height in constraint.allowed]


@near.register
def _(constraint: limits.SizeRule) -> list[Any]:
    return [(constraint.min_side - 1 or 1, constraint.min_side), (constraint.max_side + 1, constraint.max_side)]


@near.register
def _(constraint: limits.Text) -> list[Any]:
    longer = [] if constraint.max_length is None else ["x" * (constraint.max_length + 1)]
    return longer + ["x" * (constraint.min_length - 1)] * (constraint.min_length > 1)


@near.register
def _(constraint: limits.Items) -> list[Any]:
    full = [] if constraint.max_items is None else [("",) * (constraint.max_items + 1)]
    return [(), "text", *full, *((value,) for value in near(constraint.of))]


@near.register
def _(constraint: limits.Picture) -> list[Any]:
    if constraint.size is None:
        return []
    side = constraint.size.max_side + 1
    return [picture((side, 8)), picture((8, side))] if side < 10_000 else []


@near.register
def _(constraint: limits.Pictures) -> list[Any]:
    return [(picture(),) * (constraint.max_items + 1), *((image,) for image in near(constraint.of))]


@near.register
def _(constraint: limits.MaskPicture) -> list[Any]:  # noqa: ARG001
    return [mask((16, 16), (2, 2, 9, 9), 128)]
