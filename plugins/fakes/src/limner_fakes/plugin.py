"""The plugin: adds the command ``limner fake``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limner import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def limner_commands(cli: click.Group) -> None:
    """Add the command."""
    from limner_fakes.command import command

    cli.add_command(command)
