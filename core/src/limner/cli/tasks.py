"""The tasks: generate, vary, inpaint, outpaint, remove-background, upscale."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

from limner.cli.options import task_command

if TYPE_CHECKING:
    from limner.cli.output import Inputs
    from limner.cli.runner import Order
    from limner.images import Image

_PAINTED = ("n", "size", "seed", "negative_prompt", "guidance_scale", "steps", "options")


@task_command(*_PAINTED)
@click.argument("prompt")
def generate(order: Order, said: dict[str, Any]) -> None:
    """Make pictures from words.

    PROMPT says what should be seen.
    """
    from limner.cli.output import Inputs

    _paint("generate", order, said, Inputs())


@task_command("strength", *_PAINTED)
@click.argument("words", nargs=-1, required=True, metavar="IMAGE... [PROMPT]")
def vary(order: Order, said: dict[str, Any]) -> None:
    """Make pictures like a given one.

    IMAGE is a picture file, or several where the model takes several; - is standard input. PROMPT says what should be
    seen. A last word that names no file, and does not look like a file's name, is the prompt.
    """
    from limner.cli.output import Inputs

    inputs = Inputs()
    *files, last = said.pop("words")
    if files and not _is_file(last):
        said["prompt"] = last
    else:
        files.append(last)
    _paint("vary", order, said | {"image": [inputs.image(file) for file in files]}, inputs)


@task_command("mask", "box", "ellipse", "mask_prompt", "preserve", *_PAINTED)
@click.argument("image")
@click.argument("prompt", required=False)
def inpaint(order: Order, said: dict[str, Any]) -> None:
    """Repaint a part of a picture.

    IMAGE is a picture file; - is standard input. PROMPT says what should be seen there. Where: exactly one of --mask,
    --box, --ellipse and --mask-prompt.
    """
    from limner.cli.output import Inputs

    _exactly_one(said, "mask", "box", "ellipse", "mask_prompt")
    inputs = Inputs()
    image = inputs.image(said["image"])
    _paint("inpaint", order, _masked(said, image, inputs) | {"image": image}, inputs)


@task_command("expand", "mask", "keep_prompt", "preserve", *_PAINTED)
@click.argument("image")
@click.argument("prompt", required=False)
def outpaint(order: Order, said: dict[str, Any]) -> None:
    """Continue a picture beyond its borders.

    Or around a part of it. IMAGE is a picture file; - is standard input; with --mask or --keep-prompt it is the final
    canvas already. PROMPT says what should be seen there. Where: exactly one of --expand, --mask and --keep-prompt.
    """
    from limner.cli.output import Inputs

    _exactly_one(said, "expand", "mask", "keep_prompt")
    inputs = Inputs()
    image = inputs.image(said["image"])
    _paint("outpaint", order, _masked(said, image, inputs) | {"image": image}, inputs)


@task_command("options")
@click.argument("image")
def remove_background(order: Order, said: dict[str, Any]) -> None:
    """Make everything but the subject transparent.

    IMAGE is a picture file; - is standard input.
    """
    from limner.cli.output import Inputs

    inputs = Inputs()
    _paint("remove-background", order, said | {"image": inputs.image(said["image"])}, inputs)


@task_command("size", "seed", "negative_prompt", "options")
@click.argument("image")
@click.argument("prompt", required=False)
def upscale(order: Order, said: dict[str, Any]) -> None:
    """Make a picture larger.

    IMAGE is a picture file; - is standard input. PROMPT says what it shows, for models that want to know.
    """
    from limner.cli.output import Inputs

    inputs = Inputs()
    _paint("upscale", order, said | {"image": inputs.image(said["image"])}, inputs)


def _paint(kind: str, order: Order, said: dict[str, Any], inputs: Inputs) -> None:
    """Make the task and carry it out; files are named after the picture that was read first."""
    from limner.cli.runner import carry_out
    from limner.signatures import make_task
    from limner.tasks import TASKS

    negative, options = said.pop("negative_prompt", ()), said.pop("options")
    if negative:
        said["negative_prompt"] = negative[0] if len(negative) == 1 else negative
    said["options"] = {key: inputs.option(text) for key, text in options.items()}
    task = make_task(TASKS[kind], said)
    carry_out(order.chosen_model(), task, order, "-".join(filter(None, (inputs.stem, kind))))


def _masked(said: dict[str, Any], image: Image, inputs: Inputs) -> dict[str, Any]:
    """Make a mask of whichever way it was said."""
    box, ellipse = said.pop("box", None), said.pop("ellipse", None)
    if box is not None or ellipse is not None:
        said["mask"] = inputs.shape(image.size, box=box, ellipse=ellipse)
    elif said.get("mask", "alpha") != "alpha":
        said["mask"] = inputs.mask(said["mask"])
    return said


def _exactly_one(said: dict[str, Any], *names: str) -> None:
    given = [name for name in names if name in said]
    if len(given) != 1:
        *some, last = (f"--{name.replace('_', '-')}" for name in names)
        raise click.UsageError(f"give exactly one of {', '.join(some)} and {last}", click.get_current_context())


def _is_file(word: str) -> bool:
    """Tell a picture from a prompt; a mistyped name of a picture is not a prompt."""
    return word == "-" or os.path.isfile(word) or re.search(r"^\S+\.[A-Za-z]{3,4}$", word) is not None  # noqa: PTH113 - a prompt may be too long for Path
