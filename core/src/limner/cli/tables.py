"""Tables on stdout, by rich."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from limner.cli.console import clean

_ANY_WIDTH = 10_000


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table; where no terminal reads it, each row is one line.

    Args:
        columns: the headings.
        rows: texts as they are, nothing in them is markup; ``None`` leaves a cell empty.
        title: a line above.
    """
    table = Table(
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    for position, column in enumerate(columns):
        table.add_column(Text(column), overflow="fold", no_wrap=position == 0)  # names come first: they are copied
    for row in rows:
        table.add_row(*(Text("" if cell is None else clean(cell)) for cell in row))
    _print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values, those that say nothing left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value not in (None, ""):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            grid.add_row(Text(clean(name), style="bold"), Text(clean(text)))
    _print(grid)


def _print(table: Table) -> None:
    """Print without the spaces that rich fills lines up with."""
    console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _ANY_WIDTH)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")
