"""What becomes of a task on its way into a request: nothing is lost, nothing invented, nothing changed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import attrs
import pytest

from limner import Image, Mask, Model, Request, Task, TaskRefused, limits
from limner.limits import Constraint
from limner.testing import bodies
from limner.testing.ends import ends
from limner.testing.kit import Conformance, check, expect, explore
from limner.testing.pictures import picture
from limner.testing.probes import (
    all_starts,
    base_for,
    changed,
    constraints,
    known,
    plan_or_none,
    probes,
    sayable,
    starts,
    value_of,
    values_for,
)
from limner.testing.purity import another_world
from limner.testing.strategies import tasks_within


@check
def test_allowed_tasks_are_encoded(conformance: Conformance) -> None:
    """Every task that keeps the declared limits becomes requests: a Request each, of a model_id and bytes."""
    model = conformance.model

    def holds(task: Task) -> None:
        made = model.plan(task)
        for request in made.requests:
            fine = isinstance(request, Request) and isinstance(request.model_id, str) and isinstance(request.body, bytes)
            expect(fine, f"encode returned {request!r}, must be Request(model_id, bytes)", task)

    for base, name, limit in probes(conformance.model):
        for value in values_for(base, name, limit):
            task = changed(base, name, value)
            if task is not None and _keeps(model, task):
                holds(task)
    for kind in conformance.tasks:
        explore(tasks_within(model, kind), holds)


def _keeps(model: Model, task: Task) -> bool:
    """Tell whether neither the limits nor the model's own check between parameters refuse the task."""
    try:
        model.plan(task)
    except TaskRefused:
        return False
    return True


@check
def test_every_parameter_can_be_said(conformance: Conformance) -> None:
    """For every parameter and option that the limits declare there is an allowed task that says it."""
    model = conformance.model
    for kind in conformance.tasks:
        made = starts(model, kind)
        for name, limit in constraints(model.limits_of(kind)).items():
            known(name, limit)
            said = any(value_of(start, name) is not None for start in made)
            said = said or any(name in sayable(model, start) and base_for(model, start, name, limit) for start in made)
            expect(said, f"{kind.kind}: no value of {name} is ever allowed; it is {limit.describe()}")


@check
def test_bodies_keep_the_provider_schema(conformance: Conformance) -> None:
    """The body of every allowed task is valid by the JSON Schema that was written from the provider's documents."""
    model = conformance.model

    def holds(task: Task) -> None:
        made = plan_or_none(model, task)
        for call, request in zip(made.calls, made.requests, strict=True) if made is not None else ():
            problems = conformance.problems_of(call, request)
            expect(not problems, f"the body is not what the provider documents: {'; '.join(problems)}", task)

    for base, name, limit in probes(conformance.model):
        for value in values_for(base, name, limit):
            task = changed(base, name, value)
            if task is not None:
                holds(task)
    for kind in conformance.tasks:
        explore(tasks_within(model, kind), holds)


_OWN_ENDS: dict[str, tuple[float, ...]] = {"seed": (0, 1), "steps": (1,), "strength": (0, 1)}
"""Where the uniform meaning itself ends, whatever the provider would take: seed 0 may mean "random" there."""


@check
def test_limits_reach_the_ends_of_the_schema(conformance: Conformance) -> None:
    """No limit is narrower than the provider documents: one step beyond its end the body breaks the JSON Schema."""
    for base, name, limit in probes(conformance.model):
        for inside, end in _edges(name, limit):
            near, at = (plan_or_none(conformance.model, changed(base, name, value)) for value in (inside, end))
            if near is not None and at is not None:
                beyond = _one_step_on(near.requests[0], at.requests[0])
                too_narrow = beyond is not None and not conformance.problems_of(at.calls[0], beyond)
                seen = f"{name} ends at {str(end)[-30:]!r}, but the provider's schema allows one step more"
                expect(not too_narrow, f"{seen}: {limit.describe()} [{limit.source}]", at.task)


def _edges(name: str, limit: Constraint) -> Iterator[tuple[Any, Any]]:
    """The ends of a constraint, each after a value beside it."""
    if isinstance(limit, limits.Integer | limits.Real):
        least, most = limit.min_value, limit.max_value
        step = 1 if isinstance(limit, limits.Integer) else ((most or 0.0) - (least or 0.0)) / 100 or 1.0
        own = _OWN_ENDS.get(name, ())
        if least is not None and least != most and least not in own:
            yield least + step, least
        if most is not None and least != most and most not in own:
            yield most - step, most
    elif isinstance(limit, limits.Text) and limit.max_length is not None and limit.pattern is None and limit.max_length > 1:
        yield "x" * (limit.max_length - 1), "x" * limit.max_length


def _one_step_on(near: Request, at: Request) -> Request | None:
    """Move the one leaf in which two bodies differ as far again; ``None`` where there is no such leaf."""
    import json

    one, other = bodies.leaves(bodies.parsed(near.body)), bodies.leaves(bodies.parsed(at.body))
    paths = [path for path in other if path in one and one[path] != other[path]]
    if len(paths) != 1 or one.keys() != other.keys():
        return None
    before, after = one[paths[0]], other[paths[0]]
    if isinstance(after, str) and isinstance(before, str):
        further: Any = after + after[:1]
    elif isinstance(after, int | float) and isinstance(before, int | float):
        further = after + (after - before)
    else:
        return None
    return attrs.evolve(at, body=json.dumps(bodies.replaced(bodies.parsed(at.body), paths[0], further)).encode())


