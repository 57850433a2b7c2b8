"""completion: the script that lets a shell complete commands, options, models and files."""

from __future__ import annotations

import click

from limner.cli.commands import Command

SHELLS = ("bash", "zsh", "fish")

VARIABLE = "_LIMNER_COMPLETE"
"""The environment variable by which a shell's script asks for completions."""

_ADDED = "COMPREPLY+=($value)"
"""Where click's script for bash adds what can be completed."""


@click.command(cls=Command, example="limner completion bash")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    r"""Print the completion script of a shell.

    It completes commands, options, models with your own aliases, settings, provider-specific options and files. Add the
    line of your shell to its start-up file:

    \b
      ~/.bashrc   eval "$(limner completion bash)"
      ~/.zshrc    eval "$(limner completion zsh)"
      ~/.config/fish/completions/limner.fish   limner completion fish | source
    """
    from click.shell_completion import get_completion_class

    from limner.cli.app import cli

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    script = kind(cli, {}, "limner", VARIABLE).source()
    if shell == "bash":  # what ends with = goes on
        script = script.replace(_ADDED, f"{_ADDED}\n            [[ $value == *= ]] && compopt -o nospace")
    click.echo(script)
