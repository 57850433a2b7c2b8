"""Constraints: what is wrong, what is near, and what the JSON Schema says of it."""

from __future__ import annotations

import itertools
import math

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from limner import Image, Mask, Options, WeightedText, limits
from limner.limits import (
    Choice,
    Constraint,
    Count,
    Expand,
    Flag,
    Integer,
    Items,
    JsonObject,
    MaskPicture,
    NegativeText,
    Picture,
    Pictures,
    PromptText,
    Real,
    Seed,
    SizeRule,
    Sizes,
    Text,
)
from limner.testing.strategies import json_values, outside, values

from .fakes import png

SMALL = SizeRule(4, 12, multiple_of=2, source="")
PLAIN: list[Constraint] = [
    Choice(("anime", "line-art", "3d Model"), source=""),
    Flag(source=""),
    Integer(-3, 7, source=""),
    Seed(1, 9, source=""),
    Count(3, source=""),
    Real(-0.5, 2.5, source=""),
    Real(min_value=0.0, source=""),
    Real(max_value=0.0, source=""),
    Real(source=""),
    Text(5, source=""),
    Text(min_length=2, source=""),
    Text(pattern="#[0-9a-f]{2}", example="#ff", source=""),
    Text(8, pattern="a+|b", source=""),
    NegativeText(4, source=""),
    NegativeText(4, several=True, source=""),
    PromptText(5, source=""),
    Items(Integer(0, 3, source=""), 1, 2, source=""),
    Items(Text(2, source=""), source=""),
    Items(Choice(("a", "b"), source=""), 2, source=""),
    JsonObject(source=""),
    Sizes([(4, 8), (8, 4), (6, 6)], source=""),
    SMALL,
    Expand(5, source=""),
]
PICTURES: list[Constraint] = [
    Picture(source=""),
    Picture(("image/png",), max_bytes=120, size=SMALL, alpha=False, source=""),
    Pictures(Picture(size=SMALL, source=""), 2, source=""),
    MaskPicture(source=""),
    MaskPicture(grey=False, alpha=True, source=""),
]
WEIGHTED = PromptText(5, weights=Real(-1.0, 1.0, source=""), max_parts=2, source="")
EVERY = [*PLAIN, *PICTURES, WEIGHTED]
NUMBERS = st.integers(-20, 20) | st.floats() | st.integers() | st.sampled_from([10**400, -(10**400)])
SIDES = st.integers(0, 20) | st.sampled_from([10**400, 1 << 31, -1, True, 4.0])
THINGS = (
    NUMBERS
    | st.booleans()
    | st.none()
    | st.text(max_size=6)
    | st.sampled_from(["anime", "Line Art", "#0a", "#0a\n", "aa", "alpha", b"bytes"])
    | json_values().map(lambda value: Options(value=value)["value"])
    | st.tuples(SIDES, SIDES)
    | st.tuples(SIDES, SIDES, SIDES, SIDES)
    | st.lists(st.integers(0, 3), max_size=3).map(tuple)
    | st.lists(st.text(max_size=4), max_size=3).map(tuple)
    | st.lists(st.builds(WeightedText, st.text(max_size=3), NUMBERS), max_size=3).map(tuple)
    | st.sampled_from([Image(png()), (Image(png()), Image(png((4, 4)))), Mask((1, 2), b"\0\x80")])
)
few = settings(max_examples=settings().max_examples // 3 + 1)  # for each of the constraints
each = pytest.mark.parametrize("limit", EVERY, ids=lambda limit: type(limit).__name__)


def as_json(value: object) -> object:
    """The value as JSON has it."""
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    return {name: as_json(item) for name, item in value.items()} if isinstance(value, Options) else value


def json_can_tell(value: object) -> bool:
    """JSON has no infinity, and 1.0 is its whole number 1; `$` of a pattern matches before a last line break too."""
    match value:
        case int():
            return abs(value) < 1e300
        case float():
            return math.isfinite(value) and not value.is_integer()
        case str():
            return not value.endswith("\n")
        case tuple():
            return all(map(json_can_tell, value))
        case Options():
            return all(map(json_can_tell, value.values()))
    return not isinstance(value, bytes | Image | Mask | WeightedText)


@each
@few
@given(value=THINGS)
def test_no_value_whatever_makes_a_constraint_stumble(limit, value):
    wrong = limit.wrong(value)
    assert wrong is None or wrong.strip()
    limit.adapted(value)
    limit.nearest(value)


@each
@few
@given(value=THINGS)
def test_the_nearest_value_is_allowed_and_its_own_nearest(limit, value):
    nearest = limit.nearest(value)
    if nearest is not None:
        assert limit.wrong(nearest) is None
        assert limit.nearest(nearest) in (None, nearest)


@each
@few
@given(data=st.data())
def test_an_allowed_value_is_its_own_nearest_or_has_none(limit, data):
    value = data.draw(values(limit))
    if limit.wrong(value) is None:  # what still has to be brought into the model's form may be wrong
        assert limit.nearest(value) in (None, value)
    used, note = limit.adapted(value)
    assert limit.wrong(used) is None
    assert bool(note) == (used != value)
    assert limit.adapted(used) == (used, "")


@pytest.mark.parametrize("limit", PLAIN, ids=lambda limit: type(limit).__name__)
@few
@given(data=st.data())
def test_the_schema_agrees(limit, data):
    value = data.draw(THINGS | outside(limit) | values(limit))
    assume(json_can_tell(value))
    valid = jsonschema.Draft202012Validator(limit.schema()).is_valid(as_json(value))
    assert valid == (limit.wrong(value) is None)


@pytest.mark.parametrize("limit", PLAIN, ids=lambda limit: type(limit).__name__)
@few
@given(data=st.data())
def test_what_is_allowed_is_valid_under_the_schema(limit, data):
    value = limit.adapted(data.draw(values(limit)))[0]
    jsonschema.Draft202012Validator(limit.schema()).validate(as_json(value))


@each
def test_a_schema_is_a_schema_and_words_are_words(limit):
    jsonschema.Draft202012Validator.check_schema(limit.schema())
    assert limit.describe().strip()
    assert "\n" not in limit.describe()


def test_rules_beyond_a_schema_are_only_stricter():
    rule = SizeRule(4, 40, max_aspect=2.0, min_pixels=40, max_pixels=400, source="")
    validator = jsonschema.Draft202012Validator(rule.schema())
    for size in itertools.product(range(1, 45), repeat=2):
        assert validator.is_valid(list(size)) or rule.wrong(size) is not None
    assert rule.wrong((30, 8)) is not None
    assert rule.wrong((5, 5)) is not None
    assert rule.wrong((25, 25)) is not None


RULES = st.builds(
    SizeRule,
    min_side=st.integers(1, 20),
    max_side=st.integers(20, 90),
    multiple_of=st.sampled_from([1, 1, 3, 8]),
    max_aspect=st.sampled_from([math.inf, 1.0, 1.5, 4.0]),
    min_pixels=st.sampled_from([1, 400, 2000]),
    max_pixels=st.sampled_from([500, 3000, 1 << 30]),
    source=st.just(""),
)


@given(RULES, st.tuples(st.integers(1, 200), st.integers(1, 200)))
def test_no_size_is_nearer_than_the_nearest(rule, value):
    """Held against a search of all sizes whose height is next to what the width asks for."""
    every = [size for width in rule._widths() for size in rule._around(width, value[0] / value[1]) if rule.allows(size)]
    found = rule.nearest(value)
    assert (found is None) == (not every)
    if found is not None:
        assert rule.allows(found)
        assert rule._rank(found, value) == min(rule._rank(size, value) for size in every)


@pytest.mark.parametrize("value", [(3, 5), (63, 64), (10**6, 10**6), (1 << 31, 1), (1, 1 << 31)])
def test_a_rule_without_an_upper_end_looks_no_farther_than_it_must(value, monkeypatch):
    looked = []
    around = SizeRule._around
    monkeypatch.setattr(SizeRule, "_around", lambda rule, width, aspect: looked.append(width) or around(rule, width, aspect))
    rule = SizeRule(64, source="")
    assert rule.allows(rule.nearest(value))
    assert len(looked) < 1000 or max(value) / min(value) > 512  # beyond the rule's own sides every width is as good


# ---------------------------------------------------------------------------------------------- one by one


def test_numbers_say_the_nearest():
    assert Integer(10, 50, source="").wrong(9) == "must be a whole number from 10 to 50; the nearest is 10"
    assert Real(1.1, 10.0, source="").wrong(11) == "must be a number from 1.1 to 10.0; the nearest is 10.0"
    assert Integer(0, 5, source="").nearest(2.4) == 2
    assert Integer(0, 5, source="").nearest(math.nan) is None
    assert Integer(0, 5, source="").nearest(True) is None
    assert Real(0.0, 5.0, source="").nearest("3") is None


def test_a_choice_is_near_only_in_another_spelling():
    limit = Choice(("line-art", "3d Model"), source="")
    assert limit.nearest("Line Art") == limit.nearest("LINE_ART") == "line-art"
    assert limit.nearest("line") is None
    assert "did you mean '3d Model'?" in limit.wrong("3D-model")
    assert limit.wrong("photo") == "must be one of line-art, 3d Model"


def test_texts_are_never_cut():
    limit = Text(3, source="")
    assert limit.nearest("abcd") is None
    assert limit.wrong("abcd") == "has 4 characters, must have 1 to 3 characters"
    assert Text(pattern="a+", example="aaa", source="").wrong("b") == "must look like aaa"
    assert Text(pattern="a+", source="").wrong("aa\n") == "must look like a+"
    assert Text(min_length=3, source="").describe() == "3 or more characters"


def test_prompts_with_weights():
    parts = (WeightedText("a", 0.5), WeightedText("b", -1.0))
    assert WEIGHTED.wrong(parts) is None
    assert WEIGHTED.adapted(parts) == (parts, "")
    assert "parts" in WEIGHTED.wrong(parts * 2)
    assert "from -1.0 to 1.0" in WEIGHTED.wrong((WeightedText("a", 2.0),))
    assert "6 characters" in WEIGHTED.wrong((WeightedText("abcdef"),))
    assert "weights a number from -1.0" in WEIGHTED.describe()
    without = PromptText(5, source="")
    assert without.adapted((WeightedText("a"), WeightedText("b")))[0] == "a, b"
    assert without.nearest((WeightedText("abc", 2), WeightedText("def"))) is None, "joined it is too long, and is not cut"


def test_lists_name_the_item():
    limit = Items(Integer(0, 3, source=""), 1, 2, source="")
    assert "item 1: must be a whole number from 0 to 3" in limit.wrong((1, 5))
    assert limit.wrong(()) == "has 0 items, must have 1 to 2 items, each a whole number from 0 to 3"
    assert "must be a list" in limit.wrong("12")


def test_pictures_say_what_is_wrong():
    limit = Picture(("image/png", "image/jpeg"), max_bytes=100, size=SMALL, alpha=False, source="")
    small = Image(png((4, 4)))
    assert limit.wrong(small) is None
    assert limit.wrong(Image(png((5, 4)))) == (
        "is 5x4, must have sides of 4 to 12 pixels, divisible by 2; the nearest is 10x8"
    )
    assert "must have at most 100" in Picture(max_bytes=100, source="").wrong(Image(png((200, 200))))
    assert "must be image/jpeg" in Picture(("image/jpeg",), source="").wrong(small)
    assert limit.describe() == "PNG or JPEG, at most 100 bytes, sides of 4 to 12 pixels, divisible by 2, no transparency"
    cut_out = Image(png((4, 4), (0, 0, 0, 0), "RGBA"))
    flat, note = limit.adapted(cut_out)
    assert flat.pil().getpixel((0, 0)) == (255, 255, 255)
    assert "transparency (laid on white)" in note
    grey_16 = Picture(modes=("RGB",), source="").adapted(small)
    assert grey_16 == (small, "")
    assert Pictures(limit, 2, source="").wrong((small, Image(png((5, 4))))).startswith("picture 2: is 5x4")
    assert Pictures(limit, 2, source="").describe().startswith("1 to 2 pictures: PNG")


def test_limits_of_a_task():
    table = limits.TaskLimits({"seed": Seed(0, 1, source="")}, {"style": Flag(source="")})
    assert table.supports("seed")
    assert table.supports("style")
    assert table.supports("options.style")
    assert not table.supports("strength")


# ---------------------------------------------------------------------------------------------- sizes


def distance(size: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    (width, height), (wanted_width, wanted_height) = size, other
    shape = abs(math.log(width / height) - math.log(wanted_width / wanted_height))
    return shape, abs(math.log(width * height) - math.log(wanted_width * wanted_height))


WISHES = st.tuples(st.integers(1, 90), st.integers(1, 90))


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=6), WISHES)
def test_the_nearest_of_a_list_has_the_nearest_shape_then_the_nearest_area(allowed, wish):
    nearest = Sizes(allowed, source="").nearest(wish)
    assert distance(nearest, wish) == min(distance(size, wish) for size in allowed)


