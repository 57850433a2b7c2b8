"""What is said: lines on stderr, JSON on stdout, and inputs by the names that they have on the command line."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from limner.errors import shorten

if TYPE_CHECKING:
    from limner.errors import Problem
    from limner.fitting import Entry

_NAMES = {"prompt": "PROMPT", "image": "IMAGE", "n": "-n"}
_FLAGS = {
    "box",
    "expand",
    "guidance_scale",
    "keep_prompt",
    "mask",
    "mask_prompt",
    "negative_prompt",
    "preserve",
    "seed",
    "size",
    "steps",
    "strength",
}


def clean(text: object) -> str:
    """Bring a text into one line that cannot steer a terminal."""
    line = " ".join(str(text).split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def say(text: object) -> None:
    """Write one line to stderr."""
    click.echo(clean(text), err=True)


def note_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Show a warning as a line, in place of Python's own format."""
    say(f"note: {message}")


def print_json(document: object) -> None:
    """Write a document to stdout."""
    plain_ascii = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()
    text = json.dumps(document, indent=2, ensure_ascii=plain_ascii)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, out of somebody's file
        text = json.dumps(document, indent=2)
    click.echo(text)


def named(parameter: str) -> str:
    """The name that a parameter has on the command line."""
    if parameter.startswith("options."):
        return f"-O {parameter.removeprefix('options.')}"
    if parameter.startswith("setting "):
        return f"-S {parameter.removeprefix('setting ')}"
    return f"--{parameter.replace('_', '-')}" if parameter in _FLAGS else _NAMES.get(parameter, parameter)


def shown(value: Any) -> str:
    """A value as it is typed on the command line, shortened."""
    match value:
        case (int(width), int(height)):
            return f"{width}x{height}"
        case (int(), int(), int(), int()):
            return ",".join(map(str, value))
    return shorten(value)


def problem_line(problem: Problem) -> str:
    """What is wrong with one input."""
    size = re.fullmatch(r"\((-?\d+), (-?\d+)\)", problem.value)
    sides = re.fullmatch(r"\((-?\d+), (-?\d+), (-?\d+), (-?\d+)\)", problem.value)
    value = "x".join(size.groups()) if size else ",".join(sides.groups()) if sides else problem.value
    source = f" [{problem.source}]" if problem.source else ""
    name = named(problem.parameter)
    joined = f"{name}{'=' if name.startswith(('-O ', '-S ')) else ' '}{value}" if value else name
    return f"{joined}: {problem.limit}{source}"


def account_line(entry: Entry) -> str | None:
    """What became of one input, where it is not what was asked for; a drawn seed too."""
    name = named(entry.parameter)
    match entry.outcome:
        case "adjusted":
            asked, used = shown(entry.asked), shown(entry.used)
            became = asked if asked == used else f"{asked} became {used}"
            return f"adjusted: {name} {became}: {entry.why}"
        case "dropped":
            return f"dropped: {name} {shown(entry.asked)}: {entry.why}"
        case "defaulted" if entry.parameter == "seed":
            return f"seed: {entry.used}, drawn"
    return None
