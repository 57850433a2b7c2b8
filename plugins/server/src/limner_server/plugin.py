"""The plugin: adds the commands ``limner serve`` and ``limner playground``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limner import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def limner_commands(cli: click.Group) -> None:
    """Add ``limner serve`` and ``limner playground``."""
    from limner_server.command import playground, serve

    cli.add_command(serve)
    cli.add_command(playground)
