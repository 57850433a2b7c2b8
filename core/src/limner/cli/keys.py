"""keys: store the keys of providers in a file that only the user can read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from limner.cli.commands import Group
from limner.cli.completing import complete_stored_keys, completing
from limner.cli.options import json_option

if TYPE_CHECKING:
    from limner.keys import Key

_MOST_CHARACTERS = 10_000


complete_keys = completing(lambda _: declared_keys())


@click.group(cls=Group, example="limner keys set openai")
def keys() -> None:
    """Store keys of providers.

    The keys are in a file that only you can read (mode 0600). An environment variable goes before a stored key, and the
    setting api_key before both. No command shows a key. AWS has its own configuration: 'limner doctor' checks it.
    """


@keys.command("set", example="limner keys set openai")
@click.argument("name", shell_complete=complete_keys)
def set_key(name: str) -> None:
    """Store a key.

    NAME is one of 'limner keys list', or one of its environment variables. The key is read from a hidden prompt or from
    standard input, so that it is in no shell history and no process list.
    """
    from limner.cli.console import print_message
    from limner.keys import key_file, store_key

    key = _find(name)
    value = _read_value(key.name)
    store_key(key.name, value)
    print_message(f"stored the key {key.name} in {key_file()}")
    found = key.find()
    if found is not None and found.variable:
        print_message(f"note: {found.variable} is set and goes before the stored key")


@keys.command("list", example="limner keys list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the keys that installed models use.

    For each key: whether it comes from the environment or from the key store. The keys themselves are never shown.
    """
    from limner.cli.console import print_json, print_message
    from limner.folders import others_can_read
    from limner.keys import key_file, stored_keys

    stored = stored_keys()
    rows = [(key.name, key.variables, _source(key), users) for key, users in declared_keys().values()]
    rows += [(name, (), "store", []) for name in sorted(stored) if name not in declared_keys()]
    if as_json:
        columns = ("name", "variables", "source", "plugins")
        print_json([dict(zip(columns, (name, list(variables), *more), strict=True)) for name, variables, *more in rows])
    elif not rows:
        print_message("no installed model uses a key, and none is stored")
    else:
        from limner.cli.tables import print_table

        texts = [
            (name, source, ", ".join(variables), ", ".join(users) or "no installed model")
            for name, variables, source, users in rows
        ]
        print_table(("key", "source", "environment variables", "used by"), texts)
    if others_can_read(key_file()):
        print_message(f"warning: other users can read {key_file()}; run 'chmod 600' on it")


@keys.command("remove", example="limner keys remove openai")
@click.argument("name", shell_complete=complete_stored_keys)
def remove_key(name: str) -> None:
    """Remove a stored key."""
    from limner.cli.console import print_message
    from limner.errors import did_you_mean
    from limner.keys import store_key, stored_keys

    stored = stored_keys()
    if name not in stored:
        declared = next((key.name for key, _ in declared_keys().values() if name in key.variables), name)
        if declared not in stored:
            meant = did_you_mean(name, stored) or (f"stored: {', '.join(sorted(stored))}" if stored else "none is stored")
            raise click.BadParameter(f"no key {name!r} is stored; {meant}", param_hint="NAME")
        name = declared
    store_key(name, None)
    print_message(f"removed the key {name}")


@keys.command("path", example="limner keys path")
def path() -> None:
    """Print the path of the file with the keys."""
    from limner.keys import key_file

    click.echo(key_file())


def declared_keys() -> dict[str, tuple[Key, list[str]]]:
    """Return the keys that installed models use, each with the plugins of those models."""
    from limner.isolation import breaking_alone, checked
    from limner.keys import Key
    from limner.plugins import registry

    found: dict[str, tuple[Key, list[str]]] = {}
    for model, plugin in registry().models():
        with breaking_alone(plugin, f"{model.__name__}.api_keys"):
            for key in model.api_keys():
                checked(key, Key)
                known, users = found.setdefault(key.name, (key, []))
                variables = tuple(dict.fromkeys(known.variables + key.variables))
                found[key.name] = (Key(key.name, variables), users if plugin.name in users else [*users, plugin.name])
    return dict(sorted(found.items()))


def _find(name: str) -> Key:
    from limner.errors import did_you_mean

    declared = {key.name: key for key, _ in declared_keys().values()}
    found = declared.get(name) or next((key for key in declared.values() if name in key.variables), None)
    if found is None:
        meant = did_you_mean(name, declared)
        available = f"available: {', '.join(declared)}" if declared else "install a provider first, see 'limner install'"
        raise click.BadParameter(f"no installed model uses a key {name!r}; {meant or available}", param_hint="NAME")
    return found


def _source(key: Key) -> str:
    found = key.find()
    return "none" if found is None else f"environment ({found.variable})" if found.variable else "store"


def _read_value(name: str) -> str:
    """Read the key from a hidden prompt, or from standard input that is no terminal."""
    text = click.prompt(f"Key {name} (hidden)", hide_input=True, err=True) if sys.stdin.isatty() else _standard_input()
    value: str = text.strip()
    if not value:
        raise click.UsageError("the key is empty; type it at the prompt, or give it on standard input")
    if len(value) > _MOST_CHARACTERS or not (value.isascii() and value.isprintable()):
        raise click.UsageError("the key must be one line of printable ASCII characters (it is not shown here)")
    return value


def _standard_input() -> str:
    return sys.stdin.read(_MOST_CHARACTERS + 2)
