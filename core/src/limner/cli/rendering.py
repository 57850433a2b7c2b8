"""Tables on stdout, by rich."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from limner.cli.speaking import clean

_ANY_WIDTH = 10_000


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table; where no terminal reads it, each row is one line.

    Args:
        columns: the headings.
        rows: texts as they are, nothing in them is markup; ``None`` leaves a cell empty.
        title: a line above.
    """
    console = _console()
    if title:
        console.print(Text(title, style="bold"), soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else clean(cell)) for cell in row))
    console.print(table)
    console.print()


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values, those that say nothing left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value not in (None, ""):
            grid.add_row(Text(name, style="bold"), Text(clean(value)))
    console = _console()
    console.print(grid)
    console.print()


def _console() -> Console:
    options: dict[str, Any] = {} if sys.stdout.isatty() else {"width": _ANY_WIDTH}
    return Console(highlight=False, emoji=False, **options)
