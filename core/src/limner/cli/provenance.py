"""How a picture was made: info, and rerun, which makes it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from limner.cli.options import FIELDS, task_command
from limner.errors import Problem, TaskRefused

if TYPE_CHECKING:
    from limner.cli.output import Inputs
    from limner.cli.runner import Order
    from limner.images import Image, Mask
    from limner.interface import ModelInterface
    from limner.tasks import Task

_LONGEST_NAME = 200
"""Characters of a model's name in a file."""


@click.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(file: str, as_json: bool) -> None:
    """Show how FILE was made.

    What the picture is, and how it was made where limner made it. FILE is a picture; - is standard input.
    """
    from limner.cli.console import print_json
    from limner.cli.output import Inputs
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
    made = read_provenance(image)
    if as_json:
        print_json(facts | {"provenance": made})
        return
    from limner.cli.tables import print_facts

    in_words = {"size": f"{width}x{height} pixels", "alpha": "yes" if image.has_alpha else "no"}
    print_facts((facts | in_words).items())
    if made is None:
        click.echo("It does not say how it was made.")
    else:
        click.echo("How it was made:")
        task = made.get("task")
        print_facts((key, value) for key, value in made.items() if key != "task")
        if isinstance(task, dict):
            print_facts(task.items())


@task_command(without=("model", "fit"))
@click.argument("file")
@click.option(
    "--image", "images", metavar="FILE", multiple=True, help="A picture that went in; repeatable, matched by SHA-256."
)
@click.option("--mask", "masks", metavar="FILE", multiple=True, help="A mask that went in; repeatable, matched by SHA-256.")
@FIELDS["box"]
@FIELDS["ellipse"]
@click.option("--model-id", metavar="ID", help="Call this id in place of the one that FILE names, such as an ARN.")
def rerun(order: Order, said: dict[str, Any]) -> None:
    """Make FILE again.

    Send the same requests to the same model. FILE is a picture that limner made; - is standard input. The pictures and
    masks that went in are needed again, and are checked by their SHA-256. What FILE says may come from anybody: it names no
    file that is read, and an id that is not the model's own is called only where --model-id says so.
    """
    import attrs

    from limner.cli.output import Inputs
    from limner.cli.runner import carry_out
    from limner.results import read_provenance
    from limner.serialization import pictures_of

    inputs = Inputs()
    made = _checked(said["file"], read_provenance(inputs.image(said["file"])))
    model = _model(said["file"], made, _said_id(order, said))
    try:
        needed = pictures_of(made["task"])
    except TaskRefused as refusal:
        raise _damaged(said["file"], refusal) from refusal
    given = _given(inputs, said)
    problems = [
        Problem(name, "", f"did not go in: its SHA-256 is {sha256}; {_wanted(needed)}")
        for sha256, (name, _) in given.items()
        if sha256 not in needed
    ]
    problems += [
        Problem("rerun", "", _missing(sha256, is_mask=sha256 in pictures_of(made["task"].get("mask"))))
        for sha256 in dict.fromkeys(needed)
        if sha256 not in given
    ]
    if problems:
        raise TaskRefused(problems)
    task = _restored(said["file"], made["task"], {sha256: picture for sha256, (_, picture) in given.items()})
    carry_out(attrs.evolve(order, fit=made["fit"]).model_of(*model), task, order, f"{inputs.stem}-rerun".removeprefix("-"))


def _checked(file: str, made: dict[str, Any] | None) -> dict[str, Any]:
    """A file's word on how it was made, which anybody may have written."""
    from limner.fitting import MODES

    if made is None:
        raise TaskRefused([Problem("FILE", file, "does not say how it was made; only what limner saved can be made again")])
    texts = all(isinstance(made.get(name), str) for name in ("model", "model_id"))
    if not texts or made.get("fit") not in MODES or not isinstance(made.get("task"), dict):
        raise _damaged(file)
    return made


def _damaged(file: str, refusal: TaskRefused | None = None) -> TaskRefused:
    what = "" if refusal is None else f": {refusal.problems[0]}"
    return TaskRefused(
        [Problem("FILE", file, f"what it says about how it was made is damaged, or from another limner{what}")]
    )


def _said_id(order: Order, said: dict[str, Any]) -> str | None:
    """The id to call that the user said."""
    if "model_id" in said and "model_id" in order.settings:
        raise click.UsageError("--model-id and -S model_id say the same; give one of them")
    model_id: str | None = said.get("model_id", order.settings.get("model_id"))
    return model_id


def _model(file: str, made: dict[str, Any], said_id: str | None) -> tuple[str, str]:
    """The model that a file names, and the id to call: of those that the file names, only the model's own."""
    from limner.errors import shorten
    from limner.plugins import registry

    if len(made["model"]) > _LONGEST_NAME:
        raise _damaged(file)
    model: type[ModelInterface] = registry().find(made["model"])
    named = made["model_id"]
    if said_id is None and named not in {model.id, *model.ids}:
        limit = f"{file} names an id that is not {model.id}'s own; say with --model-id which to call, such as {model.id}"
        raise TaskRefused([Problem("model_id", shorten(named), limit)])
    return model.id, named if said_id is None else said_id


def _restored(file: str, document: dict[str, Any], pictures: dict[str, Image | Mask]) -> Task:
    from limner.serialization import restore

    try:
        return restore(document, pictures)
    except TaskRefused as refusal:
        raise _damaged(file, refusal) from refusal


def _given(inputs: Inputs, said: dict[str, Any]) -> dict[str, tuple[str, Image | Mask]]:
    """What was given, by SHA-256, with the option that gave it."""
    from limner.images import Mask

    found: dict[str, tuple[str, Image | Mask]] = {}
    images = [(name, inputs.image(name)) for name in said["images"]]
    for name, image in images:
        found[image.sha256] = (f"--image {name}", image)
    for name in said["masks"]:
        picture = inputs.image(name)
        mask = Mask.from_alpha(picture) if picture.has_alpha else Mask.read(picture)
        found[mask.sha256] = (f"--mask {name}", mask)
    for shape in ("box", "ellipse"):
        if shape in said:
            if not images:
                raise click.UsageError(f"--{shape} needs the picture it lies on; give it with --image")
            mask = inputs.shape(images[0][1].size, box=said.get("box"), ellipse=said.get("ellipse"))
            found[mask.sha256] = (f"--{shape}", mask)
    return found


def _missing(sha256: str, *, is_mask: bool) -> str:
    if is_mask:
        return f"a mask of SHA-256 {sha256} went in; give it with --mask, --box or --ellipse"
    return f"a picture of SHA-256 {sha256} went in; give its file with --image"


def _wanted(needed: list[str]) -> str:
    return f"what went in has {', '.join(needed)}" if needed else "no picture went in"
