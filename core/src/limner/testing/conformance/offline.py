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
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from limner import (
    Generate,
    Image,
    LimnerError,
    Model,
    Plan,
    Progress,
    Request,
    Response,
    Task,
    TaskRefused,
    limits,
    workers,
)
from limner.errors import shorten
from limner.reporting import Reporter, reporting
from limner.testing.conformance.calls import PATIENCE, sent, some_requests, told
from limner.testing.conformance.secrets import diagnosed, expect_not_told, is_secret, secret_settings
from limner.testing.conformance.settings import accepted_words, own_fields
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.loopback import Reply, provider
from limner.testing.probes import all_starts, changed, full, plan_or_none, saying, seeded, smallest
from limner.testing.purity import RecordingEnvironment
from limner.testing.watching import NETWORK, watching
from limner.workers import Cancellation

_ODD = "/no/such/place/zq7"
_ODD_NAME = "no-such/name-zq7"
"""For a setting that names a file, a device or a model: values that no machine has."""


def offline_model(conformance: Conformance) -> Model:
    """The model, with a short timeout; skips the check if it is not offline."""
    if not conformance.model.offline:
        pytest.skip("the model is not offline")
    return conformance.model.with_settings(timeout=PATIENCE)


def plans_of(model: Model, tasks: Iterable[Task]) -> list[Plan]:
    """What is sent for tasks, each in the smallest size."""
    made = (plan_or_none(model, seeded(model, smallest(model, task))) for task in tasks)
    return [plan for plan in made if plan is not None]


def pictures_of(model: Model, call: Task, request: Request) -> list[Image | None]:
    """The pictures that send makes of a call's request."""
    met = sent(model, request)
    if not isinstance(met, Response):
        raise ContractBroken(f"the model says that it is offline, and send gave {told(met)}", call)
    return [picture.image for picture in model.decode(call, met)]


@check
def test_offline_models_stay_offline(conformance: Conformance) -> None:
    """A model that is declared offline needs neither network nor account: it answers without connecting."""
    model = offline_model(conformance)
    said = plans_of(model, (full(model, start) for start in all_starts(model)))
    for task, request in [*some_requests(conformance), *((plan.task, plan.requests[0]) for plan in said)]:
        with _connections() as asked:
            met = sent(model, request)
        expect(not asked, f"the model says that it is offline, and send called {', '.join(asked[:3])}", task)
        expect(isinstance(met, Response), f"the model says that it is offline, and send gave {told(met)}", task)
    with _connections() as asked:
        elsewhere = _in_another_process(model, *next(some_requests(conformance))).get("asked", [])
    asked = [*elsewhere, *asked]
    expect(not asked, f"the model says that it is offline, and send called {', '.join(asked[:3])} in a new process")


@contextlib.contextmanager
def _connections() -> Iterator[list[str]]:
    """Gather what connects: this process, and every program that it starts, for which this machine is the proxy."""
    with (
        provider(Reply(status=503)) as proxy,
        mock.patch.dict(os.environ, dict.fromkeys(_PROXIES, proxy.url) | _NO_EXCEPTION),
    ):
        with watching(*NETWORK) as asked:
            yield asked
        asked += [f"{call.method} {call.path} in a program that it starts" for call in proxy.calls]


_PROXIES = tuple(name for plain in ("http_proxy", "https_proxy", "all_proxy") for name in (plain, plain.upper()))
_NO_EXCEPTION = {"no_proxy": "", "NO_PROXY": ""}


@check
def test_offline_answers_follow_the_request(conformance: Conformance) -> None:
    """An offline model gives the same picture for the same request, in any thread, and another for another seed."""
    model = offline_model(conformance)
    for start in all_starts(model):
        seeds = _some_seeds(model, start)
        small = smallest(model, start)
        plans = [model.plan(saying(small, seed=seed)) for seed in seeds] or [model.plan(small)]
        calls, requests = [plan.calls[0] for plan in plans], [plan.requests[0] for plan in plans]
        first = [pictures_of(model, call, request) for call, request in zip(calls, requests, strict=True)]
        again = [pictures_of(model, call, request) for call, request in zip(calls, requests, strict=True)]
        if not seeds and first != again:  # without a seed it may paint another picture each time
            continue
        expect(first == again, "the same request gives another picture the second time", start)
        paints = isinstance(start, Generate) and _depends_on_words(model, small, first[0])
        if len(first) > 1 and paints:
            expect(first[0] != first[1], f"the seeds {seeds[0]} and {seeds[1]} give the same picture", start)
        if model.settings.max_in_flight > 1:
            with ThreadPoolExecutor(4) as pool:
                side_by_side = list(pool.map(pictures_of, [model] * len(calls) * 3, calls * 3, requests * 3))
            expect(
                side_by_side == first * 3, "requests that are sent side by side give other pictures than one by one", start
            )
        per_call = model.per_call(type(start))
        zero = {"seed": 0} if _takes_zero(model, start) else {}
        kinds = [{"n": per_call}, {"n": per_call, **zero}] if per_call > 1 and paints else []
        for several in filter(None, (plan_or_none(model, saying(small, **said)) for said in kinds)):
            found = pictures_of(model, several.calls[0], several.requests[0])
            expect(len(set(found)) == len(found), f"the {len(found)} pictures of one call are not all different", start)
    _expect_nothing_left(model)
    _expect_turns(model)


