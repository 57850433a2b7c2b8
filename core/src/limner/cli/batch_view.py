"""What is seen of a batch: its plan, progress, summary, and the pages of its pictures."""

from __future__ import annotations

import contextlib
import html
import json
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from limner.cli.console import one_line, print_json, print_message
from limner.cli.sheets import LINE, MARGIN, page, thumbnail
from limner.cli.tables import print_facts

if TYPE_CHECKING:
    from limner.batches.driver import Driver
    from limner.batches.outcomes import BatchOutcome
    from limner.batches.planning import Planned
    from limner.prices import Cost

COLUMNS, ROWS = 10, 10
SIDE = 160
"""Pixels of a picture on a contact sheet."""

LINE_SECONDS = 60.0
"""Between two lines of progress where there is no terminal."""

_SHOWN = ("done", "filtered", "failed", "unknown")


def print_plan(planned: Planned, *, as_json: bool) -> None:
    """Print what a batch would send, and what that may cost."""
    from limner.cli.prices import cost_document

    open_items = [item for item in planned.items if item.status == "planned"]
    costs = _total([item.cost for item in open_items])
    facts = {
        "tasks": len(planned.items),
        "to_send": len(open_items),
        "calls": sum(item.calls for item in open_items),
        "pictures": sum(item.pictures for item in open_items),
        "cost": [cost_document(cost) for cost in costs],
        "unknown_prices": sum(item.cost is None for item in open_items),
        "not_in_manifest": len(planned.gone),
    }
    if as_json:
        print_json(facts)
        return
    cost = " and ".join(map(str, costs)) or ("unknown" if facts["unknown_prices"] else "0")
    note = (
        f", and {facts['unknown_prices']} tasks of which the price is unknown" if costs and facts["unknown_prices"] else ""
    )
    names = {"to_send": "to send", "not_in_manifest": "not in the manifest any more"}
    shown = {names.get(name, name): str(facts[name]) for name in ("tasks", "to_send", "calls", "pictures")}
    print_facts([*shown.items(), ("cost", cost + note)])


def _total(costs: list[Cost | None]) -> list[Cost]:
    from limner.prices import Cost

    totals: dict[str, Cost] = {}
    for cost in filter(None, costs):
        before = totals.get(cost.currency)
        totals[cost.currency] = (
            cost if before is None else Cost(before.low + cost.low, before.high + cost.high, cost.currency)
        )
    return list(totals.values())


def print_outcome(outcome: BatchOutcome) -> None:
    """Print an outcome as a line of JSON."""
    document = {
        "id": outcome.id,
        "line": outcome.line,
        "status": outcome.status,
        "files": [str(file) for file in outcome.files],
        "seed": outcome.seed,
        "model": outcome.model,
        "reason": outcome.reason,
    }
    click.echo(json.dumps(document))


def print_summary(driver: Driver, folder: Path, *, as_json: bool) -> None:
    """Print how many tasks ended how, and what to do about them."""
    counts = {status: driver.counts[status] for status in _SHOWN}
    waiting = driver.counts["planned"] + driver.counts["sent"]
    if as_json:
        click.echo(json.dumps({"summary": {**counts, "not_sent": waiting, "spent": str(driver.budget), "out": str(folder)}}))
        return
    advice = {
        "filtered": "the content filter held pictures back: change the prompts",
        "failed": "nothing was made or billed: --retry-failed sends them again",
        "unknown": "they may be billed: --resend-unknown pays for them again",
        "not sent": "--resume sends them",
    }
    rows = [("done", counts["done"]), *((name, counts[name]) for name in _SHOWN[1:]), ("not sent", waiting)]
    facts = [(name, f"{count}" + (f"  {advice[name]}" if name in advice else "")) for name, count in rows if count]
    print_facts([*facts, ("spent", f"{driver.budget}, {driver.budget.pictures} pictures"), ("folder", str(folder))])


# ---------------------------------------------------------------------------------------------- progress


@contextlib.contextmanager
def progress(driver: Driver) -> Iterator[Callable[[BatchOutcome], None]]:
    """Show progress on stderr: a bar on a terminal, else a line a minute.

    Yields:
        What is to be called with each outcome.
    """
    if sys.stderr.isatty():
        with _bar(driver) as show:
            yield show
        return
    started = shown = time.monotonic()

    def show_line(outcome: BatchOutcome) -> None:
        nonlocal shown
        if outcome.status != "done":
            print_message(_what_happened(outcome))
        if time.monotonic() - shown >= LINE_SECONDS:
            shown = time.monotonic()
            print_message(f"{_state(driver)}, {_rate(driver, shown - started)}")

    yield show_line