@st.composite
def rules(draw: st.DrawFn) -> SizeRule:
    least = draw(st.integers(1, 12))
    return SizeRule(
        least,
        draw(st.integers(least, 40)),
        multiple_of=draw(st.sampled_from([1, 1, 2, 3, 8])),
        max_aspect=draw(st.sampled_from([math.inf, 1.0, 1.5, 3.0])),
        min_pixels=draw(st.sampled_from([1, 50, 200])),
        max_pixels=draw(st.sampled_from([1 << 30, 300, 900])),
        source="",
    )


@given(rules(), WISHES)
def test_the_nearest_by_rule_is_as_good_as_any(rule, wish):
    sides = range(rule.min_side, rule.max_side + 1)
    allowed = [size for size in itertools.product(sides, sides) if rule.allows(size)]
    nearest = rule.nearest(wish)
    assert (nearest is None) == (not allowed)
    if nearest is None:
        return
    shape, area = distance(nearest, wish)
    best_shape = min(distance(size, wish)[0] for size in allowed)
    assert shape <= best_shape + 0.011, "the shape comes first, in steps of one percent"
    same_shape = [size for size in allowed if distance(size, wish)[0] <= shape]
    best_area = min(distance(size, wish)[1] for size in same_shape)
    assert area <= best_area + 0.011, "then the area"
    if rule.allows(wish):
        assert nearest == wish


