"""Constraints on texts."""

from __future__ import annotations

import re
from typing import Any

import attrs

from limner.limits.base import Constraint, Schema
from limner.limits.numbers import Real
from limner.prompts import WeightedText


@attrs.frozen(eq=False, repr=False)
class Text(Constraint):
    """Text of Unicode characters.

    Args:
        max_length: maximum number of characters; ``None`` if no limit is documented.
        min_length: minimum number of characters.
        pattern: a regular expression that the whole text must match.
        example: a text that matches the pattern, for messages.
    """

    max_length: int | None = None
    min_length: int = 1
    pattern: str | None = None
    example: str = ""

    def wrong(self, value: Any) -> str | None:
        if not isinstance(value, str):
            return f"must be text: {self.describe()}"
        if _has_surrogate(value):
            return "contains half of a surrogate pair, which is not a character"
        if len(value) < self.min_length or (self.max_length is not None and len(value) > self.max_length):
            return f"has {len(value)} characters, must have {self.describe()}"
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            return f"must look like {self.example or self.pattern}"
        return None

    def describe(self) -> str:
        least = f"at least {self.min_length} character{'' if self.min_length == 1 else 's'}"
        length = least if self.max_length is None else f"{self.min_length} to {self.max_length:,} characters"
        return length + (f" like {self.example or self.pattern}" if self.pattern else "")

    def schema(self) -> Schema:
        fragment: Schema = {"type": "string", "minLength": self.min_length}
        if self.max_length is not None:
            fragment["maxLength"] = self.max_length
        if self.pattern is not None:
            fragment["pattern"] = f"^(?:{self.pattern})$"
        return fragment


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


@attrs.frozen(eq=False, repr=False)
class Words(Text):
    """Text with at least one character that is not white space."""

    def wrong(self, value: Any) -> str | None:
        if isinstance(value, str) and not value.strip():
            return f"is blank, must have {self.describe()}"
        return Text.wrong(self, value)

    def schema(self) -> Schema:
        return {"pattern": r"\S", **Text.schema(self)}


def _is_parts(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(part, WeightedText) for part in value)


@attrs.frozen(eq=False, repr=False)
class PromptText(Words):
    """A prompt: one text, or parts with weights. The length is that of the text, or of each part.

    Args:
        weights: the range of weights; ``None`` if the model has no weights, so that parts are joined.
        max_parts: maximum number of parts.
        separator: the text between joined parts.
    """

    weights: Real | None = None
    max_parts: int | None = None
    separator: str = ", "

    def wrong(self, value: Any) -> str | None:
        if isinstance(value, str):
            return Words.wrong(self, value)
        if not _is_parts(value):
            return "must be text, or a sequence of texts and WeightedText"
        if self.weights is None:
            return "the model takes one text without weights"
        if self.max_parts is not None and len(value) > self.max_parts:
            return f"has {len(value)} parts, must have at most {self.max_parts}"
        found = (Words.wrong(self, part.text) or self.weights.wrong(part.weight) for part in value)
        return next((wrong for wrong in found if wrong is not None), None)

    def adapted(self, value: Any) -> tuple[Any, str]:
        if not _is_parts(value) or self.weights is not None or any(part.weight != 1 for part in value):
            return value, ""
        return self.separator.join(part.text for part in value), "the parts were joined; the model takes one text"

    def nearest(self, value: Any) -> Any:
        if not _is_parts(value) or self.weights is not None or any(part.weight < 0 for part in value):
            return None
        joined = self.separator.join(part.text for part in value)
        return joined if Words.wrong(self, joined) is None else None

    def describe(self) -> str:
        return Text.describe(self) + (f"; parts with weights {self.weights.describe()}" if self.weights else "")

    def schema(self) -> Schema:
        text = Words.schema(self)
        if self.weights is None:
            return text
        part = {
            "type": "object",
            "properties": {"$text": text, "weight": self.weights.schema()},
            "required": ["$text", "weight"],
        }
        most = {} if self.max_parts is None else {"maxItems": self.max_parts}
        return {"anyOf": [text, {"type": "array", "items": part, "minItems": 1, **most}]}


def _is_texts(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(text, str) for text in value)


@attrs.frozen(eq=False, repr=False)
class NegativeText(Words):
    """A negative prompt: one text or several. Several are joined if the model supports only one.

    Args:
        several: whether the model supports more than one; a task then has a text or a tuple of texts.
        separator: the text between joined texts.
    """

    several: bool = False
    separator: str = ", "

    def wrong(self, value: Any) -> str | None:
        if isinstance(value, str):
            return Words.wrong(self, value)
        if not _is_texts(value):
            return "must be one text, or several"
        if not self.several:
            return "the model takes one text"
        return next((wrong for text in value if (wrong := Words.wrong(self, text)) is not None), None)

    def adapted(self, value: Any) -> tuple[Any, str]:
        if self.several or not _is_texts(value):
            return value, ""
        return self.separator.join(value), "the texts were joined; the model takes one"

    def describe(self) -> str:
        return Text.describe(self) + (", one or several" if self.several else "")

    def schema(self) -> Schema:
        one = Words.schema(self)
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]} if self.several else one
