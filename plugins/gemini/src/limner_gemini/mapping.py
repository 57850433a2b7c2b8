"""A task as a request of generateContent, and an answer as pictures. Pure."""

from __future__ import annotations

from typing import Any

import limner
from limner import Task, Vary
from limner_http import dump_json, parse_json, picture_from_base64

from limner_gemini import wire
from limner_gemini.limits import CATEGORIES, Shape

FILTERED = frozenset(
    [
        "SAFETY",
        "PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "RECITATION",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
        "ESCALATION",
    ]
)
"""Values of finishReason that say that a filter held the picture back."""

LIMITED = "PUP_LIMITED_DISABLED"
"""The finishReason of an account that Google has limited."""

_OF_IMAGES = ("imageSize", "personGeneration", "prominentPeople")
_OF_OUTPUT = ("mimeType", "compressionQuality")

_TALKED = frozenset({"STOP", "MAX_TOKENS", ""})


def to_request(task: Task, shape: Shape, model_id: str, path: str) -> limner.Request:
    """Write a task that keeps the limits as a request."""
    options = dict(task.options)
    instruction = options.pop("systemInstruction", None)
    safety = _safety(options)
    content = {
        "contents": [{"role": "user", "parts": _parts(task)}],
        **({"systemInstruction": {"role": "user", "parts": [{"text": instruction}]}} if instruction is not None else {}),
        **({"safetySettings": safety} if safety else {}),
        "generationConfig": _config(task, options, shape),
    }
    return limner.Request(model_id, dump_json(content), path=path)


def _parts(task: Task) -> list[dict[str, Any]]:
    images = task.image if isinstance(task, Vary) else ()
    pictures = [{"inlineData": {"mimeType": image.media_type, "data": image.data}} for image in images]
    return [{"text": task.prompt}, *pictures]  # type: ignore[attr-defined]


def _safety(options: dict[str, Any]) -> list[dict[str, str]]:
    """Take the safety settings out of the options."""
    method = {"method": options.pop("method")} if "method" in options else {}
    return [{"category": name, "threshold": options.pop(name), **method} for name in CATEGORIES if name in options]


def _config(task: Task, options: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Write the configuration; options that have no other place are keys of it."""
    image = {name: options.pop(name) for name in _OF_IMAGES if name in options}
    size = getattr(task, "size", None)
    if size is not None:
        image = {"aspectRatio": shape.ratio(size), "imageSize": shape.image_size(size)} | image
    image["imageOutputOptions"] = {name: options.pop(name) for name in _OF_OUTPUT if name in options}
    image = {name: value for name, value in image.items() if value}
    level = options.pop("thinkingLevel", None)
    return {
        "responseModalities": ["IMAGE"],
        **({"imageConfig": image} if image else {}),
        **({"thinkingConfig": {"thinkingLevel": level}} if level is not None else {}),
        **options,
    }


def to_pictures(body: bytes) -> limner.Decoded:
    """Read an answer.

    Raises:
        BadResponse: it is not what is documented.
        AccessDenied: the account is limited.
    """
    answer = wire.read(parse_json(body))
    if answer.reason == LIMITED:
        raise limner.AccessDenied(f"Google has limited this account for policy reasons ({LIMITED}){_said(answer.message)}")
    return limner.Decoded([_picture(answer)], usage=answer.usage, metadata=answer.metadata)


def _picture(answer: wire.Answer) -> limner.Picture:
    if answer.blocked:
        return limner.Picture(outcome="filtered", reason=f"the prompt was blocked: {answer.blocked}{_said(answer.message)}")
    if answer.reason in FILTERED:
        return limner.Picture(outcome="filtered", reason=f"{answer.reason}{_said(answer.message or answer.text)}")
    if not answer.pictures:
        return limner.Picture(outcome="failed", reason=_why_none(answer))
    try:
        return limner.Picture(image=picture_from_base64(answer.pictures[-1]))  # the last one is the finished one
    except limner.BadResponse as error:
        return limner.Picture(outcome="failed", reason=error.message)


def _why_none(answer: wire.Answer) -> str:
    said = _said(answer.message or answer.text)
    if answer.reason not in _TALKED:
        return f"the model made no picture: {answer.reason}{said}"
    if answer.thoughts:
        return f"the response has only unfinished pictures from the model's thoughts{said}"
    return f"the model answered without a picture{said}"


def _said(text: str) -> str:
    return f": {text}" if text else ""
