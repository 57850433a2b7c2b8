"""The types of prompts, and how they are read from arguments."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


def read_number(value: float) -> float:
    """Convert any real number except a bool to float; other values are left for validation."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return value
    try:
        return float(value)
    except (OverflowError, TypeError, ValueError):
        return value


@attrs.frozen
class WeightedText:
    """A part of a prompt and its weight; a negative weight asks for less of it.

    Args:
        text: the part.
        weight: any finite number; 1 is neutral.
    """

    text: str
    weight: float = attrs.field(default=1.0, converter=read_number)


Prompt = str | tuple[WeightedText, ...]
PromptSource = str | Sequence[str | WeightedText]
NegativePrompt = str | tuple[str, ...]
NegativePromptSource = str | Sequence[str]
