"""What a value means on the wire: which way numbers run, which word stands for which, in what order, with what else."""

from __future__ import annotations

import base64
import contextlib
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import attrs
import PIL.Image
import pytest

from limner import Image, Inpaint, Mask, Model, Outpaint, Request, Task, TaskRefused, WeightedText, limits
from limner.errors import shorten
from limner.limits import Constraint
from limner.testing import bodies
from limner.testing.ends import distinct_pictures, ends, masks_of, plain_weight
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.probes import (
    all_starts,
    changed,
    constraints,
    full,
    plan_or_none,
    probes,
    sayable,
    seeded,
    value_of,
    values_for,
)

Leaves = dict[bodies.Path, Any]
Row = tuple[Any, Leaves]

_SIZES = (limits.Sizes, limits.SizeRule, limits.Aspects)
_SCALAR = (limits.Integer, limits.Real, limits.Choice, limits.Flag)
_GROWING = frozenset({"seed", "steps", "guidance_scale", "n"})
"""More of it is more on the wire, whatever the provider calls it; only strength may run the other way there."""
_NEAR = 1e-6
_ROUNDED = 0.012  # of the range: what rounding to whole percents makes
_LONGEST_WORD = 60  # characters


# ---------------------------------------------------------------------------------------------- examples


@check
def test_examples_are_encoded_as_documented(conformance: Conformance) -> None:
    """For each example, the body contains what the provider's documents show for that task."""
    for task, part in _examples(conformance):
        try:
            request = conformance.model.plan(task).requests[0]
        except TaskRefused as refusal:
            raise ContractBroken(f"the task of an example is refused: {refusal}", task) from refusal
        wrong = list(_differences(part, request))
        expect(not wrong, f"the body differs from the documented example: {'; '.join(wrong[:5])}", task)


def _examples(conformance: Conformance) -> Sequence[tuple[Task, Any]]:
    return conformance.examples or pytest.skip("give Conformance(examples=[...]): pairs of a task and a part of its body")


def _differences(part: Any, request: Request) -> Iterator[str]:
    if isinstance(part, bytes | str):
        data = part if isinstance(part, bytes) else part.encode()
        if data not in request.body and not bodies.carries_bytes(request.body, data):
            yield f"it does not hold {shorten(part)}"
        return
    yield from _unlike(part, bodies.parsed(request.body), (), in_form=not bodies.is_json(request.body))


def _unlike(wanted: Any, found: Any, path: bodies.Path, *, in_form: bool) -> Iterator[str]:
    """Say where a tree does not hold what it must; in a form, a field that is there once may be a list of one."""
    where = bodies.in_words(path)
    if isinstance(wanted, Mapping):
        if not isinstance(found, dict):
            yield f"{where} is {shorten(found)}, must be an object"
            return
        for key, inner in wanted.items():
            if key in found:
                yield from _unlike(inner, found[key], (*path, key), in_form=in_form)
            elif inner is not None:
                yield f"{bodies.in_words((*path, key))} is missing, must be {shorten(inner)}"
    elif isinstance(wanted, list | tuple):
        found = [found] if in_form and isinstance(found, str | bytes) else found
        if not isinstance(found, list) or len(found) != len(wanted):
            yield f"{where} is {shorten(found)}, must be a list of {len(wanted)}"
            return
        for at, inner in enumerate(wanted):
            yield from _unlike(inner, found[at], (*path, at), in_form=in_form)
    elif not _means(wanted, found):
        yield f"{where} is {shorten(found)}, must be {shorten(wanted)}"


def _means(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Image | bytes):
        data = wanted.data if isinstance(wanted, Image) else wanted
        return found == data or (isinstance(found, str) and bodies.plain(data) in found)
    if isinstance(wanted, bool) or wanted is None or isinstance(wanted, str):
        return (type(found) is type(wanted) and bool(found == wanted)) or (
            isinstance(wanted, bool) and found == str(wanted).lower()
        )
    number = _number(found)
    return number is not None and math.isclose(number, wanted, rel_tol=_NEAR, abs_tol=_NEAR)


@check
def test_examples_say_every_parameter(conformance: Conformance) -> None:
    """Every number, flag, choice and text in the limits is set by at least one example."""
    said = {name for task, _ in _examples(conformance) for name in _said(task)}
    unsaid = [name for name in _to_be_said(conformance.model) if name not in said]
    if unsaid:
        pytest.skip(f"no example says {', '.join(unsaid)}: a wrong direction or a swapped word in them goes unseen")


