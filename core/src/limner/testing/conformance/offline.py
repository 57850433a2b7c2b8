"""Models that are declared offline: they answer on this machine, by the request alone, and end when nobody waits."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import PIL.Image
import pytest

from limner import (
    Generate,
    Image,
    Inpaint,
    LimnerError,
    Mask,
    Model,
    Outpaint,
    Plan,
    Progress,
    Request,
    Response,
    Task,
    TaskRefused,
    Vary,
    limits,
    workers,
)
from limner.images import Size
from limner.images.pixels import png_bytes
from limner.reporting import Reporter, reporting
from limner.testing.conformance.calls import PATIENCE, sent, some_requests, told
from limner.testing.conformance.masks import departure, pattern
from limner.testing.conformance.meaning import numbers
from limner.testing.conformance.secrets import diagnosed, expect_not_told, is_secret, secret_settings
from limner.testing.conformance.settings import accepted_words, own_fields
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.pictures import mask as box
from limner.testing.probes import all_starts, changed, full, plan_or_none, saying, seeded, smallest
from limner.testing.watching import NETWORK, PROCESSES, watching
from limner.workers import Cancellation

_ODD = "/no/such/place/zq7"
_ODD_NAME = "no-such/name-zq7"
"""For a setting that names a file, a device or a model: values that no machine has."""


def _offline(conformance: Conformance) -> Model:
    return conformance.model if conformance.model.offline else pytest.skip("the model is not offline")


@check
def test_offline_models_stay_offline(conformance: Conformance) -> None:
    """A model that is declared offline needs neither network nor account: it answers without connecting."""
    model = _offline(conformance)
    said = _plans(model, (full(model, start) for start in all_starts(model)))
    for task, request in [*some_requests(conformance), *((plan.task, plan.requests[0]) for plan in said)]:
        with watching(*NETWORK, *PROCESSES) as asked:
            met = sent(model, request)
        expect(not asked, f"the model says that it is offline, and send called {', '.join(asked[:3])}", task)
        expect(isinstance(met, Response), f"the model says that it is offline, and send gave {told(met)}", task)
    elsewhere = _in_another_process(model, *next(some_requests(conformance)))
    expect(
        not elsewhere.get("asked"),
        f"the model says that it is offline, and send called {elsewhere.get('asked')} in a new process",
    )


@check
def test_offline_answers_follow_the_request(conformance: Conformance) -> None:
    """An offline model gives the same picture for the same request, in any thread, and another for another seed."""
    model = _offline(conformance)
    for start in all_starts(model):
        seeds = _some_seeds(model, start)
        small = smallest(model, start)
        plans = [model.plan(saying(small, seed=seed)) for seed in seeds] or [model.plan(small)]
        calls, requests = [plan.calls[0] for plan in plans], [plan.requests[0] for plan in plans]
        first = [_pictures(model, call, request) for call, request in zip(calls, requests, strict=True)]
        again = [_pictures(model, call, request) for call, request in zip(calls, requests, strict=True)]
        if not seeds and first != again:  # without a seed it may paint another picture each time
            continue
        expect(first == again, "the same request gives another picture the second time", start)
        paints = isinstance(start, Generate) and _depends_on_words(model, small, first[0])
        if len(first) > 1 and paints:
            expect(first[0] != first[1], f"the seeds {seeds[0]} and {seeds[1]} give the same picture", start)
        if model.settings.max_in_flight > 1:
            with ThreadPoolExecutor(4) as pool:
                side_by_side = list(pool.map(_pictures, [model] * len(calls) * 3, calls * 3, requests * 3))
            expect(
                side_by_side == first * 3, "requests that are sent side by side give other pictures than one by one", start
            )
        per_call = model.per_call(type(start))
        zero = {"seed": 0} if _takes_zero(model, start) else {}
        kinds = [{"n": per_call}, {"n": per_call, **zero}] if per_call > 1 and paints else []
        for several in filter(None, (plan_or_none(model, saying(small, **said)) for said in kinds)):
            found = _pictures(model, several.calls[0], several.requests[0])
            expect(len(set(found)) == len(found), f"the {len(found)} pictures of one call are not all different", start)
    _expect_nothing_left(model)
    _expect_turns(model)


def _expect_nothing_left(model: Model) -> None:
    """Send each small task after one that says little and after full ones: what a call leaves changes the next picture."""
    starts_of = list(all_starts(model))
    befores = _plans(model, [starts_of[0], full(model, starts_of[0]), full(model, starts_of[0], last=True)])
    plans = _plans(model, starts_of)

    def after(other: Plan, plan: Plan) -> list[Image | None]:
        sent(model, other.requests[0])
        return _pictures(model, plan.calls[0], plan.requests[0])

    for plan in plans:
        one, *others, again = (after(before, plan) for before in (*befores, befores[0]))
        fine = all(other == one for other in others) or one != again  # without a seed it may paint another each time
        expect(fine, "the same request gives another picture after another call", plan.task)
    request = plans[0].requests[0]
    state = random.getstate()
    sent(model, request)
    expect(random.getstate() == state, "send changes Python's global random generator: use a random.Random of its own")
    elsewhere = _in_another_process(model, plans[0].task, request)
    shown = [_shown(model, plans[0].task, request) for _ in range(2)]
    fine = shown[0] != shown[1] or elsewhere.get("shown", shown[0]) == shown[0]
    expect(fine, "the same request gives another picture in a new process", plans[0].task)


def _plans(model: Model, tasks: Iterable[Task]) -> list[Plan]:
    """What is sent for tasks, each in the smallest size."""
    made = (plan_or_none(model, seeded(model, smallest(model, task))) for task in tasks)
    return [plan for plan in made if plan is not None]


def _expect_turns(model: Model) -> None:
    """Run several tasks at once, of models with other settings too: each has its turn."""
    several = [model, model.with_settings(fit="nearest"), model.with_settings(on_filtered="return")]
    task = smallest(model, next(iter(all_starts(model))))
    with ThreadPoolExecutor(6) as pool:
        met = list(pool.map(_error_of, several * 2, [task] * 6))
    failed = [error for error in met if error is not None]
    expect(not failed, f"of {len(met)} calls at once {len(failed)} failed: {failed[:1]}", task)


def _error_of(model: Model, task: Task) -> LimnerError | None:
    try:
        model.run(task)
    except LimnerError as error:
        return error
    return None


def _takes_zero(model: Model, start: Task) -> bool:
    limit = model.limits_of(type(start)).parameters.get("seed")
    return limit is not None and limit.wrong(0) is None


def _depends_on_words(model: Model, start: Task, found: list[Image | None]) -> bool:
    """Tell whether the model paints what it is told, and not always the same as a stand-in may."""
    other = plan_or_none(model, changed(start, "prompt", "a house by the sea"))
    return other is not None and _pictures(model, other.calls[0], other.requests[0]) != found


def _some_seeds(model: Model, start: Task) -> list[int]:
    limit = model.limits_of(type(start)).parameters.get("seed")
    if not isinstance(limit, limits.Integer):
        return []
    return list(dict.fromkeys([limit.min_value, min(limit.max_value, limit.min_value + 71_000)]))


def _pictures(model: Model, call: Task, request: Request) -> list[Image | None]:
    met = sent(model, request)
    if not isinstance(met, Response):
        raise ContractBroken(f"the model says that it is offline, and send gave {told(met)}", call)
    return [picture.image for picture in model.decode(call, met)]


# ---------------------------------------------------------------------------------------------- edits


@check
def test_offline_edits_follow_the_task(conformance: Conformance) -> None:
    """The pictures that an offline model paints follow mask, expand, strength and format."""
    model = _offline(conformance)
    for start in all_starts(model):
        if isinstance(start, Inpaint) and isinstance(start.mask, Mask):
            _expect_painted_in_mask(model, start)
        if isinstance(start, Outpaint) and start.expand is not None:
            _expect_picture_in_place(model, start)
        if isinstance(start, Vary):
            _expect_departure(model, start)
        if isinstance(start, Vary | Inpaint):
            _expect_shape(model, start)
        _expect_formats(model, start)


def _with_pattern(start: Vary | Inpaint | Outpaint, size: Size, **more: Any) -> Task:
    image = Image(png_bytes(pattern(size)))
    return saying(start, image=(image,) if isinstance(start, Vary) else image, **more)


def _run(model: Model, task: Task) -> PIL.Image.Image | None:
    """The picture that the model makes of a task; nothing where it refuses the task."""
    made = plan_or_none(model, seeded(model, task))
    image = None if made is None else _pictures(model, made.calls[0], made.requests[0])[0]
    return None if image is None else image.pil().convert("RGB")


def _size_of(start: Vary | Inpaint | Outpaint) -> Size:
    image = start.image[0] if isinstance(start.image, tuple) else start.image
    return image.size


def _expect_painted_in_mask(model: Model, start: Inpaint) -> None:
    """Open one half of the picture, and then the other."""
    width, height = size = _size_of(start)
    halves = (0, 0, width // 2, height), (width // 2, 0, width, height)
    for half, other in (halves, halves[::-1]):
        found = _run(model, _with_pattern(start, size, mask=box(size, half), preserve=False))
        if found is not None and found.size == size:
            inside, outside = (departure(pattern(size).crop(part), found.crop(part)) for part in (half, other))
            seen = f"send changes the half that the mask opens by {inside:.0%}, and the other by {outside:.0%}"
            expect(outside <= inside or outside < _LITTLE, seen, start)


def _expect_picture_in_place(model: Model, start: Outpaint) -> None:
    """Extend the picture on one side: it stays on the other."""
    width, height = size = _size_of(start)
    for at, border in enumerate(((width, 0, 0, 0), (0, height, 0, 0), (0, 0, width, 0), (0, 0, 0, height))):
        found = _run(model, _with_pattern(start, size, expand=border, preserve=False))
        canvas = (2 * width, height) if at % 2 == 0 else (width, 2 * height)
        if found is not None and found.size == canvas:
            left, top = border[:2]
            place, opposite = (left, top), (canvas[0] - width - left, canvas[1] - height - top)
            here, there = (departure(pattern(size), found.crop((x, y, x + width, y + height))) for x, y in (place, opposite))
            expect(here <= there, f"with expand={border} send paints the picture at {opposite}, not at {place}", start)


def _expect_departure(model: Model, start: Vary) -> None:
    """Vary with the least and the largest strength."""
    limit = model.limits_of(Vary).parameters.get("strength")
    if limit is None:
        return
    size, found = _size_of(start), []
    for strength in (min(numbers(limit)), max(numbers(limit))):
        made = _run(model, _with_pattern(start, size, strength=strength))
        found += [] if made is None else [departure(pattern(size), made)]
    shown = " and ".join(f"{far:.0%}" for far in found)
    fine = len(found) < 2 or found[0] <= found[1] + _LITTLE
    expect(fine, f"with the least and the largest strength send changes the picture by {shown}", start)


def _expect_shape(model: Model, start: Vary | Inpaint) -> None:
    """Edit a wide picture where no size is said: what comes is wide."""
    side = max(_size_of(start))
    for size in ((4 * side, 2 * side), (2 * side, 4 * side)):
        masked = {"mask": box(size, (0, 0, *size)), "preserve": False} if isinstance(start, Inpaint) else {}
        task = _with_pattern(start, size, **masked)
        made = None if getattr(task, "size", None) is not None else _run(model, task)
        turned = made is not None and (made.width > made.height) != (size[0] > size[1]) and made.width != made.height
        expect(not turned, f"of a picture of {size} pixels send makes one of {made and made.size}", start)


def _expect_formats(model: Model, start: Task) -> None:
    """Ask for each format of pictures that an option names."""
    for name, limit in model.limits_of(type(start)).options.items():
        values = limit.values if isinstance(limit, limits.Choice) else ()
        for value in values if set(values) <= _FORMATS.keys() else ():
            made = plan_or_none(model, changed(seeded(model, smallest(model, start)), f"options.{name}", value))
            for image in _pictures(model, made.calls[0], made.requests[0]) if made is not None else ():
                fine = image is None or image.media_type == _FORMATS[value]
                expect(fine, f"with {name}={value!r} send makes {image and image.media_type}", start)


_FORMATS = {name: f"image/{name.replace('jpg', 'jpeg')}" for name in ("png", "jpeg", "jpg", "webp")}
_LITTLE = 0.02


# ---------------------------------------------------------------------------------------------- settings


@check
def test_offline_settings_are_used(conformance: Conformance) -> None:
    """Another text in a setting is used or refused, whatever ran before; a failure tells no secret."""
    model = _offline(conformance)
    task, request = next(some_requests(conformance))
    plain = _shown(model, task, request)
    if plain != _shown(model, task, request):
        pytest.skip("the same request gives another picture the second time")
    secrets = {secret.name: secret.value for secret in secret_settings(conformance)}
    for name, value in itertools.product(_texts(model), (_ODD, _ODD_NAME)):
        try:
            odd = model.with_settings(**{name: value})
        except (TaskRefused, TypeError):
            continue
        with watching(*NETWORK, *PROCESSES) as asked:
            found = _shown(odd, task, request)
        expect(not asked, f"with {name}={value!r} the offline model calls {', '.join(asked[:3])}", task)
        used = found != plain or not getattr(type(model.settings)(), name) or found["error"]
        expect(used, f"the setting {name}={value!r} is neither refused nor used: the same picture comes", task)
        _expect_as_elsewhere(odd, f"{name}={value!r}", task, request)
        _expect_found(odd, name, value, found)
        account = found["error"] in {"AuthenticationFailed", "AccessDenied", "RateLimited", "ContentFiltered"}
        expect(not account, f"with {name}={value!r} the offline model raises {found['error']}, which sends users elsewhere")
        met = sent(odd.with_settings(**secrets), request)
        for secret, its in secrets.items() if isinstance(met, LimnerError) else ():
            expect_not_told(met, its, f"the value of the setting {secret}, with {name}={value!r}")  # type: ignore[arg-type]
    for name in _texts(model):
        for word in accepted_words(model, name)[:_MOST_WORDS]:
            _expect_as_elsewhere(model.with_settings(**{name: word}), f"{name}={word!r}", task, request)
        _expect_file_read_again(model, name, task, request)
    expect(_shown(model, task, request) == plain, "after calls with other settings, send gives another picture", task)


_MOST_WORDS = 4


def _expect_as_elsewhere(model: Model, setting: str, task: Task, request: Request) -> None:
    """Hold that nothing which an earlier model has loaded shows."""
    found = _shown(model, task, request)
    elsewhere = _in_another_process(model, task, request)
    seen = f"with {setting} send gives something else in a new process than after other calls"
    expect(elsewhere.get("shown", found) == found, f"{seen}: it uses what an earlier model loaded", task)


def _expect_file_read_again(model: Model, name: str, task: Task, request: Request) -> None:
    """Name a file, if the setting takes any, and write another in its place."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(bytes(range(256)) * 16)
        try:
            with_file = model.with_settings(**{name: str(path)})
        except (TaskRefused, TypeError):
            return
        if _shown(with_file, task, request)["error"]:
            return
        path.write_bytes(bytes(range(255, -1, -1)) * 17)
        _expect_as_elsewhere(with_file, f"{name} as a file that was replaced", task, request)


