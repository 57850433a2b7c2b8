"""Hypothesis strategies for tasks and for what a model's limits allow.

:func:`values` and :func:`outside` make a strategy of any constraint, so that the tests of a model come from the limits
that it declares. What lies at an end of a range, and 0, comes up often. Needs the extra ``testing``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from limner import Generate, Image, Inpaint, Mask, Model, Outpaint, RemoveBackground, Task, Upscale, Vary, limits
from limner.fitting import fit
from limner.testing.constraints import (
    CHARACTERS,
    expansions,
    images,
    json_values,
    masks,
    outside,
    prompts,
    texts,
    values,
)

__all__ = ["images", "json_values", "masks", "outside", "prompts", "tasks", "tasks_within", "texts", "values"]


def tasks(task_class: type[Task], options: SearchStrategy[Mapping[str, Any]] | None = None) -> SearchStrategy[Any]:
    """Any valid task of a class, whatever a model makes of it.

    Args:
        task_class: such as :class:`limner.Generate`.
        options: a strategy of its options; by default any names and JSON values, and often none.
    """
    free: SearchStrategy[Mapping[str, Any]] = st.dictionaries(
        st.text(CHARACTERS, max_size=8), json_values() | images(), max_size=2
    )
    drawn: SearchStrategy[Any] = st.just({}) | free if options is None else options
    return _tasks(task_class, {name: _ANY[name] for name in _names(task_class) if name in _ANY}, drawn, None)


def tasks_within(model: Model | type[Model], task_class: type[Task]) -> SearchStrategy[Any]:
    """Tasks that keep the limits which a model declares, and pass its check between parameters."""
    made = model() if isinstance(model, type) else model
    declared = made.limits_of(task_class)
    strategies: dict[str, SearchStrategy[Any]] = {name: values(limit) for name, limit in declared.parameters.items()}
    if isinstance(count := declared.parameters.get("n"), limits.Count):
        strategies["n"] = st.integers(1, min(2 * count.per_call + 1, made.settings.max_n))
    needed = [name for name, limit in declared.options.items() if limit.required]
    options = _subsets({name: values(limit) for name, limit in declared.options.items()}, needed)
    drawn = _tasks(task_class, strategies, options, declared)
    return drawn.filter(lambda task: not list(made.check(fit(task, declared).task)))


_ANY: dict[str, SearchStrategy[Any]] = {
    "prompt": prompts(),
    "negative_prompt": values(limits.NegativeText(several=True, source="")),
    "n": st.integers(1, 12),
    "size": st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    "seed": values(limits.Seed(0, 2**33, source="")),
    "guidance_scale": values(limits.Real(source="")),
    "steps": values(limits.Integer(1, 200, source="")),
    "strength": values(limits.Real(0.0, 1.0, source="")),
    "mask_prompt": texts(),
    "keep_prompt": texts(),
    "image": images(),
    "mask": masks(),
    "expand": expansions((1, 1), None),
}

_EITHER: dict[type[Task], tuple[str, ...]] = {Inpaint: ("mask", "mask_prompt"), Outpaint: ("expand", "mask", "keep_prompt")}
_NEEDED: dict[type[Task], tuple[str, ...]] = {
    Generate: ("prompt",),
    Vary: ("image",),
    Inpaint: ("image",),
    Outpaint: ("image",),
    RemoveBackground: ("image",),
    Upscale: ("image",),
}


def _names(task_class: type[Task]) -> list[str]:
    return [field.name for field in attrs.fields(task_class)]


def _subsets(strategies: Mapping[str, SearchStrategy[Any]], needed: list[str]) -> SearchStrategy[dict[str, Any]]:
    """The needed options and a few of the others, often none."""

    @st.composite
    def made(draw: st.DrawFn) -> dict[str, Any]:
        names = draw(st.lists(st.sampled_from(sorted(strategies)), max_size=4, unique=True)) if strategies else []
        return {name: draw(strategies[name]) for name in dict.fromkeys([*needed, *names])}

    return made()


def _tasks(
    task_class: type[Task],
    strategies: Mapping[str, SearchStrategy[Any]],
    options: SearchStrategy[Any],
    declared: limits.TaskLimits | None,
) -> SearchStrategy[Any]:
    """A task, each parameter said or not; what depends on the picture or on ``n`` last."""
    parameters = {} if declared is None else declared.parameters
    needed = {*_NEEDED[task_class], *(name for name, limit in parameters.items() if limit.required)}
    either = _EITHER.get(task_class, ())
    names = [name for name in _names(task_class) if name in strategies and name not in {*either, "seed"}]

    @st.composite
    def made(draw: st.DrawFn) -> Task:
        said = {name: draw(strategies[name]) for name in names if name in needed or draw(st.booleans())}
        if "seed" in strategies and draw(st.booleans()):
            said["seed"] = _with_room(draw(strategies["seed"]), said.get("n"), parameters)
        if either:
            chosen = draw(st.sampled_from([name for name in either if name in strategies]))
            suiting = _suiting(chosen, said["image"], parameters.get(chosen))
            said[chosen] = draw(strategies[chosen] if suiting is None else suiting)
            known = chosen in {"mask", "expand"}
            said["preserve"] = draw(st.sampled_from([None, False, True] if known else [None, False]))
        return task_class(options=draw(options), **said)

    return made()


def _suiting(name: str, image: Image, limit: limits.Constraint | None) -> SearchStrategy[Any] | None:
    """What has to suit the picture."""
    if name == "expand":
        return expansions(image.size, limit if isinstance(limit, limits.Expand) else None)
    if name == "mask":
        grey = limit.grey if isinstance(limit, limits.MaskPicture) else True
        made = masks(image.size, grey=grey)
        return made | st.just("alpha") if _has_holes(image, grey=grey) else made
    return None


def _has_holes(image: Image, *, grey: bool) -> bool:
    """Whether a picture's transparency leaves something to repaint."""
    if not image.has_alpha:
        return False
    mask = Mask.from_alpha(image)
    return not (mask if grey else mask.hardened()).is_black


def _with_room(seed: int, n: int | None, parameters: Mapping[str, limits.Constraint]) -> int:
    """Lower a seed so that the last of several calls may count on from it."""
    limit, count = parameters.get("seed"), parameters.get("n")
    if not isinstance(limit, limits.Seed):
        return seed
    per_call = count.per_call if isinstance(count, limits.Count) else 1
    return min(seed, limit.max_value - ((n or 1) - 1) // per_call * per_call)
