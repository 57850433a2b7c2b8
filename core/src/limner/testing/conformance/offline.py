"""Models that are declared offline: they answer on this machine, by the request alone, and end when nobody waits."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
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
from limner.reporting import Reporter, reporting
from limner.testing.conformance.calls import PATIENCE, sent, some_requests, told
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.loopback import Reply, provider
from limner.testing.probes import all_starts, changed, full, plan_or_none, saying, seeded, smallest, values_for
from limner.testing.processes import in_another_process
from limner.testing.watching import NETWORK, watching
from limner.workers import Cancellation


def offline_model(conformance: Conformance) -> Model:
    """The model, with a short timeout; skips the check if it is not offline."""
    if not conformance.model.offline:
        pytest.skip("the model is not offline")
    return conformance.model.with_settings(timeout=PATIENCE)


def plans_of(model: Model, tasks: Iterable[Task]) -> list[Plan]:
    """What is sent for tasks, each in the smallest size."""
    made = (plan_or_none(model, seeded(model, smallest(model, task))) for task in tasks)
    return [plan for plan in made if plan is not None]


def pictures_of(model: Model, plan: Plan) -> list[Image | None]:
    """The pictures that send makes of a plan's first request."""
    met = sent(model, plan.requests[0])
    if not isinstance(met, Response):
        raise ContractBroken(f"the model says that it is offline, and send gave {told(met)}", plan.calls[0])
    return [picture.image for picture in model.decode(plan.calls[0], met)]


def painted(model: Model, task: Task, name: str, values: Iterable[Any]) -> Iterator[tuple[Any, list[Image | None]]]:
    """The pictures for each value of a parameter that the model accepts."""
    for value in values:
        plan = plan_or_none(model, changed(task, name, value))
        if plan is not None:
            yield value, pictures_of(model, plan)


def paints_as_told(model: Model, start: Task) -> bool:
    """Tell whether the model paints another picture for another prompt, or for another picture, and the same one again."""
    declared = model.limits_of(type(start)).parameters
    name = "prompt" if "prompt" in declared else "image"
    values = values_for(start, name, declared[name])[:2] if name in declared else []
    one, other = ([pictures for _, pictures in painted(model, start, name, values)] for _ in range(2))
    return one == other and len(one) > 1 and one[0] != one[1]


@check
def test_offline_models_stay_offline(conformance: Conformance) -> None:
    """A model that is declared offline needs neither network nor account: it answers without connecting."""
    model = offline_model(conformance)
    said = plans_of(model, (full(model, start) for start in all_starts(model)))
    for task, request in [*some_requests(conformance), *((plan.task, plan.requests[0]) for plan in said)]:
        with connections() as asked:
            met = sent(model, request)
        expect(not asked, f"the model says that it is offline, and send called {', '.join(asked[:3])}", task)
        expect(isinstance(met, Response), f"the model says that it is offline, and send gave {told(met)}", task)
    with connections() as asked:
        elsewhere = in_another_process(model, *next(some_requests(conformance))).get("connected", [])
    asked = [*elsewhere, *asked]
    expect(not asked, f"the model says that it is offline, and send called {', '.join(asked[:3])} in a new process")


@contextlib.contextmanager
def connections() -> Iterator[list[str]]:
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
        small = smallest(model, start)
        seeds = _some_seeds(model, start)
        plans = [model.plan(saying(small, seed=seed)) for seed in seeds[:2]] or [model.plan(small)]
        first, again = ([pictures_of(model, plan) for plan in plans] for _ in range(2))
        if not seeds and first != again:  # without a seed it may paint another picture each time
            continue
        expect(first == again, "the same request gives another picture the second time", start)
        _expect_no_disorder(model, start, plans, first)
        if isinstance(start, Generate) and paints_as_told(model, seeded(model, small)):
            _expect_all_different(model, small, seeds)
    _expect_nothing_left(model)
    _expect_turns(model)


def _expect_no_disorder(model: Model, start: Task, plans: list[Plan], alone: list[list[Image | None]]) -> None:
    """Send side by side, if the settings allow that."""
    with contextlib.suppress(TaskRefused), ThreadPoolExecutor(4) as pool:
        several = model.with_settings(max_in_flight=4)
        side_by_side = list(pool.map(pictures_of, [several] * len(plans) * 3, plans * 3))
        seen = "requests that are sent side by side give other pictures than one by one"
        expect(side_by_side == alone * 3, f"{seen}; let one wait for the other, or refuse max_in_flight over 1", start)


