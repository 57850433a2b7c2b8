"""The options, and what their texts mean."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from limner.cli.runner import Order

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Numbers(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """So many whole numbers with a separator between them."""

    def __init__(self, form: str, separator: str, count: int, example: str) -> None:
        self.name = form
        self.separator, self.count, self.example = separator, count, example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the numbers, or say what the form is."""
        if not isinstance(value, str):
            return value
        parts = value.lower().split(self.separator)
        if len(parts) != self.count or not all(re.fullmatch(r"-?[0-9]{1,9}", part.strip()) for part in parts):
            self.fail(f"{value!r} is not {self.name}; write whole pixels, such as {self.example}", param, ctx)
        return tuple(map(int, parts))


class KeyValue(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """A key and a text."""

    name = "KEY=VALUE"

    def __init__(self, example: str) -> None:
        self.example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at the first equals sign."""
        if not isinstance(value, str):
            return value
        key, equals, text = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE; write such as {self.example}", param, ctx)
        return key, text


def each_once(ctx: click.Context, param: click.Parameter, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Make a mapping of pairs; a key given twice would lose a value."""
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise click.BadParameter(f"{', '.join(twice)} is given twice; give each key once", ctx, param)
    return dict(pairs)


SIZE = Numbers("WIDTHxHEIGHT", "x", 2, "1024x768")
SIDES = Numbers("LEFT,TOP,RIGHT,BOTTOM", ",", 4, "80,200,160,380")

MASK = {
    "mask": click.option(
        "--mask",
        metavar="FILE|alpha",
        help="Picture of the mask, as large as IMAGE: white is painted, black kept. 'alpha' uses IMAGE's own transparency.",
    ),
    "box": click.option(
        "--box", type=SIDES, help="Paint this rectangle: pixels from the left and top edge; right and bottom not included."
    ),
    "ellipse": click.option("--ellipse", type=SIDES, help="Paint the ellipse inside this rectangle; pixels as for --box."),
}

FIELDS: dict[str, Decorator] = {
    "mask": MASK["mask"],
    "box": MASK["box"],
    "ellipse": MASK["ellipse"],
    "mask_prompt": click.option("--mask-prompt", metavar="TEXT", help="What to paint over, in words."),
    "expand": click.option("--expand", type=SIDES, help="Pixels to add on each side, such as 256,0,256,0."),
    "keep_prompt": click.option("--keep-prompt", metavar="TEXT", help="What to keep, in words."),
    "preserve": click.option(
        "--preserve/--no-preserve",
        default=None,
        help="Give back exactly what the mask keeps, pixel by pixel. Not said: so wherever the mask is known.",
    ),
    "n": click.option("-n", "n", type=int, metavar="COUNT", help="How many pictures, at least 1."),
    "size": click.option("--size", type=SIZE, metavar="WxH", help="Width and height in pixels, such as 1024x768."),
    "seed": click.option("--seed", type=int, help="Whole number of at least 0; the same seed gives the same picture."),
    "negative_prompt": click.option(
        "--negative-prompt", metavar="TEXT", multiple=True, help="What should not be seen; repeatable."
    ),
    "guidance_scale": click.option("--guidance-scale", type=float, help="How closely the prompt is followed."),
    "steps": click.option("--steps", type=int, help="How many diffusion steps, at least 1."),
    "strength": click.option("--strength", type=float, help="From 0 (keeps the picture) to 1 (ignores it)."),
    "options": click.option(
        "-O",
        "--option",
        "options",
        type=KeyValue("style_preset=anime"),
        multiple=True,
        callback=each_once,
        help="What only this provider knows: VALUE as JSON where it is JSON, else as text; @FILE is a picture. Repeatable.",
    ),
}
"""An option for each field of a task, and for the ways to say a mask."""

CONTROLS: dict[str, Decorator] = {
    "model": click.option(
        "-m", "--model", help="Alias or full id. Not said: LIMNER_MODEL, else the only one installed, else the offline one."
    ),
    "fit": click.option(
        "--fit",
        type=click.Choice(["strict", "nearest"]),
        help="Refuse what the model does not allow (the default), or move it to the nearest allowed value.",
    ),
    "output": click.option(
        "-o",
        "--output",
        metavar="FILE",
        help="Where to (.png, .jpg, .webp); - is standard output. Several pictures become FILE-1, FILE-2, ... "
        "Not said: a name made of the task and the seed.",
    ),
    "force": click.option("--force", is_flag=True, help="Replace existing files."),
    "provenance": click.option(
        "--provenance/--no-provenance",
        default=True,
        help="Write into the file how it was made (model, task, seed), or not. Input pictures appear as SHA-256.",
    ),
    "settings": click.option(
        "-S",
        "--setting",
        "settings",
        type=KeyValue("region=us-west-2"),
        multiple=True,
        callback=each_once,
        help="How to reach the provider; 'limner show MODEL' lists the settings. Repeatable.",
    ),
    "on_filtered": click.option(
        "--on-filtered",
        type=click.Choice(["raise", "return"]),
        help="What the provider's content filter held back is an error (the default), or leave it at what came.",
    ),
    "dry_run": click.option("--dry-run", is_flag=True, help="Print the requests and the account as JSON; send nothing."),
    "as_json": click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
}
"""An option for each field of an Order: how a task is carried out."""


def task_command(
    *fields: str, without: Sequence[str] = ()
) -> Callable[[Callable[[Order, dict[str, Any]], None]], click.Command]:
    """Make a command that carries out a task; the function is called with the Order and with all else that was said.

    Args:
        fields: the options of the task, by their names in FIELDS.
        without: controls that it does not have.
    """
    controls = [name for name in CONTROLS if name not in without]
    options = [FIELDS[name] for name in fields] + [CONTROLS[name] for name in controls]

    def decorate(function: Callable[[Order, dict[str, Any]], None]) -> click.Command:
        @functools.wraps(function)
        def run(**said: Any) -> None:
            from limner.cli.runner import Order

            order = Order(**{name: said.pop(name) for name in controls})
            function(order, {name: value for name, value in said.items() if value is not None})

        decorated: Callable[..., Any] = run
        for option in reversed(options):
            decorated = option(decorated)
        return click.command(function.__name__.replace("_", "-"))(decorated)

    return decorate
