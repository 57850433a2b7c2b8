"""The three models, and the hook that offers them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from limner import Generate, Model, Outpaint, Picture, Problem, Request, Response, Task, hookimpl
from limner_bedrock import BedrockModel

from limner_bedrock_titan import nova_limits
from limner_bedrock_titan.limits import (
    DEFAULT,
    LIFECYCLE_V1,
    LIFECYCLE_V2,
    LIMITS_V1,
    LIMITS_V2,
    MAX_BYTES,
    OVERVIEW,
    PARAMETERS,
    PICTURE,
    PRECISE,
)


class _TitanFamily(BedrockModel):
    """What the three have in common: the body and the answer.

    Attributes:
        parameters_page: AWS's page on the body, the source of what is refused.
    """

    parameters_page: ClassVar[str] = PARAMETERS

    def check(self, task: Task) -> Iterator[Problem]:
        """Say what is wrong between parameters that are each allowed."""
        if isinstance(task, Generate):
            yield from _wrong_conditions(task, self.parameters_page)
        if isinstance(task, Outpaint):
            yield from _wrong_mode(task, self.parameters_page)

    def encode(self, task: Task) -> Request:
        """Write the task as the model's JSON."""
        from limner_bedrock.wire import write_body

        from limner_bedrock_titan.mapping import to_body

        return Request(self.model_id, write_body(to_body(task)))

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        """Read the model's answer."""
        from limner_bedrock_titan.mapping import to_pictures

        return to_pictures(response.body, wanted=getattr(task, "n", None) or 1)


class _Titan(_TitanFamily):
    """What both versions have in common: all but the limits."""

    def check(self, task: Task) -> Iterator[Problem]:
        """Say what is wrong between parameters that are each allowed; the pictures' bytes have a limit too."""
        yield from super().check(task)
        if isinstance(task, Outpaint):
            yield from _heavy_canvas(task)


class TitanV1(_Titan):
    """Amazon Titan Image Generator G1 v1 on Amazon Bedrock."""

    id = "amazon.titan-image-generator-v1"
    ids = ("amazon.titan-image-generator-v1", "amazon.titan-image-generator-v1:0")
    aliases = ("titan-v1",)
    limits = LIMITS_V1
    lifecycle = LIFECYCLE_V1


class TitanV2(_Titan):
    """Amazon Titan Image Generator G1 v2 on Amazon Bedrock."""

    id = "amazon.titan-image-generator-v2:0"
    ids = ("amazon.titan-image-generator-v2:0",)
    aliases = ("titan", "titan-v2")
    limits = LIMITS_V2
    lifecycle = LIFECYCLE_V2


class NovaCanvas(_TitanFamily):
    """Amazon Nova Canvas on Amazon Bedrock; its body is Titan v2's, widened."""

    id = "amazon.nova-canvas-v1:0"
    ids = ("amazon.nova-canvas-v1:0",)
    aliases = ("nova",)
    limits = nova_limits.LIMITS
    lifecycle = nova_limits.LIFECYCLE
    parameters_page = nova_limits.PARAMETERS


def _wrong_conditions(task: Generate, page: str) -> Iterator[Problem]:
    """Colours are another task to the model than a condition image or a style, and each has followers of its own."""
    options = task.options
    for name in ("condition_image", "style"):
        if name in options and "colors" in options:
            yield Problem("options.colors", "", f"cannot go with options.{name}; say one of them", page)
    followers = {"control_mode": "condition_image", "control_strength": "condition_image", "reference_image": "colors"}
    for name, leader in followers.items():
        if name in options and leader not in options:
            yield Problem.of(f"options.{name}", options[name], f"needs options.{leader}", page)


def _wrong_mode(task: Outpaint, page: str) -> Iterator[Problem]:
    mode, known = task.options.get("outpainting_mode"), task.keep_prompt is None
    if known and mode in {PRECISE, DEFAULT} and (mode == PRECISE) != task.preserve:
        why = f"says the opposite of preserve={task.preserve}; leave it out, preserve decides"
        yield Problem.of("options.outpainting_mode", mode, why, page)


def _heavy_canvas(task: Outpaint) -> Iterator[Problem]:
    """The canvas is a new PNG, and may weigh more than the picture did."""
    if task.expand is None:
        return
    left, top, right, bottom = task.expand
    width, height = task.image.size
    if 4 * (left + width + right) * (top + height + bottom) < 0.9 * MAX_BYTES:  # no PNG of it can be too heavy
        return
    from limner import expand_canvas

    heavy = PICTURE.wrong(expand_canvas(task.image, task.expand)[0])
    if heavy is not None:
        yield Problem.of("expand", task.expand, f"makes a canvas that {heavy}", OVERVIEW)


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Offer the models."""
    return [TitanV1, TitanV2, NovaCanvas]
