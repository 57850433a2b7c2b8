"""config: the configuration file with the default model and the defaults per model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from limner.cli.commands import Group


@click.group(cls=Group, example="limner config set model sketch")
def config() -> None:
    r"""Read and change the configuration file.

    It holds your default model and your defaults for each model, in TOML. What a command line or a program says itself
    goes before the file.

    \b
    Keys:
      model                     the default model; LIMNER_MODEL goes first
      aliases.NAME              the model of your own alias NAME
      settings.MODEL.SETTING    a setting, as -S gives it
      arguments.MODEL.ARGUMENT  an argument of tasks on the command line,
                                such as size, n or seed
      logs                      whether runs are logged: true or false
    """


@config.command("path", example="limner config path")
def path() -> None:
    """Print the path of the configuration file."""
    from limner.configuration import configuration_file

    click.echo(configuration_file())


@config.command("get", example="limner config get settings.sketch")
@click.argument("key", required=False)
def get(key: str | None) -> None:
    """Print one value, or the whole file."""
    import tomlkit

    from limner.configuration import configuration_file, parse, read_text

    text = read_text(configuration_file())
    parse(configuration_file(), text)
    if key is None:
        click.echo(text, nl=False)
        return
    value: Any = tomlkit.parse(text).unwrap()
    for part in _parts(key):
        if not isinstance(value, Mapping) or part not in value:
            raise click.BadParameter(f"{key} is not set in {configuration_file()}", param_hint="KEY")
        value = value[part]
    click.echo(tomlkit.dumps(value) if isinstance(value, Mapping) else value, nl=not isinstance(value, Mapping))


@config.command("set", example="limner config set settings.sketch.timeout 60")
@click.argument("key")
@click.argument("value")
def set_value(key: str, value: str) -> None:
    """Set one value.

    VALUE is a TOML value such as 60, true or [768, 512]; anything else is text. Quote a part of KEY that has dots:
    'settings."vendor.model-1".timeout'.
    """
    from limner.cli.console import print_message
    from limner.configuration import change, configuration_file

    keys, parsed = _parts(key), _value(value)
    _check(key, keys, parsed)
    change(keys, parsed)
    print_message(f"set {key} in {configuration_file()}")


@config.command("unset", example="limner config unset settings.sketch.timeout")
@click.argument("key")
def unset(key: str) -> None:
    """Remove one value, or a table with all its values."""
    from limner.cli.console import print_message
    from limner.configuration import change, configuration_file

    if not change(_parts(key), None):
        raise click.BadParameter(f"{key} is not set in {configuration_file()}", param_hint="KEY")
    print_message(f"removed {key} from {configuration_file()}")


def _parts(key: str) -> list[str]:
    """Split a dotted key as TOML does."""
    import tomllib

    try:
        found: Any = tomllib.loads(f"{key} = 0") if "=" not in key and "\n" not in key else {}
    except tomllib.TOMLDecodeError:
        found = {}
    parts = []
    while isinstance(found, dict) and found:
        part, found = next(iter(found.items()))
        parts.append(part)
    if not parts:
        raise click.BadParameter(f"{key!r} is not a key such as settings.sketch.timeout", param_hint="KEY")
    return parts


def _value(text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except tomllib.TOMLDecodeError:
        return text


def _check(key: str, keys: list[str], value: Any) -> None:
    """Check what depends on the installed models: names of models, settings and arguments."""
    from limner.plugins import registry

    match keys:
        case ["model"] if isinstance(value, str):
            registry().find(value)
        case ["settings", model, setting]:
            _check_setting(model, setting, value)
        case ["arguments", model, argument]:
            from limner.cli.defaults import check_argument

            registry().find(model)
            check_argument(key, argument)
        case ["settings" | "arguments", *_]:
            form = f"{keys[0]}.MODEL.{'SETTING' if keys[0] == 'settings' else 'ARGUMENT'}"
            raise click.BadParameter(f"{key!r} must be {form}", param_hint="KEY")


def _check_setting(model: str, setting: str, value: Any) -> None:
    import attrs

    from limner.plugins import registry

    kind = registry().find(model).Settings
    kind.of({setting: value})
    if not getattr(attrs.fields(kind), setting).repr:
        raise click.BadParameter(f"{setting} may be secret; store a key with 'limner keys set'", param_hint="KEY")
