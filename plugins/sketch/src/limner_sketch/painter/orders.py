"""Carries out an order: the only module of the plugin that touches pixels when it is imported."""

from __future__ import annotations

import base64
import json
import re
from io import BytesIO
from typing import Any

import PIL.Image

from limner_sketch.painter import edits, scene

_PNG_COMPRESSION = 2


def carry_out(body: bytes) -> bytes:
    """Paint what an order says; the answer is JSON with the pictures as PNG in base64, in order."""
    order = json.loads(body)
    count, seed = order.get("n", 1), order.get("seed", 0)
    pictures = [_picture(order, seed + index) for index in range(count)]
    return json.dumps({"pictures": [_encoded(picture) for picture in pictures]}).encode()


def _picture(order: dict[str, Any], seed: int) -> PIL.Image.Image:
    words = _without(order.get("words", ""), order.get("without", ()))
    size = tuple(order.get("size") or ())
    picture = _decoded(order["picture"]) if "picture" in order else None
    if picture is None:
        return scene.paint(words, (size[0], size[1]), seed)
    match order["do"]:
        case "vary":
            return edits.vary(picture, words, order["strength"], seed, (size[0], size[1]))
        case "inpaint":
            return edits.inpaint(picture, _decoded(order["mask"]), words, seed)
        case "outpaint":
            return edits.outpaint(picture, _decoded(order["mask"]), words, seed)
        case "remove-background":
            return edits.remove_background(picture)
        case "upscale":
            return edits.upscale(picture, (size[0], size[1]))
    raise ValueError(order["do"])


def _without(words: str, unwanted: list[str]) -> str:
    """Take the words of the negative prompt out of the prompt: the painter then knows nothing of them."""
    for word in re.findall(r"\w+", " ".join(unwanted)):
        words = re.sub(rf"\b{re.escape(word)}\b", " ", words, flags=re.IGNORECASE)
    return words


def _decoded(text: str) -> PIL.Image.Image:
    return PIL.Image.open(BytesIO(base64.b64decode(text)))


def _encoded(picture: PIL.Image.Image) -> str:
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=_PNG_COMPRESSION)
    return base64.b64encode(buffer.getvalue()).decode()
