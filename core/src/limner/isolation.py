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


@contextlib.contextmanager
def blaming(model: type[ModelInterface], step: str) -> Iterator[None]:
    """Turn whatever a model's code raises into a PluginError that names it."""
    try:
        yield
    except (LimnerError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(f"{model.id}: {model.__module__}.{model.__qualname__}.{step} failed: {error!r}") from error


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