@check
def test_texts_arrive_whole(conformance: Conformance) -> None:
    """Every text is in the body as it was said: nothing is cut, stripped or replaced, whatever its characters."""
    for base, name, limit in probes(conformance.model):
        if not isinstance(limit, limits.Text):
            continue
        for value in ends(limit):
            made = plan_or_none(conformance.model, changed(base, name, value))
            used = None if made is None else value_of(made.task, name)
            if made is not None and isinstance(used, str):
                fine = all(bodies.carries_text(request, used) for request in made.requests)
                expect(fine, f"the body does not hold {name} as it was said", made.task)


@check
def test_jpeg_travels_byte_for_byte(conformance: Conformance) -> None:
    """A JPEG within limits is in the body byte for byte: it is not decoded and encoded again."""
    jpegs = 0
    for start in all_starts(conformance.model):
        if getattr(start, "expand", None) is not None:  # a larger canvas is another picture
            continue
        for name, limit in sayable(conformance.model, start).items():
            inner = limit.of if isinstance(limit, limits.Pictures) else limit
            if isinstance(inner, limits.Picture) and "image/jpeg" in inner.formats:
                jpegs += _expect_jpeg_in_body(conformance.model, start, name, limit)
    if not jpegs:
        pytest.skip("no task takes a JPEG")


def _expect_jpeg_in_body(model: Model, start: Task, name: str, limit: Constraint) -> int:
    base = base_for(model, start, name, limit)
    current = None if base is None else getattr(base, "image", None)
    if base is None or current is None:
        return 0
    size = (current[0] if isinstance(current, tuple) else current).size
    jpeg = _jpeg_with_comment(size)
    made = plan_or_none(model, changed(base, name, (jpeg,) if isinstance(limit, limits.Pictures) else jpeg))
    if made is None:
        return 0
    fine = bodies.carries_bytes(made.requests[0].body, jpeg.data)
    expect(fine, f"the JPEG of {name} is not in the body byte for byte", made.task)
    return 1


def _jpeg_with_comment(size: tuple[int, int]) -> Image:
    buffer = BytesIO()
    picture(size).pil().save(buffer, "JPEG", quality=61, comment=b"as it was")
    return Image(buffer.getvalue())


@check
def test_numbers_are_rounded(conformance: Conformance) -> None:
    """A number of two decimals goes out with no more than six: 1 - 0.8 is 0.2, not 0.19999999999999996."""
    for base, name, limit in probes(conformance.model):
        if not isinstance(limit, limits.Real):
            continue
        for value in (step / 10 for step in range(-20, 60)):
            made = plan_or_none(conformance.model, changed(base, name, value) if limit.wrong(value) is None else None)
            for leaf in bodies.leaves(bodies.parsed(made.requests[0].body)).values() if made is not None else ():
                fine = not isinstance(leaf, float) or not math.isfinite(leaf) or leaf == round(leaf, 6)
                expect(fine, f"with {name}={value} the body holds {leaf!r}", made and made.task)


@check
def test_encode_is_pure(conformance: Conformance) -> None:
    """The same task makes the same request, whatever the clock says and whatever is random."""
    package = type(conformance.model).__module__.partition(".")[0]
    for task in _plain_tasks(conformance):
        call = conformance.model.plan(task).calls[0]
        expected = conformance.model.encode(call)
        expect(conformance.model.encode(call) == expected, "encoded twice, the request is another", call)
        for year in (2001, 2049):
            with another_world(package, year):
                found = conformance.model.encode(call)
            expect(found == expected, f"in the year {year}, with other random numbers, the request is another", call)


def _plain_tasks(conformance: Conformance) -> Iterator[Task]:
    """The starts, and each with one more parameter said: all of them allowed."""
    yield from all_starts(conformance.model)
    for base, name, limit in probes(conformance.model):
        for value in values_for(base, name, limit)[:2]:
            task = changed(base, name, value)
            if task is not None and plan_or_none(conformance.model, task) is not None:
                yield task


@check
def test_encode_changes_nothing(conformance: Conformance) -> None:
    """Encode leaves the task, its pictures and options, and the declared limits as they were."""
    model, declared = conformance.model, repr(conformance.model.limits)
    changes: list[str] = []

    def encode(_: Model, task: Task) -> Request:
        before = _said(task)
        request = model.encode(task)
        changes.extend(f"{was} to {now}" for was, now in zip(before, _said(task), strict=True) if was != now)
        return request

    watched = conformance.overriding(encode=encode)
    for task in _plain_tasks(conformance):
        watched.plan(task)
        expect(not changes, f"encode changed {'; '.join(changes)}", task)
    expect(repr(model.limits) == declared, "encode changed the declared limits")


def _said(task: Task) -> list[str]:
    """Every value as it is now: a hash that was stored earlier says nothing."""
    return [f"{field.name}={_plain(getattr(task, field.name))}" for field in attrs.fields(type(task))]


def _plain(value: Any) -> str:
    if isinstance(value, Image | Mask):
        return f"{value!r} {value.sha256}"
    return f"({', '.join(map(_plain, value))})" if isinstance(value, tuple) else repr(value)


@check
def test_called_model_id_is_the_callers(conformance: Conformance) -> None:
    """A model made with a model_id of the caller's, such as an ARN, sends its requests there."""
    kind, own = type(conformance.model), "arn:aws:example:region:1:provisioned-model/of-the-caller"
    model = kind(conformance.model.settings, model_id=own)
    for start in itertools.chain.from_iterable(starts(model, task) for task in conformance.tasks):
        for request in model.plan(start).requests:
            expect(request.model_id == own, f"made with model_id={own!r}, the request goes to {request.model_id!r}", start)
