"""The user's configuration file: the default model, user-defined aliases, and defaults per model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from limner.errors import Problem, TaskRefused, did_you_mean, shorten
from limner.folders import config_folder, write_private

_MOST_BYTES = 1_000_000

Tables = Mapping[str, Mapping[str, Any]]


@attrs.frozen
class Configuration:
    """The content of ``config.toml``.

    Attributes:
        model: the default model; empty if none is set.
        aliases: user-defined names, each with the alias or full id of its model.
        settings: settings by model, which replace the defaults.
        arguments: task arguments by model, which the command line uses as defaults.
        logs: whether runs are logged.
    """

    model: str = ""
    aliases: Mapping[str, str] = attrs.field(factory=dict)
    settings: Tables = attrs.field(factory=dict)
    arguments: Tables = attrs.field(factory=dict)
    logs: bool = False

    def meant(self, name: str) -> str:
        """Resolve a user-defined alias; return any other name unchanged."""
        return self.aliases.get(name, name)

    def settings_of(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the settings of a model with several names; later names take precedence."""
        return _merged(self.settings, names)

    def arguments_of(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the arguments of a model with several names; later names take precedence."""
        return _merged(self.arguments, names)


def _merged(tables: Tables, names: Iterable[str]) -> dict[str, Any]:
    return {key: value for name in names for key, value in tables.get(name, {}).items()} if tables else {}


def configuration_file() -> Path:
    """Return the path of the file, which may not exist."""
    return config_folder() / "config.toml"


def configuration() -> Configuration:
    """Read the file; return an empty configuration if there is none.

    Raises:
        TaskRefused: the file cannot be read or is invalid; it lists all problems.
    """
    path = configuration_file()
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return _NOTHING
    except OSError as error:
        raise _refused(path, [f"cannot be read: {error.strerror or error}"]) from error
    return _read(path, state.st_mtime_ns, state.st_size)


_NOTHING = Configuration()


@functools.lru_cache(maxsize=1)
def _read(path: Path, _changed: int, _size: int) -> Configuration:
    """Read the file; cached until the file changes."""
    return parse(path, read_text(path))


def read_text(path: Path) -> str:
    """Read the text of the file.

    Raises:
        TaskRefused: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise _refused(path, [f"must have at most {_MOST_BYTES:,} bytes"])
        return data.decode()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _refused(path, [f"cannot be read: {error.strerror or error}"]) from error
    except UnicodeDecodeError as error:
        raise _refused(path, ["is not UTF-8 text"]) from error


def parse(path: Path, text: str) -> Configuration:
    """Check the content of a file.

    Raises:
        TaskRefused: the content is invalid; it lists all problems.
    """
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _refused(path, [f"is not TOML: {error}"]) from error
    problems = [problem for key, value in document.items() for problem in _wrong(key, value)]
    if problems:
        raise _refused(path, problems)
    return Configuration(**document)


def _wrong(key: str, value: Any) -> list[str]:
    """Return the problems with one key of the file."""
    if key not in _CHECKS:
        return [f"{key} is not a key; {did_you_mean(key, _CHECKS) or 'available: ' + ', '.join(_CHECKS)}"]
    return _CHECKS[key](key, value)


def _wrong_name(key: str, value: Any) -> list[str]:
    return [] if isinstance(value, str) and value.strip() else [f"{key} must be the name of a model, not {shorten(value)}"]


def _wrong_switch(key: str, value: Any) -> list[str]:
    return [] if isinstance(value, bool) else [f"{key} must be true or false, not {shorten(value)}"]


def _wrong_aliases(key: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [f'{key} must be a table such as [aliases] with draft = "sketch", not {shorten(value)}']
    return [problem for name, model in value.items() for problem in _wrong_name(f"{key}.{name}", model)]


def _wrong_tables(key: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [f"{key} must be a table for each model, such as [{key}.sketch], not {shorten(value)}"]
    return [
        f"{key}.{name} must be a table, such as [{key}.{name}], not {shorten(table)}"
        for name, table in value.items()
        if not isinstance(table, dict)
    ]


_CHECKS: Mapping[str, Callable[[str, Any], list[str]]] = {
    "model": _wrong_name,
    "aliases": _wrong_aliases,
    "settings": _wrong_tables,
    "arguments": _wrong_tables,
    "logs": _wrong_switch,
}


def change(keys: Sequence[str], value: Any) -> bool:
    """Set one value of the file, or remove it with ``None``; comments and the order of the rest are kept.

    Args:
        keys: the path of the value, such as ``("settings", "sketch", "timeout")``.
        value: a TOML value.

    Returns:
        Whether the file was changed.

    Raises:
        TaskRefused: the file is invalid, or would be with this value; nothing is written.
        OSError: the file cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    path = configuration_file()
    text = read_text(path)
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise _refused(path, [f"is not TOML: {error}"]) from error
    *tables, last = keys
    table: Any = document
    for key in tables:
        if key not in table:
            if value is None:
                return False
            table[key] = tomlkit.table(is_super_table=key in {"settings", "arguments"})
        table = table[key]
        if not isinstance(table, Mapping):
            raise _refused(path, [f"{key} is not a table"])
    if value is None:
        if last not in table:
            return False
        del table[last]
    else:
        table[last] = value
    changed = tomlkit.dumps(document)
    if value is not None:  # invalid keys can be removed one by one
        parse(path, changed)
    write_private(path, changed.encode())
    return True


def _refused(path: Path, limits: Iterable[str]) -> TaskRefused:
    return TaskRefused(Problem(str(path), "", limit) for limit in limits)
