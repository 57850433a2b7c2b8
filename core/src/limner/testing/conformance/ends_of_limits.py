"""Whether the limits are as wide as the provider's documents, no narrower: one step beyond an end the documents say no."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import Any

import attrs

from limner import Image, Mask, Model, Plan, Request, Task, WeightedText, limits
from limner.images import Size
from limner.limits import Constraint
from limner.testing import bodies
from limner.testing.conformance.meaning import numbers
from limner.testing.ends import ends
from limner.testing.kit import UNREADABLE, Conformance, check, expect
from limner.testing.pictures import mask, padded, picture
from limner.testing.probes import all_starts, changed, plan_or_none, probes, sayable, saying, value_of

_OWN_ENDS: dict[str, tuple[float, ...]] = {"seed": (0, 1), "steps": (1,), "strength": (0, 1)}
"""Where the uniform meaning itself ends, whatever the provider would take: seed 0 may mean "random" there."""


@check
def test_limits_reach_the_ends_of_the_schema(conformance: Conformance) -> None:
    """No limit is narrower than the provider documents: one step beyond it, the body violates the JSON Schema."""
    for base, name, limit in probes(conformance.model):
        for inside, end in _edges(name, limit, base):
            near, at = (plan_or_none(conformance.model, changed(base, name, value)) for value in (inside, end))
            if near is not None and at is not None:
                for beyond, nonsense in _one_step_on(near.requests[0], at.requests[0]):
                    looks = _looks(conformance, at.calls[0], nonsense)
                    if looks and not conformance.problems_of(at.calls[0], beyond):
                        expect(False, _too_narrow(name, end, limit), at.task)
                if not bodies.is_json(at.requests[0].body):
                    _expect_end_of_form(conformance, at, name, limit, inside, end)
        _expect_several(conformance, base, name, limit)
        _expect_no_finer_step(conformance, base, name, limit)
        _expect_every_word(conformance, base, name, limit)
        _expect_every_size(conformance, base, name, limit)
        _expect_whole_canvas(conformance, base, name, limit)
        _expect_every_picture(conformance, base, name, limit)
    for start in all_starts(conformance.model):
        _expect_full_calls(conformance, start)
        _expect_every_combination(conformance, start)


def _too_narrow(name: str, end: Any, limit: Constraint) -> str:
    seen = f"{name} ends at {str(end)[-30:]!r}, but the provider's schema allows one step more"
    return f"{seen}: {limit.describe()} [{limit.source}]"


def _expect_end_of_form(conformance: Conformance, at: Plan, name: str, limit: Constraint, inside: Any, end: Any) -> None:
    """Hold it of a body that is no JSON: the plugin itself encodes what its limits refuse."""
    beyond, absurd = _past_end(inside, end)
    problems = [_problems_with(conformance, at.calls[0], name, value) for value in (beyond, absurd)]
    narrow = limit.wrong(beyond) is not None or isinstance(limit, limits.Count)
    fine = not narrow or problems[0] is None or problems[0] or not problems[1]
    expect(fine, _too_narrow(name, end, limit), at.task)


def _problems_with(conformance: Conformance, call: Task, name: str, value: Any) -> Sequence[str] | None:
    """What the documents say against a value, of a call that is encoded as it is; ``None`` where it cannot be."""
    task = None if value is None else changed(call, name, value)
    request = None if task is None else encoded_or_none(conformance.model, task)
    return None if task is None or request is None else conformance.problems_of(task, request)


def _past_end(inside: Any, end: Any) -> tuple[Any, Any]:
    """A value one step past an end, and one that is far beyond: where that is fine too nobody looks."""
    if isinstance(end, str):
        return (end + end[:1], end * 50) if len(end) > len(inside) else (end[:-1], "")
    if isinstance(end, int | float):
        return end + (end - inside), end + 1_000_000 * (end - inside)
    if isinstance(end, tuple) and len(end) == len(inside) and all(isinstance(one, int) for one in end):
        steps = [after - before for before, after in zip(inside, end, strict=True)]
        return tuple(map(sum, zip(end, steps, strict=True))), tuple(
            one + 1000 * step for one, step in zip(end, steps, strict=True)
        )
    return ((*end, *end[-1:]), end * 100) if isinstance(end, tuple) and len(end) > len(inside) else (None, None)


_ABSURD_SIZE = (7, 100_003)


def _expect_every_size(conformance: Conformance, base: Task, name: str, limit: Constraint) -> None:
    """Hold that of named sizes none is missing that has the sides of others, such as the one on its side."""
    if not isinstance(limit, limits.Sizes):
        return
    made = plan_or_none(conformance.model, base)
    sides = sorted({side for size in limit.allowed for side in size})
    others = [size for size in itertools.product(sides, repeat=2) if size not in limit.allowed]
    if made is None or not others or not _problems_with(conformance, made.calls[0], name, _ABSURD_SIZE):
        return
    for size in others[:_MOST_SIZES]:
        fine = _problems_with(conformance, made.calls[0], name, size) != []
        expect(fine, f"{name} cannot be {size}, which the documents allow: {limit.describe()} [{limit.source}]", base)


_MOST_SIZES = 30


def _expect_whole_canvas(conformance: Conformance, base: Task, name: str, limit: Constraint) -> None:
    """Hold that a picture may be extended to as large a canvas as the documents say."""
    rule = limit.canvas if isinstance(limit, limits.Expand) else None
    if not isinstance(limit, limits.Expand) or not isinstance(rule, limits.SizeRule):
        return
    step = rule.multiple_of
    most = rule.max_side // step * step
    more = min(limit.max_side - step, most // 2) // step * step
    if more <= 0 or limit.max_side * most > _MOST_PIXELS:
        return
    for at in (2, 3):  # to the right, and to the bottom
        task = _nearly_as_large(conformance.model, base, most - more, at)
        made = plan_or_none(conformance.model, None if task is None else changed(task, name, _border(at, more)))
        if made is None:
            continue
        as_number = more in bodies.leaves(bodies.parsed(made.requests[0].body)).values()  # no picture grows with it
        borders = _border(at, more + step), _border(at, 1_000_000) if as_number else (limit.max_side,) * 4
        beyond, absurd = (_problems_with(conformance, made.calls[0], name, border) for border in borders)
        narrow = f"the canvas of {name} ends at {most} pixels, but the provider's documents allow one step more"
        expect(beyond != [] or not absurd, f"{narrow}: {limit.describe()} [{limit.source}]", made.task)


def _nearly_as_large(model: Model, base: Task, side: int, at: int) -> Task | None:
    """The task with a picture of this width, or height, and otherwise as small as may be."""
    made = (changed(base, "image", picture((side, other) if at == 2 else (other, side))) for other in (64, 512, side))
    return next((task for task in made if plan_or_none(model, task) is not None), None)


_MOST_PIXELS = 40_000_000


def _expect_every_combination(conformance: Conformance, start: Task) -> None:
    """Hold that check refuses no two values together that the documents allow, where they refuse some of these two."""
    model, found = conformance.model, sayable(conformance.model, start)
    if type(model).check is Model.check:
        return
    values_of = {name: values for name, limit in found.items() if (values := _combined(limit))}
    for (one, values), (other, more) in itertools.combinations(values_of.items(), 2):
        refused, looked = [], False
        for value, another in itertools.product(values[:_MOST_WORDS], more[:_MOST_WORDS]):
            task = changed(changed(start, one, value) or start, other, another)
            if task is None or value_of(task, one) != value or plan_or_none(model, task) is not None:
                continue
            problems = _problems_as_fitted(conformance, task)
            looked = looked or bool(problems)
            refused += [(task, value, another)] if problems == [] else []
        for task, value, another in refused if looked else ():
            expect(False, f"check refuses {one}={value!r} with {other}={another!r}, which the documents allow", task)
        for name, another in ((one, other), (other, one)):
            for value in values_of[another][:_MOST_WORDS]:
                _expect_first_refused(conformance, changed(start, another, value), name, found[name])


def _expect_first_refused(conformance: Conformance, task: Task | None, name: str, limit: Constraint) -> None:
    """Hold that the least number which check refuses beside another value is one that the documents refuse."""
    if task is None or not isinstance(limit, limits.Integer) or isinstance(limit, limits.Seed):
        return

    def is_allowed(value: int) -> bool:
        return plan_or_none(conformance.model, changed(task, name, value)) is not None

    fine, refused = limit.min_value, limit.max_value
    if is_allowed(refused):
        fine, refused = refused, fine
    if not is_allowed(fine) or is_allowed(refused):
        return
    looked = _problems_as_fitted(conformance, _saying_or(task, name, refused))
    while abs(refused - fine) > 1:
        middle = (fine + refused) // 2
        fine, refused = (middle, refused) if is_allowed(middle) else (fine, middle)
    problems = _problems_as_fitted(conformance, _saying_or(task, name, refused))
    seen = f"check refuses {name}={refused} beside the rest of the task, which the documents allow; it allows {fine}"
    expect(not looked or problems != [], seen, task)


def _saying_or(task: Task, name: str, value: Any) -> Task:
    """The task with another value; as it is where no task can hold it."""
    return changed(task, name, value) or task


def _combined(limit: Constraint) -> list[Any]:
    """Values of a parameter to combine with those of others."""
    if isinstance(limit, limits.Choice | limits.Flag):
        return ends(limit)
    if isinstance(limit, limits.Integer | limits.Real) and not isinstance(limit, limits.Seed | limits.Count):
        found = numbers(limit)
        return [*found[:2], *found[len(found) // 2 - 1 : len(found) // 2 + 2], *found[-2:]]
    return ends(limit)[:_MOST_WORDS] if isinstance(limit, limits.Sizes | limits.SizeRule | limits.Aspects) else []


_MOST_WORDS = 8


def _problems_as_fitted(conformance: Conformance, task: Task) -> list[str] | None:
    """What the documents say against a task that the model's own check refuses; ``None`` where it cannot be encoded."""
    try:
        unchecked = conformance.overriding(check=lambda *_: ()).plan(task)
        problems = [problem for one in unchecked.requests for problem in conformance.problems_of(unchecked.calls[0], one)]
    except Exception:
        return None
    return [problem for problem in problems if not problem.startswith(UNREADABLE)]


