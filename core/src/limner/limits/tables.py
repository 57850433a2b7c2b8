"""The limits of a task: one constraint for each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from limner.images import Size
from limner.limits.base import Constraint
from limner.limits.pictures import Picture, Pictures

if TYPE_CHECKING:
    from limner.tasks import Task


@attrs.frozen
class TaskLimits:
    """What a model accepts for one task.

    Args:
        parameters: the constraint of each uniform parameter that the model has a word for.
        options: the constraint of each option that only this provider knows.
        own_size: the provider's document that says that an edit's result has the size of its picture or canvas. That very
            ``size`` may then be said, though none is sent.
    """

    parameters: Mapping[str, Constraint]
    options: Mapping[str, Constraint] = attrs.field(factory=dict)
    own_size: str = ""

    def supports(self, name: str) -> bool:
        """Tell whether there is a parameter or an option of that name."""
        return name in self.parameters or name.removeprefix("options.") in self.options

    def allows_size(self, size: Size) -> bool:
        """Tell whether it makes pictures of a width and height in pixels; where those follow the picture, takes them."""
        if "size" in self.parameters:
            return self.parameters["size"].wrong(size) is None
        image = self.parameters.get("image")
        picture = image.of if isinstance(image, Pictures) else image
        return isinstance(picture, Picture) and picture.wrong_size(size) is None


Limits = Mapping["type[Task]", TaskLimits]
