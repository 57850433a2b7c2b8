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
            ``size`` may then be given, though none is sent.
    """

    parameters: Mapping[str, Constraint]
    options: Mapping[str, Constraint] = attrs.field(factory=dict)
    own_size: str = ""

    def _repr_html_(self) -> str:
        return display.limits(self.flattened().items())

    def flattened(self) -> dict[str, Constraint]:
        """Return every limit by the name that accounts and errors use: options as ``options.NAME``."""
        return {**self.parameters, **{f"options.{name}": limit for name, limit in self.options.items()}}

    @property
    def per_call(self) -> int:
        """How many pictures one call makes."""
        count = self.parameters.get("n")
        return count.per_call if isinstance(count, Count) else 1

    def seed_offset(self, n: int | None) -> int:
        """Return how far the last call's seed lies above the first's when ``n`` pictures are made."""
        return ((n or 1) - 1) // self.per_call * self.per_call

    def supports(self, name: str) -> bool:
        """Tell whether the model supports a parameter or an option of that name."""
        return name in self.parameters or name.removeprefix("options.") in self.options

    def allows_size(self, size: Size) -> bool:
        """Tell whether it makes pictures of a width and height in pixels; where those follow the picture, takes them."""
        if "size" in self.parameters:
            return self.parameters["size"].wrong(size) is None
        image = self.parameters.get("image")
        picture = image.of if isinstance(image, Pictures) else image
        return isinstance(picture, Picture) and picture.wrong_size(size) is None


Limits = Mapping["type[Task]", TaskLimits]
