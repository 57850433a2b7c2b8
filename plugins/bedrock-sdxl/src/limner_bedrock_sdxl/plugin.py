"""The model, and the hook that offers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from limner import Model, Outpaint, Picture, Problem, Request, Response, Task, Vary, hookimpl
from limner_bedrock import BedrockModel

from limner_bedrock_sdxl.limits import LIFECYCLE, LIMITS, MASK_ALPHA, MASKING, SCHEDULE, STABILITY


class Sdxl(BedrockModel):
    """Stability SDXL 1.0 on Amazon Bedrock."""

    id = "stability.stable-diffusion-xl-v1"
    ids = ("stability.stable-diffusion-xl-v1", "stability.stable-diffusion-xl-v1:0")
    aliases = ("sdxl",)
    limits = LIMITS
    lifecycle = LIFECYCLE

    def check(self, task: Task) -> Iterator[Problem]:
        """Say what is wrong between parameters that are each allowed."""
        for name in SCHEDULE:
            if isinstance(task, Vary) and task.strength is not None and name in task.options:
                why = "a schedule takes the place of strength; say one of them"
                yield Problem.of(f"options.{name}", task.options[name], why, STABILITY)
        if task.options.get("mask_source") == MASK_ALPHA and getattr(task, "mask", None) != "alpha":
            instead = "give mask='alpha'" + (", not expand" if isinstance(task, Outpaint) else "")
            why = f"the model would look at the picture's transparency and not at the mask; {instead}"
            yield Problem.of("options.mask_source", MASK_ALPHA, why, MASKING)

    def warnings(self, task: Task) -> Iterator[str]:
        """Say so where no text of the prompt has a weight over 0."""
        prompt = getattr(task, "prompt", None)
        if isinstance(prompt, tuple) and not any(part.weight > 0 for part in prompt):
            yield "no text of the prompt has a weight over 0: SDXL is told only what not to paint"

    def encode(self, task: Task) -> Request:
        """Write the task as the model's JSON."""
        from limner_bedrock.wire import write_body

        from limner_bedrock_sdxl.mapping import to_body

        return Request(self.model_id, write_body(to_body(task)))

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:  # noqa: ARG002 - the answer says it all
        """Read the model's answer."""
        from limner_bedrock_sdxl.mapping import to_pictures

        return to_pictures(response.body)


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Offer the model."""
    return [Sdxl]
