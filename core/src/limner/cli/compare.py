"""compare: the same prompt with several models, on one contact sheet."""

from __future__ import annotations

import base64
import html
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from limner.cli.commands import Command
from limner.cli.completing import complete_files, complete_models
from limner.cli.console import format_entry, one_line, print_message
from limner.cli.options import RUN_OPTIONS, TASK_OPTIONS, model_option, output_option
from limner.cli.progress import run_in_thread
from limner.cli.sheets import CELL, LINE, MARGIN, page, thumbnail
from limner.errors import LimnerError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import PIL.Image

    from limner.images import Image
    from limner.model import Model
    from limner.results import Picture, Result
    from limner.tasks import Task


@attrs.frozen
class Row:
    """The result of one model.

    Attributes:
        model: the name given.
        pictures: the pictures received.
        notes: what was adjusted or dropped, or the error.
        failed: whether the model failed.
        captions: seed and size of each picture.
        facts: seconds and cost.
    """

    model: str
    pictures: tuple[Image, ...]
    notes: tuple[str, ...]
    failed: bool = False
    captions: tuple[str, ...] = ()
    facts: str = ""


@click.command(cls=Command, example='limner compare "a lighthouse" -m sketch -m titan -n 2 -o sheet.png')
@click.argument("prompt")
@model_option(
    "-m",
    "--model",
    "models",
    metavar="MODEL",
    multiple=True,
    required=True,
    shell_complete=complete_models,
    help="Alias or full id; one row for each. Repeatable.",
)
@output_option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    shell_complete=complete_files,
    help="Contact sheet: .png, .jpg, .webp or .html.",
)
@TASK_OPTIONS["n"]
@TASK_OPTIONS["size"]
@TASK_OPTIONS["seed"]
@TASK_OPTIONS["negative_prompt"]
@RUN_OPTIONS["settings"]
@RUN_OPTIONS["force"]
def compare(prompt: str, models: Sequence[str], output: str, settings: dict[str, str], force: bool, **values: Any) -> None:
    """Compare models on the same prompt.

    The models run at the same time, and their pictures are placed on one contact sheet, a row for each. Unsupported values
    are replaced by the nearest supported value, which the sheet notes. A failed model does not affect the others. The exit
    status is 1 if no model returned a picture, and 2 if a model is unknown, before anything is sent.
    """
    from limner.cli.output import check_folder
    from limner.images.files import where, write_atomically, write_elsewhere
    from limner.prices import own_prices
    from limner.tasks import Generate

    target = Path(output)
    if target.suffix.lower() not in {".png", ".jpg", ".jpeg", ".webp", ".html"}:
        raise click.BadParameter(f"{target.suffix!r} is not supported: .png, .jpg, .webp, .html", param_hint="--output")
    if target.exists() and not force:
        raise FileExistsError(f"{target} already exists; use --force to overwrite")
    check_folder(target.parent)
    task = Generate(prompt=prompt, **{name: value for name, value in values.items() if value not in (None, ())})
    _check_models(models, settings)
    own_prices()  # what is wrong with the price file is reported before anything is paid for
    rows = run_in_thread(lambda: _rows(models, task, settings), f"{len(models)} models: {task.kind}")
    sheet = _sheet(prompt, rows, target.suffix.lower())
    try:
        write_atomically(target, sheet, overwrite=force)
    except OSError as error:  # its pictures have been paid for
        written = write_elsewhere(sheet, target.suffix, target)
        raise click.ClickException(f"{target}: {error.strerror or error}; {where(written)}") from error
    for row in rows:
        for note in filter(None, (*row.notes, row.facts)):
            print_message(f"{row.model}: {note}")
    print_message(f"wrote {target}")
    if not any(row.pictures for row in rows):
        click.get_current_context().exit(1)


def _check_models(models: Sequence[str], settings: dict[str, str]) -> None:
    """Refuse a model that nobody offers, and a setting that none of the models has.

    A setting that only some of the models have applies to those.

    Raises:
        UnknownModel: no installed plugin offers one of the models.
    """
    from limner.plugins import registry

    known: set[str] = set()
    for model in models:
        known |= {field.name for field in attrs.fields(registry().find(model).Settings)}
    for name in settings:
        if name not in known:
            hint = did_you_mean(name, known) or f"available: {', '.join(sorted(known))}"
            raise click.BadParameter(f"none of the models has a setting {name}; {hint}", param_hint="-S")


def _rows(models: Sequence[str], task: Task, settings: dict[str, str]) -> list[Row]:
    with ThreadPoolExecutor(len(models), "limner-compare") as pool:
        return list(pool.map(lambda name: _row(name, task, settings), models))


def _row(name: str, task: Task, settings: dict[str, str]) -> Row:
    from limner.catalog import get_model

    try:
        model = get_model(name, fit="nearest", on_filtered="return")
        known = {field.name for field in attrs.fields(model.Settings)}
        own = {key: value for key, value in settings.items() if key in known}
        return _successful_row(name, model, model.with_settings(**own).run(task))
    except LimnerError as error:
        return Row(
            name, _images(error.result), (f"error: {one_line(error)}",), failed=True, captions=_captions(error.result)
        )


