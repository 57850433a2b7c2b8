"""Answers of generateContent, read with care: nearly everything in them may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from limner import BadResponse

_MAX_TEXT = 300


@attrs.frozen
class Answer:
    """An answer.

    Attributes:
        blocked: why the prompt was blocked; empty where it was not.
        reason: why the model stopped.
        message: what the answer says of it for people.
        text: what the model said in place of, or beside, a picture.
        pictures: base64 of the pictures, in order, without those that the model made while thinking.
        thoughts: how many pictures it made while thinking.
        usage: tokens.
        metadata: what else is known of the answer.
    """

    blocked: str
    reason: str
    message: str
    text: str
    pictures: list[Any]
    thoughts: int
    usage: dict[str, float]
    metadata: dict[str, Any]


def read(content: Mapping[str, Any]) -> Answer:
    """Read an answer.

    Raises:
        BadResponse: it is not what is documented.
    """
    feedback = _object(content.get("promptFeedback"))
    blocked = _text(feedback.get("blockReason"))
    candidates = content.get("candidates")
    if not blocked and not (isinstance(candidates, list) and candidates and isinstance(candidates[0], dict)):
        raise BadResponse("the response has no candidates and no reason")
    candidate = _object(candidates[0]) if isinstance(candidates, list) and candidates else {}
    listed = _object(candidate.get("content")).get("parts")
    parts = [part for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    final = [part for part in parts if part.get("thought") is not True]
    reason = _text(candidate.get("finishReason"))
    said = {"modelVersion": content.get("modelVersion"), "responseId": content.get("responseId"), "finishReason": reason}
    return Answer(
        blocked=blocked,
        reason=reason,
        message=_text(feedback.get("blockReasonMessage")) if blocked else _text(candidate.get("finishMessage")),
        text=_text(" ".join(part["text"] for part in final if isinstance(part.get("text"), str))),
        pictures=_pictures(final),
        thoughts=len(_pictures(parts)) - len(_pictures(final)),
        usage=usage(content.get("usageMetadata")),
        metadata={name: value for name, value in said.items() if isinstance(value, str) and value},
    )


def _pictures(parts: list[dict[str, Any]]) -> list[Any]:
    return [part["inlineData"].get("data") for part in parts if isinstance(part.get("inlineData"), dict)]


_COUNTS = {
    "promptTokenCount": "input_tokens",
    "candidatesTokenCount": "output_tokens",
    "thoughtsTokenCount": "thoughts_tokens",
    "totalTokenCount": "total_tokens",
}
_DETAILS = {"promptTokensDetails": "input", "candidatesTokensDetails": "output"}


def usage(said: Any) -> dict[str, float]:
    """Read the tokens that were used, those of details as ``output_image_tokens`` and the like."""
    told = _object(said)
    found = {name: told[key] for key, name in _COUNTS.items() if _is_count(told.get(key))}
    for key, side in _DETAILS.items():
        for detail in map(_object, told[key] if isinstance(told.get(key), list) else ()):
            modality = detail.get("modality")
            if isinstance(modality, str) and modality.isidentifier() and _is_count(detail.get("tokenCount")):
                found[f"{side}_{modality.lower()}_tokens"] = detail["tokenCount"]
    return found


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """One line of a sensible length."""
    if not isinstance(value, str):
        return ""
    line = " ".join(value[: 20 * _MAX_TEXT].split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 3]}..."


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
