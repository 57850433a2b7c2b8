"""The way of a task: the same in sync and async, side by side, in order."""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import threading
import warnings
from typing import ClassVar

import attrs
import limner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import (
    Generate,
    Inpaint,
    Outpaint,
    PluginError,
    ProviderError,
    RateLimited,
    Request,
    Response,
    Result,
    TaskRefused,
)
from limner.tasks import TASKS
from limner.testing.strategies import tasks, tasks_within

from .conftest import run_async
from .fakes import Fake, answer, fake, png
from .transports import WAIT, Transport, caught, failing_at, seed_of


def test_one_call(run):
    transport = Transport()
    result = run(fake(transport), Generate(prompt="a fox", seed=7))
    assert len(transport.sent) == 1
    assert result.model == "fake.painter-1"
    assert (result.seed, result.image.seed, result.image.index) == (7, 7, 0)
    assert result.image.pil().getpixel((0, 0)) == (7, 0, 77)
    assert result.image.raw is result.image.image
    assert result.request_ids == ("id-7",)
    assert result.seconds >= 0
    assert {entry.parameter for entry in result.account} >= {"prompt", "seed", "size", "n"}


def test_n_is_split_and_each_further_seed_counts_the_pictures_before(run):
    transport = Transport()
    result = run(fake(transport), Generate(prompt="a", n=5, seed=10))
    orders = sorted((json.loads(request.body) for request in transport.sent), key=lambda order: order["seed"])
    assert [(order["seed"], order["n"]) for order in orders] == [(10, 2), (12, 2), (14, 1)]
    assert [(picture.seed, picture.index) for picture in result.pictures] == [(10, 0), (10, 1), (12, 0), (12, 1), (14, 0)]
    assert result.request_ids == ("id-10", "id-12", "id-14")
    assert [picture.pil().getpixel((0, 0))[:2] for picture in result.images] == [(10, 0), (10, 1), (12, 0), (12, 1), (14, 0)]


def test_calls_run_side_by_side(run):
    together = threading.Barrier(3)

    def meet(request: Request) -> Response:
        together.wait(WAIT)
        return answer(request)

    assert len(run(fake(meet), Generate(prompt="a", n=6)).images) == 6


def test_results_are_in_the_order_of_the_requests_not_of_the_answers(run):
    answered = {seed: threading.Event() for seed in (0, 2, 4, 6)}
    answered[6].set()

    def last_first(request: Request) -> Response:
        seed = seed_of(request)
        assert answered[min(seed + 2, 6)].wait(WAIT)
        answered[seed].set()
        return answer(request)

    result = run(fake(last_first), Generate(prompt="a", n=8, seed=0))
    assert [picture.seed for picture in result.pictures] == [0, 0, 2, 2, 4, 4, 6, 6]
    assert result.request_ids == ("id-0", "id-2", "id-4", "id-6")


class Crowd:
    """Counts who is inside; two have to meet before either leaves, where that is allowed."""

    def __init__(self, meeting: int) -> None:
        self.lock, self.inside, self.most = threading.Lock(), 0, 0
        self.together = threading.Barrier(meeting)

    def __call__(self, request: Request) -> Response:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.together.wait(WAIT)
        with self.lock:
            self.inside -= 1
        return answer(request)


@pytest.mark.parametrize("most", [1, 2])
def test_max_in_flight_is_kept(run, most):
    crowd = Crowd(most)
    run(fake(crowd, max_in_flight=most), Generate(prompt="a", n=8))
    assert crowd.most == most


def test_max_in_flight_is_kept_over_several_runs():
    crowd = Crowd(2)
    model = fake(crowd, max_in_flight=2)

    async def several() -> list[Result]:
        return await asyncio.gather(*(model.arun(Generate(prompt="a", n=4)) for _ in range(3)))

    assert [len(result.images) for result in asyncio.run(several())] == [4, 4, 4]
    assert crowd.most == 2


def test_a_plugin_sees_the_callers_context(run):
    said = contextvars.ContextVar("said", default="nothing")
    heard = []
    said.set("something")

    def listen(request: Request) -> Response:
        heard.append(said.get())
        return answer(request)

    run(fake(listen), Generate(prompt="a", n=4))
    run(fake(listen), Generate(prompt="a", n=1))
    assert heard == ["something"] * 3


@given(tasks_within(Fake, Generate) | tasks_within(Fake, Inpaint) | tasks_within(Fake, Outpaint))
def test_sync_and_async_give_the_same(task):
    task = attrs.evolve(task, seed=task.seed or 0)
    model = fake()
    one, other = model.run(task), run_async(model, task)
    assert attrs.evolve(one, seconds=0) == attrs.evolve(other, seconds=0)
    assert [p.provenance for p in one.pictures] == [p.provenance for p in other.pictures]


