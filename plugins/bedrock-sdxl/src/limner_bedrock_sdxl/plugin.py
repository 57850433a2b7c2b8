"""The model, and the hook that registers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from limner import Model, Outpaint, Picture, Problem, Task, Vary, hookimpl
from limner_bedrock import BedrockModel

from limner_bedrock_sdxl.limits import LIFECYCLE, LIMITS, MASK_ALPHA, MASKING, SCHEDULE, STABILITY

if TYPE_CHECKING:
    from limner_bedrock_sdxl.wire import Body


class Sdxl(BedrockModel):
    """Stability SDXL 1.0 on Amazon Bedrock."""

    id = "stability.stable-diffusion-xl-v1"
    ids = ("stability.stable-diffusion-xl-v1:0",)
    aliases = ("sdxl",)
    limits = LIMITS
    lifecycle = LIFECYCLE

    def check(self, task: Task) -> Iterator[Problem]:
        """Report conflicts between parameters."""
        for name in SCHEDULE:
            if isinstance(task, Vary) and task.strength is not None and name in task.options:
                conflict = "replaces strength; give only one of them"
                yield Problem.of(f"options.{name}", task.options[name], conflict, STABILITY)
        if task.options.get("mask_source") == MASK_ALPHA and getattr(task, "mask", None) != "alpha":
            instead = "give mask='alpha'" + (", not expand" if isinstance(task, Outpaint) else "")
            conflict = f"makes the model use the image's transparency instead of the mask; {instead}"
            yield Problem.of("options.mask_source", MASK_ALPHA, conflict, MASKING)

    def warnings(self, task: Task) -> Iterator[str]:
        """Warn about a prompt without any positive weight."""
        prompt = getattr(task, "prompt", None)
        if isinstance(prompt, tuple) and not any(part.weight > 0 for part in prompt):
            yield "no part of the prompt has a weight above 0: SDXL is only told what not to paint"

    def to_body(self, task: Task) -> Body:
        """Map a task to the request body."""
        from limner_bedrock_sdxl.mapping import to_body

        return to_body(task)

    def to_pictures(self, task: Task, body: bytes) -> Sequence[Picture]:  # noqa: ARG002 - the body is sufficient
        """Parse the response body."""
        from limner_bedrock_sdxl.mapping import to_pictures

        return to_pictures(body)


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Register the model."""
    return [Sdxl]
