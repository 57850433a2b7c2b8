"""A command for each task: generate, vary, inpaint, outpaint, remove-background, upscale."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from limner.cli.commands import looks_like_file, quote_prompt
from limner.cli.completing import complete_files
from limner.cli.options import task_command

if TYPE_CHECKING:
    from limner.cli.inputs import Inputs
    from limner.cli.runner import RunOptions
    from limner.images import Image
    from limner.tasks import Task

_COMMON = ("n", "size", "seed", "negative_prompt", "guidance_scale", "steps", "options")


@task_command(*_COMMON, example='limner generate "a fox in the snow" -n 3 --seed 7 -o fox.png')
@click.argument("prompt")
def generate(options: RunOptions, arguments: dict[str, Any]) -> None:
    """Generate pictures from a text prompt.

    PROMPT describes the picture.
    """
    from limner.cli.inputs import Inputs

    _run("generate", options, arguments, Inputs())


@task_command("strength", *_COMMON, example='limner vary photo.jpg "add denser trees" --strength 0.4 -o denser.png')
@click.argument("words", nargs=-1, required=True, metavar="IMAGE... [PROMPT]", shell_complete=complete_files)
def vary(options: RunOptions, arguments: dict[str, Any]) -> None:
    """Generate variations of a picture.

    IMAGE is a picture file, or several where the model supports it; - is standard input. PROMPT describes the result.
    The last argument is the prompt unless it is a file, or looks like a file name.
    """
    from limner.cli.inputs import Inputs

    inputs = Inputs()
    *files, last = arguments.pop("words")
    if files and not _is_file(last):
        arguments["prompt"] = last
    else:
        files.append(last)
    if "prompt" in arguments:
        first_word = next((number for number, file in enumerate(files) if number and not _is_file(file)), None)
        if first_word is not None:
            raise click.UsageError(quote_prompt([*files[first_word:], last]), click.get_current_context())
    _run("vary", options, arguments | {"image": [inputs.image(file) for file in files]}, inputs)


@task_command(
    "mask",
    "box",
    "ellipse",
    "mask_prompt",
    "preserve",
    *_COMMON,
    example='limner inpaint house.png "a red door" --box 80,200,160,380 -o door.png',
)
@click.argument("image", shell_complete=complete_files)
@click.argument("prompt", required=False)
def inpaint(options: RunOptions, arguments: dict[str, Any]) -> None:
    """Repaint part of a picture.

    IMAGE is a picture file; - is standard input. PROMPT describes what to paint there. Give exactly one of --mask, --box,
    --ellipse and --mask-prompt.
    """
    from limner.tasks import Inpaint

    _run_edit(Inpaint, options, arguments, mask_options=("mask", "box", "ellipse"))


@task_command(
    "expand",
    "mask",
    "keep_prompt",
    "preserve",
    *_COMMON,
    example='limner outpaint scene.png "a wide beach" --expand 256,0,256,0 -o beach.png',
)
@click.argument("image", shell_complete=complete_files)
@click.argument("prompt", required=False)
def outpaint(options: RunOptions, arguments: dict[str, Any]) -> None:
    """Extend a picture beyond its borders.

    Or repaint everything around a part of it. IMAGE is a picture file; - is standard input. PROMPT describes what to paint
    there. Give exactly one of --expand, --mask and --keep-prompt; with --mask or --keep-prompt, IMAGE already has the size
    of the result.
    """
    from limner.tasks import Outpaint

    _run_edit(Outpaint, options, arguments, mask_options=("mask",))


@task_command("options", example="limner remove-background photo.jpg -o subject.png")
@click.argument("image", shell_complete=complete_files)
def remove_background(options: RunOptions, arguments: dict[str, Any]) -> None:
    """Make the background of a picture transparent.

    IMAGE is a picture file; - is standard input.
    """
    from limner.cli.inputs import Inputs

    inputs = Inputs()
    _run("remove-background", options, arguments | {"image": inputs.image(arguments["image"])}, inputs)


@task_command("size", "seed", "negative_prompt", "options", example="limner upscale scene.png -o larger.png")
@click.argument("image", shell_complete=complete_files)
@click.argument("prompt", required=False)
def upscale(options: RunOptions, arguments: dict[str, Any]) -> None:
    """Enlarge a picture.

    IMAGE is a picture file; - is standard input. PROMPT describes what it shows, for models that use it.
    """
    from limner.cli.inputs import Inputs

    inputs = Inputs()
    _run("upscale", options, arguments | {"image": inputs.image(arguments["image"])}, inputs)


def _run_edit(task: type[Task], options: RunOptions, arguments: dict[str, Any], *, mask_options: tuple[str, ...]) -> None:
    """Run a task that edits one picture, with the mask given by one of several options."""
    from limner.cli.inputs import Inputs

    _check_exactly_one(task, arguments, mask_options)
    inputs = Inputs()
    image = inputs.image(arguments["image"])
    _run(task.kind, options, _with_mask(arguments, image, inputs) | {"image": image}, inputs)


def _run(kind: str, options: RunOptions, arguments: dict[str, Any], inputs: Inputs) -> None:
    """Make the task and run it; the default name of the output starts with that of the first input."""
    from limner.cli.defaults import default_arguments
    from limner.cli.runner import run_task
    from limner.signatures import make_task
    from limner.tasks import TASKS

    negative, provider_options = arguments.pop("negative_prompt", ()), arguments.pop("options")
    if negative:
        arguments["negative_prompt"] = negative[0] if len(negative) == 1 else negative
    arguments["options"] = {key: inputs.option(text) for key, text in provider_options.items()}
    name = options.model_name()
    model = options.configure_model(name, options.settings.get("model_id"))
    defaults = default_arguments(model, name, TASKS[kind])
    arguments["options"] = {**defaults.pop("options", {}), **arguments["options"]}
    task = make_task(TASKS[kind], defaults | arguments)
    run_task(model, task, options, "-".join(filter(None, (inputs.stem, kind))))


def _with_mask(arguments: dict[str, Any], image: Image, inputs: Inputs) -> dict[str, Any]:
    """Replace --mask, --box and --ellipse by the mask."""
    box, ellipse = arguments.pop("box", None), arguments.pop("ellipse", None)
    if box is not None or ellipse is not None:
        arguments["mask"] = inputs.shape(image.size, box=box, ellipse=ellipse)
    elif arguments.get("mask", "alpha") != "alpha":
        arguments["mask"] = inputs.mask(arguments["mask"])
    return arguments


def _check_exactly_one(task: type[Task], arguments: dict[str, Any], mask_options: tuple[str, ...]) -> None:
    """Check the task's own rule, in terms of the options of the command line."""
    names = [name for field in task.exactly_one_of for name in (mask_options if field == "mask" else (field,))]
    if sum(name in arguments for name in names) != 1:
        *others, last = (f"--{name.replace('_', '-')}" for name in names)
        raise click.UsageError(f"give exactly one of {', '.join(others)} and {last}", click.get_current_context())


def _is_file(word: str) -> bool:
    """Tell a picture from a prompt; a mistyped file name is not a prompt."""
    return looks_like_file(word) or os.path.isfile(word)  # noqa: PTH113 - a prompt may be too long for Path
