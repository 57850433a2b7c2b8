"""What becomes of a task on its way into a request: nothing is lost, nothing invented, nothing changed."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any
from unittest import mock

import attrs
import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from limner import Image, Mask, Model, Request, Task, TaskRefused, WeightedText, limits
from limner.errors import shorten
from limner.limits import Constraint
from limner.testing import bodies
from limner.testing.ends import ODD_TEXTS, ends, plain_weight, sample_sizes
from limner.testing.kit import Conformance, check, expect, explore
from limner.testing.pictures import MODES, WITH_ALPHA, padded, picture
from limner.testing.probes import (
    all_starts,
    base_for,
    changed,
    constraints,
    known,
    pairs,
    plan_or_none,
    probes,
    sayable,
    starts,
    value_of,
    values_for,
)
from limner.testing.purity import RecordingEnvironment, another_environment, another_world, in_another_thread, side_by_side
from limner.testing.strategies import tasks_within
from limner.testing.watching import NETWORK, PROCESSES, SLEEP, watching


@check
def test_allowed_tasks_are_encoded(conformance: Conformance) -> None:
    """Every task within the declared limits becomes requests: Request objects with a model_id and bytes."""
    model = conformance.model

    def holds(task: Task) -> None:
        made = model.plan(task)
        for request in made.requests:
            fine = isinstance(request, Request) and isinstance(request.model_id, str) and isinstance(request.body, bytes)
            expect(fine, f"encode returned {request!r} instead of Request(model_id, bytes)", task)

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
    """For every parameter and option in the limits, there is an allowed task that sets it."""
    model = conformance.model
    for kind in conformance.tasks:
        made = starts(model, kind)
        for name, limit in constraints(model.limits_of(kind)).items():
            known(name, limit)
            said = any(value_of(start, name) is not None for start in made)
            said = said or any(name in sayable(model, start) and base_for(model, start, name, limit) for start in made)
            expect(said, f"{kind.kind}: no value of {name} is ever allowed; its limit is {limit.describe()}")


@check
def test_bodies_keep_the_provider_schema(conformance: Conformance) -> None:
    """The body of every allowed task matches the JSON Schema written from the provider's documents."""
    model = conformance.model

    def holds(task: Task) -> None:
        made = plan_or_none(model, task)
        for call, request in zip(made.calls, made.requests, strict=True) if made is not None else ():
            problems = conformance.problems_of(call, request)
            expect(not problems, f"the body does not match the provider's documents: {'; '.join(problems)}", task)

    for base, name, limit in probes(conformance.model):
        for value in values_for(base, name, limit):
            task = changed(base, name, value)
            if task is not None:
                holds(task)
    for start in all_starts(model):
        for task in pairs(model, start):
            holds(task)
    for kind in conformance.tasks:
        explore(tasks_within(model, kind), holds)


@check
def test_texts_arrive_whole(conformance: Conformance) -> None:
    """Every text and JSON object is in the body unchanged: not truncated, stripped, replaced or extended."""
    for base, name, limit in probes(conformance.model):
        if isinstance(limit, limits.JsonObject):
            _expect_object(conformance.model, base, name, limit)
        for value in _texts(limit):
            made = plan_or_none(conformance.model, changed(base, name, value))
            used = None if made is None else value_of(made.calls[0], name)
            for request in made.requests if made is not None else ():
                of_parts = isinstance(used, tuple)
                _expect_whole(request, list(_each_text(used)), name, made and made.task, of_parts=of_parts)


def _expect_object(model: Model, base: Task, name: str, limit: limits.JsonObject) -> None:
    for options in ends(limit):
        value = json.loads(json.dumps(options, default=dict))
        made = plan_or_none(model, changed(base, name, options))
        if made is not None and bodies.is_tree(made.requests[0]):
            tree = bodies.parsed(made.requests[0].body)
            same = any(
                node == value or (isinstance(node, str) and _is_text_of(value, node)) for _, node in bodies.nodes(tree)
            )
            expect(same, f"the body does not contain the object of {name} unchanged: {value}", made.task)