@pytest.mark.parametrize(
    ("rule", "wish", "nearest"),
    [
        (SizeRule(max_pixels=2048 * 2048 - 1, source=""), (2048, 2048), (2047, 2047)),
        (SizeRule(320, 4096, multiple_of=16, max_pixels=2048 * 2048 - 1, source=""), (2048, 2048), (2032, 2032)),
        (SizeRule(max_pixels=1000 * 500 - 1, source=""), (1000, 500), (998, 499)),
        (SizeRule(max_pixels=1 << 20, source=""), (1920, 1080), (1365, 768)),
        (SizeRule(min_pixels=101 * 101, source=""), (100, 100), (101, 101)),
    ],
)
def test_within_one_percent_of_the_area_the_nearest_keeps_the_shape(rule, wish, nearest):
    assert rule.nearest(wish) == nearest


def test_known_sizes():
    rule = SizeRule(320, 1408, multiple_of=64, source="")
    assert rule.nearest((1920, 1080)) == (1024, 576), "16:9, rather than a larger 1.75:1"
    assert rule.nearest((512, 512)) == (512, 512)
    assert rule.nearest((10, 10)) == (320, 320)
    assert SizeRule(8, 8, multiple_of=3, source="").nearest((8, 8)) is None
    assert rule.describe() == "sides of 320 to 1408 pixels, divisible by 64"
    full = SizeRule(1, 9, max_aspect=2.5, min_pixels=4, max_pixels=64, source="")
    assert full.describe().endswith("an aspect ratio of at most 2.5:1, at least 4 pixels, at most 64 pixels")


@pytest.mark.parametrize("size", [(4.0, 4), (True, 4), "4x4", None, (4,), [4, 4], (4, 4, 4), (10**400, 4)])
def test_what_is_no_size_is_near_to_none(size):
    for limit in (SMALL, Sizes([(4, 4), (1, 4)], source="")):
        assert limit.wrong(size) is not None
        assert limit.nearest(size) is None
