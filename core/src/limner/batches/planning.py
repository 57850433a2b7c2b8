"""Plans every task of a batch before the first is sent, and matches tasks with earlier runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

import attrs

from limner.batches.budget import Budget
from limner.batches.manifest import Entry, Source, Unreadable
from limner.batches.outcomes import Record
from limner.documents import fingerprint
from limner.errors import LimnerError, Problem, TaskRefused
from limner.model import Model
from limner.prices import Cost
from limner.tasks import Task

MOST_PROBLEMS = 100
"""The maximum number of problems to report; further problems are only counted."""


@attrs.define(kw_only=True)
class Item:
    """The data kept for a task, without its prompt and pictures.

    Attributes:
        id: the task's id, used in the names of its pictures.
        key: the hash of its content and model.
        occurrence: the number of identical tasks before it; ``None`` if it has an ``id``.
        line: its number in the manifest.
        place: its position in the manifest.
        model: the model.
        seed: the seed to send; ``None`` if the model has none.
        calls: the number of requests.
        pictures: the number of requested pictures.
        cost: the maximum cost; ``None`` if it is unknown.
        status: ``planned``, ``sent``, or its outcome.
        attempt: the number of times it was sent.
        claimed: whether the last attempt is claimed by its worker.
        record: its outcome record.
        unmade: the number of consecutive attempts that were not executed.
        made_before: the number of tasks of this run that had succeeded when these attempts began.
        sent_at: the time when it was last sent, in seconds of a monotonic clock.
    """

    id: str
    key: str
    occurrence: int | None
    line: int
    place: int
    model: Model
    seed: int | None
    calls: int
    pictures: int
    cost: Cost | None
    status: str = "planned"
    attempt: int = 0
    claimed: bool = False
    record: Record = attrs.field(factory=dict)
    unmade: int = 0
    made_before: int = 0
    sent_at: float = 0.0

    def planned(self) -> Record:
        """Return its first record in the journal."""
        cost = None if self.cost is None else [str(self.cost.low), str(self.cost.high), self.cost.currency]
        return {
            "event": "planned",
            "id": self.id,
            "key": self.key,
            "occurrence": self.occurrence,
            "line": self.line,
            "model": self.model.id,
            "seed": self.seed,
            "calls": self.calls,
            "pictures": self.pictures,
            "cost": cost,
        }


@attrs.frozen
class Spent:
    """The cost of a task from the journal."""

    pictures: int
    cost: Cost | None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Spent:
        """Read what :meth:`Item.planned` wrote."""
        if record["cost"] is None:
            return cls(record["pictures"], None)
        low, high, currency = record["cost"]
        return cls(record["pictures"], Cost(Decimal(low), Decimal(high), currency))


@attrs.frozen
class Planned:
    """A whole manifest, planned.

    Attributes:
        items: the tasks, in order.
        new: the tasks that the journal did not contain.
        gone: ids in the journal that are no longer in the manifest.
    """

    items: list[Item]
    new: list[Item]
    gone: list[str]


def plan_all(
    source: Source, models: Callable[[str | None], Model], known: Mapping[str, Record], budget: Budget, *, retry: bool
) -> Planned:
    """Plan every task.

    Args:
        source: the tasks.
        models: finds a model by an entry's model name.
        known: the journal's entries by id.
        budget: the budget that can count every task.
        retry: whether finished tasks will be resent, and so must be planned again.

    Raises:
        TaskRefused: lines are invalid; it lists all problems with their lines.
    """
    planning = _Planning(source.what, models, known, budget, retry=retry)
    for entry in source.entries():
        planning.add(entry)
    return planning.result()


class _Planning:
    def __init__(
        self, what: str, models: Callable[[str | None], Model], known: Mapping[str, Record], budget: Budget, *, retry: bool
    ) -> None:
        self._what, self._models, self._known, self._budget, self._retry = what, models, known, budget, retry
        self._by_content = {
            (record["key"], record["occurrence"]): record for record in known.values() if record["occurrence"] is not None
        }
        self._items: list[Item] = []
        self._new: list[Item] = []
        self._lines: dict[str, list[int]] = {}  # of each key
        self._line_of: dict[str, int] = {}  # of each id, in lower case: some file systems ignore case
        self._problems: list[Problem] = []

    def add(self, entry: Entry | Unreadable) -> None:
        """Plan one task, or collect its problems."""
        try:
            if isinstance(entry, Unreadable):
                raise entry.refusal
            item = self._item(entry)
            self._check_id(item)
            self._items.append(item)
        except TaskRefused as refusal:
            for problem in refusal.problems:
                self._problems.append(attrs.evolve(problem, parameter=f"{self._what} {entry.line}: {problem.parameter}"))
        except LimnerError as error:
            self._problems.append(Problem(f"{self._what} {entry.line}", "", str(error)))

    def result(self) -> Planned:
        if self._problems:
            more = len(self._problems) - MOST_PROBLEMS
            shown = self._problems[:MOST_PROBLEMS]
            raise TaskRefused([*shown, *([Problem("and", "", f"{more} more problems")] if more > 0 else [])])
        ids = {item.id for item in self._items}
        return Planned(self._items, self._new, [known for known in self._known if known not in ids])

    def _item(self, entry: Entry) -> Item:
        model = self._models(entry.model)
        key = key_of(model, entry.task)
        lines = self._lines.setdefault(key, [])
        if entry.id is None:
            if lines and getattr(entry.task, "seed", None) is not None:
                limit = f"is the task of {self._what} {lines[0]}, with the same seed: the same picture would be paid twice"
                raise TaskRefused([Problem("seed", str(entry.task.seed), f"{limit}; remove it, or give it an id")])  # type: ignore[attr-defined]
            lines.append(entry.line)
        occurrence = None if entry.id is not None else len(lines) - 1
        known = self._known.get(entry.id) if entry.id is not None else self._by_content.get((key, occurrence))
        if known is not None and known["key"] != key:
            limit = "stands for another task in the journal, or for another model or setting; use another id or folder"
            raise TaskRefused([Problem.of("id", entry.id, limit)])
        item = self._new_item(entry, model, key, occurrence) if known is None else _known_item(entry, model, known)
        if known is None:
            self._new.append(item)
        elif item.status in {"planned", "sent"} or self._retry:
            model.plan(seeded(entry.task, item.seed))
        if (wrong := self._budget.problem(item)) is not None:
            raise TaskRefused([Problem("max_spend", str(self._budget.max_spend), wrong)])
        return item

    def _new_item(self, entry: Entry, model: Model, key: str, occurrence: int | None) -> Item:
        plan = model.plan(entry.task)
        seed = getattr(plan.task, "seed", None)
        return Item(
            id=entry.id or sha256(f"{key} {seed} {occurrence}".encode()).hexdigest()[:20],
            key=key,
            occurrence=occurrence,
            line=entry.line,
            place=entry.place,
            model=model,
            seed=seed,
            calls=len(plan.calls),
            pictures=getattr(plan.task, "n", None) or 1,
            cost=plan.cost,
        )

    def _check_id(self, item: Item) -> None:
        line = self._line_of.setdefault(item.id.lower(), item.line)
        if line != item.line:
            raise TaskRefused([Problem.of("id", item.id, f"is also that of {self._what} {line}; give each task its own")])


def _known_item(entry: Entry, model: Model, known: Record) -> Item:
    return Item(
        id=known["id"],
        key=known["key"],
        occurrence=known["occurrence"],
        line=entry.line,
        place=entry.place,
        model=model,
        seed=known["seed"],
        calls=known["calls"],
        pictures=known["pictures"],
        cost=Spent.of(known).cost,
        status=known["status"],
        attempt=known["attempt"],
        claimed=known.get("claimed", False),
        record={name: known[name] for name in ("rows", "reason") if name in known},
    )


def key_of(model: Model, task: Task) -> str:
    """Return the hash of a task's content, including pictures, and of everything else that determines the request."""
    settings = model.settings
    content = {
        "model": model.id,
        "model_id": model.model_id,
        "fit": settings.fit,
        "strip_metadata": settings.strip_metadata,
        "task": fingerprint(task),
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def seeded(task: Task, seed: int | None) -> Task:
    """Return a task with its drawn seed; a task that has a seed keeps it."""
    if seed is None or getattr(task, "seed", 0) is not None:
        return task
    return attrs.evolve(task, seed=seed)  # type: ignore[call-arg]
