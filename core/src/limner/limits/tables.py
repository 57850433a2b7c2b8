"""The limits of a task: one constraint for each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from limner import display
from limner.images import Size
from limner.limits.base import Constraint
from limner.limits.numbers import Count
from limner.limits.pictures import Picture, Pictures

if TYPE_CHECKING:
    from limner.tasks import Task


@attrs.frozen
class TaskLimits:
    """What a model accepts for one task.

    Args:
        parameters: the limit of each uniform parameter that the model supports.
        options: the limit of each provider-specific option.
        own_size: the provider's document that says that the result of an edit has the size of its picture or canvas. That
            ``size`` may then be given, but is not sent.
    """

    parameters: Mapping[str, Constraint]
    options: Mapping[str, Constraint] = attrs.field(factory=dict)
    own_size: str = ""

    def _repr_html_(self) -> str:
        return display.limits(self.flattened().items())

    def flattened(self) -> dict[str, Constraint]:
        """Return all limits by the names that accounts and errors use; options are ``options.NAME``."""
        return {**self.parameters, **{f"options.{name}": limit for name, limit in self.options.items()}}

    @property
    def per_call(self) -> int:
        """Maximum number of pictures per call."""
        count = self.parameters.get("n")
        return count.per_call if isinstance(count, Count) else 1

    def seed_offset(self, n: int | None) -> int:
        """Return the difference between the seeds of the last and the first call for ``n`` pictures."""
        return ((n or 1) - 1) // self.per_call * self.per_call

    def supports(self, name: str) -> bool:
        """Return whether the model supports a parameter or an option of that name."""
        return name in self.parameters or name.removeprefix("options.") in self.options

    def allows_size(self, size: Size) -> bool:
        """Return whether results may have this size in pixels; if they have the size of their picture, whether it may."""
        if "size" in self.parameters:
            return self.parameters["size"].wrong(size) is None
        image = self.parameters.get("image")
        picture = image.of if isinstance(image, Pictures) else image
        return isinstance(picture, Picture) and picture.wrong_size(size) is None


Limits = Mapping["type[Task]", TaskLimits]
