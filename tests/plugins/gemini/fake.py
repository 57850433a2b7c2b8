"""A strict stand-in for generateContent, written from the reference alone: unknown fields and wrong values are refused.

It paints a picture of the ratio and class that were asked for, or the last reference picture with its colours inverted.
"""

from __future__ import annotations

import base64
import binascii
import functools
import io
import math
import re
from typing import Any

import jsonschema
import PIL.Image
from PIL import ImageOps

KEY, TOKEN = "AIza-canary-0123456789abcdef", "ya29.canary-0123456789abcdef"

TEN = ["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"]
FOURTEEN = [*TEN, "1:4", "4:1", "1:8", "8:1"]
CLASSES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}

MODELS = {
    "gemini-nano-banana-2.1": (FOURTEEN, ["1K", "2K", "4K"], 14, ["MINIMAL", "MEDIUM", "HIGH"]),
    "gemini-3-pro-image": (TEN, ["1K", "2K", "4K"], 14, []),
    "gemini-3.1-flash-image": (FOURTEEN, ["512", "1K", "2K", "4K"], 14, ["MINIMAL", "HIGH"]),
    "gemini-3.1-flash-lite-image": (FOURTEEN, ["1K"], 14, ["MINIMAL", "HIGH"]),
}
"""Ratios, classes, how many references, and levels of thought."""

MEDIA = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}

Schema = dict[str, Any]


def closed(required: str, **properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


def schema(model: str, kind: str) -> Schema:
    """The schema of the bodies that a model takes for a kind of task."""
    ratios, classes, references, levels = MODELS[model]
    text = closed("text", text={"type": "string", "minLength": 1})
    data = closed("mimeType data", mimeType={"enum": list(MEDIA)}, data={"type": "string", "contentEncoding": "base64"})
    picture = closed("inlineData", inlineData=data)
    parts: Schema = {"type": "array", "prefixItems": [text], "minItems": 1}
    if kind == "generate":
        parts |= {"items": False}
    else:
        parts |= {"items": picture, "minItems": 2, "maxItems": 1 + references}
    thinking = closed("thinkingLevel", thinkingLevel={"enum": levels})
    config = closed(
        "responseModalities",
        responseModalities={"const": ["IMAGE"]},
        imageConfig=closed("", aspectRatio={"enum": ratios}, imageSize={"enum": classes}),
        temperature={"type": "number", "minimum": 0, "maximum": 1},
        **({"thinkingConfig": thinking} if levels else {}),
    )
    content = closed("role parts", role={"const": "user"}, parts=parts)
    contents = {"type": "array", "items": content, "minItems": 1, "maxItems": 1}
    return closed("contents generationConfig", contents=contents, generationConfig=config)


def problems(path: str, body: dict[str, Any]) -> list[str]:
    """Say what the service would refuse."""
    model = model_of(path)
    if model not in MODELS:
        return [f"there is no {path}"]
    kind = "generate" if not pictures_of(body) else "vary"
    found = jsonschema.Draft202012Validator(schema(model, kind)).iter_errors(body)
    return [f"{error.json_path}: {error.message[:200]}" for error in found] or _of_pictures(body)


def model_of(path: str) -> str:
    match = re.fullmatch(r"/?(?:.*/)?models/([\w.-]+):generateContent", path)
    return match[1] if match else ""


def pictures_of(body: dict[str, Any]) -> list[dict[str, str]]:
    return [part["inlineData"] for content in body["contents"] for part in content["parts"] if "inlineData" in part]


def _of_pictures(body: dict[str, Any]) -> list[str]:
    found = []
    for picture in pictures_of(body):
        try:
            data = base64.b64decode(picture["data"], validate=True)
        except binascii.Error:
            found.append("a picture is not base64")
            continue
        if len(data) > 7_000_000:
            found.append("a picture is too large")
        if opened(data).format != MEDIA[picture["mimeType"]]:
            found.append(f"a picture is called {picture['mimeType']}")
    if sum(len(picture["data"]) for picture in pictures_of(body)) > 20_000_000:
        found.append("the request is too large")
    return found


def opened(data: bytes) -> PIL.Image.Image:
    picture = PIL.Image.open(io.BytesIO(data))
    picture.load()
    return picture


# ---------------------------------------------------------------------------------------------- answering


def error(code: int, status: str, message: str, details: list[Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, **({"details": details} if details else {})}}


def answer(path: str, body: dict[str, Any], head: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Answer as the service does."""
    whole = re.fullmatch(
        r"/v1beta/models/[^/]+|/v1beta1/publishers/google/models/[^/]+"
        r"|/v1beta1/projects/my-project/locations/[a-z0-9-]+/publishers/google/models/[^/]+",
        path,
    )
    if whole is None or model_of(path) not in MODELS:
        return 404, error(404, "NOT_FOUND", f"{path} is not found")
    keyed = head.get("authorization") == f"Bearer {TOKEN}" if "/projects/" in path else head.get("x-goog-api-key") == KEY
    if not keyed:
        reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        return 400, error(400, "INVALID_ARGUMENT", "API key not valid.", [reason])
    wrong = problems(path, body)
    if wrong:
        return 400, error(400, "INVALID_ARGUMENT", "; ".join(wrong))
    return 200, painted(body)


def painted(body: dict[str, Any]) -> dict[str, Any]:
    return good(paint(body))


def good(data: bytes, media_type: str = "image/png") -> dict[str, Any]:
    """A good answer with a picture, after a picture of the model's thoughts, which is no result."""
    thought = {"thought": True, "inlineData": {"mimeType": "image/png", "data": base64.b64encode(drawn((8, 8))).decode()}}
    final = {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}, "thoughtSignature": "c2ln"}
    return {
        "candidates": [{"content": {"role": "model", "parts": [thought, final]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 9,
            "candidatesTokenCount": 1290,
            "thoughtsTokenCount": 30,
            "totalTokenCount": 1329,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
        },
        "modelVersion": "gemini-nano-banana-2.1",
        "responseId": "resp-42",
    }


def paint(body: dict[str, Any]) -> bytes:
    pictures = pictures_of(body)
    asked = body["generationConfig"].get("imageConfig", {})
    if not pictures:
        return drawn(size_of(asked))
    source = opened(base64.b64decode(pictures[-1]["data"]))
    return png(ImageOps.invert(source.convert("RGB")))


def size_of(asked: dict[str, str]) -> tuple[int, int]:
    """A size of about that; the exact pixels are not documented."""
    width, height = map(int, asked.get("aspectRatio", "1:1").split(":"))
    scale = CLASSES[asked.get("imageSize", "1K")] / math.sqrt(width * height)
    return round(width * scale), round(height * scale)


@functools.lru_cache(64)
def drawn(size: tuple[int, int]) -> bytes:
    return png(PIL.Image.new("RGB", size, "teal"))


def png(picture: PIL.Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
