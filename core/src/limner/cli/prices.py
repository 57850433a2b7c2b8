"""Prices and costs, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from limner.cli.console import one_line
from limner.prices import prices_for

if TYPE_CHECKING:
    from limner.interface import ModelInterface
    from limner.limits import Limits
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


def prices_document(model: type[ModelInterface]) -> dict[str, list[dict[str, Any]]]:
    """The model's prices by task as JSON values; a task that is not there has no known price."""
    documents: dict[str, list[dict[str, Any]]] = {}
    for task, price in _prices(model):
        documents.setdefault(task.kind, []).append(_price_document(price))
    return documents


def _prices(model: type[ModelInterface]) -> list[tuple[type[Task], Price]]:
    return [(task, price) for task in _in_order(model.limits) for price in prices_for(model, task)]


def _in_order(limits: Limits) -> list[type[Task]]:
    from limner.tasks import TASKS

    return [task for task in TASKS.values() if task in limits]


def _price_document(price: Price) -> dict[str, Any]:
    from limner.documents import fingerprint

    return {
        "amount": float(price.amount),
        "currency": price.currency,
        "per": price.per,
        "when": {name: fingerprint(value) for name, value in price.when.items()},
        "as_of": price.as_of.isoformat(),
        "source": price.source,
    }
