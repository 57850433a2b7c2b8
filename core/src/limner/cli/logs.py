"""logs: every run in a file, and making one again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from limner.cli.commands import Group
from limner.cli.completing import complete_models
from limner.cli.options import json_option, task_command
from limner.cli.provenance import input_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from limner.cli.runner import RunOptions

_PROMPT_CHARACTERS = 40


@click.group(cls=Group, example="limner logs on")
def logs() -> None:
    """Log every run, and look it up.

    Off until 'limner logs on'. Then every run of the command line and of Python programs is logged: task with prompt,
    model, account, files, seconds, cost, usage, request ids and outcome. Pictures stay in their files. Settings and keys are
    never logged. Only you can read the log.
    """


@logs.command("on", example="limner logs on")
def on() -> None:
    """Log every run from now on."""
    _switch(True)


@logs.command("off", example="limner logs off")
def off() -> None:
    """Log no more runs; what was logged stays."""
    _switch(False)


def _switch(on: bool) -> None:
    from limner.cli.console import print_message
    from limner.configuration import change
    from limner.logs import log_file

    change(("logs",), True if on else None)
    print_message(f"runs are logged in {log_file()}" if on else f"runs are not logged; {log_file()} is kept")


@logs.command("path", example="limner logs path")
def path() -> None:
    """Print the path of the log."""
    from limner.logs import log_file

    click.echo(log_file())


@logs.command("list", example="limner logs list -n 20 -m sketch")
@click.option("-n", "limit", type=click.IntRange(1), metavar="COUNT", default=20, help="Number of runs. Default: 20.")
@click.option("-m", "--model", metavar="MODEL", shell_complete=complete_models, help="Runs of this model.")
@json_option
def list_runs(limit: int, model: str | None, as_json: bool) -> None:
    """List the latest runs, the newest first."""
    from limner.logs import entries
    from limner.plugins import registry

    _print_runs(entries(limit=limit, model="" if model is None else registry().find(model).id), as_json=as_json)


@logs.command("search", example='limner logs search "fox"')
@click.argument("text")
@click.option("-n", "limit", type=click.IntRange(1), metavar="COUNT", default=20, help="Number of runs. Default: 20.")
@json_option
def search(text: str, limit: int, as_json: bool) -> None:
    """List the runs with TEXT in prompt, model, file name or error."""
    from limner.logs import entries

    _print_runs(entries(limit=limit, text=text), as_json=as_json)


@logs.command("show", example="limner logs show 12")
@click.argument("number", metavar="ID", type=int)
@json_option
def show(number: int, as_json: bool) -> None:
    """Show all that is logged of a run."""
    from limner.cli.console import print_json

    run = _entry(number)
    if as_json:
        print_json(run)
        return
    from limner.cli.tables import print_facts, print_table

    texts = {
        "cost": _cost(run),
        "request_ids": ", ".join(run["request_ids"]),
        "usage": ", ".join(f"{name} {value:g}" for name, value in run["usage"].items()),
        "warnings": "; ".join(run["warnings"]),
    }
    print_facts((name, texts.get(name, value)) for name, value in run.items() if name not in {"task", "account", "pictures"})
    print_facts(run["task"].items() if isinstance(run["task"], dict) else ())
    rows = [(p["position"] + 1, p["outcome"], p["seed"], _size(p), p["file"] or p["reason"]) for p in run["pictures"]]
    if rows:
        print_table(("picture", "outcome", "seed", "size", "file"), rows)


@task_command(example="limner logs rerun 12 -o again.png", without=("model", "fit"))
@click.argument("number", metavar="ID", type=int)
@input_options
def rerun(options: RunOptions, arguments: dict[str, Any]) -> None:
    """Send the requests of a logged run again.

    Give the same input pictures and masks; they are matched by SHA-256.
    """
    from limner.cli.inputs import Inputs
    from limner.cli.provenance import run_again

    run = _entry(arguments["number"])
    record = {"model": run["model"], "model_id": run["model_id"], "fit": run["fit"], "task": run["task"]}
    run_again(f"run {run['id']}", record, options, arguments, Inputs(), options.settings.get("model_id", run["model_id"]))


logs.add_command(rerun)


def _entry(number: int) -> dict[str, Any]:
    from limner.logs import entry

    run = entry(number)
    if run is None:
        raise click.BadParameter(f"there is no run {number} in the log; 'limner logs list' lists them", param_hint="ID")
    return run


def _print_runs(runs: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    from limner.cli.console import print_json, print_message
    from limner.configuration import configuration

    if as_json:
        print_json(runs)
        return
    if not runs:
        print_message("no run is logged" + ("" if configuration().logs else "; 'limner logs on' starts logging"))
        return
    from limner.cli.tables import print_table

    rows = [
        (
            run["id"],
            run["started"][:16].replace("T", " "),
            run["kind"],
            run["model"],
            run["outcome"],
            _shortened(run["prompt"] or ""),
            f"{run['seconds']:.1f}",
            _cost(run),
            ", ".join(picture["file"] for picture in run["pictures"] if picture["file"]),
        )
        for run in runs
    ]
    columns = ("id", "time (UTC)", "task", "model", "outcome", "prompt", "seconds", "cost", "files")
    print_table(columns, rows, optional=columns[6:])


def _shortened(prompt: str) -> str:
    return prompt if len(prompt) <= _PROMPT_CHARACTERS else f"{prompt[: _PROMPT_CHARACTERS - 3]}..."


def _cost(run: dict[str, Any]) -> str:
    cost = run["cost"]
    if cost is None:
        return ""
    low, high = f"{cost['low']:g}", f"{cost['high']:g}"
    return f"{low if low == high else f'{low} to {high}'} {cost['currency']}"


def _size(picture: dict[str, Any]) -> str:
    return "" if picture["width"] is None else f"{picture['width']}x{picture['height']}"
