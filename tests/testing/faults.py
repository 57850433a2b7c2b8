"""How a fault is written down: the right plugin with one thing changed, and the check that must catch it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
from limner import (
    Request,
    Task,
)
from limner.limits import Constraint, TaskLimits
from right_plugin import Palette

Body = dict[str, Any]

CAUGHT_BY: dict[type[Palette], tuple[str, str]] = {}


def caught_by(check: str, words: str) -> Callable[[type[Any]], type[Any]]:
    """Name the check that catches a fault, and words with which it does."""

    def mark(fault: type[Palette]) -> type[Palette]:
        CAUGHT_BY[fault] = (check, words)
        return fault

    return mark


def limited(kind: type[Task], **changed: Constraint) -> Any:
    """The right limits, with others for one task."""
    table = Palette.limits[kind]
    return {**Palette.limits, kind: TaskLimits({**table.parameters, **changed}, options=table.options)}


class Spoilt(Palette):
    """Writes the right body and spoils it."""

    def encode(self, task: Task) -> Request:
        request = super().encode(task)
        body = json.loads(request.body)
        self.spoil(task, body)
        return attrs.evolve(request, body=json.dumps(body).encode())

    def spoil(self, task: Task, body: Body) -> None:
        raise NotImplementedError


def limited_options(kind: type[Task], **changed: Constraint) -> Any:
    """The right limits, with other options for one task."""
    table = Palette.limits[kind]
    return {**Palette.limits, kind: TaskLimits(table.parameters, options={**table.options, **changed})}
