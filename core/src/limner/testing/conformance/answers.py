"""What becomes of a good answer: the provider's own pictures, the same in sync and async, and lasting."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import itertools
import json
import pickle
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import pytest

from limner import (
    BadResponse,
    Generate,
    Image,
    LimnerError,
    Model,
    Picture,
    ProviderError,
    RateLimited,
    Request,
    Response,
    Result,
    Task,
    TaskRefused,
    Vary,
    from_json,
    to_json,
)
from limner.limits import Aspects
from limner.testing import bodies
from limner.testing.conformance.calls import received
from limner.testing.ends import ends
from limner.testing.kit import Conformance, ContractBroken, Recorded, check, decoded, expect, explore, facts
from limner.testing.pictures import padded
from limner.testing.probes import changed, kinds_with, plan_or_none, saying, smallest, starts, too_far
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
    """A returned picture has the requested width and height, not swapped."""
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
                    expect(found == size, f"{size} was requested, but {found} was returned", task)


@check
def test_pictures_are_the_providers_bytes(conformance: Conformance) -> None:
    """A decoded picture is the provider's own file, byte for byte, and the order is the provider's."""
    for call, answer in good_answers(conformance):
        pictures = decoded(conformance.model, call, answer)
        wanted = getattr(call, "n", None) or 1
        expect(len(pictures) == wanted, f"decode returned {len(pictures)} pictures, but the call was for {wanted}", call)
        for picture in pictures:
            expect(isinstance(picture, Picture), f"decode returned {picture!r} instead of a Picture", call)
            expect_from_answer(picture, answer.body, call)
            _expect_known_seed(picture, answer, call)
        for other in _with_other_files(answer):
            with contextlib.suppress(BadResponse):  # a format that the provider does not have
                for picture in decoded(conformance.model, call, other):
                    expect_from_answer(picture, other.body, call)
        places = [place for picture in pictures if (place := _place(picture, answer.body)) >= 0]
        expect(places == sorted(places), "the pictures are not in the order of the response", call)


@check
def test_answers_may_have_more_fields(conformance: Conformance) -> None:
    """A response with fields that are new, in another order or with other blanks gives the same pictures."""
    for call, answer in [*good_answers(conformance), *_stored_answers(conformance)]:
        tree = bodies.parsed(answer.body)
        if not bodies.is_json(answer.body) or not isinstance(tree, dict):
            continue
        wanted = _shown(decoded(conformance.model, call, answer))
        for what, body in bodies.written_otherwise(tree):
            try:
                found = _shown(decoded(conformance.model, call, attrs.evolve(answer, body=body)))
            except LimnerError as error:
                raise ContractBroken(f"a good response {what} makes decode raise {error!r}", call) from error
            expect(found == wanted, f"a good response {what} gives {found}, not {wanted}", call)


def _stored_answers(conformance: Conformance) -> Iterator[tuple[Task, Response]]:
    for recorded in conformance.recorded:
        made = plan_or_none(conformance.model, recorded.task)
        if made is not None and recorded.error is None and not recorded.is_http_error:
            answer = received(conformance, recorded)
            if isinstance(answer, Response):
                yield made.calls[0], answer


def _shown(pictures: Sequence[Picture]) -> list[tuple[Any, ...]]:
    return [(one.outcome, one.reason, one.seed, one.index, one.image) for one in pictures]


def _expect_known_seed(picture: Picture, answer: Response, call: object) -> None:
    told = picture.seed is None or picture.seed == getattr(call, "seed", None) or picture.seed in _seeds(answer)
    expect(told, f"decode gave a picture the seed {picture.seed}, which is neither the call's nor one in the response", call)


def _with_other_files(answer: Response) -> Iterator[Response]:
    """The answer with other files of the same pictures, which a plugin that opens and saves them changes."""
    yield from (_with_files(answer, other) for other in (_with_a_note, _as_jpeg, _as_webp))


def _with_files(answer: Response, other: Callable[[bytes], bytes]) -> Response:
    if answer.body.startswith(_PNG):
        return attrs.evolve(answer, body=other(answer.body))
    tree = bodies.parsed(answer.body)
    for path, leaf in bodies.leaves(tree).items() if bodies.is_json(answer.body) else ():
        with contextlib.suppress(ValueError):
            head, encoded = bodies.data_url(leaf) if isinstance(leaf, str) else ("", "")
            data = base64.b64decode(encoded, validate=True)
            if data.startswith(_PNG):
                made = other(data)
                head = head.replace("image/png", Image(made).media_type)
                tree = bodies.replaced(tree, path, head + base64.b64encode(made).decode())
    return attrs.evolve(answer, body=json.dumps(tree).encode()) if bodies.is_json(answer.body) else answer


def _with_a_note(png: bytes) -> bytes:
    return padded(Image(png), len(png) + 100).data


def _as_jpeg(png: bytes) -> bytes:
    written = io.BytesIO()
    Image(png).pil().convert("RGB").save(written, "JPEG")
    return written.getvalue()


def _as_webp(png: bytes) -> bytes:
    written = io.BytesIO()
    Image(png).pil().save(written, "WEBP", lossless=True)
    return written.getvalue()


_PNG = b"\x89PNG\r\n\x1a\n"


def _place(picture: Picture, body: bytes) -> int:
    return -1 if picture.image is None else bodies.place_of(body, picture.image.data)


def _seeds(answer: Response) -> list[int]:
    """The whole numbers of an answer, or of its metadata, that are called a seed, also those in quotes."""
    leaves = bodies.leaves(bodies.parsed(answer.body)) if bodies.is_json(answer.body) else {}
    named = [str(leaf) for path, leaf in leaves.items() if "seed" in f"{path} {leaf}".lower()]
    named += [str(value) for name, value in answer.metadata.items() if "seed" in name.lower()]
    return [int(number) for text in named for number in re.findall("[0-9]{1,20}", text)]


def expect_from_answer(picture: Picture, body: bytes, call: object) -> None:
    """Hold that a picture is ok only if the answer holds it."""
    if picture.outcome == "ok":
        expect(picture.image is not None, "a picture has the outcome ok, but no image", call)
    if picture.image is not None:
        fine = bodies.carries_bytes(body, picture.image.data)
        expect(fine, f"{picture.image!r} is not in the response that it was decoded from", call)


@check
def test_missing_pictures_lose_no_others(conformance: Conformance) -> None:
    """If a response has fewer pictures than requested, decode returns those that are there."""
    for call, answer in good_answers(conformance):
        n = getattr(call, "n", None) or 1
        whole, fewer = decoded(conformance.model, call, answer), _without_last(answer.body, n)
        if fewer is None or len(whole) != n:
            continue
        try:
            found = decoded(conformance.model, call, attrs.evolve(answer, body=fewer))
        except ProviderError as error:
            raise ContractBroken(f"{n - 1} of {n} pictures came, and decode throws them away: {error!r}", call) from error
        same = [one.image for one in found if one.image is not None] == [one.image for one in whole[:-1]]
        expect(same, f"{n - 1} of {n} pictures came, and decode returned {len(found)} others", call)


def _without_last(body: bytes, n: int) -> bytes | None:
    """The answer with one picture less; ``None`` where no list of it has as many items as there are pictures."""
    if n < 2 or not bodies.is_json(body):
        return None
    tree = bodies.parsed(body)
    fewer = bodies.with_lists(tree, n, lambda items: items[:-1])
    return json.dumps(fewer).encode() if fewer != tree else None


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
        expect(sorted(sent, key=repr) == sorted(made.requests, key=repr), "the sent requests differ from the plan", task)


@check
def test_sync_equals_async(conformance: Conformance) -> None:
    """A task gives the same pictures, seeds, account and errors in sync and async."""
    model = conformance.connected(conformance.transport)
    for task in small_tasks(conformance):
        one, other = _visible(model.run(task)), _visible(asyncio.run(model.arun(task)))
        expect(one == other, f"sync returned {one}, async {other}", task)
        met = _errors_of(conformance.connected(_busy), task)
        expect(met == [RateLimited, RateLimited], f"send raised RateLimited; sync and async raised {met}", task)
        _expect_same_how(model, task)
    for start in itertools.chain.from_iterable(starts(model, kind) for kind in conformance.tasks):
        for _, refused in itertools.islice(too_far(model, start), 6):
            met = _errors_of(model, refused)
            expect(met == [TaskRefused, TaskRefused], f"a refused task: sync and async raised {met}", refused)
    for recorded in conformance.recorded:
        if not recorded.is_http_error:
            _expect_same_outcome(conformance, recorded)


def _expect_same_how(model: Model, task: Task) -> None:
    """Hold that fit and on_filtered do in async what they do in sync."""
    n = getattr(task, "n", None)
    for name, value in (("options.no_such_option", 1), ("n", (n or 1) + 1)):
        odd = changed(task, name, value) if name != "n" or n is not None else None
        if odd is not None and plan_or_none(model, odd, fit="nearest") is not None:
            one, other = _visible(model.run(odd, fit="nearest")), _visible(asyncio.run(model.arun(odd, fit="nearest")))
            expect(one == other, f"with fit='nearest' sync returned {one}, async {other}", odd)


def _expect_same_outcome(conformance: Conformance, recorded: Recorded) -> None:
    made = plan_or_none(conformance.model, recorded.task)
    task = recorded.task if made is None else made.task  # its seed is drawn once for both
    answer = received(conformance, recorded, task)
    for how in ("raise", "return", None):
        sent: list[Request] = []

        def send(request: Request, sent: list[Request] = sent) -> Response:
            sent.append(request)
            if isinstance(answer, LimnerError):
                raise answer
            return answer

        model = conformance.connected(send)
        one, calls = _outcome(lambda model=model, how=how: model.run(task, on_filtered=how)), len(sent)  # type: ignore[misc]
        other = _outcome(lambda model=model, how=how: asyncio.run(model.arun(task, on_filtered=how)))  # type: ignore[misc]
        expect(one == other, f"{recorded}, on_filtered={how!r}: sync returned {one}, async {other}", recorded.task)
        wanted = len(model.plan(task).requests)
        fine = calls == wanted and len(sent) == 2 * wanted
        expect(
            fine,
            f"{recorded}: sync sent {calls} requests and async {len(sent) - calls}, the plan has {wanted}",
            recorded.task,
        )


def _outcome(run: Callable[[], Result]) -> object:
    """What came of a run, such that sync and async can be compared."""
    try:
        return _visible(run())
    except LimnerError as error:
        return type(error).__name__, str(error), [picture.outcome for picture in error.pictures]


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


@check
def test_one_failed_call_keeps_the_others(conformance: Conformance) -> None:
    """If one of several calls fails, first or last, the error contains the pictures of the others, sync and async."""
    tried = 0
    for kind in kinds_with(conformance.model, "n"):
        per_call = conformance.model.per_call(kind)
        task = saying(smallest(conformance.model, starts(conformance.model, kind)[0]), n=per_call + 1)
        made = plan_or_none(conformance.model, task)
        if made is None or len(made.requests) < 2:
            continue
        if len(set(made.requests)) < 2:
            made = None  # without seeds the two calls may be one and the same request
        for failing in (0, 1):
            for failure in (_busy, lambda _: Response(b"no answer of this provider")):
                tried += 1
                _expect_others(conformance, task if made is None else made.task, failing, failure)
    if not tried:
        pytest.skip("no task makes several calls")


def _expect_others(conformance: Conformance, task: Task, failing: int, failure: Callable[[Request], Response]) -> None:
    plan = conformance.model.plan(task)
    bad = plan.requests[failing]
    for how, run in (("sync", _sync), ("async", _in_loop)):
        lock, met = threading.Lock(), [0]

        def send(request: Request, lock: Any = lock, met: list[int] = met) -> Response:
            with lock:
                met[0] += request == bad
                fails = request == bad and (len(set(plan.requests)) > 1 or met[0] == 1)
            return failure(request) if fails else conformance.transport(request)

        try:
            run(conformance.connected(send), task)
        except ProviderError as error:
            kept = len(error.pictures)
            wanted = sum(getattr(call, "n", None) or 1 for call in plan.calls)
            lost = getattr(plan.calls[failing], "n", None) or 1
            same = len(set(plan.requests)) > 1
            fine = kept == wanted - lost if same else kept > 0
            expect(
                fine,
                f"call {failing + 1} of {len(plan.calls)} failed, and {kept} pictures of the others are kept ({how})",
                task,
            )
        else:
            expect(False, f"call {failing + 1} of {len(plan.calls)} failed, and no error was raised ({how})", task)


def _sync(model: Model, task: Task) -> Result:
    return model.run(task)


def _in_loop(model: Model, task: Task) -> Result:
    return asyncio.run(model.arun(task))


def _visible(result: Result) -> Result:
    """A result without what differs from call to call: times, and the ids of requests and jobs."""
    return attrs.evolve(result, seconds=0.0, request_ids=(), metadata=())


@check
def test_tasks_survive_pickle_and_json(conformance: Conformance) -> None:
    """Every allowed task, also after fitting, is equal after pickle and JSON, and makes the same requests."""
    model = conformance.model

    def holds(task: Task) -> None:
        fitted = model.plan(task).task
        for original in (task, fitted):
            unpickled: Any = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own
            expect(unpickled == original, f"after pickle, it is {unpickled!r}", original)
            expect(from_json(to_json(original)) == original, "after JSON, it is a different task", original)
        again = model.plan(pickle.loads(pickle.dumps(fitted)))  # noqa: S301 - our own
        expect(again.requests == model.plan(fitted).requests, "after pickle, it makes different requests", task)

    for kind in conformance.tasks:
        explore(tasks_within(model, kind), holds, examples=10)


@check
def test_results_survive_pickle_and_json(conformance: Conformance) -> None:
    """A result is equal after pickle and JSON."""
    model: Model = conformance.connected(conformance.transport)
    for task in small_tasks(conformance):
        result = model.run(task)
        expect(pickle.loads(pickle.dumps(result)) == result, "after pickle, it is a different result", task)  # noqa: S301
        read = from_json(to_json(result))
        expect(isinstance(read, Result) and read.pictures == result.pictures, "after JSON, it has different pictures", task)


@check
def test_decode_is_pure(conformance: Conformance) -> None:
    """The same response gives the same pictures and usage, regardless of the clock; the task is unchanged."""
    package = type(conformance.model).__module__.partition(".")[0]
    for call, answer in good_answers(conformance):
        kept = pickle.dumps(call)
        expected = decoded(conformance.model, call, answer)
        expect(decoded(conformance.model, call, answer) == expected, "a second decode returns different pictures", call)
        said = facts(conformance.model, call, answer)
        again = facts(conformance.model, call, answer)
        expect(said == again, f"decoded twice, usage and metadata are others: {said}, then {again}", call)
        _expect_usage(said[0], answer, call)
        _expect_parts(conformance.model, said[0], answer, call)
        with another_world(package, 2049):
            found = decoded(conformance.model, call, answer)
        expect(found == expected, "with another date and other random numbers, decode returns different pictures", call)
        expect(pickle.loads(kept) == call, "decode changed the task", call)  # noqa: S301 - our own


def _expect_usage(usage: Mapping[str, Any], answer: Response, call: Task) -> None:
    """Hold that a number which has the name of one of the answer is that number."""
    named: dict[str, list[Any]] = {}
    for path, leaf in bodies.leaves(bodies.parsed(answer.body)).items():
        named.setdefault(str(path[-1]) if path else "", []).append(leaf)
    for name, value in usage.items():
        found = named.get(name, [])
        fine = len(found) != 1 or value == found[0]
        expect(fine, f"decode gave the usage {name}={value!r}, and the answer says {found[:1]}", call)


def _expect_parts(model: Model, usage: Mapping[str, Any], answer: Response, call: Task) -> None:
    """Hold that a number of usage is not cut to a whole one: 2.5 credits are 2.5 credits, or not read at all."""
    tree = bodies.parsed(answer.body)
    for path, leaf in bodies.leaves(tree).items() if bodies.is_json(answer.body) else ():
        name = str(path[-1]) if path else ""
        if name not in usage or usage[name] != leaf or not isinstance(leaf, int | float):
            continue
        body = json.dumps(bodies.replaced(tree, path, leaf + 0.5)).encode()
        with contextlib.suppress(ProviderError):
            found = facts(model, call, attrs.evolve(answer, body=body))[0].get(name)
            expect(
                found in {None, leaf + 0.5}, f"the answer has {name}={leaf + 0.5}, and decode gave the usage {found!r}", call
            )
