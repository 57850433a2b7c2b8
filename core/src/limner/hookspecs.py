"""Every hook that a plugin may implement; ``from limner import hookimpl`` marks an implementation.

A plugin is an installed distribution with an entry point in the group ``limner`` that names a module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from limner.model import Model
    from limner.results import Result
    from limner.tasks import Task

hookspec = pluggy.HookspecMarker("limner")
hookimpl = pluggy.HookimplMarker("limner")


@hookspec
def limner_models() -> Sequence[type[Model]]:
    """Return the model classes that the plugin offers. It must not do I/O."""
    raise NotImplementedError


@hookspec(firstresult=True)
def limner_run(model: Model, task: Task) -> Result | None:
    """Run a task and return its result.

    An implementation with ``wrapper=True`` sees the result or the error of every run. One with ``tryfirst=True`` may
    return a result instead of the model; ``None`` passes the task on. Sync and async runs call it, in the thread of the run.
    """
    raise NotImplementedError


@hookspec
def limner_commands(cli: click.Group) -> None:
    """Add commands to the command line: ``cli.add_command(...)``."""
    raise NotImplementedError
