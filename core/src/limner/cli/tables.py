"""Tables on stdout, printed by rich."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from limner.cli.console import one_line

_UNLIMITED_WIDTH = 10_000

_WIDE = 160
"""Columns of a terminal on which tables show every column."""

_MAX_WORD = 40
"""Characters of a word that is never split."""


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    optional: Collection[str] = (),
    first_width: int = 0,
) -> None:
    """Print a table; if stdout is not a terminal, each row is one line.

    Args:
        columns: the headings.
        rows: plain texts without markup; ``None`` leaves a cell empty.
        title: a line above the table.
        optional: columns that are left out on a narrow terminal.
        first_width: the least width of the first column, to align several tables.
    """
    table = Table(
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
    )
    cells = [["" if cell is None else one_line(cell) for cell in row] for row in rows]
    if line_width() < _WIDE:
        kept = [position for position, column in enumerate(columns) if column not in optional]
        columns, cells = [columns[position] for position in kept], [[row[position] for position in kept] for row in cells]
    widths = [_longest_word([column, *(row[position] for row in cells)]) for position, column in enumerate(columns)]
    widths[0] = max(widths[0], first_width)
    if sum(widths) + 3 * (len(widths) - 1) > line_width():
        widths[1:] = [0] * (len(widths) - 1)  # words must be split
    for position, (column, width) in enumerate(zip(columns, widths, strict=True)):
        # the first column holds names, which users copy
        table.add_column(Text(column), overflow="fold", no_wrap=position == 0, min_width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    _print(table)


def _longest_word(texts: Sequence[str]) -> int:
    return min(_MAX_WORD, max((len(word) for text in texts for word in text.split()), default=0))


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values; empty values are left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        if value not in (None, ""):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            grid.add_row(Text(one_line(name), style="bold"), Text(one_line(text)))
    _print(grid)


def line_width() -> int:
    """Return the width of the terminal; no limit if stdout is not a terminal."""
    return Console().width if sys.stdout.isatty() else _UNLIMITED_WIDTH


def _print(table: Table) -> None:
    """Print without the spaces with which rich pads lines."""
    console = Console(highlight=False, emoji=False, width=line_width())
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")
