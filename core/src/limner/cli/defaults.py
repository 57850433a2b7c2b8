"""Arguments of tasks that the configuration file gives for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from limner.configuration import configuration, configuration_file
from limner.errors import Problem, TaskRefused, did_you_mean

if TYPE_CHECKING:
    from limner.model import Model
    from limner.tasks import Task

ARGUMENTS = ("n", "size", "seed", "negative_prompt", "guidance_scale", "steps", "strength", "preserve", "options")
"""What a file may give for a model: everything that does not belong to one picture."""


def default_arguments(model: Model, name: str, task: type[Task]) -> dict[str, Any]:
    """Return the configured arguments that a task has.

    Raises:
        TaskRefused: an argument is unknown.
    """
    from limner.catalog import known_names

    found = configuration().arguments_of(known_names(type(model), name))
    for argument in found:
        check_argument(f"{configuration_file()}: arguments.{name}.{argument}", argument)
    fields = {field.name for field in attrs.fields(task)}
    return {argument: value for argument, value in found.items() if argument in fields}


def check_argument(key: str, argument: str) -> None:
    """Check the name of an argument.

    Raises:
        TaskRefused: it is unknown.
    """
    if argument not in ARGUMENTS:
        meant = did_you_mean(argument, ARGUMENTS) or f"available: {', '.join(ARGUMENTS)}"
        raise TaskRefused([Problem(key, "", f"is not an argument; {meant}")])
