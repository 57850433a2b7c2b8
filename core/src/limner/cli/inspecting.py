"""What there is: models, show, plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from limner.cli.options import SIZE

if TYPE_CHECKING:
    from limner.interface import ModelInterface
    from limner.limits import Constraint, TaskLimits

_MOST_NAMES = 5
"""In one cell of a table; ``--json`` has them all."""

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@click.option(
    "--task", metavar="TASK", help="That can do it: generate, vary, inpaint, outpaint, remove-background, upscale."
)
@click.option("--supports", metavar="NAME", multiple=True, help="That have this parameter or option; repeatable.")
@click.option("--size", type=SIZE, metavar="WxH", help="That can make pictures of this width and height in pixels.")
@click.option("--state", type=click.Choice(["active", "legacy", "retired"]), help="In this state of their life.")
@_as_json
def models(
    task: str | None, supports: tuple[str, ...], size: tuple[int, int] | None, state: str | None, as_json: bool
) -> None:
    """List the models.

    Of every plugin; options leave those that can do all that is asked.
    """
    from limner.catalog import models as find
    from limner.cli.speaking import print_json
    from limner.tasks import TASKS

    if task is not None and task not in TASKS:
        raise click.BadParameter(f"{task!r} is no task; there are {', '.join(TASKS)}", param_hint="--task")
    supports = tuple(name.replace("-", "_") for name in supports)
    found = find(task=task, supports=supports, size=size, state=state)
    if as_json:
        print_json([_model_document(model) for model in found])
        return
    if not found:
        from limner.cli.speaking import say

        say("no model installed can do that" if task or supports or size or state else "no model is installed")
        return
    from limner.cli.rendering import print_table

    rows = [(model.id, ", ".join(model.aliases), model.plugin, ", ".join(_tasks(model)), _state(model)) for model in found]
    print_table(("model", "aliases", "plugin", "tasks", "state"), rows)


@click.command()
@click.argument("model")
@_as_json
def show(model: str, as_json: bool) -> None:
    """Show what MODEL accepts.

    For each task every parameter, its limit, its default and their source. MODEL is an alias or a full id.
    """
    from limner.cli.pricing import prices_document, print_prices
    from limner.cli.speaking import print_json
    from limner.plugins import registry

    found = registry().find(model)
    if as_json:
        details = {"settings": dict(_settings(found)), "prices": prices_document(found), "tasks": _tasks_document(found)}
        print_json(_model_document(found) | details)
        return
    from limner.cli.rendering import print_facts, print_table

    life = found.lifecycle
    print_facts(
        [
            ("model", found.id),
            ("aliases", ", ".join(found.aliases)),
            ("plugin", found.plugin),
            ("provider", found.provider),
            ("offline", "yes" if found.offline else None),
            ("state", _state(found)),
            ("legacy since", life.legacy_since and str(life.legacy_since)),
            ("end of life", life.end_of_life and str(life.end_of_life)),
            ("replaced by", life.replacement),
            ("source", life.source),
        ]
    )
    print_prices(found)
    print_table(("setting (-S)", "default"), _settings(found))
    for kind, limits in sorted(found.limits.items(), key=lambda pair: _order(pair[0].kind)):
        print_table(("parameter", "limit", "default", "source"), _rows(limits), title=kind.kind)


@click.command()
@_as_json
def plugins(as_json: bool) -> None:
    """List the plugins, and what is broken.

    What each offers, models and commands, and how long it takes to load.
    """
    from limner.cli.group import cli
    from limner.cli.speaking import print_json, say
    from limner.plugins import registry, short_name

    cli.ask_plugins()
    found = registry().plugins
    documents = [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "models": [model.id for model in plugin.models],
            "commands": list(plugin.commands),
            "milliseconds": round(plugin.seconds * 1000, 1),
            "broken": plugin.broken,
            "remarks": list(plugin.remarks),
        }
        for plugin in found
    ]
    clashes = registry().clashes()
    if as_json:
        print_json({"plugins": documents, "clashes": clashes})
        return
    if not found:
        say("no plugin is installed; install limner-sketch to try")
        return
    from limner.cli.rendering import print_table

    rows = [
        (
            document["name"],
            document["distribution"],
            _listed([short_name(model) for model in plugin.models]),
            _listed(list(plugin.commands)),
            document["milliseconds"],
            "; ".join(filter(None, ((f"broken: {plugin.broken}" if plugin.broken else ""), *plugin.remarks))) or "ok",
        )
        for document, plugin in zip(documents, found, strict=True)
    ]
    print_table(("plugin", "distribution", "models", "commands", "load ms", "state"), rows)
    for name, claimants in clashes.items():
        say(f"note: {name!r} is claimed by {' and '.join(claimants)}; use a full id, or uninstall one")


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 1], f"and {len(names) - _MOST_NAMES + 1} more"]
    return ", ".join(shown)


def _order(kind: str) -> int:
    from limner.tasks import TASKS

    return list(TASKS).index(kind)


def _tasks(model: type[ModelInterface]) -> list[str]:
    return sorted((task.kind for task in model.limits), key=_order)


def _state(model: type[ModelInterface]) -> str:
    life = model.lifecycle
    ends = f" until {life.end_of_life}" if life.end_of_life and life.state() == "legacy" else ""
    return life.state() + ends


def _settings(model: type[ModelInterface]) -> list[tuple[str, Any]]:
    import attrs

    return [(field.name, _default(field)) for field in attrs.fields(model.Settings)]


def _default(field: Any) -> Any:
    import attrs

    said = field.repr and field.default is not attrs.NOTHING  # what is not for logs is not for tables
    value = field.default if said and not hasattr(field.default, "factory") else None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _rows(limits: TaskLimits) -> list[tuple[str, str, str, str]]:
    from limner.cli.speaking import named

    both = [*limits.parameters.items(), *((f"options.{name}", limit) for name, limit in limits.options.items())]
    rows = [(named(name), limit.describe(), _default_in_words(limit), limit.source) for name, limit in both]
    own = [(named("size"), "the picture's own, which is not sent", "", limits.own_size)] if limits.own_size else []
    return rows + own


def _default_in_words(limit: Constraint) -> str:
    from limner.cli.speaking import shown
    from limner.limits import Seed

    if limit.default is not None:
        return str(limit.default) if isinstance(limit.default, str) else shown(limit.default)
    return "needed" if limit.required else "drawn" if isinstance(limit, Seed) else ""


def _model_document(model: type[ModelInterface]) -> dict[str, Any]:
    life = model.lifecycle
    return {
        "id": model.id,
        "aliases": list(model.aliases),
        "plugin": model.plugin,
        "provider": model.provider,
        "offline": model.offline,
        "tasks": _tasks(model),
        "lifecycle": {
            "state": life.state(),
            "legacy_since": None if life.legacy_since is None else life.legacy_since.isoformat(),
            "end_of_life": None if life.end_of_life is None else life.end_of_life.isoformat(),
            "replacement": life.replacement,
            "source": life.source,
        },
    }


def _tasks_document(model: type[ModelInterface]) -> dict[str, Any]:
    def documents(limits: Any) -> dict[str, Any]:
        return {name: _limit_document(limit) for name, limit in limits.items()}

    return {
        task.kind: {"parameters": documents(limits.parameters), "options": documents(limits.options)}
        for task, limits in sorted(model.limits.items(), key=lambda pair: _order(pair[0].kind))
    }


def _limit_document(limit: Constraint) -> dict[str, Any]:
    from limner.serialization import fingerprint

    return {
        "limit": limit.describe(),
        "schema": limit.schema(),
        "required": limit.required,
        "default": fingerprint(limit.default),
        "source": limit.source,
    }
