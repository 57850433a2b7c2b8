"""Seeds and numbers of pictures: each call has its own seed, zero is one like any other, and n is n."""

from __future__ import annotations

import pytest

from limner import Model, ProviderError, Request, Result, Task, TaskRefused, limits
from limner.testing import bodies
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.probes import kinds_with, plan_or_none, saying, smallest, starts


def _seeded_starts(conformance: Conformance) -> list[Task]:
    found = [start for kind in kinds_with(conformance.model, "seed") for start in starts(conformance.model, kind)]
    return found or pytest.skip("the model takes no seed")


def _paths(request: Request) -> set[bodies.Path]:
    return set(bodies.leaves(bodies.parsed(request.body)))


@check
def test_seed_zero_is_a_seed(conformance: Conformance) -> None:
    """Seed 0 is sent like any other seed, or it is refused or adjusted with the reason."""
    model = conformance.model
    for start in _seeded_starts(conformance):
        zero, other = (saying(start, seed=seed) for seed in (0, _another_seed(model, start)))
        try:
            made = model.plan(zero)
        except TaskRefused as refusal:
            said = [problem for problem in refusal.problems if problem.parameter == "seed" and problem.limit]
            expect(said, f"a task with seed 0 is refused for another reason: {refusal}", zero)
            continue
        entry = next(entry for entry in made.account if entry.parameter == "seed")
        expect(entry.outcome != "adjusted" or entry.why, "seed 0 is adjusted without a reason", zero)
        request, beside = made.requests[0], model.plan(other).requests[0]
        expect(request != beside, f"seed 0 makes the same request as seed {_another_seed(model, start)}", zero)
        expect(_paths(request) >= _paths(beside), "seed 0 is omitted from the body, although other seeds are sent", zero)


def _another_seed(model: Model, start: Task) -> int:
    limit = model.limits_of(type(start)).parameters["seed"]
    return limit.max_value // 2 if isinstance(limit, limits.Integer) else 1


@check
def test_drawn_seed_is_sent(conformance: Conformance) -> None:
    """A missing seed is drawn, reported and sent: planning the plan's task again gives the same requests."""
    model = conformance.model
    for start in _seeded_starts(conformance):
        made, other = model.plan(start), model.plan(start)
        seed = getattr(made.task, "seed", None)
        expect(seed is not None, "no seed was given, and none was drawn", start)
        again = model.plan(made.task).requests
        expect(again == made.requests, f"seed {seed} was drawn, but giving it makes a different request", start)
        drawn = {seed, getattr(other.task, "seed", None)}
        fine = len(drawn) == 1 or made.requests != other.requests
        expect(fine, f"the seeds {drawn} were drawn, and make the same request", start)


def _many(model: Model, start: Task, calls: int) -> Task:
    """Ask for as many pictures as make so many calls, the last call not full."""
    return saying(start, n=min((calls - 1) * model.per_call(type(start)) + 1, model.settings.max_n))


@check
def test_each_call_has_its_own_seed(conformance: Conformance) -> None:
    """If n requires several calls, each call's seed is the first plus the pictures before it; the requests differ."""
    model = conformance.model
    for start in _seeded_starts(conformance):
        if "n" not in model.limits_of(type(start)).parameters:
            continue
        task = _many(model, saying(start, seed=_another_seed(model, start)), 3)
        made, per_call = model.plan(task), model.per_call(type(start))
        expect(len(set(made.requests)) == len(made.requests), "two calls make the same request", task)
        for at, (call, request) in enumerate(zip(made.calls, made.requests, strict=True)):
            seed = getattr(task, "seed", 0) + at * per_call
            expect(getattr(call, "seed", None) == seed, f"call {at + 1} has the seed {getattr(call, 'seed', None)}", task)
            alone = model.plan(saying(task, seed=seed, n=getattr(call, "n", 1))).requests[0]
            expect(alone == request, f"call {at + 1} differs from the request for seed {seed} alone", task)


@check
def test_n_pictures_come_back(conformance: Conformance) -> None:
    """The requested number of pictures is returned, each ok, and told apart by seed and index."""
    model = conformance.connected(conformance.transport)
    kinds = kinds_with(model, "n") or pytest.skip("the model makes one picture at a time")
    for kind in kinds:
        per_call = model.per_call(kind)
        for start in starts(model, kind):
            small = smallest(model, start)
            for n in sorted({1, min(per_call, model.settings.max_n), min(per_call + 1, model.settings.max_n)}):
                task = saying(small, n=n)
                if plan_or_none(model, task) is not None:
                    _expect_pictures(_result(model, task), n, per_call, task)


def _result(model: Model, task: Task) -> Result:
    try:
        return model.run(task)
    except ProviderError as error:
        raise ContractBroken(f"a good answer became {type(error).__name__}: {error}", task) from error


def _expect_pictures(result: Result, n: int, per_call: int, task: Task) -> None:
    outcomes = [picture.outcome for picture in result.pictures]
    expect(outcomes == ["ok"] * n, f"{n} pictures were requested, but {outcomes} was returned", task)
    sent = getattr(result.task, "seed", None)
    if sent is None:  # without seeds a picture's place in the whole is all that tells it from the others
        return
    named = {(picture.seed, picture.index) for picture in result.pictures}
    expect(len(named) == n, f"seed and index do not identify the pictures: {sorted(named, key=str)}", task)
    told = result.pictures[0].seed
    expect(told == sent, f"the first picture's seed is {told}, but {sent} was sent", task)
    seeds = [sent + at - at % per_call for at in range(n)]
    found = [picture.seed for picture in result.pictures]
    expect(found == seeds, f"the pictures' seeds are {found}; those of one call share its seed: {seeds}", task)