def _expect_all_different(model: Model, small: Task, seeds: list[int]) -> None:
    """Hold that another seed gives another picture, and that the pictures of one call differ."""
    painted = {seed: pictures_of(model, model.plan(saying(small, seed=seed))) for seed in seeds}
    for one, other in itertools.combinations(painted, 2):
        expect(painted[one] != painted[other], f"the seeds {one} and {other} give the same picture", small)
    per_call = model.per_call(type(small))
    zero = {"seed": 0} if _takes_zero(model, small) else {}
    for n, said in itertools.product(sorted({per_call, per_call + 2}), ({}, zero)):
        several = plan_or_none(model, saying(small, n=n, **said))
        made = model.run(several.task, on_filtered="return").pictures if several is not None else ()
        found = [picture.image for picture in made if picture.image is not None]
        expect(len(set(found)) == len(found), f"the pictures of n={n}, in calls of {per_call}, are not all different", small)


def shown(model: Model, task: Task, request: Request) -> dict[str, Any]:
    """What send gives, in a form that can be compared with what it gives in another process."""
    met = sent(model, request)
    if isinstance(met, LimnerError):
        return {"error": type(met).__name__}
    call = model.plan(task).calls[0]
    pictures = [picture.image for picture in model.decode(call, met)]
    return {"error": "", "pictures": [None if one is None else hashlib.sha256(one.data).hexdigest() for one in pictures]}


def _expect_nothing_left(model: Model) -> None:
    """Send each small task after one that says little and after full ones: what a call leaves changes the next picture."""
    starts_of = list(all_starts(model))
    befores = plans_of(model, [starts_of[0], full(model, starts_of[0]), full(model, starts_of[0], last=True)])
    plans = plans_of(model, starts_of)

    def after(other: Plan, plan: Plan) -> list[Image | None]:
        sent(model, other.requests[0])
        return pictures_of(model, plan)

    for plan in plans:
        one, *others, again = (after(before, plan) for before in (*befores, befores[0]))
        fine = all(other == one for other in others) or one != again  # without a seed it may paint another each time
        expect(fine, "the same request gives another picture after another call", plan.task)
    request = plans[0].requests[0]
    random.seed("what no plugin would take")
    state = random.getstate()
    sent(model, request)
    expect(random.getstate() == state, "send changes Python's global random generator: use a random.Random of its own")
    elsewhere = in_another_process(model, plans[0].task, request)
    here = [shown(model, plans[0].task, request) for _ in range(2)]
    fine = here[0] != here[1] or elsewhere.get("shown", here[0]) == here[0]
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


def _some_seeds(model: Model, start: Task) -> list[int]:
    limit = model.limits_of(type(start)).parameters.get("seed")
    if not isinstance(limit, limits.Integer):
        return []
    apart = (0, 71_000, 2**24, 2**31, 2**32)  # where a generator of few bits begins anew
    return list(dict.fromkeys(min(limit.max_value, limit.min_value + more) for more in apart))


# ---------------------------------------------------------------------------------------------- cancellation


_MANY_STEPS = 4


@check
def test_cancelled_work_stops(conformance: Conformance) -> None:
    """A send that reports its steps ends soon after the caller has given up, or when its timeout is over."""
    model = offline_model(conformance)
    for task, request in some_requests(conformance):
        asked: list[bool] = []
        whole, _ = _steps(model, request, Cancellation(), lambda _: None, asked)
        if len(whole) < _MANY_STEPS:
            continue
        if asked:
            cancelled = Cancellation()
            done, _ = _steps(model, request, cancelled, lambda _, cancelled=cancelled: cancelled.set(), asked)  # type: ignore[misc]
            expect(len(done) < len(whole), f"cancelled after its first step, send went on to the last, {len(whole)}", task)
            met = sent(model, request)
            expect(isinstance(met, Response), f"after a call that was cancelled, the next call gave {told(met)}", task)
        slow = model.with_settings(timeout=_SHORT)
        _, late = _steps(slow, request, Cancellation(), lambda _: time.sleep(_SHORT / 2), asked)
        seen = f"each step took {_SHORT / 2} seconds, and with timeout={_SHORT} send went on to the last, {len(whole)}"
        expect(not isinstance(late, Response), f"{seen}; look at the timeout after each step", task)
        _expect_no_endless_wait(slow, task, request)


def _expect_no_endless_wait(model: Model, task: Task, request: Request) -> None:
    """Hold one call at its first step: another, which may wait for it, ends with its timeout."""
    began, go_on = threading.Event(), threading.Event()

    def hold(_: Progress) -> None:
        began.set()
        go_on.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        try:
            pool.submit(_steps, model, request, Cancellation(), hold, [])
            began.wait(PATIENCE)
            done, _ = futures.wait([pool.submit(sent, model, request)], timeout=PATIENCE / 3)
        finally:
            go_on.set()
    seen = f"while another call was at work, a call with timeout={_SHORT} waited for over {PATIENCE / 3} s"
    expect(bool(done), f"{seen}; look at the timeout and at limner.cancellation() while it waits", task)


_SHORT = 0.4  # seconds


def _steps(
    model: Model, request: Request, cancelled: Cancellation, on_step: Callable[[Progress], object], asked: list[bool]
) -> tuple[list[Progress], Response | LimnerError | None]:
    """Send, and give what it reports, and what comes."""
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
        return steps, sent(model, request)
    return steps, None
