"""SDXL's JSON under its own names. What is None is not sent."""

from __future__ import annotations

import attrs
from limner import Image, Mask, Options
from limner_bedrock.payloads import Base64


@attrs.frozen
class TextPrompt:
    """One text and its weight; the weight is 1 where it is not said."""

    text: str
    weight: float | None = None


@attrs.frozen(kw_only=True)
class Body:
    """A request. The mode follows from the keys: ``init_image`` makes it image to image, ``mask_source`` masking."""

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
    """One picture of an answer. ``finishedReason`` is how the guide's text, but not its JSON, spells it."""

    seed: int | None = None
    base64: Base64 | None = None
    finishReason: str | None = None  # noqa: N815
    finishedReason: str | None = None  # noqa: N815


@attrs.frozen(kw_only=True)
class Error:
    """Why there are no pictures."""

    id: str | None = None
    name: str | None = None
    message: str | None = None


@attrs.frozen(kw_only=True)
class Answer:
    """An answer."""

    result: str | None = None
    artifacts: list[Artifact] | None = None
    error: Error | None = None
