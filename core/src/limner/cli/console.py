"""Lines on stderr and JSON on stdout; parameters and values as they are typed on the command line."""

from __future__ import annotations

import functools
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import attrs
import click

from limner.errors import one_line as one_line  # noqa: PLC0414 - the commands take it from here
from limner.errors import shorten

if TYPE_CHECKING:
    from limner.errors import Problem
    from limner.fitting import Entry

_ARGUMENTS = {"prompt": "PROMPT", "image": "IMAGE", "n": "-n"}


def print_message(text: object) -> None:
    """Write one line to stderr."""
    click.echo(one_line(text), err=True)


def show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning as one line, in place of Python's own format."""
    print_message(f"warning: {message}")


def print_json(document: object) -> None:
    """Write a document to stdout."""
    plain_ascii = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()
    text = json.dumps(document, indent=2, ensure_ascii=plain_ascii)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, from a file's metadata
        text = json.dumps(document, indent=2)
    click.echo(text)


def option_name(parameter: str) -> str:
    """Return how a parameter is given on the command line."""
    if parameter.startswith("options."):
        return f"-O {parameter.removeprefix('options.')}"
    if parameter.startswith("setting "):
        return f"-S {parameter.removeprefix('setting ')}"
    if parameter in _ARGUMENTS or parameter not in _task_fields():
        return _ARGUMENTS.get(parameter, parameter)
    return f"--{parameter.replace('_', '-')}"


@functools.cache
def _task_fields() -> frozenset[str]:
    from limner.tasks import TASKS

    return frozenset(field.name for task in TASKS.values() for field in attrs.fields(task))


def format_value(value: Any) -> str:
    """Show a value as it is typed on the command line, shortened."""
    match value:
        case (int(width), int(height)):
            return f"{width}x{height}"
        case (int(), int(), int(), int()):
            return ",".join(map(str, value))
    return shorten(value)


def format_problem(problem: Problem) -> str:
    """Describe what is wrong with one parameter, without the source of the limit."""
    size = re.fullmatch(r"\((-?\d+), (-?\d+)\)", problem.value)
    sides = re.fullmatch(r"\((-?\d+), (-?\d+), (-?\d+), (-?\d+)\)", problem.value)
    value = "x".join(size.groups()) if size else ",".join(sides.groups()) if sides else problem.value
    name = option_name(problem.parameter)
    argument = f"{name}{'=' if name.startswith(('-O ', '-S ')) else ' '}{value}" if value else name
    return f"{argument}: {problem.limit}"


def format_entry(entry: Entry) -> str | None:
    """Describe an adjusted or dropped parameter or a drawn seed; ``None`` for a parameter sent as it was given."""
    name = option_name(entry.parameter)
    match entry.outcome:
        case "adjusted":
            asked, used = format_value(entry.asked), format_value(entry.used)
            change = asked if asked == used else f"{asked} became {used}"
            return f"adjusted: {name} {change}: {entry.why}"
        case "dropped":
            return f"dropped: {name} {format_value(entry.asked)}: {entry.why}"
        case "defaulted" if entry.parameter == "seed":
            return f"seed: {entry.used} (random)"
    return None
