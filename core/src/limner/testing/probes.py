"""Tasks that show what a model does with one parameter: small, allowed, and all else unsaid."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from typing import Any

import attrs

from limner import Image, Inpaint, Model, Outpaint, Plan, Task, TaskRefused, limits
from limner.limits import Constraint, TaskLimits
from limner.tasks import TASKS
from limner.testing.ends import borders_of, ends, masks_of, past
from limner.testing.kit import expect

WAYS: dict[type[Task], tuple[str, ...]] = {Inpaint: ("mask", "mask_prompt"), Outpaint: ("expand", "mask", "keep_prompt")}
"""Of these exactly one says where an edit paints."""

_CANDIDATES = 8

OF_LIMNER = frozenset({"preserve"})
"""What is never sent."""


def plan_or_none(model: Model, task: Task | None, **how: Any) -> Plan | None:
    """Plan a task; ``None`` where it is refused."""
    try:
        return None if task is None else model.plan(task, **how)
    except TaskRefused:
        return None


def changed(task: Task, name: str, value: Any) -> Task | None:
    """Return the task with another value of a field or of ``options.NAME``; ``None`` where no task can hold it."""
    try:
        if not name.startswith("options."):
            return attrs.evolve(task, **{name: value})
        others = {key: kept for key, kept in task.options.items() if f"options.{key}" != name}
        said = {} if value is None else {name.removeprefix("options."): value}
        return attrs.evolve(task, options={**others, **said})
    except TaskRefused:
        return None


def saying(task: Task, **values: Any) -> Task:
    """Return the task with other values, which it must be able to hold."""
    return attrs.evolve(task, **values)


def value_of(task: Task, name: str) -> Any:
    """Read a field or ``options.NAME``."""
    return task.options.get(name.removeprefix("options.")) if name.startswith("options.") else getattr(task, name)


def constraints(declared: TaskLimits) -> dict[str, Constraint]:
    """Every constraint of a task by the name of its parameter, or ``options.NAME``."""
    return {**declared.parameters, **{f"options.{name}": limit for name, limit in declared.options.items()}}


def values_for(task: Task, name: str, limit: Constraint) -> list[Any]:
    """The named ends of a parameter, made to suit the task's picture."""
    image = getattr(task, "image", None)
    if isinstance(limit, limits.MaskPicture) and isinstance(image, Image):
        return masks_of(image.size, grey=limit.grey)
    if isinstance(limit, limits.Expand) and isinstance(image, Image):
        return borders_of(image.size, limit)
    if name in {"image", "options.image"} and isinstance(image, Image):
        return [value for value in ends(limit) if not isinstance(value, Image) or value.size == image.size]
    return ends(limit)


def starts(model: Model, kind: type[Task]) -> list[Task]:
    """Small allowed tasks in which nothing is said but what must be: one for each way to say where an edit paints."""
    return list(_starts(model, kind.kind))


@functools.lru_cache(256)
def _starts(model: Model, name: str) -> tuple[Task, ...]:
    kind = TASKS[name]
    declared = model.limits_of(kind)
    ways: list[str | None] = [way for way in WAYS.get(kind, ()) if way in declared.parameters] or [None]
    found = [list(itertools.islice(_candidates(kind, declared, way), _CANDIDATES)) for way in ways]
    return tuple(next((task for task in tasks if plan_or_none(model, task)), tasks[0]) for tasks in found if tasks)


def _candidates(kind: type[Task], limits_of_kind: TaskLimits, way: str | None) -> Iterator[Task]:
    """Small tasks of one way, the plainest first; the model's own check may still refuse one."""
    declared = limits_of_kind.parameters
    needed = {name for name, limit in declared.items() if limit.required and name not in WAYS.get(kind, ())}
    needed |= {field.name for field in attrs.fields(kind) if field.default is attrs.NOTHING} & set(declared)
    said = {name: known(name, declared[name])[0] for name in needed}
    options = {name: ends(limit)[0] for name, limit in limits_of_kind.options.items() if limit.required}
    said |= {"options": options} if options else {}
    for image in ends(declared["image"]) if "image" in needed else [None]:
        said |= {} if image is None else {"image": image}
        if way is None:
            yield kind(**said)
            continue
        for value in _of_way(way, declared[way], image):
            yield kind(**said, **{way: value})


def known(name: str, limit: Constraint) -> list[Any]:
    """The named ends of a parameter, of which there must be one."""
    found = ends(limit)
    hint = "give the Text an example" if isinstance(limit, limits.Text) else "register some with limner.testing.ends.ends"
    expect(found, f"no allowed value of {name} is known ({type(limit).__name__}: {limit.describe()}); {hint}")
    return found


def _of_way(way: str, limit: Constraint, image: Any) -> list[Any]:
    if way == "mask":
        return masks_of(image.size, grey=False)
    return borders_of(image.size, limit) if isinstance(limit, limits.Expand) else ends(limit)


