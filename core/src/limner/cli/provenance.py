"""info and rerun: how a picture was made, and making it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from limner.cli.commands import Command
from limner.cli.completing import complete_files
from limner.cli.options import TASK_OPTIONS, Decorator, json_option, task_command, task_option
from limner.errors import Problem, TaskRefused

if TYPE_CHECKING:
    from limner.cli.inputs import Inputs
    from limner.cli.runner import RunOptions
    from limner.images import Image, Mask
    from limner.interface import ModelInterface
    from limner.tasks import Task

_MAX_MODEL_NAME = 200
"""Characters of a model's name in a file's metadata."""


@click.command(cls=Command, example="limner info fox.png")
@click.argument("file", shell_complete=complete_files)
@json_option
def info(file: str, as_json: bool) -> None:
    """Show a picture's format, size, and how limner made it.

    FILE is a picture; - is standard input.
    """
    from limner.cli.console import print_json
    from limner.cli.inputs import Inputs
    from limner.results import read_provenance

    image = Inputs().image(file)
    width, height = image.size
    facts = {
        "file": file,
        "format": image.media_type,
        "size": [width, height],
        "bytes": len(image.data),
        "alpha": image.has_alpha,
        "sha256": image.sha256,
    }
    record = read_provenance(image)
    if as_json:
        print_json(facts | {"provenance": record})
        return
    from limner.cli.tables import print_facts

    text = {"size": f"{width}x{height} pixels", "alpha": "yes" if image.has_alpha else "no"}
    print_facts((facts | text).items())
    if record is None:
        click.echo("The file does not record how it was made.")
    else:
        click.echo("How it was made:")
        task = record.get("task")
        print_facts((key, value) for key, value in record.items() if key != "task")
        if isinstance(task, dict):
            print_facts(task.items())


_INPUTS: tuple[Decorator, ...] = (
    task_option(
        "--image",
        "images",
        metavar="FILE",
        multiple=True,
        shell_complete=complete_files,
        help="Input picture, matched by SHA-256. Repeatable.",
    ),
    task_option(
        "--mask",
        "masks",
        metavar="FILE",
        multiple=True,
        shell_complete=complete_files,
        help="Mask, matched by SHA-256. Repeatable.",
    ),
    TASK_OPTIONS["box"],
    TASK_OPTIONS["ellipse"],
)


def input_options(function: Any) -> Any:
    """Add the options that give the input pictures of a record."""
    for option in reversed(_INPUTS):
        function = option(function)
    return function


@task_command(example="limner rerun fox.png -o again.png", without=("model", "fit"))
@click.argument("file", shell_complete=complete_files)
@input_options
@task_option("--model-id", metavar="ID", help="Model id to call in place of the one in FILE, such as an ARN.")
def rerun(options: RunOptions, arguments: dict[str, Any]) -> None:
    """Make a picture again.

    Send the request that made it to the same model. FILE is a picture made by limner; - is standard input. Give the same
    input pictures and masks; they are matched by SHA-256. Metadata is not trusted: it never causes a file to be read, and
    a model id other than the model's own is called only if given by --model-id.
    """
    from limner.cli.inputs import Inputs
    from limner.results import read_provenance

    inputs = Inputs()
    file = arguments["file"]
    record = _checked(file, read_provenance(inputs.image(file)))
    run_again(file, record, options, arguments, inputs, _given_id(options, arguments))


def run_again(
    file: str,
    record: dict[str, Any],
    options: RunOptions,
    arguments: dict[str, Any],
    inputs: Inputs,
    given_id: str | None,
) -> None:
    """Send the requests of a record again.

    Args:
        file: what holds the record, for messages.
        record: how a picture was made, of the form of ``Picture.provenance``.
        options: how to run it.
        arguments: the pictures and masks given.
        inputs: reads them.
        given_id: the model id to call; ``None`` calls that of the record, if it is the model's own.
    """
    import attrs

    from limner.cli.runner import run_task
    from limner.documents import pictures_of

    model = _model(file, record, given_id)
    try:
        needed = pictures_of(record["task"])
    except TaskRefused as refusal:
        raise _damaged(file, refusal) from refusal
    given = _given_pictures(inputs, arguments)
    problems = [
        Problem(name, "", f"is not an input of this picture: its SHA-256 is {sha256}; {_expected(needed)}")
        for sha256, (name, _) in given.items()
        if sha256 not in needed
    ]
    problems += [
        Problem("rerun", "", _missing(sha256, is_mask=sha256 in pictures_of(record["task"].get("mask"))))
        for sha256 in dict.fromkeys(needed)
        if sha256 not in given
    ]
    if problems:
        raise TaskRefused(problems)
    task = _restored(file, record["task"], {sha256: picture for sha256, (_, picture) in given.items()})
    task, index = _call_of(file, record, task)
    run_task(
        attrs.evolve(options, fit=record["fit"]).configure_model(*model),
        task,
        options,
        f"{inputs.stem}-rerun".removeprefix("-"),
        only=index,
    )


def _call_of(file: str, record: dict[str, Any], task: Task) -> tuple[Task, int | None]:
    """The part of the task that made this very picture, and which of the call's pictures it is."""
    import attrs

    index, of, seed = record.get("index"), record.get("of"), record.get("seed")
    if index is None or of is None or not hasattr(task, "n"):
        return task, None
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in (index, of)) or not 0 <= index < of:
        raise _damaged(file)
    try:
        changes: dict[str, Any] = {"n": of} | ({} if seed is None else {"seed": seed})
        return attrs.evolve(task, **changes), index
    except TaskRefused as refusal:
        raise _damaged(file, refusal) from refusal


