"""The values of a task's fields: how they are read from what users type, and what is wrong with them for every model."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from limner.images import Image, ImageSource, Mask, MaskSource
from limner.options import MAX_DIGITS, Options, is_too_long

# What cannot be read is left as it is, for the check to refuse. Values are anybody's: their methods may raise anything.


def read_needed_text(value: str) -> str:
    """Make a plain text of a text of a kind of its own, such as an enumeration's; others are left for the check."""
    return str.__str__(value) if isinstance(value, str) else value


def read_text(value: str | None) -> str | None:
    """As :func:`read_needed_text`, where a text may be left out."""
    return None if value is None else read_needed_text(value)


def read_integer(value: int | None) -> int | None:
    """Take what Python takes as an index, such as NumPy's integers; others are left for the check."""
    if value is None or isinstance(value, bool):
        return value
    try:
        return int.__int__(operator.index(value))
    except Exception:
        return value


def read_real(value: float | None) -> float | None:
    """Take every number but bool; others are left for the check."""
    return None if value is None else read_weight(value)


def read_weight(value: float) -> float:
    """As :func:`read_real`, for a value that is always there."""
    try:
        if isinstance(value, float):
            return float.__float__(value)
        return value if isinstance(value, bool) or not hasattr(value, "__float__") else float(value)
    except Exception:
        return value


@attrs.frozen
class WeightedText:
    """A part of a prompt and its weight; a negative weight asks for less of it.

    Args:
        text: the part.
        weight: any finite number; 1 is neutral.
    """

    text: str = attrs.field(converter=read_needed_text)
    weight: float = attrs.field(default=1.0, converter=read_weight)


Prompt = str | tuple[WeightedText, ...]
PromptSource = str | Sequence[str | WeightedText]
NegativePrompt = str | tuple[str, ...]
NegativePromptSource = str | Sequence[str]


def read_needed_prompt(value: PromptSource) -> Prompt:
    """Make WeightedText of the parts of a sequence."""
    if isinstance(value, str):
        return read_needed_text(value)
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
    """Make a tuple of several."""
    if isinstance(value, str):
        return read_text(value)
    several = _tuple(value)
    return tuple(map(read_needed_text, several)) if isinstance(several, tuple) else several


def read_sides(value: Sequence[int] | None) -> Any:
    """Make a tuple of whole numbers."""
    sides = _tuple(value)
    return tuple(map(read_integer, sides)) if isinstance(sides, tuple) else sides


def read_image(value: ImageSource) -> Image:
    """Read a picture from whatever holds one."""
    return Image.read(value)


def read_images(value: ImageSource | Sequence[ImageSource]) -> tuple[Image, ...]:
    """Read a picture, or several."""
    several = _tuple(value)
    return tuple(map(Image.read, several)) if isinstance(several, tuple) else (Image.read(several),)


def read_mask(value: MaskSource | Literal["alpha"] | None) -> Mask | Literal["alpha"] | None:
    """Read a mask from a picture; "alpha" stays."""
    return None if value is None else "alpha" if isinstance(value, str) and value == "alpha" else Mask.read(value)


def read_options(value: Mapping[str, Any] | None) -> Options:
    """Freeze."""
    return value if isinstance(value, Options) else Options(value)


def _tuple(value: Any) -> Any:
    """Make a tuple of a list or a tuple, whatever a kind of its own makes of iteration."""
    if isinstance(value, list):
        return tuple(list.__iter__(value))
    return tuple(tuple.__iter__(value)) if isinstance(value, tuple) else value


# What is wrong with one value in words, or None.


def _wrong_text(text: object, what: str = "must be a text") -> str | None:
    if not isinstance(text, str):
        return what
    if not text.strip():
        return "is empty; say what should be seen, or leave it out where it is not needed"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no character"
    return None


def wrong_prompt(prompt: object) -> str | None:
    """Say what is wrong with a prompt."""
    if not isinstance(prompt, tuple):
        return _wrong_text(prompt, "must be a text, or a sequence of texts and WeightedText")
    if not all(isinstance(part, WeightedText) for part in prompt):
        return "must be a text, or a sequence of texts and WeightedText"
    if any(wrong := _wrong_text(part.text) or _wrong_real(part.weight) for part in prompt):
        return wrong
    return None if prompt else "has no parts"


def _wrong_negative(prompt: object) -> str | None:
    if not isinstance(prompt, tuple):
        return _wrong_text(prompt, "must be a text or several")
    return next((wrong for text in prompt if (wrong := _wrong_text(text))), None if prompt else "has no parts")


def _wrong_real(value: object) -> str | None:
    return None if isinstance(value, float) and math.isfinite(value) else "must be a finite number"


def _wrong_integer(value: object, least: int) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        return f"must be a whole number of at least {least}"
    return f"must have at most {MAX_DIGITS} digits" if is_too_long(value) else None


def _wrong_strength(value: object) -> str | None:
    fine = isinstance(value, float) and 0 <= value <= 1
    return None if fine else "must be a number from 0 (keeps the picture) to 1 (ignores it)"


def _wrong_size(value: object) -> str | None:
    if not isinstance(value, tuple) or len(value) != 2 or any(_wrong_integer(side, 1) for side in value):
        return f"must be (width, height), two whole numbers of pixels of at least 1{_too_long(value)}"
    return None


def _wrong_expand(value: object) -> str | None:
    if not isinstance(value, tuple) or len(value) != 4 or any(_wrong_integer(side, 0) for side in value):
        return f"must be (left, top, right, bottom), four whole numbers of pixels of at least 0{_too_long(value)}"
    return None if any(value) else "adds nothing; at least one side must be more than 0"


def _too_long(value: object) -> str:
    long = isinstance(value, tuple) and any(isinstance(side, int) and is_too_long(side) for side in value)
    return f" and at most {MAX_DIGITS} digits" if long else ""


def _wrong_flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "must be True or False"


WRONG: dict[str, Callable[[Any], str | None]] = {
    "prompt": wrong_prompt,
    "negative_prompt": _wrong_negative,
    "mask_prompt": _wrong_text,
    "keep_prompt": _wrong_text,
    "n": lambda value: _wrong_integer(value, 1),
    "seed": lambda value: _wrong_integer(value, 0),
    "steps": lambda value: _wrong_integer(value, 1),
    "size": _wrong_size,
    "expand": _wrong_expand,
    "guidance_scale": _wrong_real,
    "strength": _wrong_strength,
    "preserve": _wrong_flag,
}
