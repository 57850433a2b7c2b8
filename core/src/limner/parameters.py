"""The keyword arguments of ``generate``, ``vary`` and the others, for type checkers and editors: the fields of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from limner.fitting import Mode
from limner.images import Box, MaskSource, Size
from limner.values import NegativePromptSource


class Running(TypedDict, total=False):
    """How to run it, in place of the settings."""

    fit: Mode
    on_filtered: Literal["raise", "return"]
    options: Mapping[str, Any]


class Generate(Running, total=False):
    """The fields of :class:`limner.Generate` but ``prompt``."""

    negative_prompt: NegativePromptSource | None
    n: int | None
    size: Size | None
    seed: int | None
    guidance_scale: float | None
    steps: int | None


class Vary(Generate, total=False):
    """The fields of :class:`limner.Vary` but ``image`` and ``prompt``."""

    strength: float | None


class Inpaint(Generate, total=False):
    """The fields of :class:`limner.Inpaint` but ``image`` and ``prompt``."""

    mask: MaskSource | Literal["alpha"] | None
    mask_prompt: str | None
    preserve: bool | None


class Outpaint(Generate, total=False):
    """The fields of :class:`limner.Outpaint` but ``image`` and ``prompt``."""

    expand: Box | None
    mask: MaskSource | Literal["alpha"] | None
    keep_prompt: str | None
    preserve: bool | None


class RemoveBackground(Running, total=False):
    """The fields of :class:`limner.RemoveBackground` but ``image``."""


class Upscale(Running, total=False):
    """The fields of :class:`limner.Upscale` but ``image`` and ``prompt``."""

    size: Size | None
    negative_prompt: NegativePromptSource | None
    seed: int | None
