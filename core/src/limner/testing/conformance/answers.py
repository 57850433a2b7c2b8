"""What becomes of a good answer: the provider's own pictures, the same in sync and async, and lasting."""

from __future__ import annotations

import asyncio
import base64
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from limner import Generate, Model, Picture, RateLimited, Request, Response, Result, Task, Vary, from_json, to_json
from limner.limits import Aspects
from limner.testing import bodies
from limner.testing.ends import ends
from limner.testing.kit import Conformance, check, expect, explore
from limner.testing.probes import kinds_with, plan_or_none, saying, smallest, starts
from limner.testing.purity import another_world
from limner.testing.strategies import tasks_within


def small_tasks(conformance: Conformance) -> Iterator[Task]:
    """The smallest task of each kind in each way, for two pictures where one call makes them, its seed drawn."""
    model = conformance.model
    for kind in conformance.tasks:
        for start in starts(model, kind):
            two = saying(start, n=2) if model.per_call(kind) > 1 else start
            yield model.plan(smallest(model, two)).task


def good_answers(conformance: Conformance) -> Iterator[tuple[Task, Response]]:
    """A call of each task, with a good answer to it."""
    send = conformance.transport
    for task in small_tasks(conformance):
        made = conformance.model.plan(task)
        yield made.calls[0], send(made.requests[0])


@check
def test_pictures_have_the_asked_size(conformance: Conformance) -> None:
    """A picture that comes back has the width and height that were asked for, not swapped."""
    model = conformance.connected(conformance.transport)
    for kind in [kind for kind in kinds_with(model, "size") if kind in {Generate, Vary}]:
        limit = model.limits_of(kind).parameters["size"]
        if isinstance(limit, Aspects):  # the model chooses the pixels
            continue
        sizes = [size for size in ends(limit) if size[0] != size[1]]
        for start in starts(model, kind)[:1]:
            for size in sizes[:4]:
                task = saying(start, size=size)
                if plan_or_none(model, task) is not None:
                    found = model.run(task).image.size
                    expect(found == size, f"{size} was asked for, {found} came", task)


@check
def test_pictures_are_the_providers_bytes(conformance: Conformance) -> None:
    """A decoded picture is the provider's own file, byte for byte, and in the provider's order."""
    for call, answer in good_answers(conformance):
        pictures = list(conformance.model.decode(call, answer))
        wanted = getattr(call, "n", None) or 1
        expect(len(pictures) == wanted, f"decode gave {len(pictures)} pictures of an answer to a call for {wanted}", call)
        for picture in pictures:
            expect(isinstance(picture, Picture), f"decode gave {picture!r}, must be a Picture", call)
            expect_from_answer(picture, answer.body, call)
        places = [_place(picture, answer.body) for picture in pictures]
        expect(places == sorted(places), "the pictures are in another order than in the answer", call)


def _place(picture: Picture, body: bytes) -> int:
    return -1 if picture.image is None else body.find(base64.b64encode(picture.image.data))


def expect_from_answer(picture: Picture, body: bytes, call: object) -> None:
    """Hold that a picture is ok only if the answer holds it."""
    if picture.outcome == "ok":
        expect(picture.image is not None, "a picture is ok, but there is none", call)
    if picture.image is not None:
        fine = bodies.carries_bytes(body, picture.image.data)
        expect(fine, f"{picture.image!r} is not in the answer that it came from", call)


@check
def test_run_sends_what_plan_shows(conformance: Conformance) -> None:
    """Running a plan's task sends exactly the plan's requests, each once."""
    sent: list[Request] = []

    def send(request: Request) -> Response:
        sent.append(request)
        return conformance.transport(request)

    model = conformance.connected(send)
    for task in small_tasks(conformance):
        sent.clear()
        made = model.plan(task)
        model.run(made.task)
        expect(sorted(sent, key=repr) == sorted(made.requests, key=repr), "what was sent is not what the plan shows", task)


@check
def test_sync_equals_async(conformance: Conformance) -> None:
    """In sync and async a task gives the same pictures, seeds, account and errors."""
    model = conformance.connected(conformance.transport)
    for task in small_tasks(conformance):
        one, other = _visible(model.run(task)), _visible(asyncio.run(model.arun(task)))
        expect(one == other, f"sync gave {one}, async {other}", task)
        met = _errors_of(conformance.connected(_busy), task)
        expect(met == [RateLimited, RateLimited], f"send raised RateLimited; sync and async raised {met}", task)


def _busy(request: Request) -> Response:
    raise RateLimited(f"too many requests for {request.model_id}")


def _errors_of(model: Model, task: Task) -> list[type[Exception] | None]:
    """What running a task raises in sync and async."""
    runs: list[Callable[[], object]] = [lambda: model.run(task), lambda: asyncio.run(model.arun(task))]
    found: list[type[Exception] | None] = []
    for run in runs:
        try:
            run()
        except Exception as error:
            found.append(type(error))
        else:
            found.append(None)
    return found


def _visible(result: Result) -> Result:
    return attrs.evolve(result, seconds=0.0, request_ids=())


@check
def test_tasks_survive_pickle_and_json(conformance: Conformance) -> None:
    """Every allowed task, and what fit makes of it, is the same after pickle and after JSON, and makes the same requests."""
    model = conformance.model

    def holds(task: Task) -> None:
        fitted = model.plan(task).task
        for original in (task, fitted):
            unpickled: Any = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own
            expect(unpickled == original, f"after pickle it is {unpickled!r}", original)
            expect(from_json(to_json(original)) == original, "after JSON it is another task", original)
        again = model.plan(pickle.loads(pickle.dumps(fitted)))  # noqa: S301 - our own
        expect(again.requests == model.plan(fitted).requests, "after pickle it makes other requests", task)

    for kind in conformance.tasks:
        explore(tasks_within(model, kind), holds, examples=10)


@check
def test_results_survive_pickle_and_json(conformance: Conformance) -> None:
    """A result is the same after pickle and after JSON."""
    model: Model = conformance.connected(conformance.transport)
    for task in small_tasks(conformance):
        result = model.run(task)
        expect(pickle.loads(pickle.dumps(result)) == result, "after pickle it is another result", task)  # noqa: S301
        read = from_json(to_json(result))
        expect(isinstance(read, Result) and read.pictures == result.pictures, "after JSON it has other pictures", task)


@check
def test_decode_is_pure(conformance: Conformance) -> None:
    """The same answer gives the same pictures, whatever the clock says, and the task stays as it was."""
    package = type(conformance.model).__module__.partition(".")[0]
    for call, answer in good_answers(conformance):
        kept = pickle.dumps(call)
        expected = list(conformance.model.decode(call, answer))
        expect(list(conformance.model.decode(call, answer)) == expected, "decoded twice, the pictures are others", call)
        with another_world(package, 2049):
            found = list(conformance.model.decode(call, answer))
        expect(found == expected, "in the year 2049, with other random numbers, the pictures are others", call)
        expect(pickle.loads(kept) == call, "decode changed the task", call)  # noqa: S301 - our own
