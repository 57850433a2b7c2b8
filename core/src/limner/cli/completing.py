"""What a shell offers to complete: models, settings, options, tasks, files and other names."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from limner.interface import ModelInterface

Items = list["CompletionItem[str]"]


def complete_files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Let the shell complete a file."""
    return [CompletionItem(incomplete, type="file")]


def complete_folders(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Let the shell complete a folder."""
    return [CompletionItem(incomplete, type="dir")]


def completing(names: Callable[[click.Context], Iterable[str]]) -> Callable[[click.Context, click.Parameter, str], Items]:
    """Make a completion of a function that returns all names; where it fails nothing is offered."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
        found: list[str] = []
        with contextlib.suppress(Exception):  # nobody reads an error in the middle of a command line
            found = [name for name in dict.fromkeys(names(ctx)) if name.startswith(incomplete)]
        return [CompletionItem(name) for name in found]

    return complete


def _models(_ctx: click.Context) -> Iterable[str]:
    from limner.configuration import configuration
    from limner.plugins import registry, short_name

    known = [model for model, _ in registry().models()]
    yield from sorted({*map(short_name, known), *configuration().aliases})
    yield from sorted(name for model in known for name in (model.id, *model.aliases))


def _model(ctx: click.Context) -> type[ModelInterface]:
    from limner.catalog import default_model
    from limner.plugins import registry

    named = ctx.params.get("model") or next(iter(ctx.params.get("models") or ()), None)
    return registry().find(named or default_model())


def _settings(ctx: click.Context) -> Iterable[str]:
    import attrs

    return [f"{field.name}=" for field in attrs.fields(_model(ctx).Settings)]


def _options(ctx: click.Context) -> Iterable[str]:
    kind = ctx.info_name or ""
    return [f"{name}=" for task, limits in _model(ctx).limits.items() if task.kind == kind for name in limits.options]


def _tasks(_ctx: click.Context) -> Iterable[str]:
    from limner.tasks import TASKS

    return TASKS


def _parameters(_ctx: click.Context) -> Iterable[str]:
    from limner.plugins import registry

    tables = [limits for model, _ in registry().models() for limits in model.limits.values()]
    return sorted({name for limits in tables for name in (*limits.parameters, *limits.options)})


def _own_aliases(_ctx: click.Context) -> Iterable[str]:
    from limner.configuration import configuration

    return sorted(configuration().aliases)


def _stored_keys(_ctx: click.Context) -> Iterable[str]:
    from limner.keys import stored_keys

    return sorted(stored_keys())


complete_models = completing(_models)
complete_settings = completing(_settings)
complete_options = completing(_options)
complete_tasks = completing(_tasks)
complete_parameters = completing(_parameters)
complete_aliases = completing(_own_aliases)
complete_stored_keys = completing(_stored_keys)
