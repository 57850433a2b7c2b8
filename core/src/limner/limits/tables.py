"""The limits of a task: one constraint for each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from limner.limits.base import Constraint

if TYPE_CHECKING:
    from limner.tasks import Task


@attrs.frozen
class TaskLimits:
    """What a model accepts for one task.

    Args:
        parameters: the constraint of each uniform parameter that the model has a word for.
        options: the constraint of each option that only this provider knows.
    """

    parameters: Mapping[str, Constraint]
    options: Mapping[str, Constraint] = attrs.field(factory=dict)

    def supports(self, name: str) -> bool:
        """Tell whether there is a parameter or an option of that name."""
        return name in self.parameters or name.removeprefix("options.") in self.options


Limits = Mapping["type[Task]", TaskLimits]
