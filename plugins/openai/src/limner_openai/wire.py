"""Answers of the Images API, read with care: servers differ in what they leave out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from limner import BadResponse

_SAID = ("created", "background", "output_format", "quality", "size", "model", "inference_time_s")


@attrs.frozen
class Item:
    """One picture of an answer.

    Attributes:
        b64_json: the picture in base64, perhaps as a data URL.
        url: where it is, where it is not in the answer.
        filtered: whether the provider's filter held it back (xAI: ``respect_moderation`` is false).
        reason: why there is none, where the answer says so.
    """

    b64_json: str | None = None
    url: str | None = None
    filtered: bool = False
    reason: str = ""


@attrs.frozen
class Answer:
    """An answer."""

    data: list[Item]
    usage: dict[str, float]
    metadata: dict[str, Any]


def size(sides: tuple[int, int]) -> str:
    """Write a size."""
    return f"{sides[0]}x{sides[1]}"


def read(content: Mapping[str, Any]) -> Answer:
    """Read an answer.

    Raises:
        BadResponse: it is not what is documented.
    """
    data = content.get("data")
    if not isinstance(data, list):
        raise BadResponse("the answer has no list of pictures under data")
    metadata = {name: content[name] for name in _SAID if isinstance(content.get(name), str | int | float)}
    prompts = [item.get("revised_prompt") for item in data if isinstance(item, dict)]
    if any(isinstance(prompt, str) and prompt for prompt in prompts):
        metadata["revised_prompts"] = [prompt if isinstance(prompt, str) else None for prompt in prompts]
    return Answer([_item(item) for item in data], usage(content.get("usage")), metadata)


def _item(item: Any) -> Item:
    if not isinstance(item, dict):
        raise BadResponse(f"a picture of the answer is {type(item).__name__}, not an object")
    found, url = item.get("b64_json"), item.get("url")
    if isinstance(found, str) and found:
        return Item(found)
    if isinstance(url, str) and url.startswith("data:"):
        return Item(url)
    return Item(url=url if isinstance(url, str) and url else None, filtered=item.get("respect_moderation") is False)


def usage(said: Any) -> dict[str, float]:
    """Read the tokens that were used, those of details as ``input_image_tokens`` and the like."""
    if not isinstance(said, dict):
        return {}
    found = {name: value for name, value in said.items() if _is_count(value)}
    for group in ("input", "output"):
        details = said.get(f"{group}_tokens_details")
        if isinstance(details, dict):
            found |= {f"{group}_{name}": value for name, value in details.items() if _is_count(value)}
    return found


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
