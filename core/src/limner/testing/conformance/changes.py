"""The strongest property: whatever is changed in a task is changed in the requests, or refused, or accounted for."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from limner import Model, Plan, Request, Task, limits
from limner.testing import bodies
from limner.testing.constraints import values
from limner.testing.kit import Conformance, check, expect, explore
from limner.testing.pictures import picture
from limner.testing.probes import changed, constraints, plan_or_none, probes, saying, seeded, value_of, values_for
from limner.testing.strategies import tasks_within


@check
def test_every_change_reaches_the_request(conformance: Conformance) -> None:
    """Changing any field of a task, or removing it, changes the requests, or is refused or accounted for."""
    for base, name, limit in probes(conformance.model):
        _expect_values_to_differ(conformance.model, base, name, [*values_for(base, name, limit), None])
    for kind in conformance.tasks:
        explore(_pairs(conformance.model, kind), lambda pair: _expect_change(conformance.model, *pair), examples=15)


def _expect_values_to_differ(model: Model, base: Task, name: str, found: list[Any]) -> None:
    seen: dict[tuple[Request, ...], tuple[Any, Task]] = {}
    for value in found:
        task = changed(base, name, value)
        made = plan_or_none(model, task)
        if made is not None:
            used = meaning(value_of(made.task, name))
            earlier, shown = seen.setdefault(made.requests, (used, made.task))
            fine = _same(used, earlier) or (
                _is_unsaid(name, made, earlier) and not _ignores_shapes(model, name, made, shown)
            )
            expect(fine, f"{name}={value_of(shown, name)!r} and {name}={value!r} make the same requests", task)


def _is_unsaid(name: str, made: Plan, value: Any) -> bool:
    """Tell whether the field was left out, and the value in whose place it is left out is in the body in so many words."""
    if value_of(made.task, name) is not None:
        return False
    found = bodies.leaves(bodies.parsed(made.requests[0].body)).values()
    said = value[0][1] if isinstance(value, tuple) and value[:1] and isinstance(value[0], tuple) else value
    drawn_or_derived = name == "seed" or (name == "size" and bool(getattr(made.task, "image", None)))
    return drawn_or_derived or any(type(leaf) is type(said) and leaf == said for leaf in found)


def _ignores_shapes(model: Model, name: str, unsaid: Plan, said: Task) -> bool:
    """Tell whether a size means the same as none whatever the shape of the picture, so that none is derived from it."""
    image = getattr(unsaid.task, "image", None)
    if name != "size" or not image:
        return False
    limit = model.limits_of(type(said)).parameters["image"]
    several = isinstance(limit, limits.Pictures)
    found: list[bool] = []
    for shape in _SHAPES:
        other = picture(shape)
        plans = [plan_or_none(model, saying(task, image=(other,) if several else other)) for task in (unsaid.task, said)]
        if None not in plans:
            found.append(len({plan.requests for plan in plans if plan is not None}) == 1)
    return len(found) > 1 and all(found)


_SHAPES = ((480, 160), (320, 320), (160, 480), (1200, 400), (400, 1200))
"""Shapes of which most models take some."""


_NO_DIFFERENCE = 1e-5


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values mean the same: True is not 1, and what six decimals do not tell apart need not differ."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < _NO_DIFFERENCE
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def _pairs(model: Model, kind: type[Task]) -> st.SearchStrategy[tuple[Task, str, Any]]:
    """A task, one of the fields that it says, and another value for it."""

    @st.composite
    def made(draw: st.DrawFn) -> tuple[Task, str, Any]:
        task = seeded(model, draw(tasks_within(model, kind)))
        said = [n for n, limit in constraints(model.limits_of(kind)).items() if value_of(task, n) is not None]
        name = draw(st.sampled_from(said))
        limit = constraints(model.limits_of(kind))[name]
        suited = values_for(task, name, limit)
        of_picture = isinstance(limit, limits.MaskPicture | limits.Expand | limits.Picture | limits.Pictures)
        drawn = st.sampled_from([*suited, None])
        return task, name, draw(drawn if of_picture or not suited else drawn | values(limit))

    return made()


def _expect_change(model: Model, task: Task, name: str, value: Any) -> None:
    other = changed(task, name, value)
    before, after = plan_or_none(model, task), plan_or_none(model, other)
    if before is None or after is None or before.requests != after.requests:
        return
    used = meaning(value_of(before.task, name))
    fine = _same(used, meaning(value_of(after.task, name))) or _is_unsaid(name, after, used)
    expect(fine, f"with {name}={value!r} in place of {value_of(task, name)!r} the requests are the same", task)


def meaning(value: Any) -> Any:
    """Bring values that mean the same into one form."""
    if isinstance(value, str):
        return (("text", value, 1.0),)
    if isinstance(value, tuple):
        return tuple(meaning(part)[0] if isinstance(part, str) else _part(part) for part in value)
    return value


def _part(part: Any) -> Any:
    return ("text", part.text, part.weight) if hasattr(part, "weight") else part
