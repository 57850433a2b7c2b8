"""A plugin breaks alone: whatever its code raises is that plugin's failure, and everything else goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from pluggy import PluginValidationError

from limner.errors import LimnerError, PluginError

if TYPE_CHECKING:
    from limner.interface import ModelInterface
    from limner.plugins import Plugin

T = TypeVar("T")


@contextlib.contextmanager
def breaking_alone(plugin: Plugin, where: str) -> Iterator[None]:
    """Mark a plugin as broken when its code raises anything, even SystemExit, and carry on."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        plugin.broken = f"{where}: {description(error)}"


class blaming:  # noqa: N801 - a context manager, used as contextlib's are; as a generator it costs three times the calls
    """Turn whatever a model's code raises into a PluginError that names it."""

    __slots__ = ("_model", "_step")

    def __init__(self, model: type[ModelInterface], step: str) -> None:
        self._model, self._step = model, step

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is not None and not isinstance(error, LimnerError | KeyboardInterrupt):
            who = f"{self._model.__module__}.{self._model.__qualname__}"
            raise PluginError(f"{self._model.id}: {who}.{self._step} failed: {error!r}") from error


def checked(value: Any, kind: type[T]) -> T:
    """Check that a plugin returned what it should."""
    if not isinstance(value, kind):
        raise TypeError(f"returned {type(value).__name__}, not {kind.__name__}")
    return value


def description(error: BaseException) -> str:
    """Describe an error in one line."""
    if isinstance(error, SystemExit):
        return f"it calls sys.exit({error.code!r})"
    name = "" if isinstance(error, PluginError | PluginValidationError) else f"{type(error).__name__}: "
    return " ".join(f"{name}{error}".split())