def _edges(name: str, limit: Constraint, base: Task | None) -> Iterator[tuple[Any, Any]]:
    """The ends of a constraint, each after a value beside it."""
    if isinstance(limit, limits.Integer | limits.Real):
        yield from _numbers(name, limit)
    elif isinstance(limit, limits.Text) and limit.pattern is None:
        yield from _texts(limit)
    elif isinstance(limit, limits.Expand):
        yield from ((_border(side, limit.max_side - 1), _border(side, limit.max_side)) for side in range(4))
    elif isinstance(limit, limits.SizeRule):
        yield from _sides(limit)
        yield from _largest(limit)
    elif isinstance(limit, limits.Count) and limit.per_call > 1:
        yield limit.per_call - 1, limit.per_call
    elif isinstance(limit, limits.Items | limits.Pictures):
        yield from _lists(limit, base)


def _numbers(name: str, limit: limits.Integer | limits.Real) -> Iterator[tuple[Any, Any]]:
    least, most = limit.min_value, limit.max_value
    step = 1 if isinstance(limit, limits.Integer) else ((most or 0.0) - (least or 0.0)) / 100 or 1.0
    own = _OWN_ENDS.get(name, ())
    if least is not None and least != most and least not in own:
        yield least + step, least
    if most is not None and least != most and most not in own:
        yield most - step, most