def _said(task: Task) -> list[str]:
    return [*(name for name, _ in task.arguments()), *(f"options.{name}" for name in task.options)]


def _to_be_said(model: Model) -> list[str]:
    found = [(name, limit) for table in model.limits.values() for name, limit in constraints(table).items()]
    kinds = (limits.Integer, limits.Real, limits.Choice, limits.Flag, limits.Text)
    return list(dict.fromkeys(name for name, limit in found if isinstance(limit, kinds)))


# ---------------------------------------------------------------------------------------------- values and their bodies


def _rows(model: Model, base: Task, name: str, values: Sequence[Any]) -> list[Row]:
    """For each value that is allowed: what is used of it, and the leaves of its body."""
    rows = []
    for value in values:
        made = plan_or_none(model, changed(base, name, value))
        if made is not None:
            rows.append((value_of(made.calls[0], name), bodies.leaves_of(made.requests[0])))
    return rows


def _moving(rows: Sequence[Row]) -> list[bodies.Path]:
    """The paths that every row has, and that change with the value."""
    if not rows:
        return []
    shared = set.intersection(*(set(leaves) for _, leaves in rows))
    first = rows[0][1]
    candidates = [path for path, leaf in first.items() if path in shared and not _is_picture(leaf)]
    return [path for path in candidates if any(_differ(first[path], leaves[path]) for _, leaves in rows)]


def _is_picture(leaf: Any) -> bool:
    """Tell whether a leaf may be a picture or a mask, which other parameters change for good reasons."""
    return isinstance(leaf, bytes) or (isinstance(leaf, str) and len(leaf) > _LONGEST_WORD)


def _differ(one: Any, other: Any) -> bool:
    same_kind = type(one) is type(other) or (type(one) in {int, float} and type(other) in {int, float})
    return not same_kind or bool(one != other)


def _number(leaf: Any) -> float | None:
    """A number, or the text of one as forms have it."""
    if isinstance(leaf, bool):
        return None
    if isinstance(leaf, int | float):
        return leaf
    try:
        return float(leaf) if isinstance(leaf, str) and re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", leaf) else None
    except ValueError:
        return None


