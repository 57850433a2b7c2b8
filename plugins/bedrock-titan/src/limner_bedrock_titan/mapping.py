"""A task as Titan's or Nova Canvas's request, and the answer as pictures. Pure."""

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
    """Write a task that keeps the limits as a request."""
    raise NotImplementedError(task.kind)


@to_body.register
def _(task: Generate) -> wire.Body:
    options = task.options
    if "colors" in options:
        return wire.Body(
            taskType="COLOR_GUIDED_GENERATION",
            colorGuidedGenerationParams=wire.ColorGuidedGenerationParams(
                text=_needed(task.prompt),
                colors=list(options["colors"]),
                negativeText=_one(task.negative_prompt),
                referenceImage=options.get("reference_image"),
            ),
            imageGenerationConfig=_config(task),
        )
    return wire.Body(
        taskType="TEXT_IMAGE",
        textToImageParams=wire.TextToImageParams(
            text=_needed(task.prompt),
            negativeText=_one(task.negative_prompt),
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
            text=_one(task.prompt),
            negativeText=_one(task.negative_prompt),
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
            text=_one(task.prompt),
            negativeText=_one(task.negative_prompt),
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
            text=_needed(task.prompt),
            maskPrompt=task.keep_prompt,
            maskImage=mask,
            negativeText=_one(task.negative_prompt),
            outPaintingMode=task.options.get("outpainting_mode", PRECISE if task.preserve else DEFAULT),
            returnMask=task.options.get("return_mask"),
        ),
        imageGenerationConfig=_config(task),
    )


@to_body.register
def _(task: RemoveBackground) -> wire.Body:
    return wire.Body(taskType="BACKGROUND_REMOVAL", backgroundRemovalParams=wire.BackgroundRemovalParams(image=task.image))


def canvas(task: Outpaint) -> tuple[Image, Mask | None]:
    """The picture to be continued, and what is opened on it; that mask's colours are Titan's own for OUTPAINTING."""
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


def _one(text: object) -> str | None:
    """The limits leave one text, without a weight."""
    return None if text is None else _needed(text)


def _needed(text: object) -> str:
    assert isinstance(text, str)  # noqa: S101
    return text


def to_pictures(body: bytes, wanted: int) -> list[Picture]:
    """Read an answer.

    Args:
        body: the answer.
        wanted: how many pictures the request asked for.

    Raises:
        BadResponse: it is not what is documented.
    """
    answer = read_answer(body, wire.Answer)
    if answer.images is None and answer.error is None:
        raise BadResponse("the answer has neither images nor an error")
    pictures = list(map(_picture, answer.images or []))
    if answer.error is not None:
        pictures = _faulted(pictures, wanted, answer.error)
    if answer.maskImage is not None and pictures:
        pictures[0] = _with_mask(pictures[0], answer.maskImage)
    return pictures


def _picture(text: Base64) -> Picture:
    """One unreadable picture does not take the others with it."""
    try:
        return Picture(image=picture_from_base64(text, "the picture"))
    except BadResponse as error:
        return Picture(outcome="failed", reason=error.message)


def _faulted(pictures: list[Picture], wanted: int, error: str) -> list[Picture]:
    """An error is about the pictures that are missing; where none is, any of them may be meant, and none is a success."""
    outcome: Literal["filtered", "failed"] = "filtered" if _FILTER.search(error) else "failed"
    reason = error or "the answer has an error without words"
    missing = Picture(outcome=outcome, reason=reason)
    if len(pictures) < wanted:
        return pictures + [missing] * (wanted - len(pictures))
    return [attrs.evolve(picture, outcome=outcome, reason=reason) for picture in pictures]


def _with_mask(picture: Picture, text: Base64) -> Picture:
    try:
        return attrs.evolve(picture, mask=picture_from_base64(text, "the mask"))
    except BadResponse as error:
        return attrs.evolve(picture, reason="; ".join(filter(None, (picture.reason, error.message))))