def _is_text_of(value: Any, text: str) -> bool:
    return bodies.is_json(text.encode()) and bool(json.loads(text) == value)


def _texts(limit: Constraint) -> Iterator[Any]:
    """Texts, and each as one of several parts where there may be several."""
    if isinstance(limit, limits.Items) and isinstance(limit.of, limits.Text):
        several: list[Any] = [(text, "snow")[: limit.max_items] for text in ends(limit.of)]
        yield from (value for value in several if limit.wrong(value) is None)
    if not isinstance(limit, limits.Text):
        return
    yield from ends(limit)
    for text in ODD_TEXTS if limit.wrong(ODD_TEXTS[0]) is None else ():
        several = []
        if isinstance(limit, limits.PromptText) and limit.weights is not None:
            weight = plain_weight(limit.weights)
            one, other = WeightedText(text, weight), WeightedText("snow", weight)
            several = [(one, other), (other, one), (one,)]
        elif isinstance(limit, limits.NegativeText) and limit.several:
            several = [(text, "snow"), ("snow", text)]
        yield from (value for value in several if limit.wrong(value) is None)


def _each_text(used: Any) -> Iterator[str]:
    for part in used if isinstance(used, tuple) else (used,):
        text = getattr(part, "text", part)
        if isinstance(text, str):
            yield text


_WORD = re.compile(r"[^\W\d_]{3,}")


def _expect_whole(request: Request, texts: Sequence[str], name: str, task: object, *, of_parts: bool = False) -> None:
    """Hold that texts are in the body, and that a leaf with one of them has no other words; parts may have weights there."""
    for text in texts:
        expect(bodies.carries_text(request, text), f"the body does not contain {name} unchanged: {shorten(text)}", task)
        if not bodies.is_tree(request) or bodies.is_a_leaf(request, text) or not text.strip():
            continue
        rest = next(leaf for leaf in bodies.leaves_of(request).values() if isinstance(leaf, str) and text in leaf)
        for one in sorted(texts, key=len, reverse=True):
            rest = rest.replace(one, "", 1)
        fine = of_parts and not _WORD.search(rest)
        expect(fine, f"the body does not contain {name} unchanged: {shorten(rest)} was added", task)


@check
def test_pictures_travel_byte_for_byte(conformance: Conformance) -> None:
    """A picture within the limits is in the body byte for byte: not re-encoded, scaled, flattened or stripped."""
    found = 0
    for start in all_starts(conformance.model):
        if getattr(start, "expand", None) is not None and not _sends_its_picture(conformance.model, start):
            continue
        for name, limit in sayable(conformance.model, start).items():
            inner = limit.of if isinstance(limit, limits.Pictures) else limit
            base = base_for(conformance.model, start, name, limit) if isinstance(inner, limits.Picture) else None
            if base is not None and isinstance(inner, limits.Picture):
                found += sum(_expect_as_it_is(conformance.model, base, name, limit, one) for one in _travellers(base, inner))
    if not found:
        pytest.skip("no task takes a picture")


def _sends_its_picture(model: Model, start: Task) -> bool:
    """Tell whether an edit by expand sends the picture itself: some providers take the larger canvas in its place."""
    made, image = plan_or_none(model, start), getattr(start, "image", None)
    return made is not None and isinstance(image, Image) and bodies.carries_bytes(made.requests[0].body, image.data)


