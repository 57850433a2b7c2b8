"""The models that are installed: found by name, by capability, or by default."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, cast

from limner.errors import UnknownModel
from limner.interface import ModelInterface
from limner.isolation import blaming, breaking_alone
from limner.limits import TaskLimits
from limner.model import Model
from limner.plugins import Plugin, registry
from limner.tasks import Task

MODEL_VARIABLE = "LIMNER_MODEL"


def get_model(name: str | None = None, *, model_id: str | None = None, **settings: Any) -> Model:
    """Find a model and apply settings to it. No connection is made.

    Args:
        name: an alias or a full id of any installed plugin's model. Default: the environment variable ``LIMNER_MODEL``,
            otherwise the only installed model, otherwise the offline model.
        model_id: the id to call instead of the model's own, such as an ARN that does not name its model.
        **settings: the model's :class:`~limner.Settings`: ``fit``, ``timeout``, ``max_in_flight``, ``region``, ...

    Raises:
        UnknownModel: no installed plugin offers a model of that name.
        PluginError: two plugins claim the name.
        TaskRefused: a setting is unknown or invalid.
    """
    name = default_model() if name is None else name
    found = cast("type[Model]", registry().find(name))
    if model_id is None and name not in found.aliases and name != found.id:
        model_id = name
    with blaming(found, "__init__"):
        return found(found.Settings.of(settings), model_id=model_id)


def default_model() -> str:
    """Return the name of the default model.

    Raises:
        UnknownModel: there is no model, or several and none of them is offline.
    """
    if os.environ.get(MODEL_VARIABLE):
        return os.environ[MODEL_VARIABLE]
    installed = [model for model, _ in registry().models()]
    choices = installed if len(installed) == 1 else [model for model in installed if model.offline]
    if len(choices) == 1:
        return choices[0].id
    names = ", ".join(sorted(model.id for model in installed))
    hint = f"name one of {names}, or set {MODEL_VARIABLE}" if installed else "no model is installed; install limner-sketch"
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
    return tuple(sorted(cast("set[type[Model]]", found), key=lambda model: model.id))