def sayable(model: Model, start: Task) -> dict[str, Constraint]:
    """The parameters that can be said besides what a start says."""
    kind = type(start)
    fixed = {way for way in WAYS.get(kind, ()) if value_of(start, way) is None} | OF_LIMNER
    return {name: limit for name, limit in constraints(model.limits_of(kind)).items() if name not in fixed}


def bases(model: Model, start: Task, name: str) -> Iterator[Task]:
    """Tasks to which a parameter may be added: the start, or with one companion where parameters go together."""
    yield start
    for other, limit in sayable(model, start).items():
        if other != name and value_of(start, other) is None and not isinstance(limit, limits.Count | limits.Seed):
            for value in values_for(start, other, limit)[:2]:
                companion = changed(start, other, value)
                if companion is not None:
                    yield companion


def base_for(model: Model, start: Task, name: str, limit: Constraint) -> Task | None:
    """The smallest task to which some allowed value of a parameter may be added; ``None`` where there is none."""
    values = values_for(start, name, limit)
    for base in bases(model, start, name):
        if any(plan_or_none(model, changed(base, name, value)) for value in values[:3]):
            return base
    return None


def smallest(model: Model, start: Task) -> Task:
    """The start in the smallest size: pictures of it cost little."""
    limit = model.limits_of(type(start)).parameters.get("size")
    made = None if limit is None or isinstance(start, Inpaint | Outpaint) else changed(start, "size", ends(limit)[0])
    return start if plan_or_none(model, made) is None or made is None else made


def too_far(model: Model, start: Task) -> Iterator[tuple[str, Task]]:
    """Tasks that the limits refuse in one parameter: its name and the task."""
    for name, limit in sayable(model, start).items():
        for value in past(limit):
            task = changed(start, name, value)
            if task is not None and _right_size(name, task):
                yield name, task


def _right_size(name: str, task: Task) -> bool:
    """A picture of another size would be refused for its mask as well."""
    return not (name == "image" and getattr(task, "mask", None) is not None)


def kinds_with(model: Model, *names: str) -> list[type[Task]]:
    """The tasks of a model that have all these parameters."""
    return [kind for kind, declared in model.limits.items() if all(name in declared.parameters for name in names)]


def first(model: Model, kind: type[Task]) -> Task:
    """The first start of a task."""
    return starts(model, kind)[0]


def all_starts(model: Model) -> Iterator[Task]:
    """The starts of every task."""
    for kind in model.limits:
        yield from starts(model, kind)


def probes(model: Model) -> Iterator[tuple[Task, str, Constraint]]:
    """For each parameter that some small task can say: that task, the parameter's name and its constraint."""
    for start in all_starts(model):
        for name, limit in sayable(model, start).items():
            base = base_for(model, start, name, limit)
            if base is not None:
                yield seeded(model, base), name, limit


_SCALARS = limits.Choice | limits.Flag | limits.Integer | limits.Real


def pairs(model: Model, start: Task) -> Iterator[Task]:
    """The task with each pair of two parameters: the ends of numbers, the names of choices, and one text or picture."""
    free = {name: limit for name, limit in sayable(model, start).items() if name != "seed"}
    declared = {name: limit for name, limit in free.items() if isinstance(limit, _SCALARS) or not value_of(start, name)}
    found = {name: _few(limit, values_for(start, name, limit)) for name, limit in declared.items()}
    for (one, values), (other, others) in itertools.combinations(found.items(), 2):
        for value, its in itertools.product(values, others):
            task = changed(changed(start, one, value) or start, other, its)
            if task is not None:
                yield task


def _few(limit: Constraint, values: list[Any]) -> list[Any]:
    """The names of a choice, both ends of a number or of a size, or one value of another kind."""
    if isinstance(limit, limits.Integer | limits.Real) and values:
        return [min(values), max(values)]
    if isinstance(limit, limits.SizeRule | limits.Sizes) and values:
        return [min(values, key=math.prod), max(values, key=math.prod)]
    if isinstance(limit, limits.Aspects) and values:
        return [min(values, key=_shape), max(values, key=_shape)]
    return values[:6] if isinstance(limit, limits.Choice | limits.Flag) else values[:1]


def _shape(size: tuple[int, int]) -> float:
    return size[0] / size[1]


def seeded(model: Model, task: Task) -> Task:
    """Say the seed, so that two plans of a task are the same."""
    limit = model.limits_of(type(task)).parameters.get("seed")
    if not isinstance(limit, limits.Seed) or getattr(task, "seed", None) is not None:
        return task
    return saying(task, seed=(limit.min_value + limit.max_value) // 2)


def full(model: Model, start: Task, *, last: bool = False) -> Task:
    """The start with every parameter said that may be said beside the others: by its first values, or by its last."""
    task = start
    for name, limit in sayable(model, start).items():
        if value_of(task, name) is None and (last or not isinstance(limit, limits.Count)):
            values = [limit.per_call] if isinstance(limit, limits.Count) else values_for(start, name, limit)
            for value in values[:-4:-1] if last else values[:3]:
                more = changed(task, name, value)
                if plan_or_none(model, more) is not None and more is not None:
                    task = more
                    break
    return task
