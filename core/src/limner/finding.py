"""From a name to a model, from a wish to the models that can do it, and the calls in one line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from limner.errors import UnknownModel
from limner.limits import TaskLimits
from limner.plugins import Plugin, blaming, breaking_alone, registry
from limner.tasks import Task

if TYPE_CHECKING:
    from limner import parameters
    from limner.images import ImageSource
    from limner.model import Model
    from limner.results import Result
    from limner.values import PromptSource

MODEL_VARIABLE = "LIMNER_MODEL"


def get_model(name: str | None = None, *, model_id: str | None = None, **settings: Any) -> Model:
    """Find a model and set how to reach it; nothing is opened.

    Args:
        name: an alias or a full id, of any installed plugin. Not said: ``LIMNER_MODEL`` of the environment, else the only
            model installed, else the offline one.
        model_id: the id to call in place of the model's own, such as an ARN that does not name its model.
        **settings: see the model's Settings: ``fit``, ``timeout``, ``max_in_flight``, ``region``, ...

    Raises:
        UnknownModel: no installed plugin offers it.
        PluginError: two plugins claim the name.
        TaskRefused: a setting is unknown or wrong.
    """
    name = default_model() if name is None else name
    found = registry().find(name)
    if model_id is None and name not in found.aliases and name != found.id:
        model_id = name
    with blaming(found, "__init__"):
        return found(found.Settings.of(settings), model_id=model_id)


def default_model() -> str:
    """The model when none is named.

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
    """Ask every installed plugin which models can do something.

    Args:
        task: a task, or its kind such as ``inpaint``.
        supports: parameters or options that it must have a word for, such as ``mask_prompt``.
        size: a width and height in pixels that it must make, or take where the size follows the picture.
        state: ``active``, ``legacy`` or ``retired``.

    Returns:
        The model classes, by id; their ``id``, ``aliases``, ``limits`` and ``lifecycle`` are data.
    """
    wanted = (supports,) if isinstance(supports, str) else tuple(supports)

    def does(limits: TaskLimits) -> bool:
        return (size is None or limits.allows_size((size[0], size[1]))) and all(limits.supports(name) for name in wanted)

    def can(model: type[Model], plugin: Plugin) -> bool:
        with breaking_alone(plugin, f"{model.__name__}.limits"):
            return (state is None or model.lifecycle.state() == state) and any(
                does(limits) for kind, limits in model.limits.items() if task in {None, kind, kind.kind}
            )
        return False

    found = {model for model, plugin in registry().models() if can(model, plugin)}
    return tuple(sorted(found, key=lambda model: model.id))


def generate(prompt: PromptSource, *, model: str | None = None, **more: Unpack[parameters.Generate]) -> Result:
    """Make pictures from words; see :class:`~limner.Generate` and :meth:`Model.run`."""
    return get_model(model).generate(prompt, **more)


def vary(
    image: ImageSource | Sequence[ImageSource],
    prompt: PromptSource | None = None,
    *,
    model: str | None = None,
    **more: Unpack[parameters.Vary],
) -> Result:
    """Make pictures like a given one; see :class:`~limner.Vary` and :meth:`Model.run`."""
    return get_model(model).vary(image, prompt, **more)


def inpaint(
    image: ImageSource,
    prompt: PromptSource | None = None,
    *,
    model: str | None = None,
    **more: Unpack[parameters.Inpaint],
) -> Result:
    """Repaint a part of a picture; see :class:`~limner.Inpaint` and :meth:`Model.run`."""
    return get_model(model).inpaint(image, prompt, **more)


def outpaint(
    image: ImageSource,
    prompt: PromptSource | None = None,
    *,
    model: str | None = None,
    **more: Unpack[parameters.Outpaint],
) -> Result:
    """Continue a picture beyond its borders; see :class:`~limner.Outpaint` and :meth:`Model.run`."""
    return get_model(model).outpaint(image, prompt, **more)


def remove_background(
    image: ImageSource, *, model: str | None = None, **more: Unpack[parameters.RemoveBackground]
) -> Result:
    """Make everything but the subject transparent; see :class:`~limner.RemoveBackground` and :meth:`Model.run`."""
    return get_model(model).remove_background(image, **more)


def upscale(
    image: ImageSource,
    prompt: PromptSource | None = None,
    *,
    model: str | None = None,
    **more: Unpack[parameters.Upscale],
) -> Result:
    """Make a picture larger; see :class:`~limner.Upscale` and :meth:`Model.run`."""
    return get_model(model).upscale(image, prompt, **more)
