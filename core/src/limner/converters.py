"""Converters: how the values of a task's fields are read from what users pass.

What cannot be read is left as it is, for validation to refuse. Values may be of any class: their methods may raise anything.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from limner.images import Image, ImageSource, Mask, MaskSource
from limner.options import Options
from limner.prompts import (
    NegativePrompt,
    NegativePromptSource,
    Prompt,
    PromptSource,
    WeightedText,
    read_number,
    read_plain_text,
)


def read_text(value: str | None) -> str | None:
    """Read text."""
    return None if value is None else read_plain_text(value)


def read_integer(value: int | None) -> int | None:
    """Read anything that Python accepts as an index, such as a NumPy integer."""
    if value is None or isinstance(value, bool):
        return value
    try:
        return int.__int__(operator.index(value))
    except Exception:
        return value


def read_real(value: float | None) -> float | None:
    """Read any real number except a bool as a float."""
    return None if value is None else read_number(value)


def read_needed_prompt(value: PromptSource) -> Prompt:
    """Read a text, or a sequence whose parts become WeightedText."""
    if isinstance(value, str):
        return read_plain_text(value)
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        return value
    try:
        return tuple(WeightedText(part) if isinstance(part, str) else part for part in _tuple(value))
    except Exception:
        return value  # type: ignore[return-value]


def read_prompt(value: PromptSource | None) -> Prompt | None:
    """As :func:`read_needed_prompt`, where a prompt may be left out."""
    return None if value is None else read_needed_prompt(value)


def read_negative_prompt(value: NegativePromptSource | None) -> NegativePrompt | None:
    """Read one text, or a sequence of texts."""
    if isinstance(value, str):
        return read_text(value)
    several = _tuple(value)
    return tuple(map(read_plain_text, several)) if isinstance(several, tuple) else several


def read_sides(value: Sequence[int] | None) -> Any:
    """Read a size or a border as a tuple of whole numbers."""
    sides = _tuple(value)
    return tuple(map(read_integer, sides)) if isinstance(sides, tuple) else sides


def read_image(value: ImageSource) -> Image:
    """Read a picture."""
    return Image.read(value)


def read_images(value: ImageSource | Sequence[ImageSource]) -> tuple[Image, ...]:
    """Read a picture, or several."""
    several = _tuple(value)
    return tuple(map(Image.read, several)) if isinstance(several, tuple) else (Image.read(several),)


def read_mask(value: MaskSource | Literal["alpha"] | None) -> Mask | Literal["alpha"] | None:
    """Read a mask from a picture; "alpha" stays."""
    return None if value is None else "alpha" if isinstance(value, str) and value == "alpha" else Mask.read(value)


def read_options(value: Mapping[str, Any] | None) -> Options:
    """Read options as a frozen mapping."""
    return value if isinstance(value, Options) else Options(value)


def _tuple(value: Any) -> Any:
    """Make a tuple of a list or a tuple, even of a subclass whose iteration does something else."""
    if isinstance(value, list):
        return tuple(list.__iter__(value))
    return tuple(tuple.__iter__(value)) if isinstance(value, tuple) else value
