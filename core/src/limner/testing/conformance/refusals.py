"""What is not allowed: it is refused before anything is sent, in words that help, and whatever is sent is accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from hypothesis import strategies as st

from limner import LimnerError, Model, Plan, PluginError, Request, Response, Task, TaskRefused
from limner.tasks import TASKS
from limner.testing.kit import Conformance, ContractBroken, check, expect, explore
from limner.testing.probes import changed, plan_or_none, starts, too_far, value_of
from limner.testing.strategies import tasks, tasks_within

UNKNOWN_OPTION = "options.no_such_option"


def _refused(conformance: Conformance) -> Iterator[tuple[str, Task]]:
    """Tasks that the limits refuse, each with the parameter that is wrong."""
    model = conformance.model
    for kind in conformance.tasks:
        for start in starts(model, kind):
            yield from too_far(model, start)
            unknown = changed(start, UNKNOWN_OPTION, 1)
            if unknown is not None:
                yield UNKNOWN_OPTION, unknown
            yield from _without_word(model, start)


_COMMON: dict[str, Any] = {"negative_prompt": "fog", "seed": 1, "guidance_scale": 7.0, "steps": 30, "strength": 0.5}


def _without_word(model: Model, start: Task) -> Iterator[tuple[str, Task]]:
    """Tasks with parameters that the model does not support."""
    fields = {field.name for field in attrs.fields(type(start))}
    for name, value in _COMMON.items():
        if name in fields and name not in model.limits_of(type(start)).parameters:
            task = changed(start, name, value)
            if task is not None:
                yield name, task


def _refusal(model: Model, task: Task) -> TaskRefused | None:
    try:
        model.run(task)
    except TaskRefused as refusal:
        return refusal
    except (LimnerError, _Sent):
        return None
    return None


class _Sent(Exception):
    """A request was sent."""


@check
def test_refused_tasks_send_nothing(conformance: Conformance) -> None:
    """A task that violates a limit, or names an unknown option or task, is refused before anything is sent."""
    sent: list[Request] = []

    def send(request: Request) -> Response:
        sent.append(request)
        raise _Sent

    model = conformance.connected(send)
    for name, task in _refused(conformance):
        refusal = _refusal(model, task)
        expect(not sent, f"{name} violates its limit, but a request was sent", task)
        expect(refusal is not None, f"{name} violates its limit, but the task was not refused", task)
    for declined in [kind for kind in TASKS.values() if kind not in conformance.tasks]:
        explore(tasks(declined), lambda task: expect(_refusal(model, task), "the model does not support this task", task), 3)
    expect(not sent, "a task that the model does not support was sent")


@check
def test_refusals_say_what_is_right(conformance: Conformance) -> None:
    """A refusal names the model, and for each problem the parameter, the value, the limit and its source."""
    for name, task in _refused(conformance):
        refusal = _refusal(conformance.connected(_unreachable), task)
        if refusal is None:
            continue
        problems = {problem.parameter: problem for problem in refusal.problems}
        expect(name in problems, f"{name} is wrong, but the refusal names {', '.join(problems)}", task)
        problem = problems[name]
        expect(problem.value and problem.limit.strip(), f"the problem has no value or no limit: {problem}", task)
        known = name != UNKNOWN_OPTION and name in _declared(conformance.model, type(task))
        expect(problem.source or not known, f"the problem does not cite the source of the limit: {problem}", task)
        expect(conformance.model.id in str(refusal), f"the refusal does not name the model: {refusal}", task)


def _declared(model: Model, kind: type[Task]) -> set[str]:
    table = model.limits_of(kind)
    return {*table.parameters, *(f"options.{name}" for name in table.options)}


def _unreachable(request: Request) -> Response:
    raise _Sent(request)


@check
def test_account_is_complete(conformance: Conformance) -> None:
    """Every input is in the account exactly once: sent, or with a reason defaulted, adjusted or dropped."""
    model = conformance.model
    for kind in conformance.tasks:
        explore(tasks_within(model, kind), lambda task: _expect_account(task, model.plan(task)), examples=15)
    for _, task in _refused(conformance):
        made = plan_or_none(model, task, fit="nearest")
        if made is not None:
            _expect_account(task, made)


def _expect_account(task: Task, made: Plan) -> None:
    entries = {entry.parameter: entry for entry in made.account}
    expect(len(entries) == len(made.account), f"the account names a parameter twice: {made.account}", task)
    said = dict(task.arguments()) | {f"options.{name}": value for name, value in task.options.items() if value is not None}
    for name, value in said.items():
        expect(name in entries, f"{name} is not in the account", task)
        entry = entries[name]
        expect(entry.asked == value, f"the account says that {name} was {entry.asked!r}", task)
        reasoned = entry.why != "" and (entry.outcome == "adjusted" or (entry.outcome == "dropped" and entry.used is None))
        expect(
            entry.used == value if entry.outcome == "sent" else reasoned,
            f"the account is not true of {name}: {entry}",
            task,
        )
    for name, entry in entries.items():
        used = value_of(made.task, name)
        expect(entry.used == used, f"the account says {entry}, but {name}={used!r} is sent", task)
        expect(name in said or entry.outcome == "defaulted", f"the account has {entry}, which was not given", task)


@check
def test_nearest_keeps_the_limits(conformance: Conformance) -> None:
    """With fit="nearest", the task that is sent is within the limits: planning it again in strict mode changes nothing."""
    model = conformance.model
    for name, task in _refused(conformance):
        made = plan_or_none(model, task, fit="nearest")
        if made is not None:
            again = model.plan(made.task)
            same = again.requests == made.requests and again.task == made.task
            expect(same, f"{name} was adjusted to the nearest value, which gives a different request in strict mode", task)


@check
def test_any_task_is_planned_or_refused(conformance: Conformance) -> None:
    """In both modes of fit, planning any task returns requests or raises TaskRefused, and nothing else."""

    def holds(drawn: tuple[Task, str]) -> None:
        task, mode = drawn
        try:
            conformance.model.plan(task, fit=mode)  # type: ignore[arg-type]
        except TaskRefused:
            pass
        except PluginError as error:
            raise ContractBroken(str(error), task) from error

    for kind in conformance.tasks:
        explore(st.tuples(tasks(kind), st.sampled_from(["strict", "nearest"])), holds, examples=20)
