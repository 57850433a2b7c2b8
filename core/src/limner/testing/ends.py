"""The named ends of constraints, without chance: allowed values that lie side by side, and values just past an end."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from limner import Image, Mask, Options, WeightedText, limits
from limner.images import Box, Size
from limner.testing.constraints import near
from limner.testing.pictures import COLOURS, MODES, WITH_ALPHA, mask, padded, picture

_ASPECTS: tuple[Size, ...] = ((1000, 1000), (1600, 900), (900, 1600))
ODD_TEXTS = (
    "ünïcode 🦊 日本",
    '"quoted" \\ {back}\n\t/slash',
    "A Fox in the SNOW",
    " a  fox, two blanks ",
    "e\u0301 \ufb01 \u2460 \u212b \uff21 \u00a0.",  # which normalization would change
    "50% of <b>A & B</b> &amp; 'it''s' $HOME %20+",
    "(a fox:1.3), [snow] {x|y} *bold* _so_ #1 @me ~ `q` ^ = ; ! ? /imagine --ar 1:1",
    "tab\tand \u200b\u2060\ufeff\u00a0\u202e, 1\u00bd\u20ac &amp;lt; %20 \\n {0} $a ~ \U0001f468\u200d\U0001f33e",
    "models/pony v1.0.safetensors, https://example.com/a%20b.png?c=d&e=f#g",
    "one\r\ntwo \u201cquoted\u201d \u2013 \u2026 \u200d\u00ad stra\u00dfe \u0130",
    "a ",
)
"""Texts that careless code changes: case, blanks, quotes, markup, syntax of prompts, characters with two spellings."""

_LARGEST = 4_000_000  # pixels of a sample: a larger one costs seconds


@functools.singledispatch
def _ends(constraint: limits.Constraint) -> list[Any]:
    return [] if constraint.default is None else [constraint.default]


class Ends:
    """List allowed values: the ends, those beside them, zero, and one plain value first.

    A constraint of the plugin's own has none, until it registers some with ``ends.register``. Objects and lists become
    what a task makes of them.
    """

    def __call__(self, constraint: limits.Constraint) -> list[Any]:
        """List the values of a constraint."""
        return [_frozen(value) for value in _ends(constraint)]

    def register(self, kind: Any, function: Callable[..., list[Any]] | None = None) -> Any:
        """Register what lists the values of a class, as :func:`functools.singledispatch` does."""
        return _ends.register(kind, function)


ends = Ends()


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping) and not isinstance(value, Options):
        return Options(value)
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@ends.register
def _(constraint: limits.Choice) -> list[Any]:
    return list(constraint.values)


@ends.register
def _(constraint: limits.Flag) -> list[Any]:  # noqa: ARG001
    return [True, False]


@ends.register
def _(constraint: limits.Integer) -> list[Any]:
    least, most = constraint.min_value, constraint.max_value
    return _allowed(constraint, [(least + most) // 2, least, least + 1, 0, 1, most - 1, most])


@ends.register
def _(constraint: limits.Count) -> list[Any]:
    return sorted({1, 2, constraint.per_call, constraint.per_call + 1})


@ends.register
def _(constraint: limits.Real) -> list[Any]:
    least = -1000.0 if constraint.min_value is None else constraint.min_value
    most = 1000.0 if constraint.max_value is None else constraint.max_value
    step = min(0.01, (most - least) / 100)
    named = [(least + most) / 2, least, least + step, 0.0, 1.0, 0.8 * most, most - step, most]
    return _allowed(constraint, [float(value) for value in named])


@ends.register
def _(constraint: limits.Text) -> list[Any]:
    if constraint.pattern is not None:
        return _allowed(constraint, [constraint.example, *_alike(constraint.example)])
    longest = constraint.max_length or 1000
    plain = "a fox" if constraint.wrong("a fox") is None else "f" * constraint.min_length
    long = ["x" * (longest - 1) + last for last in ("y", "z", "")]
    odd = [*ODD_TEXTS, "0", "a", "f" * constraint.min_length]
    return _allowed(constraint, [plain, *long, "🦊" * longest, *odd])


def _alike(example: str) -> list[str]:
    """Texts that differ from an example in one letter or digit."""
    others = str.maketrans("0123456789abcdefABCDEF", "1032547698badcfeBADCFE")
    return [
        example[:at] + example[at].translate(others) + example[at + 1 :] for at in (0, 1, len(example) - 1) if example[at:]
    ]


@ends.register
def _(constraint: limits.PromptText) -> list[Any]:
    texts: list[Any] = _ends.dispatch(limits.Text)(constraint)
    if constraint.weights is None:
        return texts
    weights, plain = ends(constraint.weights), plain_weight(constraint.weights)
    pairs = [(WeightedText("a fox", weight), WeightedText("snow", plain)) for weight in weights]
    many = tuple(WeightedText(f"part {at}", plain) for at in range(min(constraint.max_parts or 3, _MOST_PARTS)))
    one, other = (WeightedText("a fox", weight) for weight in (plain, next(w for w in [*weights, plain + 1] if w != plain)))
    twice = [(one, other), (one,), (other,)]
    return _allowed(constraint, [*texts, *pairs, *(tuple(reversed(pair)) for pair in pairs[:1]), *twice, many])


def plain_weight(weights: limits.Real) -> float:
    """The weight of a text that is not weighted, where it is allowed; a provider may refuse parts that are all below 0."""
    return 1.0 if weights.wrong(1.0) is None else max(ends(weights))


_MOST_PARTS = 50


@ends.register
def _(constraint: limits.NegativeText) -> list[Any]:
    texts: list[Any] = _ends.dispatch(limits.Text)(constraint)
    several = [("a fox", "snow"), ("snow", "a fox", "0"), ("snow", "snow"), ("snow",), ("a", "b", "c", "d", "e", "f")]
    return texts + _allowed(constraint, several)


@ends.register
def _(constraint: limits.Items) -> list[Any]:
    inner = ends(constraint.of)
    lengths = {max(1, constraint.min_items), constraint.max_items or constraint.min_items + 2}
    return _allowed(constraint, [(value,) * length for length in sorted(lengths) for value in inner])


@ends.register
def _(constraint: limits.JsonObject) -> list[Any]:  # noqa: ARG001
    return [{"a": 1}, {"a": 0}, {"b": None}, {"ü": [True, "🦊"]}]


@ends.register
def _(constraint: limits.Sizes) -> list[Any]:
    return list(constraint.allowed)


@ends.register
def _(constraint: limits.Aspects) -> list[Any]:
    return list(constraint.allowed)


@ends.register
def _(constraint: limits.SizeRule) -> list[Any]:
    return list(dict.fromkeys([*_sizes(constraint), *_of_most_pixels(constraint)]))


def _of_most_pixels(rule: limits.SizeRule) -> list[Size]:
    """The widest and highest sizes where the number of pixels ends them."""
    step, most = rule.multiple_of, rule.max_side // rule.multiple_of * rule.multiple_of
    root = math.isqrt(rule.max_pixels) // step * step
    found: list[Size] = []
    for side in (root, root // 2 // step * step) if root < most else ():
        widths = (width for width in range(most, 0, -step) if rule.allows((width, side)))
        widest = next(widths, None)
        found += [] if widest is None else [(widest, side), (side, widest)]
    return [size for size in found if rule.allows(size)]


@functools.lru_cache(64)
def _sizes(rule: limits.SizeRule) -> tuple[Size, ...]:
    """Sizes, the smallest first: the ends of the sides, and each with a neighbour."""
    step = rule.multiple_of
    least, most = math.ceil(rule.min_side / step) * step, rule.max_side // step * step
    sides = sorted({side for side in (least, least + step, least + 2 * step, most - step, most) if least <= side <= most})
    found = {(width, height) for width in sides for height in sides if rule.allows((width, height))}
    if not any(width > height for width, height in found):
        found |= {size for aspect in _ASPECTS if (size := rule.nearest(aspect)) is not None}
    return tuple(sorted(found, key=lambda size: (math.prod(size), size)))


@ends.register
def _(constraint: limits.Picture) -> list[Any]:
    return _allowed(constraint, list(_pictures(constraint)))


@functools.lru_cache(64)
def _pictures(constraint: limits.Picture) -> tuple[Image, ...]:
    """A picture of each size, then of each format and mode; small ones first."""
    sizes = sample_sizes(constraint)
    kinds = [(media, mode) for media in constraint.formats for mode in MODES.get(media, ()) if mode in constraint.modes]
    kinds = [(media, mode) for media, mode in kinds if constraint.alpha or mode not in WITH_ALPHA] or [("image/png", "RGB")]
    first = ("RGB" if ("image/png", "RGB") in kinds else kinds[0][1], kinds[0][0])
    each_size = [picture(size, *first) for size in sizes]
    each_kind = [picture(sizes[0], mode, media, colour) for media, mode in kinds for colour in ("navy", "gold")]
    return tuple(dict.fromkeys(each_size + each_kind))


def sample_sizes(constraint: limits.Picture | limits.Pictures) -> list[Size]:
    """A few sizes of pictures, an odd and small one first, all of which cost little."""
    rule = constraint.of.size if isinstance(constraint, limits.Pictures) else constraint.size
    if rule is None:
        return [(24, 16), (9, 17), (1, 1)]
    small = [size for size in ((24, 16), (9, 17), (67, 101)) if rule.allows(size)]
    found = [size for size in _sizes(rule) if math.prod(size) <= _LARGEST]
    upright = [size for size in found if size[0] != size[1]][:2]
    return list(dict.fromkeys([*small, *upright, *found[:2], *found[-1:]])) or [_sizes(rule)[0]]


@ends.register
def _(constraint: limits.Pictures) -> list[Any]:
    inner = ends(constraint.of)
    several = [tuple(inner[:1] * constraint.max_items), (*inner[:2], *inner[:1])[: constraint.max_items]]
    several.append(tuple(distinct_pictures(inner[0].size, constraint.max_items)))
    return _allowed(constraint, [*((image,) for image in inner), *several])


def distinct_pictures(size: Size, most: int) -> list[Image]:
    """Pictures of a size in pixels, each of another colour and heavier than the one before: up to a handful."""
    made = [picture(size, colour=colour) for colour in COLOURS[:most]]
    return [padded(one, max(len(image.data) for image in made) + 50 * at) for at, one in enumerate(made, 1)]


@ends.register
def _(constraint: limits.MaskPicture) -> list[Any]:
    return masks_of((16, 16), grey=constraint.grey)


@ends.register
def _(constraint: limits.Expand) -> list[Any]:
    return borders_of((16, 16), constraint)


def masks_of(size: Size, *, grey: bool) -> list[Mask]:
    """Masks of all kinds for a picture of a size in pixels: each differs from its mirror image and from its inverse."""
    width, height = size
    left, top = mask(size, (0, 0, max(1, width // 3), height)), mask(size, (0, 0, width, max(1, height // 3)))
    spot = mask(size, (width // 2, height // 2, width // 2 + 1, height // 2 + 1))
    whole = (0, 0, width, height)
    made = [left, top, left.inverted(), top.inverted(), spot, mask(size, whole)]
    made += [mask(size, whole, level) for level in (1, 128, 254)] * grey
    return [one for one in dict.fromkeys(made) if not one.is_black]


def borders_of(size: Size, limit: limits.Expand) -> list[Box]:
    """Borders for a picture of a size in pixels: each side alone, all sides, and the widest."""
    steps = [limit.canvas.multiple_of] if limit.canvas is not None else [8]
    room = min(limit.max_side, 2048)
    if limit.canvas is not None:
        steps += [limit.canvas.max_side - max(size), limit.canvas.min_side - min(size)]
    wide = sorted({step for step in steps if 0 < step <= room}) or [1]
    alone: list[Box] = [
        (add * (side == 0), add * (side == 1), add * (side == 2), add * (side == 3)) for add in wide for side in range(4)
    ]
    step = wide[0]
    alone += [(room, 0, 0, 0), (0, 0, 0, room)]
    together: list[Box] = [(step, step, step, step), (step, 2 * step, 3 * step, 4 * step)]
    to_canvas = _to_allowed_canvas(size, limit)
    return [border for border in dict.fromkeys(together[1:] + alone + together + to_canvas) if _fits(size, border, limit)]


def _to_allowed_canvas(size: Size, limit: limits.Expand) -> list[Box]:
    """Borders that lead to canvases which the rule names, where the picture alone does not lie near one."""
    if limit.canvas is None:
        return []
    room = [(width - size[0], height - size[1]) for width, height in _sizes(limit.canvas)]
    wide = [(across, down) for across, down in room if across >= 0 <= down and (across or down)]
    return [(across // 3, down // 4, across - across // 3, down - down // 4) for across, down in wide]


def _fits(size: Size, border: Box, limit: limits.Expand) -> bool:
    left, top, right, bottom = border
    canvas = left + size[0] + right, top + size[1] + bottom
    allowed = limit.wrong(border) is None and limit.wrong_canvas(canvas) is None
    return any(border) and allowed and math.prod(canvas) <= _LARGEST


def past(constraint: limits.Constraint) -> list[Any]:
    """List values just past an end, and others that the constraint refuses."""
    return [value for value in near(constraint) if constraint.wrong(value) is not None]


def _allowed(constraint: limits.Constraint, values: Iterable[Any]) -> list[Any]:
    return [value for value in dict.fromkeys(values) if constraint.wrong(value) is None]