def _expect_nothing_left(model: Model) -> None:
    """Send each small task after one that says little and after full ones: what a call leaves changes the next picture."""
    starts_of = list(all_starts(model))
    befores = plans_of(model, [starts_of[0], full(model, starts_of[0]), full(model, starts_of[0], last=True)])
    plans = plans_of(model, starts_of)

    def after(other: Plan, plan: Plan) -> list[Image | None]:
        sent(model, other.requests[0])
        return pictures_of(model, plan.calls[0], plan.requests[0])

    for plan in plans:
        one, *others, again = (after(before, plan) for before in (*befores, befores[0]))
        fine = all(other == one for other in others) or one != again  # without a seed it may paint another each time
        expect(fine, "the same request gives another picture after another call", plan.task)
    request = plans[0].requests[0]
    random.seed("what no plugin would take")
    state = random.getstate()
    sent(model, request)
    expect(random.getstate() == state, "send changes Python's global random generator: use a random.Random of its own")
    elsewhere = _in_another_process(model, plans[0].task, request)
    shown = [_shown(model, plans[0].task, request) for _ in range(2)]
    fine = shown[0] != shown[1] or elsewhere.get("shown", shown[0]) == shown[0]
    expect(fine, "the same request gives another picture in a new process", plans[0].task)


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
    return other is not None and pictures_of(model, other.calls[0], other.requests[0]) != found


def _some_seeds(model: Model, start: Task) -> list[int]:
    limit = model.limits_of(type(start)).parameters.get("seed")
    if not isinstance(limit, limits.Integer):
        return []
    return list(dict.fromkeys([limit.min_value, min(limit.max_value, limit.min_value + 71_000)]))


# ---------------------------------------------------------------------------------------------- settings


@check
def test_offline_settings_are_used(conformance: Conformance) -> None:
    """Another text in a setting is used or refused, whatever ran before; a failure tells no secret."""
    model = offline_model(conformance)
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
        _shown(model, task, request)  # so that a model with other settings has been loaded
        with _connections() as asked:
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
    if secrets:
        _expect_as_elsewhere(model.with_settings(**secrets), f"another {', '.join(secrets)}", task, request)
        met = sent(model.with_settings(**secrets), request)
        for secret, its in secrets.items() if isinstance(met, LimnerError) else ():
            expect_not_told(met, its, f"the value of the setting {secret}")  # type: ignore[arg-type]
    _expect_settings_override_the_environment(model, request)
    for name in _texts(model):
        for word in accepted_words(model, name)[:_MOST_WORDS]:
            _expect_as_elsewhere(model.with_settings(**{name: word}), f"{name}={word!r}", task, request)
        _expect_file_read_again(model, name, task, request)
    expect(_shown(model, task, request) == plain, "after calls with other settings, send gives another picture", task)


_MOST_WORDS = 4


def _expect_settings_override_the_environment(model: Model, request: Request) -> None:
    """Give a setting, and say something else in the variables of its name: nothing changes."""
    recording = RecordingEnvironment(dict(os.environ))
    with mock.patch.object(os, "environ", recording):
        sent(type(model)(type(model.settings)(), model_id=model.model_id), request)
    for name in _texts(model):
        variables = [one for one in dict.fromkeys(recording.asked) if one.isupper() and name.upper() in one]
        with contextlib.suppress(TaskRefused, TypeError):
            given = model.with_settings(**{name: _ODD})
            alone = _outcome(given, request)
            with mock.patch.dict(os.environ, dict.fromkeys(variables, _ODD_NAME)):
                beside = _outcome(given, request)
            seen = f"with {name}={_ODD!r} send gives {shorten(beside)} if {' or '.join(variables)} says something else"
            expect(alone == beside, f"{seen}, and {shorten(alone)} if not: a setting that is given is used")


def _outcome(model: Model, request: Request) -> str:
    met = sent(model, request)
    return f"{type(met).__name__} {met}" if isinstance(met, LimnerError) else f"{met.body!r}"


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
        given = pickle.dumps(sys.path) + pickle.dumps(NETWORK)
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
    model = offline_model(conformance)
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