def _checked(file: str, record: dict[str, Any] | None) -> dict[str, Any]:
    """Check the form of a file's record, which may have been written by anyone."""
    from limner.fitting import MODES

    if record is None:
        limit = "does not record how it was made; only pictures saved by limner can be made again"
        raise TaskRefused([Problem("FILE", file, limit)])
    strings = all(isinstance(record.get(name), str) for name in ("model", "model_id"))
    if not strings or record.get("fit") not in MODES or not isinstance(record.get("task"), dict):
        raise _damaged(file)
    return record


def _damaged(file: str, refusal: TaskRefused | None = None) -> TaskRefused:
    cause = "" if refusal is None else f": {refusal.problems[0]}"
    limit = f"the record of how it was made is damaged, or from another version of limner{cause}"
    return TaskRefused([Problem("FILE", file, limit)])


def _given_id(options: RunOptions, arguments: dict[str, Any]) -> str | None:
    """The model id given by the user."""
    if "model_id" in arguments and "model_id" in options.settings:
        raise click.UsageError("--model-id and -S model_id mean the same; give one of them")
    model_id: str | None = arguments.get("model_id", options.settings.get("model_id"))
    return model_id


def _model(file: str, record: dict[str, Any], given_id: str | None) -> tuple[str, str]:
    """The model that a file names, and the id to call: the given id, or an id of the model's own."""
    from limner.errors import shorten
    from limner.plugins import registry

    if len(record["model"]) > _MAX_MODEL_NAME:
        raise _damaged(file)
    model: type[ModelInterface] = registry().find(record["model"])
    named = record["model_id"]
    if given_id is None and named not in {model.id, *model.ids}:
        limit = f"{file} names an id that is not {model.id}'s own; give the id to call with --model-id, such as {model.id}"
        raise TaskRefused([Problem("model_id", shorten(named), limit)])
    return model.id, named if given_id is None else given_id


def _restored(file: str, document: dict[str, Any], pictures: dict[str, Image | Mask]) -> Task:
    from limner.documents import restore

    try:
        return restore(document, pictures)
    except TaskRefused as refusal:
        raise _damaged(file, refusal) from refusal


def _given_pictures(inputs: Inputs, arguments: dict[str, Any]) -> dict[str, tuple[str, Image | Mask]]:
    """The pictures and masks given, by SHA-256, each with its option."""
    from limner.images import Mask

    found: dict[str, tuple[str, Image | Mask]] = {}
    images = [(name, inputs.image(name)) for name in arguments["images"]]
    for name, image in images:
        found[image.sha256] = (f"--image {name}", image)
    for name in arguments["masks"]:
        picture = inputs.image(name)
        mask = Mask.from_alpha(picture) if picture.has_alpha else Mask.read(picture)
        found[mask.sha256] = (f"--mask {name}", mask)
    for shape in ("box", "ellipse"):
        if shape in arguments:
            if not images:
                raise click.UsageError(f"--{shape} needs its picture; give it with --image")
            mask = inputs.shape(images[0][1].size, box=arguments.get("box"), ellipse=arguments.get("ellipse"))
            found[mask.sha256] = (f"--{shape}", mask)
    return found


def _missing(sha256: str, *, is_mask: bool) -> str:
    if is_mask:
        return f"needs the mask of SHA-256 {sha256}; give it with --mask, --box or --ellipse"
    return f"needs the picture of SHA-256 {sha256}; give its file with --image"


def _expected(needed: list[str]) -> str:
    return f"expected: {', '.join(needed)}" if needed else "it has no input pictures"
