"""``stability``: one name for all services, the service chosen by what the task says."""

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
from limner_bedrock_stability.services import SERVICES, Service

Mode = Literal["strict", "nearest"]

TASKS: tuple[type[Task], ...] = (Generate, Vary, Inpaint, Outpaint, RemoveBackground, Upscale)

ROUTES: Mapping[type[Task], tuple[Service, ...]] = {
    task: tuple(service for service in SERVICES if service.does(task) and service.is_current) for task in TASKS
}
"""For each task its services; the first is taken when nothing that is said speaks for another."""


def choose(task: Task) -> Service:
    """The first service that has a word for all that the task says and needs nothing that it does not say.

    Where there is none, the one with the fewest such faults, so that its limits say what is wrong.
    """
    return min(ROUTES[type(task)], key=lambda service: _faults(task, service.limits[type(task)]))


def _faults(task: Task, limits: TaskLimits) -> int:
    said = {name for name, _ in task.arguments() if name != "preserve"} | {f"options.{name}" for name in task.options}
    known = {**limits.parameters, **{f"options.{name}": limit for name, limit in limits.options.items()}}
    needed = {name for name, limit in known.items() if limit.required}
    return len(said - known.keys()) + len(needed - said)


def _choice(task: type[Task]) -> Choice:
    names = [service.name for service in ROUTES[task]]
    rule = "limner: not said, the first that has a word for all that the task says"
    return Choice(names, source=f"{rule}: {', '.join(f'{service.name} is {service.id}' for service in ROUTES[task])}")


def _united(task: type[Task]) -> TaskLimits:
    """What any service of a task takes; each constraint is that of the first service that has it, without its default."""
    tables = {service.name: service.limits[task] for service in ROUTES[task]}
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
    if isinstance(first, Seed) and not everywhere:  # a seed would be drawn for services that take none
        return Integer(first.min_value, first.max_value, **common)
    return attrs.evolve(first, **common) if isinstance(first, Count) else attrs.evolve(first, default=None, **common)


_MODEL_OF = {model.service.id: model for model in MODELS}


class Stability(BedrockModel):
    """Stability AI's models and image services on Amazon Bedrock under one name.

    A task goes to the service that :func:`choose` finds, or that the option ``service`` names. From there on it is that
    service's own call: its limits, its id in result and provenance; the account says which as ``options.service``.

    Attributes:
        routes: for each task the services, the one that is taken when nothing speaks for another first.
    """

    id = "stability"
    limits: ClassVar[Limits] = {task: _united(task) for task in TASKS}
    routes: ClassVar[Mapping[type[Task], tuple[Service, ...]]] = ROUTES

    def __init__(self, settings: Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        if self.model_id != self.id:
            limit = "stability stands for several ids; give the alias of the one meant, such as stability-core"
            raise TaskRefused([Problem.of("model_id", self.model_id, limit)], self.id)

    def plan(self, task: Task, *, fit: Mode | None = None) -> Plan:
        """Work out what would be sent, by the service that the task goes to; see :meth:`limner.Model.plan`."""
        model, own, entry = self._routed(task)
        planned = model.plan(own, fit=fit)
        return attrs.evolve(planned, task=_named(planned.task, entry), account=(entry, *planned.account))

    def run(self, task: Task, **arguments: Any) -> Result:
        """Run a task by the service that it goes to; see :meth:`limner.Model.run`."""
        model, own, entry = self._routed(task)
        try:
            return _accounted(model.run(own, **arguments), entry)
        except ProviderError as error:
            error.result = error.result and _accounted(error.result, entry)
            raise

    async def arun(self, task: Task, **arguments: Any) -> Result:
        """Run a task by the service that it goes to, without blocking the event loop; see :meth:`limner.Model.arun`."""
        model, own, entry = self._routed(task)
        try:
            return _accounted(await model.arun(own, **arguments), entry)
        except ProviderError as error:
            error.result = error.result and _accounted(error.result, entry)
            raise

    def check(self, task: Task) -> Iterable[Problem]:
        """Say what the service that the task goes to finds wrong."""
        try:
            self.plan(task, fit="strict")
        except TaskRefused as refused:
            return refused.problems
        return ()

    def cost_of(self, task: Task) -> Cost | None:
        """Return what the service that the task goes to costs; see :meth:`limner.Model.cost_of`."""
        model, own, _ = self._routed(task)
        return model.cost_of(own)

    def encode(self, task: Task) -> Request:
        """Write the task as the JSON of the service that it goes to."""
        model, own, _ = self._routed(task)
        return model.encode(own)

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        """Read a service's answer; all are alike."""
        model, own, _ = self._routed(task)
        return model.decode(own, response)

    def _routed(self, task: Task) -> tuple[StabilityModel, Task, Entry]:
        """The service's model, the task without the router's own option, and the account of the choice."""
        limits = self.limits_of(type(task))
        asked = task.options.get("service")
        limit = limits.options["service"]
        if asked is not None and (wrong := limit.wrong(asked)) is not None:
            raise TaskRefused([Problem.of("options.service", asked, wrong)], self.id)
        own = attrs.evolve(task, options={name: value for name, value in task.options.items() if name != "service"})
        service = choose(own) if asked is None else next(s for s in self.routes[type(task)] if s.name == asked)
        outcome: Literal["sent", "defaulted"] = "defaulted" if asked is None else "sent"
        return _MODEL_OF[service.id](self.settings), own, Entry("options.service", outcome, asked, service.name)


def _named(task: Task, entry: Entry) -> Task:
    """Put the choice into a planned task, so that running it makes the same."""
    return attrs.evolve(task, options={**task.options, "service": entry.used})


def _accounted(result: Result, entry: Entry) -> Result:
    return attrs.evolve(result, task=_named(result.task, entry), account=(entry, *result.account))