def _successful_row(name: str, model: Model, result: Result) -> Row:
    from limner.cli.prices import cost_line

    notes = [line for line in map(format_entry, result.account) if line is not None]
    missing = [f"{picture.outcome}: {picture.reason}" for picture in result.pictures if picture.outcome != "ok"]
    facts = f"{result.seconds:.1f} s, {cost_line(model, result.task)}"
    return Row(name, _images(result), (*notes, *missing, *result.warnings), captions=_captions(result), facts=facts)


def _received(result: Result | None) -> tuple[Picture, ...]:
    return () if result is None else tuple(picture for picture in result.images if picture.image is not None)


def _images(result: Result | None) -> tuple[Image, ...]:
    return tuple(picture.image for picture in _received(result) if picture.image is not None)


def _captions(result: Result | None) -> tuple[str, ...]:
    return tuple(map(_caption, _received(result)))


def _caption(picture: Picture) -> str:
    """Describe a picture: its seed, its place among several of one call, and its size."""
    parts = [] if picture.seed is None else [f"seed {picture.seed}"]
    parts += [picture.place] if picture.of > 1 else []
    return ", ".join([*parts, "{}x{}".format(*picture.size)])


def _sheet(prompt: str, rows: Sequence[Row], suffix: str) -> bytes:
    if suffix == ".html":
        return _page(prompt, rows).encode()
    from limner.images import Image

    buffer = BytesIO()
    _contact_sheet(prompt, rows).save(buffer, "PNG")
    return Image(buffer.getvalue()).converted(suffix).data


def _page(prompt: str, rows: Sequence[Row]) -> str:
    return page(prompt, "".join(_section(prompt, number, row) for number, row in enumerate(rows, 1)))


def _section(prompt: str, number: int, row: Row) -> str:
    """Write the row of one model."""
    figures = "".join(
        _figure(f"p{number}-{position}", f"{prompt}, by {row.model}", image, caption)
        for position, (image, caption) in enumerate(zip(row.pictures, row.captions, strict=True), 1)
    )
    facts = f'<p class="facts">{html.escape(row.facts)}</p>' if row.facts else ""
    notes = "".join(f'<p class="{"error" if row.failed else "note"}">{html.escape(note)}</p>' for note in row.notes)
    grid = f'<div class="grid">{figures}</div>' if figures else ""
    return f"<section><h2>{html.escape(row.model)}</h2>{grid}{facts}{notes}</section>"


def _figure(name: str, alt: str, image: Image, caption: str) -> str:
    """Write a picture that a click enlarges, and another closes again."""
    source = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
    width, height = image.size
    picture = f'<img src="{source}" alt="{html.escape(alt)}" width="{width}" height="{height}" loading="lazy">'
    close = '<a class="close" href="#top" aria-label="Close"></a>'
    return (
        f'<figure id="{name}"><a href="#{name}" aria-label="Enlarge">{picture}</a>'
        f"<figcaption>{html.escape(caption)}</figcaption>{close}</figure>"
    )


def _contact_sheet(prompt: str, rows: Sequence[Row]) -> PIL.Image.Image:
    """Draw the rows below each other: the model's name, its pictures, its notes."""
    import textwrap

    import PIL.Image
    from PIL import ImageDraw, ImageFont

    columns = max(2, *(len(row.pictures) for row in rows))
    width = columns * (CELL + MARGIN) + MARGIN
    wrap = (width - 2 * MARGIN) // 7
    sheet = PIL.Image.new("RGB", (width, sum(_height(row, wrap) for row in rows) + 3 * LINE + MARGIN), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    draw.text((MARGIN, MARGIN), textwrap.shorten(prompt, wrap), fill="black", font=font)
    top = 3 * LINE
    for row in rows:
        draw.text((MARGIN, top), row.model, fill="#003366", font=font)
        for column, small in enumerate(map(thumbnail, row.pictures)):
            left, edge = MARGIN + column * (CELL + MARGIN), top + LINE + MARGIN // 2
            sheet.paste(small, (left, edge))
            draw.text((left, edge + small.height + 2), row.captions[column], fill="#666666", font=font)
        below = top + _height(row, wrap) - MARGIN - LINE * len(_lines(row, wrap))
        for number, text in enumerate(_lines(row, wrap)):
            draw.text((MARGIN, below + number * LINE), text, fill="#b00020" if row.failed else "#444444", font=font)
        top += _height(row, wrap)
    return sheet


def _lines(row: Row, wrap: int) -> list[str]:
    import textwrap

    return [line for note in filter(None, (row.facts, *row.notes)) for line in textwrap.wrap(note, wrap)]


def _height(row: Row, wrap: int) -> int:
    pictures = max((round(image.size[1] * min(1, CELL / max(image.size))) for image in row.pictures), default=0)
    captions = LINE + 2 if row.pictures else 0
    return LINE + MARGIN + pictures + captions + LINE * len(_lines(row, wrap)) + MARGIN