def _texts(limit: limits.Text) -> Iterator[tuple[Any, Any]]:
    if limit.max_length is not None and limit.max_length > 1:
        yield "x" * (limit.max_length - 1), "x" * limit.max_length
    if limit.min_length > 1:
        yield "x" * (limit.min_length + 1), "x" * limit.min_length
    if isinstance(limit, limits.PromptText) and limit.weights is not None:
        yield from _parts(limit, limit.weights)


def _parts(limit: limits.PromptText, weights: limits.Real) -> Iterator[tuple[Any, Any]]:
    """Prompts of as many parts as may be, and of weights at their ends."""
    part = WeightedText("fox", ends(weights)[0])
    if limit.max_parts is not None and limit.max_parts > 1:
        yield (part,) * (limit.max_parts - 1), (part,) * limit.max_parts
    for inside, end in _numbers("weight", weights):
        yield (WeightedText("fox", inside), part), (WeightedText("fox", end), part)


def _border(side: int, width: int) -> tuple[int, ...]:
    return tuple(width if at == side else 0 for at in range(4))


def _largest(rule: limits.SizeRule) -> Iterator[tuple[Size, Size]]:
    """The largest and the smallest allowed side beside some others, where the number of pixels or the shape ends it."""
    step = rule.multiple_of
    least, most = -(-rule.min_side // step) * step, rule.max_side // step * step
    middle = math.isqrt(math.isqrt(max(1, rule.min_pixels) * min(rule.max_pixels, most * most)))
    for other in sorted(
        {(least + most) // 2 // step * step, middle // step * step, math.isqrt(rule.max_pixels) // step * step}
    ):
        found = [side for side in range(least, most + 1, step) if rule.allows((side, other))]
        if len(found) > 1 and found[-1] < most:
            yield (found[-2], other), (found[-1], other)
            yield (other, found[-2]), (other, found[-1])
        if len(found) > 1 and found[0] > least:
            yield (found[1], other), (found[0], other)


def _sides(rule: limits.SizeRule, *, small: bool = False) -> Iterator[tuple[Size, Size]]:
    """Widths and heights at their ends, the other side such that no other rule is near; of pictures, which cost, small."""
    sides = attrs.evolve(rule, min_side=1, max_side=1 << 30)
    step = rule.multiple_of
    least, most = -(-rule.min_side // step) * step, rule.max_side // step * step
    for end, inner in ((most, most - step), (least, least + step)):
        beyond = 2 * end - inner
        others = (end, (least + most) // 2 // step * step, least, most)
        for other in sorted(others) if small else others:
            if beyond > 0 and sides.allows((beyond, other)) and rule.allows((end, other)) and rule.allows((inner, other)):
                yield (inner, other), (end, other)
                yield (other, inner), (other, end)
                break


def _lists(limit: limits.Items | limits.Pictures, base: Task | None) -> Iterator[tuple[Any, Any]]:
    """A list that is full, and one with an item less."""
    own = getattr(base, "image", ())
    found = own if isinstance(limit, limits.Pictures) and isinstance(own, tuple) else ends(limit.of)
    if limit.max_items is not None and found:
        yield (found[0],) * (limit.max_items - 1), (found[0],) * limit.max_items


def _looks(conformance: Conformance, task: Task, nonsense: Request) -> bool:
    """Tell whether the oracle says anything of a field in which there is nonsense."""
    return any(not problem.startswith(UNREADABLE) for problem in conformance.problems_of(task, nonsense))


_NONSENSE = {"of": ["another kind"]}
"""What no documented field is; where this is fine too nobody looks at the field."""


def _one_step_on(near: Request, at: Request) -> Iterator[tuple[Request, Request]]:
    """Move the one leaf in which two bodies differ as far again, or make the one list longer again; else nothing."""
    tree = bodies.parsed(at.body)
    one, other = bodies.leaves_of(near), bodies.leaves_of(at)
    paths = [path for path in other if path in one and one[path] != other[path]]
    if len(paths) == 1 and one.keys() == other.keys():
        further = _further(one[paths[0]], other[paths[0]])
        if further is not None:
            yield _with(at, bodies.replaced(tree, paths[0], further)), _with(at, bodies.replaced(tree, paths[0], _NONSENSE))
    added = [path for path in other if path not in one]
    lists = {path[: _list_at(path)] for path in added if _list_at(path)}
    if added and not paths and len(lists) == 1:
        path = lists.pop()
        before = dict(bodies.nodes(bodies.parsed(near.body))).get(path)
        further = bodies.replaced(tree, path, _longer(before, _at(tree, path)))
        yield _with(at, further), _with(at, bodies.replaced(tree, path, _NONSENSE))


def _longer(before: Any, items: Sequence[Any]) -> list[Any]:
    """Repeat the last item that the shorter list has less often: a list may hold texts and pictures."""
    shorter = before if isinstance(before, list) else []
    added = [at for at, item in enumerate(items) if items.count(item) > shorter.count(item)]
    last = added[-1] if added else len(items) - 1
    return [*items[: last + 1], *items[last:]]


def _list_at(path: bodies.Path) -> int:
    return next((at for at, key in enumerate(path) if isinstance(key, int)), 0)


def _at(tree: Any, path: bodies.Path) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def _further(before: Any, after: Any) -> Any:
    if isinstance(after, str) and isinstance(before, str):
        longer = after + after[:1] if after.startswith(before) else None
        return after[:-1] if before.startswith(after) else longer
    if isinstance(after, int | float) and isinstance(before, int | float):
        return after + (after - before)
    return None


def _with(request: Request, tree: Any) -> Request:
    return attrs.evolve(request, body=json.dumps(bodies.plain(tree)).encode())


def _moved_path(near: Plan | None, at: Plan | None) -> bodies.Path | None:
    """The one leaf in which two bodies differ."""
    if near is None or at is None:
        return None
    one, other = bodies.leaves_of(near.requests[0]), bodies.leaves_of(at.requests[0])
    paths = [path for path in other if path in one and one[path] != other[path]]
    return paths[0] if len(paths) == 1 and one.keys() == other.keys() else None


# ---------------------------------------------------------------------------------------------- steps between the ends


def _expect_several(conformance: Conformance, base: Task, name: str, limit: Constraint) -> None:
    """Hold that several negative prompts are allowed where the documents have a list of them."""
    if not isinstance(limit, limits.NegativeText) or limit.several:
        return
    made = plan_or_none(conformance.model, changed(base, name, _ALONE))
    for path, leaf in bodies.leaves_of(made.requests[0]).items() if made is not None else ():
        if made is not None and leaf == _ALONE and isinstance(path[-1], int):
            tree = bodies.parsed(made.requests[0].body)
            longer = _with(made.requests[0], bodies.replaced(tree, path[:-1], [*_at(tree, path[:-1]), _ALONE]))
            nonsense = _with(made.requests[0], bodies.replaced(tree, path[:-1], _NONSENSE))
            looks = _looks(conformance, made.calls[0], nonsense)
            fine = not looks or conformance.problems_of(made.calls[0], longer)
            expect(fine, f"{name} is one text, but the provider's schema allows several [{limit.source}]", made.task)


_ALONE = "mist"


def _expect_no_finer_step(conformance: Conformance, base: Task, name: str, limit: Constraint) -> None:
    """Hold that sizes are not allowed in coarser steps than documented."""
    if not isinstance(limit, limits.SizeRule) or limit.multiple_of == 1:
        return
    for (inner, other), (end, _) in itertools.islice(_sides(limit), 1):
        near, at = (plan_or_none(conformance.model, changed(base, name, (side, other))) for side in (inner, end))
        path = _moved_path(near, at)
        if path is None or at is None or near is None:
            return
        between = (inner + end) // 2
        request = _with(at.requests[0], bodies.replaced(bodies.parsed(at.requests[0].body), path, between))
        nonsense = _with(at.requests[0], bodies.replaced(bodies.parsed(at.requests[0].body), path, _NONSENSE))
        looks = _looks(conformance, at.calls[0], nonsense)
        fine = between in {inner, end} or not looks or conformance.problems_of(at.calls[0], request)
        expect(
            fine, f"size goes in steps of {limit.multiple_of}, but the provider's schema allows {between}x{other}", at.task
        )


# ---------------------------------------------------------------------------------------------- words


def _expect_every_word(conformance: Conformance, base: Task, name: str, limit: Constraint) -> None:
    """Hold that no documented word is missing: neither among choices nor among sizes that are words."""
    schema = conformance.schema_of(base)
    if schema is None or not isinstance(limit, limits.Choice | limits.Sizes | limits.Aspects):
        return
    made = [plan for value in ends(limit) if (plan := plan_or_none(conformance.model, changed(base, name, value)))]
    for other in made[1:] or made:
        path = _moved_path(made[0], other) if len(made) > 1 else _only_path(made[0], limit)
        if path is not None:
            said = {str(bodies.leaves_of(plan.requests[0]).get(path)) for plan in made}
            tree = bodies.parsed(made[0].requests[0].body)
            for word in _documented(schema) - said:
                request = _with(made[0].requests[0], bodies.replaced(tree, path, word))
                fine = conformance.problems_of(made[0].calls[0], request)
                expect(fine, f"{name} cannot be {word!r}, which the provider's schema allows: {limit.describe()}", base)
            return


def _only_path(made: Plan, limit: Constraint) -> bodies.Path | None:
    """The one leaf that is the only allowed word."""
    words = [str(value) for value in ends(limit)]
    paths = [path for path, leaf in bodies.leaves_of(made.requests[0]).items() if leaf in words]
    return paths[0] if len(paths) == 1 else None


def _documented(schema: Any) -> set[str]:
    """Every word of every enum of a schema."""
    words = {value for _, node in bodies.nodes(_as_tree(schema)) if isinstance(node, dict) for value in _enum(node)}
    return {word for word in words if isinstance(word, str)}


def _enum(node: Mapping[str, Any]) -> list[Any]:
    found = node.get("enum")
    return [value for value in found if isinstance(value, str)] if isinstance(found, list) else []


def _as_tree(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        return {key: _as_tree(value) for key, value in schema.items()}
    return [_as_tree(value) for value in schema] if isinstance(schema, list | tuple) else schema


# ---------------------------------------------------------------------------------------------- pictures


def _expect_every_picture(conformance: Conformance, base: Task, name: str, limit: Constraint) -> None:
    """Hold that no documented picture is refused, and that none beyond is taken, where body_problems looks into pictures."""
    inner = limit.of if isinstance(limit, limits.Pictures) else limit
    if not isinstance(inner, limits.Picture) or conformance.body_problems is None:
        return
    several, masked = isinstance(limit, limits.Pictures), isinstance(getattr(base, "mask", None), Mask) and name == "image"
    other = None if masked else plan_or_none(conformance.model, changed(base, name, ends(limit)[0]))
    made = other or plan_or_none(conformance.model, base)
    call = base if made is None else made.calls[0]

    def encoded(image: Image) -> tuple[Task, Request] | None:
        if masked:
            task: Task | None = saying(
                call, image=image, mask=mask(image.size, (0, 0, max(1, image.size[0] // 2), image.size[1]))
            )
        else:
            task = changed(call, name, (image,) if several else image)
        request = None if task is None else encoded_or_none(conformance.model, task)
        seen = request is not None and bodies.carries_bytes(request.body, image.data)  # and not a canvas made of it
        return (task, request) if seen and task is not None and request is not None else None

    def problems(image: Image) -> Sequence[str] | None:
        made = encoded(image)
        return None if made is None else conformance.problems_of(*made)

    def in_its_place(image: Image, other: Image) -> Sequence[str]:
        """Look at a request in which another picture stands, which the plugin may not encode at all."""
        made = encoded(image)
        found = problems(other)
        if found is not None or made is None:
            return found or ()
        return conformance.problems_of(made[0], _with_picture(made[1], image, other))

    for inside, beyond, absurd in _pictures(inner):
        if masked and beyond.media_type != inside.media_type:  # the mask's format may bind the picture's
            continue
        taken, wider = problems(inside), problems(beyond)
        told = f"[{inner.source}]"
        allowed = (at_end := encoded(inside)) is not None and plan_or_none(conformance.model, at_end[0]) is not None
        if allowed and inner.wrong(inside) is None and taken is not None:
            expect(
                not taken, f"the limits of {name} allow {inside!r}, the documents do not: {'; '.join(taken)} {told}", base
            )
        narrow = inner.wrong(beyond) is not None and not wider and wider is not None and in_its_place(beyond, absurd())
        expect(
            not narrow, f"the limits of {name} refuse {beyond!r}, which the documents allow: {inner.describe()} {told}", base
        )


def _with_picture(request: Request, image: Image, other: Image) -> Request:
    return attrs.evolve(request, body=bodies.with_bytes(request.body, image.data, other.data))


def _pictures(limit: limits.Picture) -> Iterator[tuple[Image, Image, Callable[[], Image]]]:
    """A picture at an end of the limits, one just beyond, and how to make one far beyond, as a control."""
    rule = limit.size
    size = (24, 16) if rule is None or rule.allows((24, 16)) else ends(rule)[0]
    if rule is not None:
        for (inner, other), (end, _) in itertools.islice(_sides(rule, small=True), 0, None, 2):
            step = end - inner
            far = end * 8 if step > 0 else 1
            if max(end + step, far) * other < _MOST_PIXELS and end + step > 0:
                yield picture((end, other)), picture((end + step, other)), partial(picture, (far, other))
        for before, at_end in _largest(rule):
            across, down = at_end[0] - before[0], at_end[1] - before[1]
            next_size = at_end[0] + across, at_end[1] + down
            far_size = at_end[0] + 200 * across, at_end[1] + 200 * down
            if min(far_size) > 0 and math.prod(far_size) < _MOST_PIXELS:
                yield picture(at_end), picture(next_size), partial(picture, far_size)
    for media in ("image/webp", "image/jpeg", "image/png"):
        if media not in limit.formats:
            yield picture(size), picture(size, media_type=media), partial(_bmp, size)
    if limit.max_bytes is not None and limit.max_bytes <= _MOST_BYTES and "image/png" in limit.formats:
        plain, most = picture(size), limit.max_bytes
        far = 4 * most if most < _MANY_BYTES else most * 5 // 4
        yield padded(plain, most), padded(plain, most + 1), partial(padded, plain, far)


_MOST_PIXELS = 30_000_000
_MOST_BYTES = 17_000_000
_MANY_BYTES = 6_000_000


def _bmp(size: Size) -> Image:
    buffer = BytesIO()
    picture(size).pil().convert("RGB").save(buffer, "BMP")
    return Image(buffer.getvalue())


def encoded_or_none(model: Model, task: Task) -> Request | None:
    """Encode a task that the limits may refuse; nothing where the plugin cannot."""
    try:
        request = model.encode(task)
    except Exception:
        return None
    return request if isinstance(request, Request) and isinstance(request.body, bytes) else None


# ---------------------------------------------------------------------------------------------- pictures in a call


def _expect_full_calls(conformance: Conformance, start: Task) -> None:
    """Hold that one call makes as many pictures as documented."""
    limit = conformance.model.limits_of(type(start)).parameters.get("n")
    made = plan_or_none(conformance.model, start)
    if not isinstance(limit, limits.Count) or made is None or limit.per_call > 1:
        return
    one, two = (encoded_or_none(conformance.model, saying(made.calls[0], n=n)) for n in (1, 2))
    if one is not None and two is not None and one != two:
        fine = conformance.problems_of(made.calls[0], two)
        expect(fine, f"n: one picture in a call, but the provider's schema allows 2 [{limit.source}]", made.task)
