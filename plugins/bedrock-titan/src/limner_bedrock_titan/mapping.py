"""Map tasks to Titan's and Nova Canvas's request bodies, and their response bodies to pictures. Pure."""

from __future__ import annotations

import re
from functools import singledispatch
from typing import Literal

import attrs
from limner import (
    BadResponse,
    Generate,
    Image,
    Inpaint,
    Mask,
    Outpaint,
    Picture,
    RemoveBackground,
    Task,
    Vary,
    expand_canvas,
)
from limner_bedrock import picture_from_base64
from limner_bedrock.payloads import Base64
from limner_bedrock.wire import read_answer

from limner_bedrock_titan import wire
from limner_bedrock_titan.limits import DEFAULT, PRECISE

_FILTER = re.compile(r"filter|block|\bAUP\b|Responsible AI|moderat", re.IGNORECASE)


@singledispatch
def to_body(task: Task) -> wire.Body:
    """Map a task within the limits to a request body."""
    raise NotImplementedError(task.kind)


@to_body.register
def _(task: Generate) -> wire.Body:
    options = task.options
    if "colors" in options:
        return wire.Body(
            taskType="COLOR_GUIDED_GENERATION",
            colorGuidedGenerationParams=wire.ColorGuidedGenerationParams(
                text=_text(task.prompt),
                colors=list(options["colors"]),
                negativeText=_optional_text(task.negative_prompt),
                referenceImage=options.get("reference_image"),
            ),
            imageGenerationConfig=_config(task),
        )
    return wire.Body(
        taskType="TEXT_IMAGE",
        textToImageParams=wire.TextToImageParams(
            text=_text(task.prompt),
            negativeText=_optional_text(task.negative_prompt),
            style=options.get("style"),
            conditionImage=options.get("condition_image"),
            controlMode=options.get("control_mode"),
            controlStrength=options.get("control_strength"),
        ),
        imageGenerationConfig=_config(task),
    )


@to_body.register
def _(task: Vary) -> wire.Body:
    return wire.Body(
        taskType="IMAGE_VARIATION",
        imageVariationParams=wire.ImageVariationParams(
            images=list(task.image),
            text=_optional_text(task.prompt),
            negativeText=_optional_text(task.negative_prompt),
            similarityStrength=None if task.strength is None else round(1 - task.strength, 10),
        ),
        imageGenerationConfig=_config(task),
    )


@to_body.register
def _(task: Inpaint) -> wire.Body:
    return wire.Body(
        taskType="INPAINTING",
        inPaintingParams=wire.InPaintingParams(
            image=task.image,
            maskPrompt=task.mask_prompt,
            maskImage=task.mask.inverted() if isinstance(task.mask, Mask) else None,
            text=_optional_text(task.prompt),
            negativeText=_optional_text(task.negative_prompt),
            returnMask=task.options.get("return_mask"),
        ),
        imageGenerationConfig=_config(task),
    )


@to_body.register
def _(task: Outpaint) -> wire.Body:
    image, mask = canvas(task)
    return wire.Body(
        taskType="OUTPAINTING",
        outPaintingParams=wire.OutPaintingParams(
            image=image,
            text=_text(task.prompt),
            maskPrompt=task.keep_prompt,
            maskImage=mask,
            negativeText=_optional_text(task.negative_prompt),
            outPaintingMode=task.options.get("outpainting_mode", PRECISE if task.preserve else DEFAULT),
            returnMask=task.options.get("return_mask"),
        ),
        imageGenerationConfig=_config(task),
    )


@to_body.register
def _(task: RemoveBackground) -> wire.Body:
    return wire.Body(taskType="BACKGROUND_REMOVAL", backgroundRemovalParams=wire.BackgroundRemovalParams(image=task.image))


def canvas(task: Outpaint) -> tuple[Image, Mask | None]:
    """Return the image to extend and its mask, which needs no inversion: Titan's OUTPAINTING too repaints white."""
    if task.expand is not None:
        return expand_canvas(task.image, task.expand)
    return task.image, task.mask if isinstance(task.mask, Mask) else None


def _config(task: Generate | Vary | Inpaint | Outpaint) -> wire.ImageGenerationConfig:
    width, height = task.size or (None, None)
    return wire.ImageGenerationConfig(
        numberOfImages=task.n,
        quality=task.options.get("quality"),
        width=width,
        height=height,
        cfgScale=task.guidance_scale,
        seed=task.seed,
    )


def _optional_text(text: object) -> str | None:
    return None if text is None else _text(text)


def _text(text: object) -> str:
    """The limits allow only a single text without a weight."""
    assert isinstance(text, str)  # noqa: S101
    return text


def to_pictures(body: bytes, requested: int) -> list[Picture]:
    """Parse a response body.

    Args:
        body: the response body.
        requested: how many pictures the request asked for.

    Raises:
        BadResponse: the body is not what AWS documents.
    """
    answer = read_answer(body, wire.Answer)
    if answer.images is None and answer.error is None:
        raise BadResponse("the response has neither images nor an error")
    pictures = list(map(_picture, answer.images or []))
    if answer.error is not None:
        pictures = _with_error(pictures, requested, answer.error)
    if answer.maskImage is not None and pictures:
        pictures[0] = _with_mask(pictures[0], answer.maskImage)
    return pictures


def _picture(text: Base64) -> Picture:
    """An unreadable picture does not discard the others."""
    try:
        return Picture(image=picture_from_base64(text, "the picture"))
    except BadResponse as error:
        return Picture(outcome="failed", reason=error.message)


def _with_error(pictures: list[Picture], requested: int, error: str) -> list[Picture]:
    """The error concerns the missing pictures; if none is missing it may concern any, so that none counts as a success."""
    outcome: Literal["filtered", "failed"] = "filtered" if _FILTER.search(error) else "failed"
    reason = error or "the response reports an error without a message"
    missing = Picture(outcome=outcome, reason=reason)
    if len(pictures) < requested:
        return pictures + [missing] * (requested - len(pictures))
    return [attrs.evolve(picture, outcome=outcome, reason=reason) for picture in pictures]


def _with_mask(picture: Picture, text: Base64) -> Picture:
    try:
        return attrs.evolve(picture, mask=picture_from_base64(text, "the mask"))
    except BadResponse as error:
        return attrs.evolve(picture, reason="; ".join(filter(None, (picture.reason, error.message))))
