"""models, show, plugins: what is installed and what it accepts."""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING

import click

from limner.cli.commands import Command
from limner.cli.completing import complete_models, complete_parameters, complete_tasks
from limner.cli.options import SIZE, json_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from limner.interface import ModelInterface
    from limner.limits import Constraint, TaskLimits

_MAX_NAMES = 5
"""Names in one cell of a table; ``--json`` has all of them."""


@click.command(cls=Command, example="limner models --task inpaint --supports mask_prompt")
@click.option(
    "--task",
    metavar="TASK",
    shell_complete=complete_tasks,
    help="Models for this task: generate, vary, inpaint, outpaint, remove-background, upscale.",
)
@click.option(
    "--supports",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_parameters,
    help="Models with this parameter or option. Repeatable.",
)
@click.option("--size", type=SIZE, metavar="WxH", help="Models that support this width and height in pixels.")
@click.option("--state", type=click.Choice(["active", "legacy", "retired"]), help="Models in this state.")
@click.option("--all", "show_all", is_flag=True, help="Include retired models. --json always includes them.")
@click.option("--live", is_flag=True, help="Ask each provider which models it has; makes no billed call.")
@json_option
def models(
    task: str | None,
    supports: tuple[str, ...],
    size: tuple[int, int] | None,
    state: str | None,
    show_all: bool,
    live: bool,
    as_json: bool,
) -> None:
    """List the installed models, grouped by plugin.

    The options narrow the list to models that meet all of them. With --live, list what their providers have instead; the
    exit status is 1 if a provider fails.
    """
    from limner.catalog import models as find
    from limner.cli.console import print_json, print_message
    from limner.descriptions import summarize
    from limner.tasks import TASKS

    if task is not None and task not in TASKS:
        raise click.BadParameter(f"{task!r} is not a task; use one of {', '.join(TASKS)}", param_hint="--task")
    supports = tuple(name.replace("-", "_") for name in supports)
    found = find(task=task, supports=supports, size=size, state=state)
    if live and found:
        from limner.cli.live import print_listings

        print_listings(found, as_json=as_json)
        return
    if as_json:
        print_json([summarize(model) for model in found])
        return
    if not found:
        print_message("no installed model matches" if task or supports or size or state else "no model is installed")
        return
    shown = [model for model in found if show_all or state == "retired" or model.lifecycle.state() != "retired"]
    _print_models(shown)
    hidden = len(found) - len(shown)
    if hidden:
        print_message(f"not shown: {hidden} retired model{'s' if hidden > 1 else ''}; use --all to include them")


@click.command(cls=Command, example="limner show sketch --sources")
@click.argument("model", shell_complete=complete_models)
@click.option("--sources", is_flag=True, help="Cite the document that each limit comes from. --json always does.")
@json_option
def show(model: str, sources: bool, as_json: bool) -> None:
    """Show the parameters and settings of a model.

    For each task: the parameters, their limits and their defaults. MODEL is an alias or a full id.
    """
    from limner.catalog import get_model
    from limner.cli.console import print_json
    from limner.cli.prices import price_rows
    from limner.descriptions import default_settings, describe

    found = type(get_model(model))  # its limits may depend on the configured settings
    if as_json:
        print_json(describe(found))
        return
    from limner.cli.tables import print_facts, print_table

    footnotes = Footnotes() if sources else None
    _print_model(found, footnotes)
    columns = ("parameter", "limit", "default", *(["source"] if sources else []))
    for tasks, rows in _tables(found, footnotes):
        print_table(columns, rows, title=", ".join(tasks))
    if prices := price_rows(found):
        cite = footnotes.cite if footnotes is not None else None
        rows = [(task, price, as_of, *([cite(source)] if cite else [])) for task, price, as_of, source in prices]
        print_table(("task", "price", "as of", *(["source"] if cite else [])), rows, title="prices")
    settings = default_settings(found).items()
    print_facts([("settings (-S)", ", ".join(name if value is None else f"{name}={value}" for name, value in settings))])
    if footnotes is not None:
        footnotes.print()


