"""The plugin: adds the command ``limner bedrock-emulator``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limner import hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def limner_commands(cli: click.Group) -> None:
    """Add ``limner bedrock-emulator``."""
    from limner_bedrock_emulator.command import command

    cli.add_command(command)