@contextlib.contextmanager
def _bar(driver: Driver) -> Iterator[Callable[[BatchOutcome], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    started, before = time.monotonic(), len(driver.planned.items) - _waiting(driver)
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as display:
        task = display.add_task(_state(driver), total=len(driver.planned.items), completed=0)

        def show(outcome: BatchOutcome) -> None:
            if outcome.status != "done":
                display.console.print(one_line(_what_happened(outcome)), markup=False, highlight=False)
            text = f"{_state(driver)}, {_rate(driver, time.monotonic() - started, before)}"
            display.update(task, completed=len(driver.planned.items) - _waiting(driver), description=text)

        yield show


def _waiting(driver: Driver) -> int:
    return driver.counts["planned"] + driver.counts["sent"]


def _state(driver: Driver) -> str:
    counts = ", ".join(f"{driver.counts[status]} {status}" for status in _SHOWN if driver.counts[status] or status == "done")
    return f"{counts}, spent {driver.budget}"


def _rate(driver: Driver, seconds: float, before: int = 0) -> str:
    ended = len(driver.planned.items) - _waiting(driver) - before
    return f"{ended / max(seconds, 0.1) * 60:.0f} tasks/min"


def _what_happened(outcome: BatchOutcome) -> str:
    return f"line {outcome.line} ({outcome.id}): {outcome.status}: {outcome.reason or 'no reason given'}"


# ---------------------------------------------------------------------------------------------- pages


def write_sheets(folder: Path) -> None:
    """Write contact sheets and a page of all pictures to the batch's folder."""
    from limner.batches import index, journal
    from limner.images.files import write_atomically

    rows = list(index.rows(folder))
    for number, first in enumerate(range(0, len(rows), COLUMNS * ROWS), 1):
        sheet = _sheet(folder, rows[first : first + COLUMNS * ROWS])
        write_atomically(folder / f"_sheet-{number}.png", sheet, overwrite=True)
    known = journal.settled(journal.read(folder / journal.NAME))
    missing = [task for task in known.values() if task["status"] != "done"]
    write_atomically(folder / "index.html", _index(folder, rows, missing).encode("utf-8", "replace"), overwrite=True)
    count = -(-len(rows) // (COLUMNS * ROWS))
    print_message(f"wrote {folder / 'index.html'} and {count} contact sheet{'' if count == 1 else 's'}")


def _sheet(folder: Path, rows: list[dict[str, Any]]) -> bytes:
    """Draw pictures in a grid, each with its name and prompt below; one is in memory at a time."""
    import textwrap

    import PIL.Image
    from PIL import ImageDraw, ImageFont

    from limner.images import Image

    columns, height = min(COLUMNS, len(rows)), SIDE + 2 * LINE + MARGIN
    lines = -(-len(rows) // COLUMNS)
    sheet = PIL.Image.new("RGB", (columns * (SIDE + MARGIN) + MARGIN, lines * height + MARGIN), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for place, row in enumerate(rows):
        left, top = MARGIN + place % COLUMNS * (SIDE + MARGIN), MARGIN + place // COLUMNS * height
        sheet.paste(thumbnail(Image.read(folder / row["file_name"]), SIDE), (left, top))
        draw.text((left, top + SIDE), textwrap.shorten(row["file_name"], 30, placeholder="..."), fill="#003366", font=font)
        prompt = textwrap.shorten(row["prompt"] or row["task"], 26, placeholder="...")
        draw.text((left, top + SIDE + LINE), prompt, fill="#444444", font=font)
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _index(folder: Path, rows: list[dict[str, Any]], missing: list[dict[str, Any]]) -> str:
    """Make the page: every picture by its relative name, so that the folder can be moved."""
    style = "figure{display:inline-block;width:240px;margin:0 8px 16px 0;vertical-align:top}figcaption{font-size:12px}"

    def figure(row: dict[str, Any]) -> str:
        name = row["file_name"]
        words = html.escape(row["prompt"] or row["task"])
        facts = html.escape(f"{name}, {row['model']}" + ("" if row["seed"] is None else f", seed {row['seed']}"))
        image = f'<a href="{quote(name)}"><img src="{quote(name)}" alt="" width="240" loading="lazy"></a>'
        return f"<figure>{image}<figcaption>{words}<br>{facts}</figcaption></figure>"

    def note(task: dict[str, Any]) -> str:
        reason = html.escape(str(task.get("reason") or ""))
        return (
            f'<p class="error">line {task["line"]} ({html.escape(task["id"])}): {html.escape(task["status"])}: {reason}</p>'
        )

    counts = f"<p>{len(rows)} pictures, {len(missing)} tasks not done</p>"
    return page(folder.resolve().name, counts + "".join(map(figure, rows)) + "".join(map(note, missing)), style)
