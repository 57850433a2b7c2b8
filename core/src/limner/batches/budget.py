"""Limits on spending: an amount by the known prices, a number of pictures, or both."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Protocol

import attrs

from limner.errors import Problem, TaskRefused
from limner.prices import Cost


def parse_sum(text: str) -> Cost:
    """Parse an amount such as ``20USD``.

    Raises:
        TaskRefused: the text is not an amount.
    """
    form = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*([A-Z]{3})", text.strip(), re.ASCII)
    if form is None:
        raise TaskRefused([Problem.of("max_spend", text, "must be an amount and a currency, such as 20USD or 0.50EUR")])
    return Cost(Decimal(form[1]), Decimal(form[1]), form[2])


class Costing(Protocol):
    """The properties of a task that the budget uses."""

    @property
    def pictures(self) -> int:
        """The number of requested pictures."""

    @property
    def cost(self) -> Cost | None:
        """The maximum cost; ``None`` if it is unknown."""


@attrs.define
class Budget:
    """Counts spending: every task sent, unless it was certainly not executed.

    Args:
        max_pictures: the maximum number of pictures; ``None`` for no limit.
        max_spend: the maximum amount; ``None`` for no limit.
    """

    max_pictures: int | None = None
    max_spend: Cost | None = None
    pictures: int = attrs.field(default=0, init=False)
    spent: dict[str, Decimal] = attrs.field(factory=dict, init=False)

    def problem(self, task: Costing) -> str | None:
        """Return why a task's cost cannot be counted against the budget."""
        if self.max_spend is None:
            return None
        if task.cost is None:
            return "the price is unknown; use max_pictures (--max-pictures) instead, or set prices in LIMNER_PRICES"
        if task.cost.currency != self.max_spend.currency:
            return f"its price is in {task.cost.currency}, and max_spend in {self.max_spend.currency}"
        return None

    def exceeded_by(self, task: Costing) -> str | None:
        """Return why a task would exceed the budget; ``None`` if it does not."""
        if self.max_pictures is not None and self.pictures + task.pictures > self.max_pictures:
            return f"max_pictures={self.max_pictures} is reached: {self.pictures} pictures count as made"
        if self.max_spend is not None and task.cost is not None:
            spent = self.spent.get(self.max_spend.currency, Decimal())
            if spent + task.cost.high > self.max_spend.high:
                currency = self.max_spend.currency
                return (
                    f"max_spend={self.max_spend} is reached: {Cost(spent, spent, currency)} count as spent, "
                    f"the next task may cost {Cost(task.cost.high, task.cost.high, currency)}"
                )
        return None

    def take(self, task: Costing) -> None:
        """Count a task when it is sent."""
        self._add(task, 1)

    def give_back(self, task: Costing) -> None:
        """Stop counting a task, because nothing was generated."""
        self._add(task, -1)

    def _add(self, task: Costing, times: int) -> None:
        self.pictures += times * task.pictures
        if task.cost is not None:
            self.spent[task.cost.currency] = self.spent.get(task.cost.currency, Decimal()) + times * task.cost.high

    def __str__(self) -> str:
        sums = [str(Cost(amount, amount, currency)) for currency, amount in self.spent.items() if amount]
        return ", ".join(sums) or "0"
