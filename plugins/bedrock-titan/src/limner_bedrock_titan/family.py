"""TitanFamilyModel: what Titan Image Generator and Nova Canvas share, which is the shape of body and answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from limner import Generate, Outpaint, Picture, Problem, Task
from limner_bedrock import BedrockModel

from limner_bedrock_titan.limits import DEFAULT, PRECISE

if TYPE_CHECKING:
    from limner_bedrock_titan.wire import Body

_OPTION_NEEDS = {
    "control_mode": "condition_image",
    "control_strength": "condition_image",
    "reference_image": "colors",
}
"""Options that only mean something together with another one."""


class TitanFamilyModel(BedrockModel):
    """A model with Titan's request and response bodies.

    Attributes:
        parameters_page: AWS's page about the body, cited when a combination of parameters is refused.
    """

    parameters_page: ClassVar[str]

    def check(self, task: Task) -> Iterator[Problem]:
        """Report conflicts between parameters."""
        if isinstance(task, Generate):
            yield from self._check_options(task)
        if isinstance(task, Outpaint):
            yield from self._check_outpainting_mode(task)

    def to_body(self, task: Task) -> Body:
        """Map a task to the request body."""
        from limner_bedrock_titan.mapping import to_body

        return to_body(task)

    def to_pictures(self, task: Task, body: bytes) -> Sequence[Picture]:
        """Parse the response body."""
        from limner_bedrock_titan.mapping import to_pictures

        return to_pictures(body, requested=getattr(task, "n", None) or 1)

    def _check_options(self, task: Generate) -> Iterator[Problem]:
        """Colors select another task type than a condition image or a style."""
        options = task.options
        for name in ("condition_image", "style"):
            if name in options and "colors" in options:
                yield Problem("options.colors", "", f"cannot be combined with options.{name}", self.parameters_page)
        for name, needed in _OPTION_NEEDS.items():
            if name in options and needed not in options:
                yield Problem.of(f"options.{name}", options[name], f"needs options.{needed}", self.parameters_page)

    def _check_outpainting_mode(self, task: Outpaint) -> Iterator[Problem]:
        mode, has_mask = task.options.get("outpainting_mode"), task.keep_prompt is None
        if has_mask and mode in {PRECISE, DEFAULT} and (mode == PRECISE) != task.preserve:
            conflict = f"contradicts preserve={task.preserve}; leave it out, since preserve determines it"
            yield Problem.of("options.outpainting_mode", mode, conflict, self.parameters_page)
