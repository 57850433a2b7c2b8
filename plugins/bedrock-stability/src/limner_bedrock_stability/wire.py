"""The JSON of Stability AI's models on Amazon Bedrock, with its own names.

Source: Amazon Bedrock User Guide, the pages of Stability AI's models and 'Stability AI Image Services'.
"""

from __future__ import annotations

from typing import Any

import attrs
from limner import Image, Mask
from limner_bedrock.payloads import Base64


@attrs.frozen(kw_only=True)
class Body:
    """A request body with the keys of all services; ``None`` is not sent. A service's limits determine which it takes."""

    prompt: str | None = None
    negative_prompt: str | None = None
    mode: str | None = None
    aspect_ratio: str | None = None
    image: Image | None = None
    strength: float | None = None
    mask: Mask | None = None
    grow_mask: int | None = None
    search_prompt: str | None = None
    select_prompt: str | None = None
    left: int | None = None
    right: int | None = None
    up: int | None = None
    down: int | None = None
    creativity: float | None = None
    control_strength: float | None = None
    fidelity: float | None = None
    init_image: Image | None = None
    style_image: Image | None = None
    composition_fidelity: float | None = None
    style_strength: float | None = None
    change_strength: float | None = None
    style_preset: str | None = None
    seed: int | None = None
    output_format: str | None = None


@attrs.frozen
class Answer:
    """A response body: one entry per picture in each list. If the picture was filtered, only the reasons are present."""

    images: list[Base64 | None] | None = None
    seeds: list[Any] | None = None  # a malformed seed does not discard the picture
    finish_reasons: list[str | None] | None = None