def numbers(limit: Constraint) -> list[Any]:
    """Numbers that a constraint allows, in order: ends, quarters, and neighbours that five decimals tell apart."""
    if isinstance(limit, limits.Integer):
        least, most = limit.min_value, limit.max_value
        found: list[Any] = [least, least + 1, most - 1, most, *(least + (most - least) * part // 8 for part in range(1, 8))]
        found += [found[7] + 1, 1, 5, 7, 20, 30]
    elif isinstance(limit, limits.Real):
        low = -10.0 if limit.min_value is None else float(limit.min_value)
        high = 10.0 if limit.max_value is None else float(limit.max_value)
        inner = [low + (high - low) * part / 8 for part in range(1, 8)]
        found = [
            low,
            *inner,
            high,
            inner[3] + 0.00001,
            inner[3] + 0.001,
            inner[3] + 0.01,
            inner[3] + 0.05,
            0.25,
            0.35,
            0.5,
            0.75,
            5.0,
            7.0,
            7.5,
        ]
    else:
        return []
    return sorted({value for value in found if limit.wrong(value) is None})


# ---------------------------------------------------------------------------------------------- numbers


@check
def test_numbers_keep_their_order(conformance: Conformance) -> None:
    """A larger number is larger in the body, however small the difference; strength and options may be reversed."""
    seen: dict[tuple[str, str | int, Any], tuple[Any, str]] = {}
    for base, name, limit in probes(conformance.model):
        rows = _rows(conformance.model, base, name, numbers(limit) or _words(limit))
        for path in _moving(rows):
            found = [(value, _number(leaves[path])) for value, leaves in rows]
            if all(number is not None for _, number in found) and not isinstance(limit, limits.Choice | limits.Flag):
                _expect_order(name, path, found, base)
            for value, leaves in rows:
                earlier, kind = seen.setdefault((name, path[-1], value), (leaves[path], base.kind))
                same = not _differ(earlier, leaves[path]) or _in_a_form(earlier) == _in_a_form(leaves[path])
                other = f"of {kind} {earlier!r}, of {base.kind} {leaves[path]!r}"
                expect(
                    same, f"{name}={value!r} makes {bodies.in_words(path)} in the body {other}: one of them is wrong", base
                )


def _in_a_form(leaf: Any) -> Any:
    """A value as a form says it, which knows only texts."""
    number = _number(leaf)
    return number if number is not None else str(leaf).lower() if isinstance(leaf, bool) else leaf


def _words(limit: Constraint) -> list[Any]:
    return ends(limit) if isinstance(limit, limits.Choice | limits.Flag) else []


def _expect_order(name: str, path: bodies.Path, found: Sequence[tuple[Any, Any]], base: Task) -> None:
    where = bodies.in_words(path)
    steps = [(after[1] - before[1], before, after) for before, after in itertools.pairwise(found)]
    up = found[-1][1] > found[0][1]
    must_grow = name in _GROWING or _names(path, name)
    shown = f"{name} from {found[0][0]!r} to {found[-1][0]!r} makes {where} from {found[0][1]!r} to {found[-1][1]!r}"
    expect(up or not must_grow, f"{name} is reversed: {shown}", base)
    for step, (before, sent), (after, sent_after) in steps:
        fine = step > 0 if up else step < 0
        seen = f"{name}={before!r} makes {where} {sent!r}, {name}={after!r} makes it {sent_after!r}"
        expect(fine, f"{seen}: the order of {name}, or a difference, is lost", base)
    _expect_line(name, where, found, base)
    straight = name in {"seed", "n"} or (found[0][0] == found[0][1] and found[-1][0] == found[-1][1])
    for value, sent in found if straight else ():
        fine = math.isclose(value, sent, rel_tol=_NEAR, abs_tol=_NEAR) and (not isinstance(value, int) or value == sent)
        expect(fine, f"{name}={value!r} makes {where} {sent!r}: it must be the number itself", base)


def _expect_line(name: str, where: str, found: Sequence[tuple[Any, Any]], base: Task) -> None:
    """Hold that the number on the wire is in proportion to the one that was said, up to rounding."""
    (least, low), (most, high) = found[0], found[-1]
    for value, sent in found:
        line = low + (high - low) * (value - least) / (most - least)
        fine = abs(sent - line) <= _ROUNDED * abs(high - low) + _NEAR
        expect(
            fine,
            f"{name}={value!r} makes {where} {sent!r}, out of proportion to {least!r} and {most!r}: {low!r} and {high!r}",
            base,
        )


def _names(path: bodies.Path, name: str) -> bool:
    """Tell whether a key of the body is called as the option."""
    return name.startswith("options.") and _plain(str(path[-1])) == _plain(name.removeprefix("options."))


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


@check
def test_sizes_keep_width_and_height(conformance: Conformance) -> None:
    """Width and height are not swapped, and each has the requested value."""
    for base, name, limit in probes(conformance.model):
        if name != "size":
            continue
        rows = _rows(conformance.model, base, name, [size for size in ends(limit) if size[0] != size[1]])
        for path in _moving(rows):
            for (width, height), leaves in rows:
                _expect_side(path, leaves[path], (width, height), base, exact=not isinstance(limit, limits.Aspects))


def _expect_side(path: bodies.Path, leaf: Any, size: tuple[int, int], base: Task, *, exact: bool) -> None:
    where, key = bodies.in_words(path), _plain(str(path[-1]))
    number = _number(leaf)
    if number is not None and exact:
        wanted = {"width": size[0], "height": size[1], "w": size[0], "h": size[1]}.get(key)
        expect(wanted in {None, number}, f"size={size} makes {where} {leaf!r}, must be {wanted}", base)
    elif isinstance(leaf, str) and (found := re.fullmatch(r"(?:\D*)(\d+)\s*[x:*/,]\s*(\d+)(?:\D*)", leaf)):
        told = int(found[1]), int(found[2])
        fine = told[0] * size[1] == told[1] * size[0] and (not exact or "x" not in leaf or told == size)
        expect(fine, f"size={size} makes {where} {leaf!r}: width and height are not those", base)


# ---------------------------------------------------------------------------------------------- words and lists


@check
def test_choices_keep_their_names(conformance: Conformance) -> None:
    """If the body contains a choice by one of its declared names, it is the same name; flags are not negated."""
    for base, name, limit in probes(conformance.model):
        rows = _rows(conformance.model, base, name, _words(limit))
        for path in _moving(rows):
            found = [(value, leaves[path]) for value, leaves in rows]
            if isinstance(limit, limits.Flag) and _names(path, name):
                _expect_flags(name, path, found, base)
            if isinstance(limit, limits.Choice) and all(isinstance(leaf, str) for _, leaf in found):
                _expect_words(name, path, found, base)


def _expect_flags(name: str, path: bodies.Path, found: Sequence[tuple[Any, Any]], base: Task) -> None:
    for value, leaf in found:
        opposite = {"true": True, "false": False}.get(str(leaf).lower(), value) is not value
        expect(not opposite, f"{name}={value} makes {bodies.in_words(path)} {leaf!r}: it is negated", base)


def _expect_words(name: str, path: bodies.Path, found: Sequence[tuple[str, str]], base: Task) -> None:
    known = {_plain(value): value for value, _ in found}
    for value, leaf in found:
        other = known.get(_plain(leaf), value)
        expect(other == value, f"{name}={value!r} makes {bodies.in_words(path)} {leaf!r}, which is another choice", base)


_PARTS = ("amber fox", "blue snow", "crimson tree", "dark river")


@check
def test_lists_keep_their_order(conformance: Conformance) -> None:
    """A list is in the body in its order, each item once, and each weight with its own text."""
    for base, name, limit in probes(conformance.model):
        lists = _lists(limit, base)
        plain = plan_or_none(conformance.model, base) if lists and value_of(base, name) is None else None
        others = {} if plain is None else bodies.leaves_of(plain.requests[0])
        for value in lists:
            made = plan_or_none(conformance.model, changed(base, name, value))
            if made is None or value_of(made.calls[0], name) != value:
                continue
            places = [_places(made.requests[0], part, others) for part in value]
            for part, place in zip(value, places, strict=True):
                looked_for = isinstance(part, str | WeightedText | Image) and bodies.is_tree(made.requests[0])
                expect(place or not looked_for, f"the body does not contain {shorten(part)} of {name}", made.task)
            first = [place[0] for place in places if place]
            if len(first) == len(value) and len(set(first)) == len(first):
                expect(first == sorted(first), f"the body contains the parts of {name} in a different order", made.task)
    _expect_weights_beside_texts(conformance.model)


def _lists(limit: Constraint, base: Task) -> list[tuple[Any, ...]]:
    """Lists of which no two items are the same."""
    if isinstance(limit, limits.PromptText) and limit.weights is not None:
        weights = [weight for weight in (1.0, 0.5, 0.75) if limit.weights.wrong(weight) is None] or ends(limit.weights)
        three = tuple(WeightedText(text, weights[at % len(weights)]) for at, text in enumerate(_PARTS[2::-1]))
        found: list[tuple[Any, ...]] = [three, three[:2], (*three[1:], three[0])]
    elif isinstance(limit, limits.NegativeText) and limit.several:
        found = [_PARTS[2::-1], _PARTS[:2], (_PARTS[1], _PARTS[2], _PARTS[0])]
    elif isinstance(limit, limits.Items):
        inner = [*dict.fromkeys(ends(limit.of))][:3]
        found = [tuple(reversed(inner)), tuple(inner), tuple(reversed(inner[:2]))] if len(inner) > 1 else []
    elif isinstance(limit, limits.Pictures) and limit.max_items > 1:
        sizes = [image.size for image in getattr(base, "image", ())] or [(24, 16)]
        made = distinct_pictures(sizes[0], limit.max_items)
        found = [tuple(made), tuple(reversed(made)), tuple(made[:2]), tuple(reversed(made[:2]))]
    else:
        found = []
    return [value for value in found if value and limit.wrong(value) is None]


def _places(request: Request, part: Any, others: Leaves) -> list[tuple[int, int]]:
    """Where a part is: which leaf, and where in it; a leaf that is there without it says something else."""
    text = part.text if isinstance(part, WeightedText) else part
    leaves = bodies.leaves_of(request).items()
    found = [(at, leaf) for at, (path, leaf) in enumerate(leaves) if path not in others or _differ(others[path], leaf)]
    if isinstance(text, Image):
        encoded = str(bodies.plain(text.data))
        return [(at, 0) for at, leaf in found if leaf == text.data or (isinstance(leaf, str) and encoded in leaf)]
    if not isinstance(text, str):
        return []
    return [(at, leaf.index(text)) for at, leaf in found if isinstance(leaf, str) and text in leaf]


def _expect_weights_beside_texts(model: Model) -> None:
    for base, name, limit in probes(model):
        if not isinstance(limit, limits.PromptText) or limit.weights is None:
            continue
        heavy = ends(limit.weights)[-1]
        light = plain_weight(limit.weights) if plain_weight(limit.weights) != heavy else ends(limit.weights)[0]
        for at in range(2):
            parts = [WeightedText(text, light) for text in _PARTS[:2]]
            lighter, heavier = (
                tuple(parts),
                tuple(attrs.evolve(p, weight=heavy if i == at else light) for i, p in enumerate(parts)),
            )
            rows = _rows(model, base, name, [lighter, heavier])
            moved = _moving(rows) if len(rows) == 2 else []
            own, other = (_path_of(rows[0][1], text) if moved else None for text in (_PARTS[at], _PARTS[1 - at]))
            if moved and own is not None and other is not None and own != other:
                fine = any(_shared(path, own) > _shared(path, other) for path in moved)
                where = ", ".join(map(bodies.in_words, moved))
                expect(fine, f"the weight of part {at + 1} changes {where}, its text is at {bodies.in_words(own)}", base)


def _path_of(leaves: Leaves, text: str) -> bodies.Path | None:
    return next((path for path, leaf in leaves.items() if isinstance(leaf, str) and text in leaf), None)


def _shared(one: bodies.Path, other: bodies.Path) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


# ---------------------------------------------------------------------------------------------- what is not said


_NO_WORD = frozenset({"none", "off", "default", "disabled", "no"})


@check
def test_defaults_are_sent(conformance: Conformance) -> None:
    """Defaults in the account are in the body, and the body has no value of a parameter that was not given."""
    for base, name, limit in probes(conformance.model):
        if isinstance(limit, limits.Text) and value_of(base, name) is None:
            _expect_no_words(conformance.model, base, name, limit)
        if name == "size" and value_of(base, name) is None and limit.default is None:
            _expect_no_size(conformance.model, base, limit)
        if not isinstance(limit, _SCALAR) or (value_of(base, name) is not None and name != "seed"):
            continue
        values = [value for value in (numbers(limit) or _words(limit)) if value != limit.default]
        moving = _moving(_rows(conformance.model, base, name, values[:6]))
        plain = plan_or_none(conformance.model, base)
        if plain is None or name == "seed":
            continue
        unsaid = bodies.leaves_of(plain.requests[0])
        for path in moving:
            where = bodies.in_words(path)
            if limit.default is None and (not isinstance(limit, limits.Choice) or _chosen_by_name(path, name, base)):
                seen = (
                    f"nobody said {name}, the account has no default for it, and the body has {where}={unsaid.get(path)!r}"
                )
                expect(path not in unsaid, f"{seen}: declare it as the limit's default, or leave it out", base)
            elif limit.default is not None and _plain(str(limit.default)) not in _NO_WORD:
                seen = f"the account says that {name} is {limit.default!r} by default, but the body has no {where}"
                expect(path in unsaid, f"{seen}: send it, or declare no default", base)


def _chosen_by_name(path: bodies.Path, name: str, base: Task) -> bool:
    """Tell whether a key of the body is the choice itself. In an edit such a key may follow from how the mask is said."""
    return _names(path, name) and not isinstance(base, Inpaint | Outpaint)


def _expect_no_words(model: Model, base: Task, name: str, limit: limits.Text) -> None:
    """Hold that where nobody said a text there is none, or an empty one."""
    made = plan_or_none(model, base)
    rows = _rows(model, base, name, [text for text in _PARTS[:2] if limit.wrong(text) is None])
    unsaid = {} if made is None else bodies.leaves_of(made.requests[0])
    for path in _moving(rows) if len(rows) == 2 and limit.default is None else ():
        found = unsaid.get(path)
        fine = not isinstance(found, str) or not found.strip()
        expect(fine, f"{name} was not given, but the body has {bodies.in_words(path)}={found!r}", base)


def _expect_no_size(model: Model, base: Task, limit: Constraint) -> None:
    """Hold that the body has no size that was not given, unless it follows the picture."""
    images = model.limits_of(type(base)).parameters.get("image")
    tasks = [base, *(changed(base, "image", image) for image in (ends(images) if images is not None else ()))]
    made = [plan for task in tasks if (plan := plan_or_none(model, task)) is not None]
    unsaid = [bodies.leaves_of(plan.requests[0]) for plan in made]
    sizes = {getattr(image, "size", None) for plan in made for image in _images_of(plan.task)}
    if not unsaid or len(sizes) == 1:
        return
    for path in _moving(_rows(model, base, "size", ends(limit))):
        found = [leaves.get(path) for leaves in unsaid]
        follows = any(_differ(found[0], other) for other in found)
        fine = follows or found[0] is None or re.search("[0-9]", str(found[0])) is None
        expect(fine, f"size was not given and has no default, but the body has {bodies.in_words(path)}={found[0]!r}", base)


def _images_of(task: Task) -> tuple[Any, ...]:
    image = getattr(task, "image", ())
    return image if isinstance(image, tuple) else (image,)


# ---------------------------------------------------------------------------------------------- together


@check
def test_parameters_do_not_disturb_each_other(conformance: Conformance) -> None:
    """A parameter has the same effect on the body next to any other parameter, and when all are set."""
    model = conformance.model
    for start in all_starts(model):
        base = seeded(model, start)
        marks = {name: mark for name, limit in sayable(model, start).items() if (mark := _mark(model, base, name, limit))}
        all_said = [full(model, base), full(model, base, last=True)]
        for name, mark in marks.items():
            for other, limit in sayable(model, start).items():
                if other != name and (name, other) != ("mask", "image"):
                    for value in _two([*values_for(base, other, limit), *_larger(base, limit)], value_of(base, other)):
                        exact = mark if isinstance(limit, _SAYS_COLOURS) else attrs.evolve(mark, or_inverted=None)
                        _expect_mark(model, changed(mark.task, other, value), name, exact, f"beside {other}={value!r}")
            for everything in all_said:
                _expect_mark(model, changed(everything, name, value_of(mark.task, name)), name, mark, "when all is said")


_SAYS_COLOURS = limits.Choice | limits.Flag
"""What may say which colour of a mask is painted."""


@attrs.frozen
class _Mark:
    """What a value leaves in the body; ``or_inverted`` also accepts the inverse of a mask."""

    task: Task
    holds: Callable[[Request], bool]
    or_inverted: Callable[[Request], bool] | None = None


def _larger(base: Task, limit: Constraint) -> list[Any]:
    """Pictures of other sizes than the task's, where no mask binds them."""
    free = isinstance(limit, limits.Picture) and isinstance(getattr(base, "image", None), Image) and not _is_masked(base)
    return [ends(limit)[0], max(ends(limit), key=lambda image: math.prod(image.size))] if free else []


def _is_masked(base: Task) -> bool:
    return getattr(base, "mask", None) is not None or getattr(base, "expand", None) is not None


def _two(values: Sequence[Any], said: Any) -> list[Any]:
    """Two values and the ends, as far as there are."""
    found = [value for value in values if value != said]
    ends_of = [min(found), max(found)] if found and all(type(value) in {int, float} for value in found) else found[-1:]
    largest = [max(found, key=lambda image: math.prod(image.size))] if found and isinstance(found[0], Image) else []
    chosen = [*found[:2], *ends_of, *largest]
    return [value for at, value in enumerate(chosen) if value not in chosen[:at]]


def _mark(model: Model, base: Task, name: str, limit: Constraint) -> _Mark | None:
    if isinstance(limit, limits.Text):
        return _mark_of(model, base, name, "zebras by a river" if limit.pattern is None else limit.example, _holds_text)
    if isinstance(limit, limits.Picture | limits.Pictures):
        chosen = [*ends(limit)[-1:], value_of(base, name), *ends(limit)[:1]]
        return next(filter(None, (_mark_of(model, base, name, value, _holds_pictures) for value in chosen)), None)
    if isinstance(limit, limits.MaskPicture):
        return _mask_mark(model, base, name, limit)
    if isinstance(limit, limits.Items):
        return _mark_of(model, base, name, ends(limit)[-1], _holds_texts)
    return _scalar_mark(model, base, name, limit) if isinstance(limit, (*_SCALAR, *_SIZES)) else None


def _scalar_mark(model: Model, base: Task, name: str, limit: Constraint) -> _Mark | None:
    values = numbers(limit) or ends(limit)
    rows = _rows(model, base, name, values)
    paths = [path for path in _moving(rows) if not any(isinstance(key, int) for key in path)]
    if not paths or len(rows) < 2:
        return None
    value, leaves = rows[len(rows) // 2]
    task = changed(base, name, value)
    return None if task is None else _Mark(task, lambda request: _has(request, {path: leaves[path] for path in paths}))


def _mask_mark(model: Model, base: Task, name: str, limit: limits.MaskPicture) -> _Mark | None:
    """The leaf of the mask alone: its pixels are the same, whatever else is said."""
    image = getattr(base, "image", None)
    if not isinstance(image, Image) or "size" in sayable(model, base):  # a plugin may scale both to a size
        return None
    ramp = Mask(image.size, PIL.Image.linear_gradient("L").resize(image.size).tobytes())
    value = ramp if limit.grey else masks_of(image.size, grey=False)[0]
    rows = _rows(model, base, name, [value, *masks_of(image.size, grey=False)[:2]])
    task = changed(base, name, value)
    if task is None or len(rows) < 3:
        return None
    own = rows[0][1]
    held = [leaf for path, leaf in own.items() if any(leaf != leaves.get(path) for _, leaves in rows[1:])]
    if not held:
        return None
    inverses = [_inverted(leaf) for leaf in held]
    return _Mark(task, lambda request: _holds_leaves(request, held), lambda request: _holds_pixels(request, held, inverses))


def _mark_of(model: Model, base: Task, name: str, value: Any, holds: Callable[[Request, Any], bool]) -> _Mark | None:
    task = changed(base, name, value) if value is not None else None
    made = plan_or_none(model, task)
    if task is None or made is None:
        return None
    used = value_of(made.task, name)
    return _Mark(task, lambda request: holds(request, used)) if holds(made.requests[0], used) else None


def _holds_text(request: Request, text: Any) -> bool:
    return isinstance(text, str) and bodies.carries_text(request, text)


def _holds_texts(request: Request, items: Any) -> bool:
    return all(_holds_text(request, item) for item in items)


def _holds_pictures(request: Request, images: Any) -> bool:
    several = images if isinstance(images, tuple) else (images,)
    return all(isinstance(image, Image) and bodies.carries_bytes(request.body, image.data) for image in several)


def _holds_leaves(request: Request, held: Sequence[Any]) -> bool:
    found = list(bodies.leaves_of(request).values())
    return all(leaf in found for leaf in held)


def _holds_pixels(request: Request, held: Sequence[Any], inverses: Sequence[bytes | None]) -> bool:
    """Tell whether a body has the masks, or their inverses."""
    found = list(bodies.leaves_of(request).values())
    return all(leaf in found or inverse in map(_pixels, found) for leaf, inverse in zip(held, inverses, strict=True))


def _inverted(leaf: Any) -> bytes | None:
    pixels = _pixels(leaf)
    return None if pixels is None else bytes(255 - level for level in pixels)


def _pixels(leaf: Any) -> bytes | None:
    """The levels of a mask, as bytes or base64; those of its transparency where it has some."""
    with contextlib.suppress(Exception):
        data = leaf if isinstance(leaf, bytes) else base64.b64decode(leaf)
        opened = PIL.Image.open(BytesIO(data), formats=("PNG",))
        return (opened.getchannel("A") if opened.mode == "RGBA" else opened.convert("L")).tobytes()
    return None


def _has(request: Request, wanted: Leaves) -> bool:
    leaves = bodies.leaves_of(request)
    return all(path in leaves and not _differ(leaves[path], leaf) for path, leaf in wanted.items())


def _expect_mark(model: Model, task: Task | None, name: str, mark: _Mark, when: str) -> None:
    made = plan_or_none(model, task)
    if made is None or value_of(made.calls[0], name) != value_of(mark.task, name):
        return
    fine = (mark.or_inverted or mark.holds)(made.requests[0])
    expect(fine, f"{when}, {name}={shorten(value_of(mark.task, name))} differs in the body from when it is alone", made.task)
