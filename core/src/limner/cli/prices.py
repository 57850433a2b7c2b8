"""Prices and costs, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from limner.cli.console import one_line
from limner.prices import prices_for

if TYPE_CHECKING:
    from limner.interface import ModelInterface
    from limner.model import Model
    from limner.prices import Cost, Price
    from limner.tasks import Task


def cost_line(model: Model, task: Task) -> str:
    """Describe the cost of a task that was run. Never fails: the pictures are paid for."""
    try:
        cost = model.cost_of(task)
    except Exception as error:
        return f"cost: unknown; {one_line(error)}"
    return f"cost: {'unknown' if cost is None else cost}"


def cost_document(cost: Cost | None) -> dict[str, Any] | None:
    """What a task costs as a JSON value; ``None`` where that is unknown."""
    return None if cost is None else {"low": float(cost.low), "high": float(cost.high), "currency": cost.currency}


def price_rows(model: type[ModelInterface]) -> list[tuple[str, str, str, str]]:
    """Return the model's known prices: task, price, date and source."""
    return [(task.kind, str(price), str(price.as_of), price.source) for task, price in _prices(model)]


def _prices(model: type[ModelInterface]) -> list[tuple[type[Task], Price]]:
    from limner.descriptions import tasks_of

    return [(task, price) for task in tasks_of(model) for price in prices_for(model, task)]
