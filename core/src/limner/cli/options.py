"""The options of the commands, and how their values are parsed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from limner.cli.commands import Command, Option
from limner.cli.completing import complete_files, complete_folders, complete_models, complete_options, complete_settings

if TYPE_CHECKING:
    from limner.cli.runner import RunOptions

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Integers(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """A fixed number of integers with a separator between them."""

    def __init__(self, form: str, separator: str, count: int, example: str) -> None:
        self.name = form
        self.separator, self.count, self.example = separator, count, example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the integers."""
        if not isinstance(value, str):
            return value
        parts = value.lower().split(self.separator)
        if len(parts) != self.count or not all(re.fullmatch(r"-?[0-9]{1,9}", part.strip()) for part in parts):
            self.fail(f"{value!r} is not {self.name} in whole pixels, such as {self.example}", param, ctx)
        return tuple(map(int, parts))


class KeyValue(click.ParamType):  # type: ignore[type-arg]  # generic only in later versions of click
    """A key and a value."""

    name = "KEY=VALUE"

    def __init__(self, example: str) -> None:
        self.example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at the first equals sign."""
        if not isinstance(value, str):
            return value
        key, equals, text = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE, such as {self.example}", param, ctx)
        return key, text


def unique_keys(ctx: click.Context, param: click.Parameter, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Make a mapping of pairs.

    Raises:
        click.BadParameter: a key is given twice.
    """
    keys = [key for key, _ in pairs]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise click.BadParameter(f"{', '.join(repeated)} is given twice; give each key once", ctx, param)
    return dict(pairs)


SIZE = Integers("WIDTHxHEIGHT", "x", 2, "1024x768")
SIDES = Integers("LEFT,TOP,RIGHT,BOTTOM", ",", 4, "80,200,160,380")

TASK_SECTION = "Task options"
MODEL_SECTION = "Model options"
OUTPUT_SECTION = "Output options"

task_option = functools.partial(click.option, cls=Option, section=TASK_SECTION)
model_option = functools.partial(click.option, cls=Option, section=MODEL_SECTION)
output_option = functools.partial(click.option, cls=Option, section=OUTPUT_SECTION)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

TASK_OPTIONS: dict[str, Decorator] = {
    "mask": task_option(
        "--mask",
        metavar="FILE|alpha",
        shell_complete=complete_files,
        help="Mask of the size of IMAGE: white is repainted, black is kept. 'alpha' uses the transparency of IMAGE.",
    ),
    "box": task_option(
        "--box",
        type=SIDES,
        help="Repaint this rectangle: pixels from the left and top edges, right and bottom exclusive.",
    ),
    "ellipse": task_option("--ellipse", type=SIDES, help="Repaint the ellipse inside this rectangle; pixels as for --box."),
    "mask_prompt": task_option("--mask-prompt", metavar="TEXT", help="Description of what to repaint."),
    "expand": task_option("--expand", type=SIDES, help="Pixels to add on each side, such as 256,0,256,0."),
    "keep_prompt": task_option("--keep-prompt", metavar="TEXT", help="Description of what to keep."),
    "preserve": task_option(
        "--preserve/--no-preserve",
        default=None,
        help="Restore every pixel outside the repainted area exactly. Default: on where that area is known.",
    ),
    "n": task_option("-n", "n", type=int, metavar="COUNT", help="Number of pictures, at least 1."),
    "size": task_option("--size", type=SIZE, metavar="WxH", help="Width and height in pixels, such as 1024x768."),
    "seed": task_option("--seed", type=int, help="Integer of at least 0; the same seed gives the same picture."),
    "negative_prompt": task_option(
        "--negative-prompt", metavar="TEXT", multiple=True, help="Description of what to avoid. Repeatable."
    ),
    "guidance_scale": task_option("--guidance-scale", type=float, help="How closely to follow the prompt."),
    "steps": task_option("--steps", type=int, help="Number of diffusion steps, at least 1."),
    "strength": task_option("--strength", type=float, help="From 0 (keep the picture) to 1 (ignore it)."),
    "options": task_option(
        "-O",
        "--option",
        "options",
        type=KeyValue("style_preset=anime"),
        shell_complete=complete_options,
        multiple=True,
        callback=unique_keys,
        help="Provider-specific option. VALUE is JSON, else a string; @FILE is a picture. Repeatable.",
    ),
}
"""An option for each field of the tasks, and for the further ways to give a mask."""

RUN_OPTIONS: dict[str, Decorator] = {
    "model": model_option(
        "-m",
        "--model",
        metavar="MODEL",
        shell_complete=complete_models,
        help="Alias or full id. Default: LIMNER_MODEL, else the configured model, else the only installed model, else the "
        "offline model.",
    ),
    "settings": model_option(
        "-S",
        "--setting",
        "settings",
        type=KeyValue("region=us-west-2"),
        shell_complete=complete_settings,
        multiple=True,
        callback=unique_keys,
        help="Setting of the model, such as its region; 'limner show MODEL' lists them. Repeatable.",
    ),
    "fit": model_option(
        "--fit",
        type=click.Choice(["strict", "nearest"]),
        help="Refuse unsupported values, or use the nearest supported value. Default: strict.",
    ),
    "on_filtered": model_option(
        "--on-filtered",
        type=click.Choice(["raise", "return"]),
        help="Fail when the provider's content filter withholds a picture, or return the others. Default: raise.",
    ),
    "output": output_option(
        "-o",
        "--output",
        metavar="FILE",
        shell_complete=complete_files,
        help="Output file (.png, .jpg, .webp); - is standard output. Several pictures are numbered FILE-1, FILE-2, ...; "
        "{seed} and {place} in the name are replaced. "
        "Default: a name made of the task and the seed.",
    ),
    "force": output_option("--force", is_flag=True, help="Overwrite existing files."),
    "provenance": output_option(
        "--provenance/--no-provenance",
        default=True,
        help="Save model, task and seed in the file's metadata, input pictures as SHA-256. Default: on.",
    ),
    "previews": output_option(
        "--previews",
        metavar="DIR",
        shell_complete=complete_folders,
        help="Keep unfinished pictures in this folder, if the provider sends any.",
    ),
    "dry_run": output_option("--dry-run", is_flag=True, help="Print the requests and the account as JSON; send nothing."),
    "as_json": output_option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
}
"""An option for each field of RunOptions."""


def task_command(
    *fields: str, example: str, without: Sequence[str] = ()
) -> Callable[[Callable[[RunOptions, dict[str, Any]], None]], click.Command]:
    """Make a command that runs a task; the function is called with the RunOptions and all other arguments given.

    Args:
        fields: the task's options, by their names in TASK_OPTIONS.
        example: a command line, for help.
        without: names in RUN_OPTIONS that the command does not have.
    """
    run_options = [name for name in RUN_OPTIONS if name not in without]
    decorators = [TASK_OPTIONS[name] for name in fields] + [RUN_OPTIONS[name] for name in run_options]

    def decorate(function: Callable[[RunOptions, dict[str, Any]], None]) -> click.Command:
        @functools.wraps(function)
        def command(**arguments: Any) -> None:
            from limner.cli.runner import RunOptions

            options = RunOptions(**{name: arguments.pop(name) for name in run_options})
            function(options, {name: value for name, value in arguments.items() if value is not None})

        decorated: Callable[..., Any] = command
        for option in reversed(decorators):
            decorated = option(decorated)
        return click.command(function.__name__.replace("_", "-"), cls=Command, example=example)(decorated)

    return decorate
