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
    """Return the classes of the models that the plugin offers: data alone, nothing opened, nothing asked."""
    raise NotImplementedError


@hookspec(firstresult=True)
def limner_run(model: Model, task: Task) -> Result | None:
    """Run a task and return its result.

    A ``wrapper=True`` implementation sees the result or the error of every call. A ``tryfirst=True`` one may answer
    in place of the model; ``None`` passes the task on. The same in sync and async: it is called in the thread that runs.
    """
    raise NotImplementedError


@hookspec
def limner_commands(cli: click.Group) -> None:
    """Add commands to the command line: ``cli.add_command(...)``."""
    raise NotImplementedError