@given(st.one_of([tasks_within(Fake, kind) for kind in TASKS.values()]))
def test_running_a_plans_task_sends_exactly_its_requests(task):
    transport = Transport()
    model = fake(transport)
    plan = model.plan(task)
    assert transport.sent == []
    model.run(plan.task)
    assert sorted(transport.sent, key=attrs.astuple) == sorted(plan.requests, key=attrs.astuple)
    assert model.plan(plan.task).requests == plan.requests
    assert len(plan.calls) == len(plan.requests)
    assert "bytes" in repr(plan.requests[0])


@given(st.one_of([tasks(kind) for kind in TASKS.values()]), st.sampled_from(["strict", "nearest"]))
def test_nothing_is_sent_for_a_refused_task(task, mode):
    transport = Transport()
    model = fake(transport, fit=mode, on_filtered="return")
    try:
        planned = model.plan(task)
    except TaskRefused:
        planned = None
        with pytest.raises(TaskRefused):
            model.run(task)
    else:
        model.run(task)
    assert len(transport.sent) == (0 if planned is None else len(planned.requests))


def test_a_models_own_check_refuses(run):
    class Careful(Fake):
        def check(self, task):
            if task.seed == 5:
                yield limner.Problem.of("seed", 5, "is the unlucky one here")

    transport = Transport()
    with pytest.raises(TaskRefused, match=r"fake\.painter-1 refuses the task: seed=5: is the unlucky one"):
        run(fake(transport, Careful), Generate(prompt="a", seed=5))
    assert transport.sent == []


def test_a_task_the_model_does_not_do(run):
    class Few(Fake):
        limits: ClassVar = {Generate: Fake.limits[Generate]}

    with pytest.raises(TaskRefused, match="does generate"):
        run(fake(base=Few), Inpaint(image=png(), mask_prompt="door"))


def test_one_record_for_each_run_and_no_secret_in_it(run, caplog):
    caplog.set_level(logging.DEBUG, "limner")
    model = fake(failing_at(8, error=RateLimited("a foxtrot too many")), key="topsecret")
    task = Generate(prompt="a foxtrot", negative_prompt="waltzes", n=4, seed=0)
    run(model, task)
    assert len(caplog.records) == 1
    record = caplog.records[0]
    assert record.name == "limner"
    fields = record.limner
    assert fields["model"] == "fake.painter-1"
    assert fields["request_ids"] == ("id-0", "id-2")
    assert (fields["region"], fields["attempts"], fields["outcome"]) == ("here-1", 2, "ok")
    assert fields["bytes_sent"] == sum(len(request.body) for request in model.plan(task).requests)
    assert fields["bytes_received"] > 0
    with pytest.raises(RateLimited):
        run(model, attrs.evolve(task, seed=8))
    assert caplog.records[1].limner["outcome"] == "RateLimited"
    for record in caplog.records:
        text = record.getMessage() + repr(vars(record))
        assert not any(word in text for word in ("foxtrot", "waltzes", "topsecret", "iVBOR"))


def test_a_plugins_fault_is_logged_too(run, caplog):
    caplog.set_level(logging.INFO, "limner")
    broken = type("Broken", (Fake,), {"decode": lambda *_: None})
    caught(run, fake(base=broken), Generate(prompt="a"), PluginError)
    assert [record.limner["outcome"] for record in caplog.records] == ["PluginError"]


def test_a_notice_is_warned_of_once_and_is_in_every_plan_and_result(run):
    notice = f"the painter retires soon ({run.__name__})"
    old = type("Old", (Fake,), {"notices": lambda self: (notice,)})
    with pytest.warns(UserWarning, match="retires soon"):
        assert run(fake(base=old), Generate(prompt="a")).warnings == (notice,)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(fake(base=old), Generate(prompt="a")).warnings == (notice,)
    assert fake(base=old).plan(Generate(prompt="a")).warnings == (notice,)


def test_a_warning_about_a_task_is_given_like_a_notice_but_for_that_task_alone(run):
    warning = f"prompts of one letter hardly work ({run.__name__})"
    picky = type("Picky", (Fake,), {"warnings": lambda self, task: [warning] * (task.prompt == "a")})
    with pytest.warns(UserWarning, match="of one letter"):
        assert run(fake(base=picky), Generate(prompt="a")).warnings == (warning,)
    assert fake(base=picky).plan(Generate(prompt="a")).warnings == (warning,)
    assert fake(base=picky).plan(Generate(prompt="a fox")).warnings == ()


def test_a_warning_that_is_made_an_error_stays_that_warning(run):
    old = type("Old", (Fake,), {"notices": lambda self: (f"ends today ({run.__name__})",)})
    with pytest.raises(UserWarning, match="ends today"):
        run(fake(base=old), Generate(prompt="a"))


def test_provider_errors_name_the_id_that_was_called(run):
    model = type(fake(failing_at(1, error=ProviderError("no"))))(model_id="arn:fake:1")
    assert caught(run, model, Generate(prompt="a", seed=1), ProviderError).model == "arn:fake:1"
