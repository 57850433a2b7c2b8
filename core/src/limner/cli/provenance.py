"""How a picture was made: info, and rerun, which makes it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from limner.cli.options import FIELDS, task_command
from limner.errors import Problem, TaskRefused

if TYPE_CHECKING:
    from limner.cli.carrying import Order
    from limner.cli.files import Inputs
    from limner.images import Image, Mask


@click.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def info(file: str, as_json: bool) -> None:
    """Show how FILE was made.

    What the picture is, and how it was made where limner made it. FILE is a picture; - is standard input.
    """
    from limner.cli.files import Inputs
    from limner.cli.speaking import print_json
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
    from limner.cli.rendering import print_facts

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
def rerun(order: Order, said: dict[str, Any]) -> None:
    """Make FILE again.

    Send the same requests to the same model. FILE is a picture that limner made; - is standard input. The pictures and
    masks that went in are needed again, and are checked by their SHA-256.
    """
    import attrs

    from limner.cli.carrying import carry_out
    from limner.cli.files import Inputs
    from limner.results import read_provenance
    from limner.serializing import pictures_of, restore

    inputs = Inputs()
    made = _checked(said["file"], read_provenance(inputs.image(said["file"])))
    needed = pictures_of(made["task"])
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
    task = restore(made["task"], {sha256: picture for sha256, (_, picture) in given.items()})
    model = attrs.evolve(order, fit=made["fit"]).model_of(made["model"], order.settings.get("model_id", made["model_id"]))
    carry_out(model, task, order, f"{inputs.stem}-rerun".removeprefix("-"))


def _checked(file: str, made: dict[str, Any] | None) -> dict[str, Any]:
    """A file's word on how it was made, which anybody may have written."""
    from limner.fitting import MODES

    if made is None:
        raise TaskRefused([Problem("FILE", file, "does not say how it was made; only what limner saved can be made again")])
    texts = all(isinstance(made.get(name), str) for name in ("model", "model_id"))
    if not texts or made.get("fit") not in MODES or not isinstance(made.get("task"), dict):
        raise TaskRefused([Problem("FILE", file, "what it says about how it was made is damaged, or from another limner")])
    return made


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