class Footnotes:
    """Numbers sources in the order in which they are cited."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def cite(self, source: str) -> str:
        """Return the reference to a source, such as ``[1]``."""
        return f"[{self.numbers.setdefault(source, len(self.numbers) + 1)}]" if source else ""

    def print(self) -> None:
        """Print the sources; addresses are never split."""
        from limner.cli.console import one_line
        from limner.cli.tables import line_width

        click.echo("Sources:")
        for source, number in self.numbers.items():
            lines = textwrap.wrap(
                f"[{number}] {one_line(source)}",
                line_width(),
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            click.echo("\n".join(lines))


@click.command(cls=Command, example="limner plugins")
@json_option
def plugins(as_json: bool) -> None:
    """List the plugins, and what is wrong with them.

    For each plugin: its models, commands, state, load time and distribution.
    """
    from limner.cli.app import cli
    from limner.cli.console import print_json, print_message
    from limner.plugins import registry, short_name

    cli.load_plugin_commands()
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
        print_message("no plugin is installed; install limner-sketch to try limner offline")
        return
    from limner.cli.tables import print_table

    rows = [
        (
            document["name"],
            _abbreviated([short_name(model) for model in plugin.models]),
            _abbreviated(list(plugin.commands)),
            "; ".join(filter(None, ((f"broken: {plugin.broken}" if plugin.broken else ""), *plugin.remarks))) or "ok",
            document["milliseconds"],
            document["distribution"],
        )
        for document, plugin in zip(documents, found, strict=True)
    ]
    columns = ("plugin", "models", "commands", "state", "load ms", "distribution")
    print_table(columns, rows, optional=columns[4:])
    for name, claimants in clashes.items():
        print_message(f"warning: {name!r} is claimed by {' and '.join(claimants)}; use a full id, or uninstall one")


def _print_models(models: Sequence[type[ModelInterface]]) -> None:
    """Print a table for each plugin; all with the same column widths."""
    from limner.cli.tables import print_table
    from limner.plugins import short_name

    groups = [(plugin, list(group)) for plugin, group in itertools.groupby(sorted(models, key=_plugin), _plugin)]
    width = max((len(short_name(model)) for model in models), default=0)
    for plugin, group in groups:
        rows = [
            (
                short_name(model),
                _tasks(model),
                _state(model),
                ", ".join(model.aliases[1:]),
                model.id,
            )
            for model in sorted(group, key=short_name)
        ]
        print_table(
            ("model", "tasks", "state", "other aliases", "id"),
            rows,
            title=plugin,
            optional=("other aliases", "id"),
            first_width=width,
        )


def _plugin(model: type[ModelInterface]) -> str:
    return model.plugin


def _print_model(model: type[ModelInterface], footnotes: Footnotes | None) -> None:
    from limner.cli.tables import print_facts

    life = model.lifecycle
    print_facts(
        [
            ("model", model.id),
            ("aliases", ", ".join(model.aliases)),
            ("plugin", model.plugin),
            ("provider", model.provider),
            ("offline", "yes" if model.offline else None),
            ("state", _state(model) + (f" {footnotes.cite(life.source)}" if footnotes is not None and life.source else "")),
            ("legacy since", life.legacy_since and str(life.legacy_since)),
            ("end of life", life.end_of_life and str(life.end_of_life)),
            ("replaced by", life.replacement),
        ]
    )


def _tables(model: type[ModelInterface], footnotes: Footnotes | None) -> Iterable[tuple[list[str], list[tuple[str, ...]]]]:
    """The rows of each task's table; tasks with the same rows share a table."""
    from limner.descriptions import tasks_of

    tables: list[tuple[list[str], list[tuple[str, ...]]]] = []
    for task in tasks_of(model):
        rows = _rows(model.limits[task], footnotes)
        shared = next((names for names, known in tables if known == rows), None)
        if shared is None:
            tables.append(([task.kind], rows))
        else:
            shared.append(task.kind)
    return tables


def _abbreviated(names: list[str]) -> str:
    shown = names if len(names) <= _MAX_NAMES else [*names[: _MAX_NAMES - 1], f"and {len(names) - _MAX_NAMES + 1} more"]
    return ", ".join(shown)


def _tasks(model: type[ModelInterface]) -> str:
    from limner.descriptions import tasks_of

    return ", ".join(task.kind for task in tasks_of(model))


def _state(model: type[ModelInterface]) -> str:
    life = model.lifecycle
    ends = f" until {life.end_of_life}" if life.end_of_life and life.state() == "legacy" else ""
    return life.state() + ends


def _rows(limits: TaskLimits, footnotes: Footnotes | None) -> list[tuple[str, ...]]:
    from limner.cli.console import option_name

    rows = [
        (option_name(name), limit.describe(), _default_text(limit), limit.source)
        for name, limit in limits.flattened().items()
    ]
    if limits.own_size:
        rows.append((option_name("size"), "the size of the picture, never sent", "", limits.own_size))
    return [(*row[:3], footnotes.cite(row[3])) if footnotes is not None else row[:3] for row in rows]


def _default_text(limit: Constraint) -> str:
    from limner.cli.console import format_value
    from limner.limits import Seed

    if limit.default is not None:
        return str(limit.default) if isinstance(limit.default, str) else format_value(limit.default)
    return "required" if limit.required else "random" if isinstance(limit, Seed) else ""
