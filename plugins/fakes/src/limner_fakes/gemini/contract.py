"""The bodies that ``generateContent`` of each image model accepts, as JSON Schemas, and their validation.

Sources: Google's pages on image generation and on the models, the types of the ``google-genai`` client; where a page of
Google's is missing (ratios, classes and references of 2.1) third parties, as the reference of limner says.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from typing import Any, Literal, NamedTuple

from limner_fakes.pictures import FORMATS, BadPicture, opened
from limner_fakes.schemas import TEXT, Schema, against, closed, integer, number

TEN = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
FOURTEEN = (*TEN, "1:4", "4:1", "1:8", "8:1")
CLASSES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
LARGEST_PICTURE = 7_000_000
LARGEST_PICTURES = 20_000_000
"""The limit for all pictures of a request, in base64."""

Kind = Literal["generate", "vary"]


class Contract(NamedTuple):
    """What a model supports: aspect ratios, size classes, number of references, thinking levels."""

    ratios: tuple[str, ...]
    classes: tuple[str, ...]
    references: int
    levels: tuple[str, ...] = ()


MODELS = {
    "gemini-nano-banana-2.1": Contract(FOURTEEN, ("1K", "2K", "4K"), 14, ("MINIMAL", "MEDIUM", "HIGH")),
    "gemini-3-pro-image": Contract(TEN, ("1K", "2K", "4K"), 14),
    "gemini-3.1-flash-image": Contract(FOURTEEN, ("512", "1K", "2K", "4K"), 14, ("MINIMAL", "HIGH")),
    "gemini-3.1-flash-lite-image": Contract(FOURTEEN, ("1K",), 14, ("MINIMAL", "HIGH")),
}


CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
CATEGORIES_OF_VERTEX = (
    *CATEGORIES,
    "JAILBREAK",
    *("IMAGE_HATE", "IMAGE_DANGEROUS_CONTENT", "IMAGE_HARASSMENT", "IMAGE_SEXUALLY_EXPLICIT"),
)
THRESHOLDS = ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF")


def _safety(*, vertex: bool) -> Schema:
    """Take safety settings; the Gemini API has neither categories of pictures nor a method."""
    setting = closed(
        "category threshold",
        category={"enum": [f"HARM_CATEGORY_{name}" for name in (CATEGORIES_OF_VERTEX if vertex else CATEGORIES)]},
        threshold={"enum": list(THRESHOLDS)},
        **({"method": {"enum": ["SEVERITY", "PROBABILITY"]}} if vertex else {}),
    )
    return {"type": "array", "items": setting}


def _image(contract: Contract, *, vertex: bool) -> Schema:
    """Take what a picture shall be; people and the format of the file are for Vertex AI."""
    png = closed("mimeType", mimeType={"const": "image/png"})
    jpeg = closed("mimeType", mimeType={"const": "image/jpeg"}, compressionQuality=integer(0, 100))
    more: dict[str, Schema] = {
        "personGeneration": {"enum": ["ALLOW_ALL", "ALLOW_ADULT", "ALLOW_NONE"]},
        "prominentPeople": {"enum": ["ALLOW_PROMINENT_PEOPLE", "BLOCK_PROMINENT_PEOPLE"]},
        "imageOutputOptions": {"oneOf": [png, jpeg]},
    }
    ratios, classes = list(contract.ratios), list(contract.classes)
    return closed("", aspectRatio={"enum": ratios}, imageSize={"enum": classes}, **(more if vertex else {}))


@functools.cache
def schema(model: str, kind: Kind, *, vertex: bool = False) -> Schema:
    """Return the schema of a model's bodies at either API, with pictures (``vary``) or without."""
    contract = MODELS[model]
    text = closed("text", text={"type": "string", "minLength": 1})
    data = closed("mimeType data", mimeType={"enum": list(FORMATS)}, data={"type": "string", "contentEncoding": "base64"})
    parts: Schema = {"type": "array", "prefixItems": [text], "minItems": 1}
    if kind == "generate":
        parts |= {"items": False}
    else:
        parts |= {"items": closed("inlineData", inlineData=data), "minItems": 2, "maxItems": 1 + contract.references}
    thinking = closed("thinkingLevel", thinkingLevel={"enum": list(contract.levels)})
    config = closed(
        "responseModalities",
        responseModalities={"const": ["IMAGE"]},
        imageConfig=_image(contract, vertex=vertex),
        temperature=number(0, 1),
        topP=number(0, 1),
        topK=integer(1, 2**31 - 1),
        **({"thinkingConfig": thinking} if contract.levels else {}),
    )
    content = closed("role parts", role={"const": "user"}, parts=parts)
    contents = {"type": "array", "items": content, "minItems": 1, "maxItems": 1}
    instruction = closed("parts", role=TEXT, parts={"type": "array", "items": text, "minItems": 1})
    return closed(
        "contents generationConfig",
        contents=contents,
        generationConfig=config,
        systemInstruction=instruction,
        safetySettings=_safety(vertex=vertex),
    )


def model_of(path: str) -> str:
    """Return the model that a path names; empty if it is not an image model."""
    match = re.fullmatch(r"/?(?:.*/)?models/([\w.-]+):generateContent", path)
    return match[1] if match else ""


def problems(path: str, body: Any) -> list[str]:
    """Return the problems for which the service would refuse a body."""
    model = model_of(path)
    if model not in MODELS:
        return [f"there is no {path}"]
    kind: Kind = "vary" if pictures_of(body) else "generate"
    vertex = "publishers/google/" in path
    return against(schema(model, kind, vertex=vertex), body) or [*_of_safety(body), *_of_pictures(body)]


def _of_safety(body: dict[str, Any]) -> list[str]:
    named = [setting["category"] for setting in body.get("safetySettings", ())]
    return [f"more than one safety setting has the category {name}" for name in sorted(set(named)) if named.count(name) > 1]


def pictures_of(body: Any) -> list[dict[str, str]]:
    """Return the pictures in a body, which may be invalid."""
    contents = body.get("contents") if isinstance(body, dict) else None
    contents = [content for content in contents if isinstance(content, dict)] if isinstance(contents, list) else []
    parts = [part for content in contents if isinstance(content.get("parts"), list) for part in content["parts"]]
    return [part["inlineData"] for part in parts if isinstance(part, dict) and "inlineData" in part]


def _of_pictures(body: dict[str, Any]) -> list[str]:
    found = []
    for picture in pictures_of(body):
        try:
            data = base64.b64decode(picture["data"], validate=True)
            kind = opened(data).format
        except (binascii.Error, BadPicture):
            found.append("Unable to process input image: it is no picture in base64")
            continue
        found += ["a picture is too large"] if len(data) > LARGEST_PICTURE else []
        found += [f"a picture is called {picture['mimeType']}"] if kind != FORMATS[picture["mimeType"]] else []
    if sum(len(picture["data"]) for picture in pictures_of(body)) > LARGEST_PICTURES:
        found.append("the request is too large")
    return found
