"""The models that are installed: found by name, by capability, or by default."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs

from limner import display
from limner.configuration import configuration, configuration_file
from limner.errors import TaskRefused, UnknownModel
from limner.interface import ModelInterface
from limner.isolation import blaming, breaking_alone
from limner.limits import TaskLimits
from limner.model import Model
from limner.plugins import Plugin, listed, registry, short_name
from limner.tasks import Task

MODEL_VARIABLE = "LIMNER_MODEL"


class Models(tuple[type[Model], ...]):
    """Model classes; a notebook shows them as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        rows = (
            (
                short_name(model),
                ", ".join(task.kind for task in model.limits),
                model.lifecycle.state(),
                model.plugin,
                model.id,
            )
            for model in self
        )
        return display.table(("model", "tasks", "state", "plugin", "id"), rows)


def get_model(name: str | None = None, *, model_id: str | None = None, **settings: Any) -> Model:
    """Find a model and apply settings to it. No connection is made.

    Args:
        name: an alias or a full id of any installed plugin's model, or your own alias (``limner aliases``). Default: the
            environment variable ``LIMNER_MODEL``, otherwise ``model`` in the configuration file, otherwise the only
            installed model, otherwise the offline model.
        model_id: the id to call instead of the model's own, such as an ARN that does not name its model.
        **settings: the model's :class:`~limner.Settings`: ``fit``, ``timeout``, ``max_in_flight``, ``region``, ...
            Default: the configuration file, otherwise the defaults of the settings.

    Raises:
        UnknownModel: no installed plugin offers a model of that name.
        PluginError: two plugins claim the name.
        TaskRefused: a setting or the configuration file is invalid.
    """
    return configured(name, model_id, settings)


def configured(name: str | None, model_id: str | None, settings: Mapping[str, Any]) -> Model:
    """As :func:`get_model`; a setting may have any name."""
    own = configuration()
    name = default_model() if name is None else name
    found, meant = cast("type[Model]", registry().find(name)), own.meant(name)
    if model_id is None and meant not in found.aliases and meant != found.id:
        model_id = meant
    defaults = own.settings_of(known_names(found, name))
    if defaults:
        _check_defaults(found, defaults)
    with blaming(found, "__init__"):
        return found(found.Settings.of({**defaults, **settings}), model_id=model_id)


def known_names(model: type[ModelInterface], name: str) -> tuple[str, ...]:
    """Return the names under which the configuration may describe a model, the most specific last."""
    own = configuration()
    return (*dict.fromkeys((model.id, *model.aliases, own.meant(name))), name)


def _check_defaults(model: type[ModelInterface], defaults: Mapping[str, Any]) -> None:
    try:
        model.Settings.of(defaults)
    except TaskRefused as refusal:
        raise TaskRefused(
            attrs.evolve(problem, parameter=f"{configuration_file()}: {problem.parameter}") for problem in refusal.problems
        ) from refusal


def default_model() -> str:
    """Return the name of the default model.

    Raises:
        UnknownModel: there is no model, or several and none of them is offline.
    """
    if named := os.environ.get(MODEL_VARIABLE) or configuration().model:
        return named
    installed = [model for model, _ in registry().models()]
    choices = installed if len(installed) == 1 else [model for model in installed if model.offline]
    if len(choices) == 1:
        return choices[0].id
    names = listed(sorted(map(short_name, installed)), "name one of ")
    hint = f"{names}, or set {MODEL_VARIABLE}" if installed else "no model is installed; install limner-sketch"
    raise UnknownModel(f"no model was named: {hint}")


def models(
    *,
    task: type[Task] | str | None = None,
    supports: str | Sequence[str] = (),
    size: tuple[int, int] | None = None,
    state: str | None = None,
) -> tuple[type[Model], ...]:
    """Return the installed models with certain capabilities.

    Args:
        task: a task class, or its kind such as ``inpaint``.
        supports: parameters or options that the model must support, such as ``mask_prompt``.
        size: width and height in pixels that the model must be able to return, or to accept if the result has the size of
            its picture.
        state: ``active``, ``legacy`` or ``retired``.

    Returns:
        The model classes, sorted by id. Their ``id``, ``aliases``, ``limits`` and ``lifecycle`` are data.
    """
    wanted = (supports,) if isinstance(supports, str) else tuple(supports)

    def does(limits: TaskLimits) -> bool:
        return (size is None or limits.allows_size((size[0], size[1]))) and all(limits.supports(name) for name in wanted)

    def can(model: type[ModelInterface], plugin: Plugin) -> bool:
        with breaking_alone(plugin, f"{model.__name__}.limits"):
            return (state is None or model.lifecycle.state() == state) and any(
                does(limits) for kind, limits in model.limits.items() if task in {None, kind, kind.kind}
            )
        return False

    found = {model for model, plugin in registry().models() if can(model, plugin)}
    return Models(sorted(cast("set[type[Model]]", found), key=lambda model: model.id))