def _texts(model: Model) -> list[str]:
    """The settings of the plugin's own that hold a text, or may, and no secret."""
    own = [field for field in own_fields(model) if not is_secret(field)]
    return [field.name for field in own if isinstance(getattr(model.settings, field.name), str | None)]


def _shown(model: Model, task: Task, request: Request) -> dict[str, Any]:
    """What send gives, in a form that can be compared with what it gives in another process."""
    met = sent(model, request)
    if isinstance(met, LimnerError):
        return {"error": type(met).__name__}
    call = model.plan(task).calls[0]
    pictures = [picture.image for picture in model.decode(call, met)]
    return {"error": "", "pictures": [None if one is None else hashlib.sha256(one.data).hexdigest() for one in pictures]}


def _expect_found(model: Model, name: str, value: str, found: dict[str, Any]) -> None:
    fine = [one for one in diagnosed(model, live=False) if one.fine and value in one.detail]
    expect(not found["error"] or not fine, f"with {name}={value!r} send fails, and diagnose() finds it fine: {fine}")


_ELSEWHERE = """
import hashlib, json, pickle, sys
events = []
sys.path[:] = pickle.load(sys.stdin.buffer)
network = pickle.load(sys.stdin.buffer)
sys.addaudithook(lambda event, args: events.append(event) if event in network else None)
kind, settings, model_id, task, request = pickle.load(sys.stdin.buffer)
from limner import LimnerError
model = kind(settings, model_id=model_id)
try:
    pictures = [one.image for one in model.decode(task, model.send(request))]
    shown = {"error": "", "pictures": [None if one is None else hashlib.sha256(one.data).hexdigest() for one in pictures]}
except LimnerError as error:
    shown = {"error": type(error).__name__}
print(json.dumps({"shown": shown, "asked": events[:3]}))
"""