def _travellers(base: Task, limit: limits.Picture) -> Iterator[Image]:
    """Pictures that careless code changes, of the size that suits the task: each has something that another writer loses."""
    own = getattr(base, "image", None)
    masked = own is not None and getattr(base, "mask", None) is not None
    size = (own[0] if isinstance(own, tuple) else own).size if own is not None else sample_sizes(limit)[0]
    yield from _of_each_format(size, limit)
    if not masked:
        for other in sample_sizes(limit)[1:]:
            yield from itertools.islice(_of_each_format(other, limit), 1)
    heavy = min(limit.max_bytes or _HEAVY, _HEAVY)
    if "image/png" in limit.formats:
        yield padded(picture(size), heavy)
        yield padded(picture(size), heavy // 5)


_HEAVY = 3_000_000  # bytes
_WRITTEN: dict[str, dict[str, Any]] = {
    "image/jpeg": {"quality": 61, "comment": b"as it was"},
    "image/webp": {"quality": 61},
    "image/png": {},
}


def _of_each_format(size: tuple[int, int], limit: limits.Picture) -> Iterator[Image]:
    for media, how in _WRITTEN.items():
        for mode in MODES[media] if media in limit.formats else ():
            if mode in limit.modes and (limit.alpha or mode not in WITH_ALPHA):
                yield _written(size, media, mode, how)


def _written(size: tuple[int, int], media: str, mode: str, how: Mapping[str, Any]) -> Image:
    buffer, painted = BytesIO(), picture(size, mode).pil()
    note = PngInfo()
    note.add_text("note", "as it was")
    more: dict[str, Any] = {"pnginfo": note, "compress_level": 3} if media == "image/png" else {}
    painted.save(buffer, media.removeprefix("image/").upper(), exif=_exif(), **how, **more)
    return Image(buffer.getvalue())


def _exif() -> PIL.Image.Exif:
    """Notes of a camera, upright."""
    made = PIL.Image.Exif()
    made[271] = "a camera"  # Make
    return made


def _expect_as_it_is(model: Model, base: Task, name: str, limit: Constraint, image: Image) -> int:
    value = (image,) if isinstance(limit, limits.Pictures) else image
    made = plan_or_none(model, changed(base, name, value))
    if made is None or value_of(made.calls[0], name) != value:
        return 0
    fine = bodies.carries_bytes(made.requests[0].body, image.data)
    expect(fine, f"the picture of {name} ({image!r}, {image.mode}) is not in the body byte for byte", made.task)
    said = bodies.media_types_of(made.requests[0].body, image.data) - {image.media_type, "application/octet-stream"}
    expect(
        not said, f"the body says that the picture of {name}, {image.media_type}, is {', '.join(sorted(said))}", made.task
    )
    return 1


@check
def test_numbers_are_rounded(conformance: Conformance) -> None:
    """A number with two decimals is sent with at most six: 1 - 0.8 is 0.2, not 0.19999999999999996."""
    for base, name, limit in probes(conformance.model):
        if not isinstance(limit, limits.Real):
            continue
        for value in (step / 10 for step in range(-20, 60)):
            made = plan_or_none(conformance.model, changed(base, name, value) if limit.wrong(value) is None else None)
            for leaf in bodies.leaves(bodies.parsed(made.requests[0].body)).values() if made is not None else ():
                fine = not isinstance(leaf, float) or not math.isfinite(leaf) or leaf == round(leaf, 6)
                expect(fine, f"with {name}={value} the body contains {leaf!r}", made and made.task)


@check
def test_encode_is_pure(conformance: Conformance) -> None:
    """The same task gives the same request, regardless of clock, randomness, environment, thread and process."""
    package, model = conformance.package, conformance.model
    before = _state(model)
    made: list[tuple[Task, Request]] = []
    for task in _plain_tasks(conformance):
        call = model.plan(task).calls[0]
        read = RecordingEnvironment(dict(os.environ), package)
        with watching(*NETWORK, *PROCESSES, SLEEP, own_thread=True) as asked, mock.patch.object(os, "environ", read):
            expected = model.encode(call)
        expect(not asked, f"encode does I/O: {', '.join(asked[:3])}; only send may", call)
        expect(not read.asked, f"encode reads the environment: {', '.join(read.asked[:3])}; only send may", call)
        made.append((call, expected))
        _expect_same(expected, model.encode(call), "encoded twice", call)
        expect(_state(model) == before, f"encode stores something in the model: {_changes(before, _state(model))}", call)

    calls = [call for call, _ in made]

    def encoded_by(model: Model) -> list[Request]:
        return [model.encode(call) for call in calls]

    with another_environment():
        _expect_all_same(made, encoded_by(model), "with other environment variables")
    for year in (2001, 2049):
        with another_world(package, year):
            found = encoded_by(conformance.model)
        _expect_all_same(made, found, f"in the year {year}, with other random numbers")
    elsewhere = in_another_thread(lambda: encoded_by(conformance.model))
    _expect_all_same(made, elsewhere, "in a thread of another name")
    for call, expected in reversed(made):
        _expect_same(expected, model.encode(call), "encoded again after other tasks", call)
    several = made[:: max(1, len(made) // 60)] * 4
    at_once = side_by_side(lambda one: model.encode(one[0]), several)
    _expect_all_same(several, at_once, "encoded in several threads at once")
    _expect_same_in_other_processes(model, calls[:40], [request for _, request in made][:40])


def _expect_all_same(made: list[tuple[Task, Request]], again: list[Request], when: str) -> None:
    for (call, expected), found in zip(made, again, strict=True):
        _expect_same(expected, found, when, call)


def _expect_same(expected: Request, found: Request, when: str, call: Task) -> None:
    if found == expected:
        return
    before, after = bodies.leaves_of(expected), bodies.leaves_of(found)
    paths = [bodies.in_words(path) for path in {**before, **after} if before.get(path) != after.get(path)]
    where = f"; it differs in {', '.join(paths[:5])}" if paths else ""
    expect(False, f"{when}, the request differs{where}", call)


def _state(model: Model) -> dict[str, str]:
    """What the model and its class hold, as far as it can be told."""
    own = {f"self.{name}": shorten(value, 200) for name, value in vars(model).items()}
    kind = type(model)
    return own | {f"{kind.__name__}.{name}": shorten(getattr(kind, name, None), 200) for name in vars(kind)}


def _changes(before: dict[str, str], after: dict[str, str]) -> str:
    return ", ".join(name for name in after if before.get(name) != after[name])


_ELSEWHERE = """
import hashlib, pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
kind, settings, model_id, calls = pickle.load(sys.stdin.buffer)
model = kind(settings, model_id=model_id)
for call in calls:
    request = model.encode(call)
    print(hashlib.sha256(repr(request.model_id).encode() + request.body).hexdigest())
"""


def _expect_same_in_other_processes(model: Model, calls: Sequence[Task], requests: Sequence[Request]) -> None:
    """Hold that nothing depends on the order of a set: Python's hashes of texts differ from process to process."""
    try:
        told = pickle.dumps(sys.path) + pickle.dumps((type(model), model.settings, model.model_id, calls))
    except (pickle.PicklingError, AttributeError, TypeError):
        return
    wanted = [hashlib.sha256(repr(one.model_id).encode() + one.body).hexdigest() for one in requests]
    for seed in ("1", "2"):
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", _ELSEWHERE],
            input=told,
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        if done.returncode != 0:  # the plugin's module cannot be imported by name
            return
        for call, one, other in zip(calls, wanted, done.stdout.decode().split(), strict=True):
            expect(one == other, "the request differs in another process; look for a set, hash() or id()", call)


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
    """Encode leaves the task, its pictures and options, and the declared limits unchanged."""
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
    """A model that is created with its own model_id, such as an ARN, sends its requests to that id."""
    kind, own = type(conformance.model), "arn:aws:example:region:1:provisioned-model/of-the-caller"
    model = kind(conformance.model.settings, model_id=own)
    for start in itertools.chain.from_iterable(starts(model, task) for task in conformance.tasks):
        for request in model.plan(start).requests:
            expect(request.model_id == own, f"made with model_id={own!r}, the request goes to {request.model_id!r}", start)
            named = [path for path, leaf in bodies.leaves_of(request).items() if leaf == kind.id]
            expect(not named, f"made with model_id={own!r}, the body has {_words_of(named)}={kind.id!r}", start)


def _words_of(paths: list[bodies.Path]) -> str:
    return ", ".join(map(bodies.in_words, paths))
