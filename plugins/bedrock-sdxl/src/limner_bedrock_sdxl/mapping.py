"""Map tasks to SDXL's request bodies, and its response bodies to pictures. Pure."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from limner import (
    BadResponse,
    ContentFiltered,
    Generate,
    Inpaint,
    Mask,
    Outpaint,
    Picture,
    ProviderError,
    RequestRejected,
    Task,
    Vary,
    expand_canvas,
)
from limner_bedrock import picture_from_base64
from limner_bedrock.wire import read_answer

from limner_bedrock_sdxl import wire
from limner_bedrock_sdxl.limits import MASK_ALPHA, MASK_BLACK, MASK_WHITE

Painted = Generate | Vary | Inpaint | Outpaint


@singledispatch
def to_body(task: Task) -> wire.Body:
    """Map a task within the limits to a request body."""
    raise NotImplementedError(task.kind)


@to_body.register
def _(task: Generate) -> wire.Body:
    width, height = task.size or (None, None)
    return wire.Body(width=width, height=height, **_shared(task))


@to_body.register
def _(task: Vary) -> wire.Body:
    (image,) = task.image
    start, end = task.options.get("step_schedule_start"), task.options.get("step_schedule_end")
    mode = None
    if start is not None or end is not None:
        mode = "STEP_SCHEDULE"
    elif task.strength is not None:
        mode = "IMAGE_STRENGTH"
    return wire.Body(
        init_image=image,
        init_image_mode=mode,
        image_strength=None if task.strength is None else round(1 - task.strength, 10),
        step_schedule_start=start,
        step_schedule_end=end,
        **_shared(task),
    )


@to_body.register(Inpaint)
@to_body.register(Outpaint)
def _(task: Inpaint | Outpaint) -> wire.Body:
    image, mask, source = task.image, task.mask, task.options.get("mask_source")
    if isinstance(task, Outpaint) and task.expand is not None:
        image, mask = expand_canvas(task.image, task.expand)
    if source is None:
        source = MASK_ALPHA if mask == "alpha" else MASK_WHITE
    sent = mask if isinstance(mask, Mask) else Mask.from_alpha(image)
    return wire.Body(
        init_image=image,
        mask_source=source,
        mask_image=sent.inverted() if source == MASK_BLACK else sent,
        **_shared(task),
    )


def _shared(task: Painted) -> dict[str, Any]:
    """Return the keys that all three modes share."""
    options = {name: task.options.get(name) for name in ("style_preset", "sampler", "clip_guidance_preset", "extras")}
    return {
        "text_prompts": _text_prompts(task),
        "cfg_scale": task.guidance_scale,
        "steps": task.steps,
        "seed": task.seed,
        "samples": task.n,
        **options,
    }


def _text_prompts(task: Painted) -> list[wire.TextPrompt]:
    """List the prompt's texts, then the negative ones; there is at least one text."""
    match task.prompt:
        case None:
            positive = [wire.TextPrompt("")]
        case str(text):
            positive = [wire.TextPrompt(text)]
        case parts:
            positive = [wire.TextPrompt(part.text, part.weight) for part in parts]
    negative = (task.negative_prompt,) if isinstance(task.negative_prompt, str) else task.negative_prompt or ()
    return positive + [wire.TextPrompt(text, -1.0) for text in negative]


def to_pictures(body: bytes) -> list[Picture]:
    """Parse a response body.

    Raises:
        BadResponse: the body is not what AWS documents.
        ContentFiltered, RequestRejected: the body reports an error.
    """
    answer = read_answer(body, wire.Answer)
    if answer.result == "error" or answer.error is not None:
        raise _error(answer.error or wire.Error())
    if answer.artifacts is None:
        raise BadResponse("the response has no artifacts")
    return list(map(_picture, answer.artifacts))


def _error(error: wire.Error) -> ProviderError:
    """``invalid_prompts`` is Stability's error name for a filtered prompt."""
    kind = ContentFiltered if error.name == "invalid_prompts" else RequestRejected
    reason = ": ".join(part for part in (error.name, error.message) if part) or "no reason given"
    return kind(f"the model returned an error: {reason}")


def _picture(artifact: wire.Artifact) -> Picture:
    """Only SUCCESS is a success; a filtered picture comes back blurred and is kept."""
    reason = artifact.finishReason if artifact.finishReason is not None else artifact.finishedReason
    if reason not in {"SUCCESS", "CONTENT_FILTERED"}:
        return Picture(outcome="failed", seed=artifact.seed, reason=f"finishReason is {reason}")
    filtered = reason == "CONTENT_FILTERED"
    try:
        image = picture_from_base64(artifact.base64, "the picture")
    except BadResponse as error:
        return Picture(outcome="filtered" if filtered else "failed", seed=artifact.seed, reason=error.message)
    return Picture(
        outcome="filtered" if filtered else "ok", image=image, seed=artifact.seed, reason=reason if filtered else ""
    )
