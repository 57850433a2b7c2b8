"""aliases: own names for models."""

from __future__ import annotations

import re

import click

from limner.cli.commands import Group
from limner.cli.completing import complete_aliases, complete_models
from limner.cli.options import json_option

_NAME = re.compile(r"[A-Za-z0-9][\w.:/-]*")


@click.group(cls=Group, example="limner aliases set draft sketch")
def aliases() -> None:
    """Give models your own names.

    An alias works wherever a model is named: after -m, in 'limner show' and in Python's get_model. Aliases are in the
    configuration file; see 'limner config'.
    """


@aliases.command("list", example="limner aliases list")
@json_option
def list_aliases(as_json: bool) -> None:
    """List your own aliases, each with its model."""
    from limner.cli.console import print_json, print_message
    from limner.configuration import configuration

    own = dict(sorted(configuration().aliases.items()))
    if as_json:
        print_json(own)
    elif not own:
        print_message("no alias is set; 'limner aliases set NAME MODEL' sets one")
    else:
        from limner.cli.tables import print_table

        print_table(("alias", "model"), own.items())


@aliases.command("set", example="limner aliases set draft sketch")
@click.argument("name")
@click.argument("model", shell_complete=complete_models)
def set_alias(name: str, model: str) -> None:
    """Set an alias, or change it.

    NAME is the alias. MODEL is the alias or full id of an installed model, or an ARN.
    """
    from limner.cli.console import print_message
    from limner.configuration import change
    from limner.plugins import registry

    if not _NAME.fullmatch(name):
        raise click.BadParameter(f"{name!r} must consist of letters, digits and . : / _ -", param_hint="NAME")
    for known, _ in registry().models():
        if name in (known.id, *known.aliases):
            raise click.BadParameter(f"{name!r} is already a name of {known.id}; choose another", param_hint="NAME")
    registry().find(model)
    change(("aliases", name), model)
    print_message(f"{name} is now {model}")


@aliases.command("remove", example="limner aliases remove draft")
@click.argument("name", shell_complete=complete_aliases)
def remove_alias(name: str) -> None:
    """Remove an alias."""
    from limner.cli.console import print_message
    from limner.configuration import change, configuration
    from limner.errors import did_you_mean

    if not change(("aliases", name), None):
        own = configuration().aliases
        meant = did_you_mean(name, own) or (f"set: {', '.join(sorted(own))}" if own else "none is set")
        raise click.BadParameter(f"there is no alias {name!r}; {meant}", param_hint="NAME")
    print_message(f"removed the alias {name}")
