"""A model as a JSON document: what it accepts, and what there is to know before it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import attrs

from limner.catalog import get_model
from limner.documents import fingerprint
from limner.isolation import blaming
from limner.limits.universal import UNIVERSAL
from limner.prices import prices_for
from limner.tasks import TASKS

if TYPE_CHECKING:
    from limner.interface import ModelInterface
    from limner.limits import Constraint, TaskLimits
    from limner.prices import Price
    from limner.tasks import Task


class LifecycleDescription(TypedDict):
    """Where a model stands in its life; dates as YYYY-MM-DD."""

    state: str
    legacy_since: str | None
    end_of_life: str | None
    replacement: str
    source: str


class ParameterDescription(TypedDict):
    """What a model accepts for one parameter or option.

    ``limit`` says it in words, ``schema`` as JSON Schema (2020-12), ``source`` names the provider's document. ``default`` is
    what limner sends if the parameter is not given; ``None`` sends nothing, except that a seed is drawn.
    """

    limit: str
    schema: dict[str, Any]
    required: bool
    default: Any
    source: str


class TaskDescription(TypedDict):
    """What a model accepts for one task.

    ``parameters`` are the uniform ones that the model supports, ``options`` those of the provider. Of ``exactly_one_of``,
    one must be given and no other; it is empty where that does not matter. A call makes at most ``per_call`` pictures;
    more become several calls. ``size_follows_image`` says that a result has the size of its picture or canvas.
    """

    parameters: dict[str, ParameterDescription]
    options: dict[str, ParameterDescription]
    exactly_one_of: list[str]
    per_call: int
    size_follows_image: bool


class _Facts(TypedDict):
    id: str
    aliases: list[str]
    plugin: str
    provider: str
    offline: bool
    lifecycle: LifecycleDescription


class ModelSummary(_Facts):
    """Which model it is, what it can do, and where it stands in its life."""

    tasks: list[str]


class ModelDescription(_Facts):
    """What :func:`describe` returns."""

    settings: dict[str, Any]
    prices: dict[str, list[dict[str, Any]]]
    tasks: dict[str, TaskDescription]


def describe(model: str | ModelInterface | type[ModelInterface]) -> ModelDescription:
    """Describe a model as JSON values, as ``limner show --json`` prints it. Nothing is opened or sent.

    The document is complete: a program can make a form for any model of any plugin from it, without knowing the model.

    ======================  ====================================================================================
    key                     value
    ======================  ====================================================================================
    ``id``, ``aliases``     the provider's full id, and short names
    ``plugin``              the name of the plugin that offers it
    ``provider``            whose service it is, such as ``aws.bedrock``
    ``offline``             whether it needs neither network nor account
    ``lifecycle``           ``state`` (``active``, ``legacy``, ``retired``), dates, ``replacement``, ``source``
    ``settings``            the default of each setting; ``None`` where there is none, and for secrets
    ``prices``              by task: ``amount``, ``currency``, ``per``, ``when``, ``as_of``, ``source``
    ``tasks``               by task: ``parameters`` and ``options``, and what holds between them
    ======================  ====================================================================================

    Each parameter and option has its limit in words (``limit``) and as JSON Schema 2020-12 (``schema``), ``required``,
    ``default`` and ``source``. In schemas a picture is a string with ``contentEncoding`` ``base64`` and the media types that
    are allowed; a size is an array of width and height in pixels; a weighted text is an object of ``$text`` and ``weight``.
    A task of :func:`from_json` has the same names and values, but pictures as ``{"$picture": BASE64}`` and masks as
    ``{"$mask": BASE64}``.

    Args:
        model: an alias or full id, with the settings of the configuration file; a model; or a model class.

    Raises:
        UnknownModel: no installed plugin offers it.
        PluginError: two plugins claim the name.
        TaskRefused: the file that ``LIMNER_PRICES`` names, or the configuration file, cannot be read, or is wrong.
    """
    made = get_model(model) if isinstance(model, str) else model
    found = made if isinstance(made, type) else type(made)
    with blaming(found, "describe"):
        return {
            **_facts(found),
            "settings": default_settings(found),
            "prices": {
                task.kind: [_price(price) for price in prices]
                for task in tasks_of(found)
                if (prices := prices_for(found, task))
            },
            "tasks": {task.kind: _task(task, found.limits[task]) for task in tasks_of(found)},
        }


def summarize(model: type[ModelInterface]) -> ModelSummary:
    """Describe a model in a few lines: :func:`describe` without limits, settings and prices."""
    return {**_facts(model), "tasks": [task.kind for task in tasks_of(model)]}


def tasks_of(model: type[ModelInterface]) -> list[type[Task]]:
    """Return the tasks that a model supports, in limner's order."""
    return [task for task in TASKS.values() if task in model.limits]


def default_settings(model: type[ModelInterface]) -> dict[str, Any]:
    """Return the default of each setting; ``None`` where there is none, and for secrets."""
    return {field.name: _default(field) for field in attrs.fields(model.Settings)}


def _default(field: Any) -> Any:
    if not field.repr or field.default is attrs.NOTHING:  # secrets have no repr
        return None
    value = field.default
    if hasattr(value, "factory"):  # such as one that reads the environment
        value = None if value.takes_self else value.factory()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _facts(model: type[ModelInterface]) -> _Facts:
    life = model.lifecycle
    return {
        "id": model.id,
        "aliases": list(model.aliases),
        "plugin": model.plugin,
        "provider": model.provider,
        "offline": model.offline,
        "lifecycle": {
            "state": life.state(),
            "legacy_since": None if life.legacy_since is None else life.legacy_since.isoformat(),
            "end_of_life": None if life.end_of_life is None else life.end_of_life.isoformat(),
            "replacement": life.replacement,
            "source": life.source,
        },
    }


def _task(task: type[Task], limits: TaskLimits) -> TaskDescription:
    needed = {field.name for field in attrs.fields(task) if field.default is attrs.NOTHING}
    parameters = {name: _parameter(limit, required=name in needed) for name, limit in limits.parameters.items()}
    if "preserve" in attrs.fields_dict(task) and parameters.keys() & {"mask", "expand"}:
        parameters["preserve"] = _parameter(UNIVERSAL["preserve"])  # limner's own, for every model
    return {
        "parameters": parameters,
        "options": {name: _parameter(limit) for name, limit in limits.options.items()},
        "exactly_one_of": [name for name in task.exactly_one_of if name in parameters],
        "per_call": limits.per_call,
        "size_follows_image": bool(limits.own_size),
    }


def _parameter(limit: Constraint, *, required: bool = False) -> ParameterDescription:
    return {
        "limit": limit.describe(),
        "schema": limit.schema(),
        "required": limit.required or required,
        "default": fingerprint(limit.default),
        "source": limit.source,
    }


def _price(price: Price) -> dict[str, Any]:
    return {
        "amount": float(price.amount),
        "currency": price.currency,
        "per": price.per,
        "when": {name: fingerprint(value) for name, value in price.when.items()},
        "as_of": price.as_of.isoformat(),
        "source": price.source,
    }
