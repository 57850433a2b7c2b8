"""The types of prompts, and how they are read from arguments."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


def read_plain_text(value: str) -> str:
    """Convert a subclass of str, such as an enumeration's member, to plain text; other values are left for validation."""
    return str.__str__(value) if isinstance(value, str) else value


def read_number(value: float) -> float:
    """Convert any real number except a bool to float; other values are left for validation."""
    try:
        match value:
            case bool():
                return value
            case float():
                return float.__float__(value)
            case int():
                return float(int.__int__(value))
        return float(value) if hasattr(value, "__float__") else value
    except Exception:
        return value


@attrs.frozen
class WeightedText:
    """A part of a prompt with its weight. A negative weight means less of it.

    Args:
        text: the text of the part.
        weight: any finite number; 1 is neutral.
    """

    text: str = attrs.field(converter=read_plain_text)
    weight: float = attrs.field(default=1.0, converter=read_number)


Prompt = str | tuple[WeightedText, ...]
PromptSource = str | Sequence[str | WeightedText]
NegativePrompt = str | tuple[str, ...]
NegativePromptSource = str | Sequence[str]
