"""SDXL's JSON with its own names. Attributes that are ``None`` are not sent."""

from __future__ import annotations

import attrs
from limner import Image, Mask, Options
from limner_bedrock.payloads import Base64


@attrs.frozen
class TextPrompt:
    """One text and its weight, 1 by default."""

    text: str
    weight: float | None = None


@attrs.frozen(kw_only=True)
class Body:
    """A request body. The keys determine the mode: ``init_image`` means image to image, ``mask_source`` means masking."""

    text_prompts: list[TextPrompt]
    height: int | None = None
    width: int | None = None
    cfg_scale: float | None = None
    clip_guidance_preset: str | None = None
    sampler: str | None = None
    samples: int | None = None
    seed: int | None = None
    steps: int | None = None
    style_preset: str | None = None
    extras: Options | None = None
    init_image: Image | None = None
    init_image_mode: str | None = None
    image_strength: float | None = None
    step_schedule_start: float | None = None
    step_schedule_end: float | None = None
    mask_source: str | None = None
    mask_image: Mask | None = None


@attrs.frozen(kw_only=True)
class Artifact:
    """One picture of a response. ``finishedReason`` is the spelling of the guide's text; its JSON uses the other."""

    seed: int | None = None
    base64: Base64 | None = None
    finishReason: str | None = None  # noqa: N815
    finishedReason: str | None = None  # noqa: N815


@attrs.frozen(kw_only=True)
class Error:
    """Why the response has no pictures."""

    id: str | None = None
    name: str | None = None
    message: str | None = None


@attrs.frozen(kw_only=True)
class Answer:
    """A response body."""

    result: str | None = None
    artifacts: list[Artifact] | None = None
    error: Error | None = None
