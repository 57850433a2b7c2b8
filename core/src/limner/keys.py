"""Provider keys: from the environment, else from the user's key store, which ``limner keys`` writes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import attrs

from limner.errors import Problem, TaskRefused
from limner.folders import config_folder, write_private

_MOST_BYTES = 1_000_000


@attrs.frozen
class FoundKey:
    """A key and its source.

    Attributes:
        value: the key itself; never shown.
        variable: the environment variable that holds it; empty if it comes from the key store.
    """

    value: str = attrs.field(repr=False)
    variable: str = ""

    @property
    def source(self) -> str:
        """The source of the key, for messages."""
        return f"from {self.variable}" if self.variable else "from the key store"


@attrs.frozen
class Key:
    """A key that a model can use, as :meth:`limner.Model.api_keys` declares it.

    Args:
        name: its name in the key store, such as ``openai``; empty if it cannot be stored.
        variables: environment variables that can hold it, in order of precedence.
    """

    name: str
    variables: tuple[str, ...] = ()

    def find(self) -> FoundKey | None:
        """Return the key from the environment, else the stored key; ``None`` if there is none.

        Raises:
            TaskRefused: the key store cannot be read, or is damaged.
        """
        for variable in self.variables:
            if value := os.environ.get(variable, "").strip():
                return FoundKey(value, variable)
        stored = stored_keys().get(self.name) if self.name else None
        return None if stored is None else FoundKey(stored)


def key_file() -> Path:
    """Return the path of the key store, which may not exist."""
    return config_folder() / "keys.json"


def stored_keys() -> dict[str, str]:
    """Return all stored keys by name.

    Raises:
        TaskRefused: the key store cannot be read, or is damaged.
    """
    path = key_file()
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from error
    try:
        found = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise _refused(path, "is not a JSON object of names and keys; correct it, or remove it and set the keys again")
    return found


def store_key(name: str, value: str | None) -> None:
    """Store a key; ``None`` removes it.

    Raises:
        TaskRefused: the key store cannot be read, or is damaged.
        OSError: the key store cannot be written.
    """
    keys = {known: stored for known, stored in stored_keys().items() if known != name}
    if value is not None:
        keys[name] = value
    write_private(key_file(), json.dumps(keys, indent=2, sort_keys=True).encode() + b"\n")


def _refused(path: Path, limit: str) -> TaskRefused:
    return TaskRefused([Problem("key store", str(path), limit)])