def _in_another_process(model: Model, task: Task, request: Request) -> dict[str, Any]:
    """What send gives where nothing ran before; empty where the plugin cannot be loaded there by name."""
    call = model.plan(task).calls[0]
    try:
        given = pickle.dumps(sys.path) + pickle.dumps((*NETWORK, *PROCESSES))
        given += pickle.dumps((type(model), model.settings, model.model_id, call, request))
    except (pickle.PicklingError, AttributeError, TypeError):
        return {}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", _ELSEWHERE],
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "4242"},
    )
    with contextlib.suppress(ValueError, IndexError):
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    return {}


# ---------------------------------------------------------------------------------------------- cancellation


_MANY_STEPS = 4


@check
def test_cancelled_work_stops(conformance: Conformance) -> None:
    """A send that looks at limner.cancellation() and reports its steps ends soon after the caller has given up."""
    model = _offline(conformance).with_settings(timeout=PATIENCE)
    for task, request in some_requests(conformance):
        asked: list[bool] = []
        whole = _steps(model, request, Cancellation(), lambda _: None, asked)
        if len(whole) >= _MANY_STEPS and asked:
            cancelled = Cancellation()
            done = _steps(model, request, cancelled, lambda _, cancelled=cancelled: cancelled.set(), asked)  # type: ignore[misc]
            expect(len(done) < len(whole), f"cancelled after its first step, send went on to the last, {len(whole)}", task)
            met = sent(model, request)
            expect(isinstance(met, Response), f"after a call that was cancelled, the next call gave {told(met)}", task)


def _steps(
    model: Model, request: Request, cancelled: Cancellation, on_step: Callable[[Progress], object], asked: list[bool]
) -> list[Progress]:
    """Send, and give what it reports."""
    steps: list[Progress] = []

    def step(progress: Progress) -> None:
        if progress.call is not None:
            steps.append(progress)
            on_step(progress)

    def looked() -> Cancellation:
        asked.append(True)
        return cancelled

    with (
        mock.patch.object(workers, "current_cancellation", looked),
        reporting(Reporter(step, 1), 0),
        contextlib.suppress(ContractBroken),
    ):
        sent(model, request)
    return steps
