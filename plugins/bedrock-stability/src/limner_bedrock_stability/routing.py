"""``stability``: one name for all models and services. The task's parameters and options determine which one is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import attrs
from limner import (
    Cost,
    Entry,
    Generate,
    Inpaint,
    Outpaint,
    Picture,
    Plan,
    Problem,
    ProviderError,
    RemoveBackground,
    Request,
    Response,
    Result,
    Settings,
    Task,
    TaskRefused,
    Upscale,
    Vary,
)
from limner.limits import Choice, Constraint, Count, Integer, Limits, Seed, TaskLimits
from limner_bedrock import BedrockModel

from limner_bedrock_stability.models import MODELS, StabilityModel

Mode = Literal["strict", "nearest"]

TASKS: tuple[type[Task], ...] = (Generate, Vary, Inpaint, Outpaint, RemoveBackground, Upscale)

ROUTES: Mapping[type[Task], tuple[type[StabilityModel], ...]] = {
    task: tuple(model for model in MODELS if task in model.limits and model.is_current()) for task in TASKS
}
"""The models for each task; the first is the default."""


def choose(task: Task) -> type[StabilityModel]:
    """Return the first model that supports every parameter and option given, and requires no other.

    If there is none, return the one with the fewest mismatches, whose limits then report them.
    """
    return min(ROUTES[type(task)], key=lambda model: _mismatches(task, model.limits[type(task)]))


def _mismatches(task: Task, limits: TaskLimits) -> int:
    given = {name for name, _ in task.arguments() if name != "preserve"} | {f"options.{name}" for name in task.options}
    supported = {**limits.parameters, **{f"options.{name}": limit for name, limit in limits.options.items()}}
    required = {name for name, limit in supported.items() if limit.required}
    return len(given - supported.keys()) + len(required - given)


def _choice(task: type[Task]) -> Choice:
    ids = ", ".join(f"{model.service} is {model.id}" for model in ROUTES[task])
    rule = "limner: by default the first that supports every parameter and option given"
    return Choice([model.service for model in ROUTES[task]], source=f"{rule}: {ids}")


def _united(task: type[Task]) -> TaskLimits:
    """Combine the limits of all services; each constraint is that of the first service that has it, without its default."""
    tables = {model.service: model.limits[task] for model in ROUTES[task]}
    parameters = _merged({name: table.parameters for name, table in tables.items()})
    options = _merged({name: table.options for name, table in tables.items()})
    return TaskLimits(parameters, {"service": _choice(task), **options})


def _merged(tables: Mapping[str, Mapping[str, Constraint]]) -> dict[str, Constraint]:
    names = dict.fromkeys(name for table in tables.values() for name in table)
    return {name: _loosest({service: table.get(name) for service, table in tables.items()}) for name in names}


def _loosest(found: Mapping[str, Constraint | None]) -> Constraint:
    having = {service: limit for service, limit in found.items() if limit is not None}
    everywhere = len(having) == len(found)
    first = next(iter(having.values()))
    who = "" if everywhere else f"{', '.join(having)}: "
    common: dict[str, Any] = {
        "source": who + first.source,
        "required": everywhere and all(limit.required for limit in having.values()),
    }
    if isinstance(first, Seed) and not everywhere:  # limner would draw a Seed for services that take none
        return Integer(first.min_value, first.max_value, **common)
    return attrs.evolve(first, **common) if isinstance(first, Count) else attrs.evolve(first, default=None, **common)


class Stability(BedrockModel):
    """All of Stability AI's models and image services on Amazon Bedrock under one name.

    The option ``service`` or, without it, :func:`choose` determines the model that a task is delegated to. Its limits apply
    and its id is in result and provenance; the account has its short name as ``options.service``.

    Attributes:
        routes: the models for each task; the first is the default.
    """

    id = "stability"
    limits: ClassVar[Limits] = {task: _united(task) for task in TASKS}
    routes: ClassVar[Mapping[type[Task], tuple[type[StabilityModel], ...]]] = ROUTES

    def __init__(self, settings: Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        if self.model_id != self.id:
            limit = "stability stands for several models; use the alias of one, such as stability-core"
            raise TaskRefused([Problem.of("model_id", self.model_id, limit)], self.id)

    def plan(self, task: Task, *, fit: Mode | None = None) -> Plan:
        """Plan the task with the model it is delegated to; see :meth:`limner.Model.plan`."""
        model, own, entry = self._delegated(task)
        planned = model.plan(own, fit=fit)
        return attrs.evolve(planned, task=_with_service(planned.task, entry), account=(entry, *planned.account))

    def run(self, task: Task, **arguments: Any) -> Result:
        """Run the task with the model it is delegated to; see :meth:`limner.Model.run`."""
        model, own, entry = self._delegated(task)
        try:
            return _with_entry(model.run(own, **arguments), entry)
        except ProviderError as error:
            error.result = error.result and _with_entry(error.result, entry)
            raise

    async def arun(self, task: Task, **arguments: Any) -> Result:
        """Run the task with the model it is delegated to, without blocking the event loop; see :meth:`limner.Model.arun`."""
        model, own, entry = self._delegated(task)
        try:
            return _with_entry(await model.arun(own, **arguments), entry)
        except ProviderError as error:
            error.result = error.result and _with_entry(error.result, entry)
            raise

    def check(self, task: Task) -> Iterable[Problem]:
        """Report the problems that the task has with the model it is delegated to."""
        try:
            self.plan(task, fit="strict")
        except TaskRefused as refused:
            return refused.problems
        return ()

    def cost_of(self, task: Task) -> Cost | None:
        """Return what the service that the task goes to costs; see :meth:`limner.Model.cost_of`."""
        model, own, _ = self._delegated(task)
        return model.cost_of(own)

    def encode(self, task: Task) -> Request:
        """Encode the task with the model it is delegated to."""
        model, own, _ = self._delegated(task)
        return model.encode(own)

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        """Decode the response with the model that the task was delegated to."""
        model, own, _ = self._delegated(task)
        return model.decode(own, response)

    def _delegated(self, task: Task) -> tuple[StabilityModel, Task, Entry]:
        """Return the model to delegate to, the task without the option ``service``, and the account's entry."""
        limits = self.limits_of(type(task))
        asked = task.options.get("service")
        limit = limits.options["service"]
        if asked is not None and (wrong := limit.wrong(asked)) is not None:
            raise TaskRefused([Problem.of("options.service", asked, wrong)], self.id)
        own = attrs.evolve(task, options={name: value for name, value in task.options.items() if name != "service"})
        model = choose(own) if asked is None else next(one for one in self.routes[type(task)] if one.service == asked)
        outcome: Literal["sent", "defaulted"] = "defaulted" if asked is None else "sent"
        return model(self.settings), own, Entry("options.service", outcome, asked, model.service)


def _with_service(task: Task, entry: Entry) -> Task:
    """Put the choice into the task, so that running it again makes the same requests."""
    return attrs.evolve(task, options={**task.options, "service": entry.used})


def _with_entry(result: Result, entry: Entry) -> Result:
    return attrs.evolve(result, task=_with_service(result.task, entry), account=(entry, *result.account))
