"""Both versions of Titan Image Generator, and the hook that registers them and Nova Canvas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from limner import Model, Outpaint, Problem, Task, hookimpl

from limner_bedrock_titan.family import TitanFamilyModel
from limner_bedrock_titan.limits import (
    LIFECYCLE_V1,
    LIFECYCLE_V2,
    LIMITS_V1,
    LIMITS_V2,
    MAX_BYTES,
    OVERVIEW,
    PARAMETERS,
    PICTURE,
)
from limner_bedrock_titan.nova import NovaCanvas


class Titan(TitanFamilyModel):
    """What both versions of Titan Image Generator share."""

    parameters_page = PARAMETERS

    def check(self, task: Task) -> Iterator[Problem]:
        """Report conflicts between parameters, and an expanded image of too many bytes."""
        yield from super().check(task)
        if isinstance(task, Outpaint):
            yield from _check_canvas_bytes(task)


class TitanV1(Titan):
    """Amazon Titan Image Generator G1 v1 on Amazon Bedrock."""

    id = "amazon.titan-image-generator-v1"
    ids = ("amazon.titan-image-generator-v1:0",)
    aliases = ("titan-v1",)
    limits = LIMITS_V1
    lifecycle = LIFECYCLE_V1


class TitanV2(Titan):
    """Amazon Titan Image Generator G1 v2 on Amazon Bedrock."""

    id = "amazon.titan-image-generator-v2:0"
    aliases = ("titan", "titan-v2")
    limits = LIMITS_V2
    lifecycle = LIFECYCLE_V2


def _check_canvas_bytes(task: Outpaint) -> Iterator[Problem]:
    """The canvas is a new PNG, which may have more bytes than the image."""
    if task.expand is None:
        return
    left, top, right, bottom = task.expand
    width, height = task.image.size
    if 4 * (left + width + right) * (top + height + bottom) < 0.9 * MAX_BYTES:  # even uncompressed it is small enough
        return
    from limner import expand_canvas

    wrong = PICTURE.wrong(expand_canvas(task.image, task.expand)[0])
    if wrong is not None:
        yield Problem.of("expand", task.expand, f"makes a canvas that {wrong}", OVERVIEW)


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Register the models."""
    return [TitanV1, TitanV2, NovaCanvas]
